"""Score intervals and tests for error rates, and for the difference of two error rates on the same rows.

They use the variance that the rate would have at each end of the interval, so rates of 0 and 1 are no special
case.  The number of rows may be an effective sample size.
"""

from __future__ import annotations

import math

_HALVINGS = 60
"""Steps of a bisection: as many as a float has digits."""


def share_interval(share: float, n: float, deviate: float) -> tuple[float, float]:
    """The score interval of a share (0 to 1) of n rows.

    `deviate` is the two-sided quantile.  Wilson (1927), Probable inference, doi:10.2307/2276774
    """
    z = deviate * deviate / n
    centre = (share + z / 2) / (1 + z)
    half = math.sqrt(z * share * (1 - share) + z * z / 4) / (1 + z)
    # At no and at all rows an end is the share itself, which rounding must not move.
    low = 0.0 if share <= 0 else max(0.0, centre - half)
    return low, 1.0 if share >= 1 else min(1.0, centre + half)


def difference_deviate(up: float, down: float, n: float, difference: float) -> float:
    """The normal deviate at which the shares of n paired rows differ by `difference` (-1 to 1).

    A loss rises from 0 to 1 on the share `up` of the rows, and falls on the share `down`.  At no difference
    it is that of McNemar's test.  Tango (1998), Equivalence test and confidence interval for the difference
    in proportions for the paired-sample design, Statistics in Medicine 17, 891-908
    """
    b = (2 - up + down) * difference - up - down
    fallen = (math.sqrt(max(0.0, b * b + 8 * down * difference * (1 - difference))) - b) / 4
    variance = (2 * fallen + difference * (1 - difference)) / n
    apart = up - down - difference
    return apart / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, apart) if apart else 0.0


def difference_interval(up: float, down: float, n: float, deviate: float) -> tuple[float, float]:
    """The interval of up - down, the difference of two shares of n paired rows; see `difference_deviate`."""

    def end(outer: float, wanted: float) -> float:
        inner = up - down
        for _ in range(_HALVINGS):
            middle = (inner + outer) / 2
            if abs(difference_deviate(up, down, n, middle)) < wanted:
                inner = middle
            else:
                outer = middle
        return inner

    return end(-1.0, deviate), end(1.0, deviate)


def normal_p_value(deviate: float) -> float:
    """The two-sided p-value of a normal deviate."""
    return math.erfc(abs(deviate) / math.sqrt(2))
