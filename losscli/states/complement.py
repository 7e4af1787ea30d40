"""The rows outside a cell: the states of all other cells merged, so that nothing is subtracted.

A difference of sums would lose the digits of a small rest.  All rests together take twice the merges of one.
"""

from __future__ import annotations

from typing import TypeVar

from losscli.numeric.arrays import Array, np
from losscli.states.base import State

_StateT = TypeVar("_StateT", bound=State)


def collapsed(state: _StateT) -> _StateT:
    """The state of the rows of all cells, of which there is one at least."""
    while len(state.n) > 1:
        state = _pairs(state)
    return state


def rests(state: _StateT) -> _StateT:
    """For each of two cells or more the state of all others.

    Those of a pair of cells are outside its half of the tree: the rest of the pair, and the other cell.
    """
    count = len(state.n)
    if count == 2:
        return state.select(np.array([1, 0]))
    paired: Array = np.arange(count // 2 * 2)
    above = rests(_pairs(state))
    found = above.select(paired // 2).merge(state.select(paired ^ 1))
    return found if count % 2 == 0 else type(state).stack([found, above.select(slice(count // 2, None))])


def _pairs(state: _StateT) -> _StateT:
    """Each two neighbouring cells merged; the last one of an odd number as it is."""
    count = len(state.n)
    even = count // 2 * 2
    merged = state.select(np.arange(0, even, 2)).merge(state.select(np.arange(1, even, 2)))
    return merged if even == count else type(state).stack([merged, state.select(slice(even, None))])
