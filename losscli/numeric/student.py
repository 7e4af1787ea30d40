"""Quantiles of Student's t distribution; for numbers in plain Python, so that gates need no NumPy."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Any

from losscli.numeric.arrays import Array, np
from losscli.numeric.student_tail import NORMAL_DF, tail

_MIN_DF = 1.0
"""The minimum degrees of freedom; fewer, as in an edited report, are raised to it."""
_NEAR = 2e-4
"""The relative error of the tail below which one more step, of fourth order, gives all digits."""
_HIGH = 0.99
"""The level above which a normal quantile is computed from the lower tail."""
_CHUNK = 1024
"""Quantiles computed at once, so that intermediate results stay in the CPU cache."""


@lru_cache(maxsize=1 << 16)
def quantile(level: float, df: float) -> float:
    """The two-sided quantile of Student's t distribution, to about 15 digits.

    `df` is positive, or infinite.
    """
    if df > NORMAL_DF:
        return _normal(level)
    df, error = max(df, _MIN_DF), math.inf
    t = _start(math, level, df)
    while error > _NEAR:
        t, error = _improved(math, t, level, df)
    return float(t)


def quantiles(level: float, df: Array) -> Array:
    """The two-sided quantiles (n,) of Student's t distribution for many degrees of freedom (n,)."""
    if len(df) == 1:
        return np.array([_cached_quantile(level, float(df[0]))])
    result, finite_df = np.full(len(df), _normal(level)), np.flatnonzero(~(df > NORMAL_DF))
    for first in range(0, len(finite_df), _CHUNK):
        places = finite_df[first : first + _CHUNK]
        result[places] = _start(np, level, np.maximum(df[places], _MIN_DF))
        while len(places):
            batch_df = np.maximum(df[places], _MIN_DF)
            result[places], error = _improved(np, result[places], level, batch_df)
            places = places[error > _NEAR]
    return result


@lru_cache(maxsize=1 << 10)
def _cached_quantile(level: float, df: float) -> float:
    """One quantile with the same bits as `quantiles` of many."""
    return float(quantiles(level, np.full(2, df))[0])


def _normal(level: float) -> float:
    """The two-sided quantile of the normal distribution."""
    # At high levels (1 + level) / 2 loses digits that the lower tail keeps.
    if level > _HIGH:
        return -NormalDist().inv_cdf((1.0 - level) / 2)
    return NormalDist().inv_cdf((1.0 + level) / 2)


def _start(m: Any, level: float, df: Any) -> Any:
    """The quantile to about three digits, or one for few df in the far tail: a number, or an array (n,).

    `m` is the module `math` or `numpy`.  Wallace (1959), doi:10.1214/aoms/1177706083
    """
    z = _normal(level) * (8.0 * df + 3.0) / (8.0 * df + 1.0)
    return m.sqrt(df) * m.sqrt(m.expm1(z * z / df))


def _improved(m: Any, t: Any, level: float, df: Any) -> tuple[Any, Any]:
    """The quantile with four times the digits, and the relative error of the tail before this step.

    With t = sqrt(df) sinh s and J as in `student_tail`, the step in s solves the series of log P(|T| > t) to
    third order.  In the far tail, where few df make the start poor, the logarithm is nearly linear.
    """
    probability, integral, slope = tail(m, t, df)
    error = m.log(probability / (1.0 - level))
    # The logarithm falls at the rate 1 / J; these are its derivatives in s, divided by the rate.
    rate = 1.0 / integral
    bend = rate - df * slope
    twist = 2.0 * rate * bend - df * (1.0 - slope * slope) - df * slope * bend
    first = error * integral
    step = first * (1.0 - first * (bend / 2 - first * (bend * bend / 2 - twist / 6)))
    return t * m.cosh(step) + m.hypot(m.sqrt(df), t) * m.sinh(step), abs(error)


def normalised(t: float, df: float) -> float:
    """The normal deviate with about the same tail as t >= 0, to compare tests of different df.

    Hill (1970), doi:10.1145/355598.355599
    """
    df = max(df, _MIN_DF)
    a = df - 0.5
    y = a * math.log1p(t * t / df)
    b = 48.0 * a * a
    root = math.sqrt(y)
    c = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b)
    return root + (c + y + 3.0) / b * root
