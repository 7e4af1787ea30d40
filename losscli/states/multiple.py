"""p-values, and their adjustment for multiple tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from losscli.numeric.special import special
from losscli.states.base import Estimate


def p_value(difference: Estimate) -> float | None:
    """Of Student's t test that there is no difference, two-sided; None without a standard error."""
    if difference.value is None or difference.se is None or difference.df is None:
        return None
    if difference.value == 0:
        return 1.0
    t = abs(difference.value) / difference.se if difference.se else math.inf
    return float(2 * special(np).stdtr(difference.df, -t))


def holm(values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm's method, in the given order."""
    adjusted, most = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        most = max(most, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = most
    return adjusted
