"""Score intervals of shares and quantiles, and the test of two error rates on the same rows.

They use the variance of the rate at each end of the interval, so that rates of 0 and 1 are no special cases.
The number of rows may be an effective sample size.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

from losscli.numeric.arrays import np

_HALVINGS = 60
"""Steps of a bisection: enough for all binary digits of a float."""


def share_interval(share: Any, n: Any, deviate: Any) -> tuple[Any, Any]:
    """The score intervals of shares (0 to 1) of n rows: numbers, or arrays of them.

    `deviate` is the two-sided quantile.  Wilson (1927), Probable inference, doi:10.2307/2276774
    """
    z = deviate * deviate / n
    centre = (share + z / 2) / (1 + z)
    half = np.sqrt(z * share * (1 - share) + z * z / 4) / (1 + z)
    # At shares of 0 and 1 one end is the share itself, which rounding must not move.
    low = np.where(share <= 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(share >= 1, 1.0, np.minimum(1.0, centre + half))
    return low[()], high[()]  # numbers for numbers, not arrays


def order_interval(share: float, n: float, deviate: float) -> tuple[float, float]:
    """The positions among n sorted rows that bound the quantile of a share (0 to 1).

    The number of rows up to the quantile is binomial.  The interval begins at the first row beyond the first
    position, and ends with the row at the second one; a position below 0 or above n means an open end.
    `deviate` is the two-sided quantile.  Conover (1999), Practical Nonparametric Statistics, sec. 3.2
    """
    betainc = importlib.import_module("scipy.special").betainc
    tail = 0.5 * math.erfc(deviate / math.sqrt(2))

    def beyond(position: float) -> bool:
        """Whether the probability of this many or more rows up to the quantile is below the tail."""
        return bool(betainc(position, n - position + 1, share) <= tail)

    def short_of(position: float) -> bool:
        """Whether the probability of fewer rows up to the quantile is below the tail."""
        return bool(betainc(n - position + 1, position, 1 - share) <= tail)

    above, below = math.inf, -math.inf
    if beyond(n):
        above = _first(beyond, share * n, n)
    if short_of(1.0):
        below = _first(short_of, max(share * n, 1.0), 1.0) - 1.0
    return below, above


def _first(holds: Callable[[float], bool], inner: float, outer: float) -> float:
    """Where a condition begins to hold, between `inner`, where it does not, and `outer`, where it does."""
    for _ in range(_HALVINGS):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if holds(middle) else (middle, outer)
    return outer


def difference_deviate(up: float, down: float, n: float, difference: float) -> float:
    """The normal deviate at which the shares of n paired rows differ by `difference` (-1 to 1).

    A loss rises from 0 to 1 on the share `up` of the rows, and falls on the share `down`.  For no difference
    this is McNemar's test.  Tango (1998), Equivalence test and confidence interval for the difference
    in proportions for the paired-sample design, Statistics in Medicine 17, 891-908
    """
    b = (2 - up + down) * difference - up - down
    down_rate = (math.sqrt(max(0.0, b * b + 8 * down * difference * (1 - difference))) - b) / 4
    variance = (2 * down_rate + difference * (1 - difference)) / n
    deviation = up - down - difference
    return (
        deviation / math.sqrt(variance)
        if variance > 0
        else math.copysign(math.inf, deviation)
        if deviation
        else 0.0
    )


def difference_interval(up: float, down: float, n: float, deviate: float) -> tuple[float, float]:
    """The interval of up - down, the difference of two shares of n paired rows; see `difference_deviate`."""

    def end(outer: float, wanted: float) -> float:
        return _first(lambda at: abs(difference_deviate(up, down, n, at)) >= wanted, up - down, outer)

    return end(-1.0, deviate), end(1.0, deviate)


def normal_p_value(deviate: float) -> float:
    """The two-sided p-value of a normal deviate."""
    return math.erfc(abs(deviate) / math.sqrt(2))
