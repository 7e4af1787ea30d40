"""State: the mergeable summary of the rows of each cell, from which a loss is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct

from losscli.numeric.arrays import Array
from losscli.report.findings import Note

if TYPE_CHECKING:
    from losscli.states.cells import Cells
    from losscli.states.reductions import BoundReduction


class Estimate(Struct, frozen=True, gc=False):
    """A value with its standard error and interval; None if undefined, with the reason in `notes`.

    `p_value` belongs to a difference: it is that of the two-sided test of no difference.  `max_error` bounds
    the distance of an approximate value from the exact one; None if the value is not approximate.
    """

    value: float | None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    notes: tuple[Note, ...] = ()
    df: float | None = None
    p_value: float | None = None
    max_error: float | None = None


class Summary(Protocol):
    """A summary of rows for any purpose, merged in the order of the rows and written as arrays.

    States of a loss are summaries by cell; those of charts have no cells.  They hold NumPy arrays whatever
    device computed them.
    """

    def merge(self, later: Self) -> Self:
        """The summary of the rows of both."""

    def to_arrays(self) -> dict[str, Array]:
        """The summary as plain arrays by name; `from_arrays` restores it to the last bit."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The summary that `to_arrays` wrote."""


class State(Summary, Protocol):
    """The summary of the rows of each cell: overall, or of each class, label or slice.

    The states of one loss form a monoid: any merge tree over the same rows in the same order gives the same
    state, and a state of no rows is neutral.  States are immutable, and hold NumPy arrays whatever
    device computed them.
    """

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The state of a block from the row columns (n,) of a loss.

        Without `interval`, a state may omit whatever only standard errors need.
        """

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """The cells of all parts, one part after the other."""

    @property
    def n(self) -> Array:
        """The number of rows of positive weight in each cell (c,)."""

    @property
    def weights(self) -> Array:
        """The sum of the weights in each cell (c,)."""

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The state of the rows of both.

        Cell i of `later` is cell places[i] of the result, by default cell i; places beyond the cells of this
        state are new cells.
        """

    def select(self, cells: slice | Array) -> Self:
        """The state of some cells, in that order."""

    def output(self, index: int, outputs: int) -> Self:
        """The state of one of several outputs, whose row columns follow one another."""

    def estimates(self, bound: BoundReduction, level: float | None) -> list[Estimate]:
        """The value of the loss in each cell, with an interval at this level; None for no intervals."""
