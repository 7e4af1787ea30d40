"""Student's t distribution, in plain Python if that is exact enough, so that judging gates needs no NumPy."""

from __future__ import annotations

import importlib
import math
from functools import lru_cache
from statistics import NormalDist

_LARGE_DF = 30
"""Degrees of freedom from which Hill's expansion is exact to 1e-10 at levels up to 0.99."""
_NORMAL_DF = 1e15
"""Degrees of freedom from which the distribution is the normal one to the last digit."""


@lru_cache(maxsize=1 << 16)
def quantile(level: float, df: float) -> float:
    """The two-sided quantile of Student's t distribution.

    `df` is positive, or infinite.
    """
    tail, upper = 1.0 - level, (1.0 + level) / 2
    if df > _NORMAL_DF:
        # At the highest level the sum rounds to one, and the lower tail has the digits.
        return NormalDist().inv_cdf(upper) if upper < 1.0 else -NormalDist().inv_cdf(tail / 2)
    if df == 1:
        return 1.0 / math.tan(tail * math.pi / 2)
    if df == 2:
        return math.sqrt(2.0 / (tail * (2.0 - tail)) - 2.0)
    if df < _LARGE_DF:
        # Importing scipy.special takes longer than evaluating a small file, so only here.
        stdtrit = importlib.import_module("scipy.special").stdtrit
        return float(stdtrit(df, upper) if upper < 1.0 else -stdtrit(df, tail / 2))
    return _expansion(tail, df)


def _expansion(tail: float, df: float) -> float:
    """The two-sided quantile for many degrees of freedom: Hill (1970), doi:10.1145/355598.362775."""
    a = 1.0 / (df - 0.5)
    b = 48.0 / (a * a)
    c = ((20700.0 * a / b - 98.0) * a - 16.0) * a + 96.36
    d = ((94.5 / (b + c) - 3.0) / b + 1.0) * math.sqrt(a * math.pi / 2) * df
    y = (d * tail) ** (2.0 / df)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(tail / 2)
        y = x * x
        c = (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x
        y = math.expm1(a * y * y)
    else:
        y = (
            (1.0 / (((df + 6.0) / (df * y) - 0.089 * d - 0.822) * (df + 2.0) * 3.0) + 0.5 / (df + 4.0)) * y
            - 1.0
        ) * (df + 1.0) / (df + 2.0) + 1.0 / y
    return math.sqrt(df * y)


def normalised(t: float, df: float) -> float:
    """The normal deviate with about the tail of t >= 0: orders tests of different df.

    Hill (1970), doi:10.1145/355598.355599
    """
    a = df - 0.5
    y = a * math.log1p(t * t / df)
    b = 48.0 * a * a
    root = math.sqrt(y)
    c = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b)
    return root + (c + y + 3.0) / b * root
