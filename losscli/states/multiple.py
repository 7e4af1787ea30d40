"""The adjustment of p-values for multiple tests."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.numeric.arrays import np


def holm(values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm's method, in the given order."""
    p, adjusted = np.asarray(values, dtype=float), np.empty(len(values))
    order = np.argsort(p, kind="stable")
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, np.arange(len(p), 0, -1) * p[order]))
    result: list[float] = adjusted.tolist()
    return result


def benjamini_hochberg(values: Sequence[float], tests: int | None = None) -> list[float]:
    """The p-values adjusted for the false discovery rate among all `tests`, in the given order.

    By default these are all tests.  Among tests with an adjusted p-value of at most q, the expected share of
    false discoveries is at most q.  Benjamini and Hochberg (1995), Controlling the false discovery rate,
    doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    adjusted, smallest = [0.0] * len(values), 1.0
    count = len(values) if tests is None else tests
    order = sorted(range(len(values)), key=values.__getitem__)
    for rank in range(len(order), 0, -1):
        place = order[rank - 1]
        smallest = min(smallest, values[place] * count / rank)
        adjusted[place] = smallest
    return adjusted
