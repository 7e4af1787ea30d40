"""The assignment of rows to cells: overall, by class, by slice and by cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.data.slicing import Labels, distinct
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.numeric.hashing import hash_rows
from losscli.numeric.segments import run_of
from losscli.plan.plan import Plan
from losscli.report.findings import Code
from losscli.states import clusters
from losscli.states.cells import Cells
from losscli.states.clusters import Clusters, Pairs
from losscli.states.draws import Counts, Draws
from losscli.states.moments import Moments
from losscli.tasks.base import Rows
from losscli.tasks.block import Block
from losscli.text import join_names


class View(Struct, frozen=True, eq=False):
    """The rows of a block in the cells of one kind of mean: overall, by class and by each slicing.

    `keep` (n,) selects the rows that count, None for all; `factor` (n,) multiplies their losses, None for 1.
    """

    everyone: Cells
    by_class: Cells | None
    by_slice: tuple[Cells, ...]
    keep: Array | None
    factor: Array | None

    def numbered(self, numbers: Array | int) -> View:
        """The same view, with the numbers that its rows have in another file."""
        return View(
            self.everyone.numbered(numbers),
            None if self.by_class is None else self.by_class.numbered(numbers),
            tuple(cells.numbered(numbers) for cells in self.by_slice),
            self.keep,
            self.factor,
        )

    def counted(self, columns: Sequence[Array]) -> Sequence[Array]:
        """The row columns of the rows that count, weighted if the mean divides by the number of rows."""
        if self.keep is not None:
            columns = tuple(column[self.keep] for column in columns)
        if self.factor is None:
            return columns
        xp, factor = self.everyone.xp, self.factor
        return tuple(xp.where(factor == 0, 0.0, factor * column) for column in columns)


PART_BITS = 40
"""Bits of a row number: the bits above hold the number of the part, so that rows of parts differ."""
OVERALL, BY_CELL, SLICES = range(3)
"""The ways to cut clusters into cells; SLICES + i is the i-th slicing."""


class Assignment:
    """The assignment of the rows of a block to cells: made once for all losses, and for all models.

    `same` is that of another model, in whose file the same rows may have other numbers.
    """

    def __init__(
        self, plan: Plan, xp: Namespace, block: Block, rows: Rows, same: Assignment | None = None
    ) -> None:
        self.plan, self.xp, self.block, self.rows = plan, xp, block, rows
        self._same = same
        self._views = dict[tuple[bool, bool], View]()

    def of_model(self, block: Block) -> Assignment:
        """The assignment of the same rows as the block of another model."""
        if isinstance(block.numbering, int) and block.numbering == self.block.numbering:
            return self
        return Assignment(self.plan, self.xp, block, self.rows, same=self)

    @cached_property
    def slices(self) -> list[tuple[Array, pl.DataFrame]]:
        """For each slicing, the slice of each row, or of each group (n,), and the keys of the slices."""
        if self._same is not None:
            return self._same.slices
        slices, labels = [], Labels()
        for slicing in self.plan.roles.slicings:
            codes, keys = slicing.of(self.block.frame, labels)
            codes = _by_group(self.block, codes, self.rows, "slice", slicing.columns, slicing.text)
            slices.append((codes, keys))
        return slices

    @cached_property
    def clusters(self) -> Clusters | None:
        """The clusters of rows, or of groups; None without --cluster."""
        if self._same is not None:
            return self._same.clusters
        column = self.plan.roles.cluster
        if column is None:
            return None
        # Only distinct keys are hashed.
        places, keys = distinct(self.block.frame[column])
        places = _by_group(self.block, places, self.rows, "cluster", (column,))
        return Clusters(clusters.hashed(keys), places)

    @cached_property
    def draws(self) -> Draws | None:
        """How often each row, or each group, is drawn in a bootstrap; None without one.

        The counts follow from the cluster, group or key of the unit, whatever rows precede it; if it has
        none, from its row number.
        """
        if self._same is not None:
            return self._same.draws
        plan, names = self.plan, self.plan.unit_columns
        if plan.resampling is None:
            return None
        units = hash_rows([self.block.frame[name] for name in names]) if names else self.block.rows
        if not names and plan.request.part is not None:
            units = units + (plan.request.part[0] << PART_BITS)
        keys = plan.resampling.keys(of_units(units, self.rows))
        return Draws(Counts(self.xp, keys, plan.resampling.replicates))

    @cached_property
    def pairs(self) -> dict[int, Pairs]:
        """The pairs of a cell and a cluster for each way to cut rows into cells; empty without --cluster."""
        if self._same is not None:
            return self._same.pairs
        if self.clusters is None:
            return {}
        ways: dict[int, Array | None] = {OVERALL: None}
        ways |= {SLICES + number: codes for number, (codes, _) in enumerate(self.slices)}
        if self.plan.cell == "label" or (self.plan.cell == "class" and self.rows.codes is not None):
            ways[BY_CELL] = None if self.plan.cell == "label" else self.rows.codes
        return clusters.pairs_of(self.clusters, ways)

    def view(self, choice: Choice, weight: Array | None) -> View:
        """The rows for a loss with these row weights (n,), None for ones."""
        way = choice.by_rows, choice.keeps_zero_class
        if way not in self._views:
            if self._same is not None:
                view = self._same.view(choice, weight)
                self._views[way] = view.numbered(self._numbers(view.keep))
            else:
                self._views[way] = self._view(weight, choice.by_rows)
        return self._views[way]

    def _numbers(self, keep: Array | None) -> Array | int:
        """The numbers of the rows that count, or the first of them if they are consecutive."""
        starts, numbers = self.rows.starts, self.block.numbering
        if keep is not None or starts is not None:
            numbers = of_units(self.block.rows, self.rows)
        if isinstance(numbers, int):
            return numbers
        numbers = self.xp.asarray(numbers)
        return numbers if keep is None else numbers[keep]

    def _view(self, weight: Array | None, by_rows: bool) -> View:
        """The weighted rows; if `by_rows`, each row counts once and its loss is weighted instead."""
        xp, rows, keep, draws = self.xp, self.rows, None, self.draws
        factor, weight = (weight, None) if by_rows else (None, weight)
        n = self.block.height if rows.starts is None else len(rows.starts)
        # Moments do not need the cluster of each row: cluster totals are computed separately.
        needs_clusters = any(self.plan.state(choice) is not Moments for choice in self.plan.choices)
        cluster = xp.asarray(self.clusters.of_rows) if self.clusters is not None and needs_clusters else None
        if weight is not None and len(weight) and not float(weight.min()) > 0:
            keep = weight > 0
            weight = weight[keep]
            cluster = None if cluster is None else cluster[keep]
            draws = None if draws is None else draws.at(xp.flatnonzero(keep))
            n = len(weight)
        numbers = self._numbers(keep)

        def cells(codes: Array, count: int) -> Cells:
            counted = codes if keep is None else codes[keep]
            return Cells(xp, n, weight, numbers, counted, count, cluster, draws)

        by_class = None
        if self.plan.cell == "class" and rows.codes is not None:
            by_class = cells(rows.codes, len(self.plan.roles.names))
        by_slice = tuple(cells(xp.asarray(codes), len(keys)) for codes, keys in self.slices)
        everyone = Cells(xp, n, weight, numbers, cluster=cluster, draws=draws)
        return View(everyone, by_class, by_slice, keep, factor)


def of_units(values: Array, rows: Rows) -> Array:
    """The values (n,) of rows, or of the first row of each group if groups are evaluated."""
    return values if rows.starts is None else values[rows.starts]


def _by_group(
    block: Block, values: Array, rows: Rows, kind: str, columns: tuple[str, ...], text: Sequence[str] = ()
) -> Array:
    """The slice or cluster of each row, or of each group; rows that differ from their group are flagged."""
    if rows.starts is not None:
        expected = values[rows.starts][run_of(np, rows.starts, len(values))]
        column_names = join_names(text or [column[2:] for column in columns])
        block.flag(values != expected, Code.SPLIT_GROUP, columns, leave_out=False, kind=kind, by=column_names)
    return of_units(values, rows)
