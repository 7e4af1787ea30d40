"""The rows outside each cell: the states of all other cells merged, without any subtraction.

A difference of sums would lose the digits of a small rest.  Computing all rests takes only twice the merges
of one.  The cells of all groups are merged at once, as a merge takes about as long for one cell as for many.
"""

from __future__ import annotations

from losscli.numeric.arrays import Array, np
from losscli.states.moments import Moments


def pooled(state: Moments, groups: Array) -> Moments:
    """The moments of each group of cells in one cell; `groups` (c,) are 0, 0, ..., 1, ..., in order."""
    while len(groups) and int(groups[-1]) + 1 < len(groups):
        state, groups, _ = _halved(state, groups)
    return state


def collapsed(state: Moments) -> Moments:
    """The moments of all rows in one cell; needs at least one cell."""
    return pooled(state, np.zeros(len(state.n), dtype=np.int64))


def rests(state: Moments, groups: Array) -> Moments:
    """For each cell, the moments of all other cells of its group; the groups are as in `pooled`.

    The rest of a cell is the rest of its pair of cells, merged with the other cell of the pair.
    """
    if not len(groups) or int(groups[-1]) + 1 == len(groups):
        return Moments.empty(len(groups), state.drift.shape[1], state.spread is not None)
    halves, groups, pairs = _halved(state, groups)
    second = np.flatnonzero(np.diff(pairs, prepend=-1) == 0)
    cells, others = (np.stack(both, axis=1).ravel() for both in ((second - 1, second), (second, second - 1)))
    return rests(halves, groups).select(pairs).merge(state.select(others), cells)


def _halved(state: Moments, groups: Array) -> tuple[Moments, Array, Array]:
    """Neighbouring cells of each group merged in pairs, the groups of pairs, and the pair of each cell (c,).

    The last one of an odd number of cells is a pair by itself.
    """
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    is_second = (np.arange(len(groups)) - starts[groups]) % 2 == 1
    pairs, first, second = np.cumsum(~is_second) - 1, np.flatnonzero(~is_second), np.flatnonzero(is_second)
    merged = state.select(first).merge(state.select(second), pairs[second])
    return merged, groups[first], pairs
