"""Losses of order whose rows do not fit in memory: on disk, settled in passes, or a clear error."""

from __future__ import annotations

from typing import TypeVar

from losscli.catalog.loss import Choice
from losscli.data import limits, spool
from losscli.errors import DataError, Problem
from losscli.states import passes
from losscli.states.base import State
from losscli.states.moments import Moments
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction
from losscli.states.sketch import Sketch

SORTING = 16
"""Bytes of memory for each byte of a row, to sort rows and to compute with them (measured: 7 to 15)."""
S = TypeVar("S", bound=State)


def spilled(state: S) -> S:
    """The state; if it is that of a loss of order with many rows, these move to temporary files.

    Raises ScratchError if the disk is full.
    """
    return state.stored(passes.MAX_ROWS, spool.stored) if isinstance(state, Ranks) else state


def settled(
    choice: Choice, state: Ranks, bound: BoundReduction, level: float | None, paired: bool = False
) -> Moments:
    """The moments of a loss of order.  Raises DataError if its rows have to be in memory and do not fit."""
    if passes.takes_passes(state, bound):
        return passes.settled(state, bound, level, paired)
    require_memory(choice, state)
    return state.settled(bound, level, paired)


def require_memory(choice: Choice, state: Ranks) -> None:
    """Raise DataError for a loss of order whose rows are too many to sort in the free memory."""
    rows = int(state.n.sum())
    if rows <= passes.MAX_ROWS or isinstance(state, Sketch):
        return
    free = limits.free_memory()
    needed = SORTING * rows * sum(column.dtype.itemsize for column in state.parts[0].columns)
    if free is None or needed <= free:
        return
    what = (
        f"{choice} has {rows:,} rows to sort, which takes {needed / 1e9:.1f} GB of memory, and "
        f"{free / 1e9:.1f} GB are free"
    )
    remedies = ["--where evaluates a part of the rows"]
    if choice.loss.order is not None and choice.loss.order.binned:
        remedies.insert(0, "evaluate and compare sort on disk without --cluster and a bootstrap")
    raise DataError(Problem(what, remedy="; ".join(remedies)))
