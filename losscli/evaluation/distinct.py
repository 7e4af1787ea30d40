"""Blocks of labels as their distinct rows: what follows from a pair of classes is computed once per pair.

The row columns of a loss of labels follow from the predicted and the true class of a row.  A million rows of
ten classes are a hundred distinct rows, each of which stands for as many rows as are alike.
"""

from __future__ import annotations

from math import prod

import numpy as np
import polars as pl
from msgspec.structs import replace

from losscli.engines.devices import CPU
from losscli.evaluation.block import Taken
from losscli.evaluation.cells import Assignment, View
from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.numeric.segments import NARROW, compressed
from losscli.plan.plan import Plan
from losscli.states.cells import Alike
from losscli.states.moments import Moments
from losscli.tasks.base import Coded

_FEW = 1 / 4
"""The distinct rows of a block, per row, up to which it pays to look for them."""
_MOST_CLASSES = 100
"""The classes whose pairs are few enough that the length of a block need not be limited by their number."""


def are_few(plan: Plan) -> bool:
    """Whether blocks may have few distinct rows, for all losses: without weights, clusters and draws."""
    roles = plan.roles
    if plan.device != CPU or plan.resampling is not None or roles.group is not None:
        return False
    if (roles.weight, roles.class_weight, roles.cluster) != (None, None, None):
        return False
    return all(
        issubclass(choice.loss.batch, Coded)
        and choice.loss.replaces is None
        and plan.state(choice) is Moments
        for choice in plan.choices
    )


def block_rows(plan: Plan) -> int:
    """The number of rows in a block; more if columns are computed for the pairs of a few classes alone."""
    roles = plan.roles
    if are_few(plan) and not roles.slicings and not plan.request.charts and len(roles.names) <= _MOST_CLASSES:
        return plan.rows_of_width(len(roles.predictions))
    return plan.block_rows


class Distinct(Taken, frozen=True):
    """The distinct rows of a block, in the order in which they first occur.

    `first` (m,) are their first places in the block, and `counts` (m,) the rows for which they stand.  For
    each slicing, `slices` has their slices (m,) and the keys of the slices.
    """

    first: Array
    counts: Array
    slices: tuple[tuple[Array, pl.DataFrame], ...]

    @classmethod
    def of(cls, taken: Taken, assignment: Assignment) -> Distinct | None:
        """Those of a block with its assignment to cells; None if its rows are not few distinct ones."""
        if not taken.units or not are_few(taken.plan):
            return None
        kinds = {
            kind: [part for part in taken.rows.parts[kind] if isinstance(part, Coded)]
            for kind in taken.plan.wanted
        }
        # A loss of a user may take from the batch what no threshold tells.
        params = [{} if choice.loss.request else choice.params for choice in taken.plan.choices]
        if (coded := next(iter(kinds.values()))[0].codes(params)) is None:
            return None
        codes, number = coded
        if number * prod(len(keys) for _, keys in assignment.slices) > NARROW:
            return None
        for of_rows, keys in assignment.slices:
            codes = codes * len(keys) + of_rows
        places, present = compressed(codes)
        if len(present) > len(places) * _FEW:
            return None
        first = np.empty(len(present), dtype=np.int64)
        first[places[::-1]] = np.arange(len(places))[::-1]
        order = np.argsort(first)
        first, counts = first[order], np.bincount(places)[order]
        rows = taken.rows
        parts = {kind: tuple(part.at(first) for part in batches) for kind, batches in kinds.items()}
        rows = replace(rows, parts=parts, codes=None if rows.codes is None else rows.codes[first])
        of_first = tuple((of_rows[first], keys) for of_rows, keys in assignment.slices)
        plan, unit = taken.plan, taken.weight_unit
        return cls(plan, taken.xp, taken.block, rows, None, unit, first, counts, of_first)

    def assignment(self) -> Assignment:
        """The assignment of the distinct rows to cells."""
        return _Assigned(self)


class _Assigned(Assignment):
    """The assignment of distinct rows to cells, where they count as the rows for which they stand."""

    def __init__(self, distinct: Distinct) -> None:
        super().__init__(distinct.plan, distinct.xp, distinct.block, distinct.rows)
        self._distinct = distinct

    @cached_property
    def slices(self) -> list[tuple[Array, pl.DataFrame]]:
        """For each slicing, the slice of each row, and the keys of the slices."""
        return [*self._distinct.slices]

    def _view(self, weight: Array | None, by_rows: bool) -> View:
        first, counts, numbering = self._distinct.first, self._distinct.counts, self.block.numbering
        numbers = first + numbering if isinstance(numbering, int) else numbering[first]
        sums = counts.astype(float)  # those of weights, and of their second and third powers

        def cells(codes: Array | None = None, count: int = 1) -> Alike:
            return Alike(counts, sums, sums, sums, numbers, codes, count)

        by_class = None
        if self.plan.cell == "class" and self.rows.codes is not None:
            by_class = cells(self.rows.codes, len(self.plan.roles.names))
        by_slice = tuple(cells(codes, len(keys)) for codes, keys in self.slices)
        return View(cells(), by_class, by_slice, None, None)
