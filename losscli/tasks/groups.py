"""Rows that are evaluated in groups: the common parts of all tasks with groups.

A row of the file is an item, but the unit of evaluation is a group: n, weights and intervals refer to groups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace

from losscli.data.slicing import starts_of
from losscli.numeric.arrays import Array, Namespace, np, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.segments import Runs, run_of
from losscli.report.findings import Code
from losscli.tasks.base import Batch, Rows
from losscli.tasks.block import Block
from losscli.tasks.named import Named, read


class Grouped(Named, frozen=True, kw_only=True):
    """Items in contiguous groups: all arrays except `starts` are (n,) or (n, ...).

    `starts` (groups,) are the first items of the groups; no group is empty.  With `is_one_group_by_default`,
    all rows are one group unless --group names a column.
    """

    is_one_group_by_default: ClassVar[bool] = False
    starts: Array = None

    @property
    def items(self) -> int:
        """The number of items of all groups; each subclass defines it."""
        raise NotImplementedError

    @cached_property
    def sizes(self) -> Array:
        """The number of items of each group (groups,)."""
        return self.xp.bincount(self.group, minlength=len(self.starts))

    @cached_property
    def group(self) -> Array:
        """The index of the group of each item (n,)."""
        return run_of(self.xp, self.starts, self.items)

    def sums(self, values: Array) -> Array:
        """The sums of values (n,) by group (groups,)."""
        return self._runs.sums(values)

    @cached_property
    def rank(self) -> Array:
        """The position of each item in its group (n,): 0, 1, 2, ..., 0, 1, ..."""
        return self.xp.arange(self.items) - self.starts[self.group]

    def running(
        self, combine: Callable[[Array, Array], Array], values: Array, backwards: bool = False
    ) -> Array:
        """Cumulative combination of values (..., n) within each group, from the end if `backwards`.

        The span of each result doubles in each step, so rounding errors grow only with the logarithm of the
        group size.
        """
        xp, rank = self.xp, self.rank
        if backwards:
            rank, values = (self.sizes[self.group] - 1 - rank)[::-1], values[..., ::-1]
        span, longest = 1, int(self._runs.sizes.max(initial=1))
        while span < longest:
            later = values[..., span:]
            joint = xp.where(rank[span:] >= span, combine(values[..., :-span], later), later)
            values, span = xp.concatenate([values[..., :span], joint], axis=-1), 2 * span
        return values[..., ::-1] if backwards else values

    def maxima(self, values: Array) -> Array:
        """The maximum of values (n,) in each group (groups,)."""
        return self._runs.maxima(values)

    @cached_property
    def _runs(self) -> Runs:
        return Runs(self.xp, to_numpy(self.starts), self.items)


def read_groups(block: Block, xp: Namespace, wanted: frozenset[type[Batch]], pilot: Any) -> Rows:
    """The wanted batches of the groups in the block."""
    group = block.roles.group
    assert group is not None
    _check_weights(block, starts_of(block.frame[group]))
    batches_by_kind = read(block, xp, wanted, pilot).parts
    starts = starts_of(block.frame[group])
    parts = {
        kind: tuple(_with_starts(batch, xp.asarray(starts)) for batch in batches)
        for kind, batches in batches_by_kind.items()
    }
    return Rows(parts, starts=starts)


def _with_starts(batch: Batch, starts: Array) -> Batch:
    assert isinstance(batch, Grouped)
    return replace(batch, starts=starts)


def _check_weights(block: Block, starts: Array) -> None:
    """Flag items whose weight differs from that of the first item in the group."""
    if block.weight is None:
        return
    weight, column = block.weight, block.roles.weight
    assert column is not None
    differs = weight != weight[starts][run_of(np, starts, len(weight))]
    block.flag(differs, Code.WEIGHT_IN_GROUP, column, lambda i: f"{weight[i]:g}")
