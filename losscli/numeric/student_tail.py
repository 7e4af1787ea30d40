"""The tail of Student's t distribution without SciPy, whose import takes as long as a small comparison.

With t = sqrt(df) sinh s the density is proportional to cosh(s)^-df, so that

    P(|T| > t) = 2 K cosh(s)^-df J,   J = integral over u > 0 of (cosh(s) / cosh(s + u))^df,

where K = gamma(df / 2 + 1/2) / (gamma(df / 2) sqrt(pi)).  The integrand falls roughly exponentially, for
which the double exponential rule needs few nodes: Takahasi and Mori (1974),
doi:10.2977/prims/1195192451

The formulas work for numbers and arrays: `m` is the module `math` or `numpy`.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from losscli.numeric.arrays import Array, np

NORMAL_DF = 1e15
"""Degrees of freedom from which the distribution equals the normal one to the last digit."""
_HALF_STEPS = 24
"""Steps after which the asymptotic series of gamma is accurate to all digits."""
_HALF_STEP = (-31 / 18432, 17 / 14336, -1 / 640, 1 / 192, -1 / 8)
"""The asymptotic series of log(gamma(x + 1/2) / (gamma(x) sqrt(x))) in 1/x, by its odd powers, last first."""
_CHUNK = 1024
"""Values integrated at once, so that intermediate results stay in the CPU cache."""


def two_sided(t: Array, df: Array) -> Array:
    """The probability (n,) that |T| exceeds t >= 0 (n,), for degrees of freedom `df` (n,) of at least one.

    To about 15 digits, and to 13 where it is below 1e-100.
    """
    t, df = np.broadcast_arrays(np.asarray(t, dtype=float), np.minimum(df, NORMAL_DF))
    probability = np.empty_like(t)
    for first in range(0, len(t), _CHUNK):
        span = slice(first, first + _CHUNK)
        with np.errstate(over="ignore", under="ignore"):
            probability[span], *_ = tail(np, t[span], df[span])
    return probability


def tail(m: Any, t: Any, df: Any) -> tuple[Any, Any, Any]:
    """The probability that |T| exceeds t >= 0, the integral J, and tanh s: numbers, or arrays (n,)."""
    root = m.sqrt(df)
    if m is math:
        slope = t / m.hypot(root, t)
    else:
        slope = m.where(t > 1e150, 1.0, t / m.hypot(root, m.minimum(t, 1e150)))
    integral = _integral(m, slope, 1.0 / (0.8 * root + df * slope), df)
    falls = m.exp(-df / 2 * m.log1p(t * t / df))
    return 2.0 / math.sqrt(math.pi) * _half_step(m, df / 2) * falls * integral, integral, slope


def _integral(m: Any, slope: Any, unit: Any, df: Any) -> Any:
    """The integral J, whose integrand falls by about e within `unit`."""
    nodes, weights = _rule()
    if m is math:
        pairs = zip(nodes, weights, strict=True)
        return unit * sum(_integrand(m, unit * (place / 2), slope, df) * weight for place, weight in pairs)
    halves = unit[:, None] * (m.array(nodes) / 2)
    return unit * (_integrand(m, halves, slope[:, None], df[:, None]) * m.array(weights)).sum(axis=1)


def _integrand(m: Any, half: Any, slope: Any, df: Any) -> Any:
    """(cosh(s) / cosh(s + u))^df of u / 2, with the `slope` tanh s."""
    half = m.sinh(half)
    # cosh(s + u) / cosh(s) = 1 + 2 sinh(u / 2)^2 + tanh(s) sinh(u)
    growth = 2.0 * half * (half + slope * m.sqrt(1.0 + half * half))
    return m.exp(-df * m.log1p(growth))


@cache
def _rule() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights for an integral to infinity; twice as many would change no digit."""
    step = 0.125
    falls = [(x, math.exp(-x)) for x in (place * step for place in range(-30, 34))]
    places = tuple(math.exp(x - fall) for x, fall in falls)
    return places, tuple(step * (1.0 + fall) * place for (_, fall), place in zip(falls, places, strict=True))


def _half_step(m: Any, x: Any) -> Any:
    """gamma(x + 1/2) / gamma(x)."""
    ratio = 1.0
    for _ in range(_HALF_STEPS):
        ratio, x = ratio * (x / (x + 0.5)), x + 1.0
    square, series = 1.0 / (x * x), 0.0
    for coefficient in _HALF_STEP:
        series = series * square + coefficient
    return ratio * m.sqrt(x) * m.exp(series / x)
