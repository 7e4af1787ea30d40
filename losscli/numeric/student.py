"""Quantiles of Student's t distribution, of numbers in plain Python, so that judging gates needs no NumPy."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Any

from losscli.numeric.arrays import Array, np
from losscli.numeric.student_tail import NORMAL_DF, tail

_LEAST_DF = 1.0
"""The fewest degrees of freedom of an estimate; fewer, as of a report that was edited, count as these."""
_NEAR = 2e-4
"""The relative error of a tail from which one step, whose error is of its fourth power, has all digits."""
_HIGH = 0.99
"""The level above which a quantile of the normal distribution is that of the lower tail."""
_CHUNK = 1024
"""Quantiles computed at once, so that intermediate results stay in the cache."""


@lru_cache(maxsize=1 << 16)
def quantile(level: float, df: float) -> float:
    """The two-sided quantile of Student's t distribution, to about 15 digits.

    `df` is positive, or infinite.
    """
    if df > NORMAL_DF:
        return _normal(level)
    df, error = max(df, _LEAST_DF), math.inf
    t = _start(math, level, df)
    while error > _NEAR:
        t, error = _improved(math, t, level, df)
    return float(t)


def quantiles(level: float, df: Array) -> Array:
    """The two-sided quantiles (n,) of Student's t distribution for many degrees of freedom (n,)."""
    if len(df) == 1:
        return np.array([_alone(level, float(df[0]))])
    found, known = np.full(len(df), _normal(level)), np.flatnonzero(~(df > NORMAL_DF))
    for first in range(0, len(known), _CHUNK):
        places = known[first : first + _CHUNK]
        found[places] = _start(np, level, np.maximum(df[places], _LEAST_DF))
        while len(places):
            own = np.maximum(df[places], _LEAST_DF)
            found[places], error = _improved(np, found[places], level, own)
            places = places[error > _NEAR]
    return found


@lru_cache(maxsize=1 << 10)
def _alone(level: float, df: float) -> float:
    """One of `quantiles`, with their bits."""
    return float(quantiles(level, np.full(2, df))[0])


def _normal(level: float) -> float:
    """The two-sided quantile of the normal distribution."""
    # At high levels the sum rounds away digits that the lower tail has.
    if level > _HIGH:
        return -NormalDist().inv_cdf((1.0 - level) / 2)
    return NormalDist().inv_cdf((1.0 + level) / 2)


def _start(m: Any, level: float, df: Any) -> Any:
    """The quantile to about three digits, of few df to one in the far tail: a number, or an array (n,).

    `m` is the module `math` or `numpy`.  Wallace (1959), doi:10.1214/aoms/1177706083
    """
    z = _normal(level) * (8.0 * df + 3.0) / (8.0 * df + 1.0)
    return m.sqrt(df) * m.sqrt(m.expm1(z * z / df))


def _improved(m: Any, t: Any, level: float, df: Any) -> tuple[Any, Any]:
    """The quantile with four times the digits, and the relative error of the tail that it had before.

    With t = sqrt(df) sinh s and J as in `student_tail`, the step of s solves the series of log P(|T| > t) to
    its third power.  The logarithm is about straight where few df make a start poor, in the far tail.
    """
    probability, integral, slope = tail(m, t, df)
    error = m.log(probability / (1.0 - level))
    # The logarithm falls at the rate 1 / J, whose derivatives in s, divided by the rate, these are.
    rate = 1.0 / integral
    bend = rate - df * slope
    twist = 2.0 * rate * bend - df * (1.0 - slope * slope) - df * slope * bend
    first = error * integral
    step = first * (1.0 - first * (bend / 2 - first * (bend * bend / 2 - twist / 6)))
    return t * m.cosh(step) + m.hypot(m.sqrt(df), t) * m.sinh(step), abs(error)


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
