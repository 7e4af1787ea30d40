"""The rows outside each cell: the states of all other cells merged, without any subtraction.

A difference of sums would lose the digits of a small rest.  Computing all rests takes only twice the merges
of one.
"""

from __future__ import annotations

from typing import TypeVar

from losscli.numeric.arrays import Array, np
from losscli.states.base import State

_StateT = TypeVar("_StateT", bound=State)


def collapsed(state: _StateT) -> _StateT:
    """The state of all rows in one cell; needs at least one cell."""
    while len(state.n) > 1:
        state = _pairs(state)
    return state


def rests(state: _StateT) -> _StateT:
    """For each of two or more cells, the state of all other cells.

    The rest of a cell is the rest of its pair of cells, merged with the other cell of the pair.
    """
    count = len(state.n)
    if count == 2:
        return state.select(np.array([1, 0]))
    paired: Array = np.arange(count // 2 * 2)
    rests_of_pairs = rests(_pairs(state))
    merged = rests_of_pairs.select(paired // 2).merge(state.select(paired ^ 1))
    return (
        merged
        if count % 2 == 0
        else type(state).stack([merged, rests_of_pairs.select(slice(count // 2, None))])
    )


def _pairs(state: _StateT) -> _StateT:
    """Neighbouring cells merged in pairs; the last one of an odd number as it is."""
    count = len(state.n)
    even = count // 2 * 2
    merged = state.select(np.arange(0, even, 2)).merge(state.select(np.arange(1, even, 2)))
    return merged if even == count else type(state).stack([merged, state.select(slice(even, None))])
