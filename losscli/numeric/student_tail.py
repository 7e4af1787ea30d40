"""The tail of Student's t distribution without SciPy, whose import takes as long as a comparison of few rows.

With t = sqrt(df) sinh s the density is proportional to cosh(s)^-df, so that

    P(|T| > t) = 2 K cosh(s)^-df J,   J = integral over u > 0 of (cosh(s) / cosh(s + u))^df,

where K = gamma(df / 2 + 1/2) / (gamma(df / 2) sqrt(pi)).  The integrand falls about exponentially, for which
the double exponential rule has all digits with few places: Takahasi and Mori (1974),
doi:10.2977/prims/1195192451
"""

from __future__ import annotations

import math
from functools import cache

from losscli.numeric.arrays import Array, np

_NORMAL_DF = 1e15
"""Degrees of freedom from which the distribution is the normal one to the last digit."""
_HALF_STEPS = 24
"""Steps after which the asymptotic series of gamma has all digits."""
_HALF_STEP = (-31 / 18432, 17 / 14336, -1 / 640, 1 / 192, -1 / 8)
"""The asymptotic series of log(gamma(x + 1/2) / (gamma(x) sqrt(x))) in 1/x, by its odd powers, last first."""
_CHUNK = 1024
"""Values integrated at once, so that intermediate results stay in the cache."""


def two_sided(t: Array, df: Array) -> Array:
    """The probability (n,) that |T| exceeds t >= 0 (n,), for positive degrees of freedom `df` (n,).

    To about 15 digits, and to 13 where it is below 1e-100.
    """
    t, df = np.broadcast_arrays(np.asarray(t, dtype=float), np.minimum(df, _NORMAL_DF))
    found = np.empty_like(t)
    for first in range(0, len(t), _CHUNK):
        own = slice(first, first + _CHUNK)
        found[own] = _tail(t[own], df[own])
    return found


@cache
def _rule() -> tuple[Array, Array]:
    """Places and weights for an integral to infinity; twice as many change no digit."""
    step = 0.125
    x = np.arange(-30, 34) * step
    places = np.exp(x - np.exp(-x))
    return places, step * (1.0 + np.exp(-x)) * places


def _tail(t: Array, df: Array) -> Array:
    places, weights = _rule()
    root = np.sqrt(df)
    slope = np.where(t > 1e150, 1.0, t / np.hypot(root, np.minimum(t, 1e150)))  # tanh s
    unit = 1.0 / (0.8 * root + df * slope)
    with np.errstate(over="ignore", under="ignore"):
        half = np.sinh(unit[:, None] * (places / 2))
        # cosh(s + u) / cosh(s) = 1 + 2 sinh(u / 2)^2 + tanh(s) sinh(u)
        growth = 2.0 * half * (half + slope[:, None] * np.sqrt(1.0 + half * half))
        beyond = unit * (np.exp(-df[:, None] * np.log1p(growth)) * weights).sum(axis=1)
        falls = np.exp(-df / 2 * np.log1p(t * t / df))
    found: Array = 2.0 / math.sqrt(math.pi) * _half_step(df / 2) * falls * beyond
    return found


def _half_step(x: Array) -> Array:
    """gamma(x + 1/2) / gamma(x) (n,)."""
    ratio = np.ones_like(x)
    for _ in range(_HALF_STEPS):
        ratio, x = ratio * (x / (x + 0.5)), x + 1.0
    square, series = 1.0 / (x * x), np.zeros_like(x)
    for coefficient in _HALF_STEP:
        series = series * square + coefficient
    return ratio * np.sqrt(x) * np.exp(series / x)
