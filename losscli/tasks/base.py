"""Shared types of all tasks: the batches that losses receive, and the rows that a task reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct, field

from losscli.numeric.arrays import Array, Namespace


class Batch(Struct, frozen=True, eq=False, dict=True):
    """A block of checked rows as one kind of loss receives it; `xp` is the namespace of its arrays."""

    task: ClassVar[str]
    axis: ClassVar[str] = ""
    """The horizontal axis of the curves of its losses: residual, probability or margin; empty if none."""
    may_be_infinite: ClassVar[bool] = False
    """Whether the loss of a row may be infinite: an event happened that was impossible."""
    xp: Namespace

    @property
    def place(self) -> Array | None:
        """The position of each row on the axis (n,); None if there is no axis."""
        return None


class Rows(Struct, frozen=True, eq=False):
    """The rows that a task read from a block.

    `parts` has one batch, or one per output, for each type of batch; `by_label` one per label.  `codes` (n,)
    is the true class of each row, -1 if it has no single one; `factor` (n,) multiplies the weight of the row.
    `pilots` hold, for each output, the constants from the first rows that reductions need; `error_unit` of
    each is the unit of its sums.  `starts` (groups,) are the first rows of the groups, in tasks that evaluate
    groups of rows: row columns then have one number per group.
    """

    parts: Mapping[type[Batch], tuple[Batch, ...]]
    codes: Array | None = None
    factor: Array | None = None
    by_label: Mapping[type[Batch], tuple[Batch, ...]] = field(default_factory=dict)
    pilots: tuple[Any, ...] = ()
    starts: Array | None = None
