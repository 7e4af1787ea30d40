"""Studentised estimates whose distribution is skewed: Hall's transformation.

The studentised estimate t = (estimate - truth) / se of a mean of skewed rows does not have Student's
distribution: if row losses have a long upper tail, estimates below the truth have small standard errors, and
intervals miss on one side.  With the standardised third cumulant s of the estimate, which is the skewness of
the rows over the root of n,

    g(t) = t + s t^2 / 3 + s^2 t^3 / 27 + s / 6

has Student's distribution up to terms of 1 / n, increases in t, and has an inverse in closed form.  Hall
(1992), On the removal of skewness by transformation, doi:10.1111/j.2517-6161.1992.tb01876.x
"""

from __future__ import annotations

from typing import Any

from losscli.numeric.arrays import Array, np


def symmetric(t: Any, skew: Any) -> Any:
    """The deviate g(t) of Student's distribution for a studentised estimate t: numbers, or arrays of them."""
    a = skew / 3
    return t + a * t * t + a * a * t * t * t / 3 + a / 2


def studentised(deviate: Array, skew: Array) -> Array:
    """The studentised estimates t (c,) for deviates g (c,) of Student's distribution: inverts `symmetric`."""
    a = skew / 3
    with np.errstate(all="ignore"):  # without skewness, where the series below is used
        exact = (np.cbrt(1 + 3 * a * (deviate - a / 2)) - 1) / a
    return np.where(np.abs(a) < 1e-9, deviate - a / 2 - a * deviate * deviate, exact)
