"""Studentised estimates whose distribution is skewed: Hall's transformation, and the score interval.

The studentised estimate t = (estimate - truth) / se of a mean of skewed rows is not Student's: where the
losses of rows have a long upper tail, estimates below the truth come with a small standard error, so that
intervals miss on one side.  With the standardised third cumulant s of the estimate, that is the skewness of
a row over the root of n,

    g(t) = t + s t^2 / 3 + s^2 t^3 / 27 + s / 6

is Student's up to terms of 1 / n, increases, and has an inverse in closed form.  Hall (1992), On the removal
of skewness by transformation, doi:10.1111/j.2517-6161.1992.tb01876.x
"""

from __future__ import annotations

import math
from typing import Any


def symmetric(t: Any, skew: Any) -> Any:
    """The deviate g(t) of Student's distribution for a studentised estimate t: numbers, or arrays of them."""
    a = skew / 3
    return t + a * t * t + a * a * t * t * t / 3 + a / 2


def studentised(deviate: float, skew: float) -> float:
    """The studentised estimate t for a deviate g of Student's distribution: the inverse of `symmetric`."""
    a = skew / 3
    if abs(a) < 1e-9:
        return deviate - a / 2 - a * deviate * deviate
    return (math.cbrt(1 + 3 * a * (deviate - a / 2)) - 1) / a


def score_interval(share: float, n: float, deviate: float) -> tuple[float, float]:
    """The interval of a share (0 to 1) of n rows, which may be an effective number: the score interval.

    `deviate` is the two-sided quantile.  Wilson (1927), Probable inference, doi:10.2307/2276774
    """
    z = deviate * deviate / n
    centre = (share + z / 2) / (1 + z)
    half = math.sqrt(z * share * (1 - share) + z * z / 4) / (1 + z)
    # At no and at all rows an end is the share itself, which rounding must not move.
    low = 0.0 if share <= 0 else max(0.0, centre - half)
    return low, 1.0 if share >= 1 else min(1.0, centre + half)
