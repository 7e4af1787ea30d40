"""What all tasks share: the roles of columns, the block of rows that is read, and what was wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct, field

from losscli.numeric.arrays import Array, Namespace


class Batch(Struct, frozen=True, eq=False, dict=True):
    """A block of checked rows, as one kind of loss wants to see it; `xp` is the namespace of its arrays."""

    task: ClassVar[str]
    axis: ClassVar[str] = ""
    """What the curves of its losses are drawn against, a row's `place`: residual, probability or margin."""
    may_be_infinite: ClassVar[bool] = False
    """Whether the loss of a row may be infinite: an event happened that was impossible."""
    xp: Namespace

    @property
    def place(self) -> Array:
        """Where each row stands on the axis (n,)."""
        raise NotImplementedError(f"{type(self).__name__} has no axis")


class Rows(Struct, frozen=True, eq=False):
    """What a task read from a block: parts of batches by type, the true class of each row, its weight factor.

    `parts` has one batch (or one an output) for each type of batch; `codes` is -1 where a row has no
    single true class; `factor` multiplies the row's weight.  `pilots` say, for each output, what a task
    fixed from the first rows and the reductions of its losses have to know; `error_unit` of each is the unit
    of its sums.  `starts` (groups,) are the rows where each group begins, in tasks that evaluate groups of
    rows: row columns then have a number for each group.
    """

    parts: Mapping[type[Batch], tuple[Batch, ...]]
    codes: Array | None = None
    factor: Array | None = None
    by_label: Mapping[type[Batch], tuple[Batch, ...]] = field(default_factory=dict)
    pilots: tuple[Any, ...] = ()
    starts: Array | None = None
