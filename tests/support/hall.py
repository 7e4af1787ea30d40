"""Hall's interval and test of a mean, by inverting the transformation numerically."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats


def transformed(t: float, skew: float, n: int) -> float:
    """The deviate of Hall (1992) for n rows of a skewness, doi:10.1111/j.2517-6161.1992.tb01876.x."""
    root = np.sqrt(n)
    return t + skew * t**2 / (3 * root) + skew**2 * t**3 / (27 * n) + skew / (6 * root)


def interval(x: np.ndarray, level: float) -> tuple[float, float]:
    """The interval of the mean of x."""
    n, skew, se = len(x), _skewness(x), stats.sem(x)
    q = stats.t.ppf((1 + level) / 2, n - 1)
    low, high = (
        x.mean()
        - se * optimize.brentq(lambda t, end=end: transformed(t, skew, n) - end, -1e3, 1e3, xtol=1e-14)
        for end in (q, -q)
    )
    return low, high


def p_value(x: np.ndarray) -> float:
    """Of the two-sided test that the mean of x is zero."""
    t = x.mean() / stats.sem(x)
    return 2 * stats.t.sf(abs(transformed(t, _skewness(x), len(x))), len(x) - 1)


def _skewness(x: np.ndarray) -> float:
    return float(stats.skew(x, bias=False)) if len(x) > 2 else 0.0
