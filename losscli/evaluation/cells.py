"""The rows of a block in the cells of its means: overall, by class, by slice and by cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.data.slicing import Labels, Slicing, distinct
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.hashing import hash_rows
from losscli.numeric.segments import run_of
from losscli.plan.plan import Plan
from losscli.report.findings import Code
from losscli.states import clusters
from losscli.states.cells import Cells
from losscli.states.clusters import Clusters
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

    def counted(self, columns: tuple[Array, ...]) -> tuple[Array, ...]:
        """The row columns of the rows that count, weighted if the mean divides by the number of rows."""
        if self.keep is not None:
            columns = tuple(column[self.keep] for column in columns)
        if self.factor is None:
            return columns
        xp, factor = self.everyone.xp, self.factor
        return tuple(xp.where(factor == 0, 0.0, factor * column) for column in columns)


Cut = list[tuple[Array, pl.DataFrame]]
"""For each slicing, the index of each row's slice (n,) and the keys of the slices."""


def view(
    plan: Plan,
    xp: Namespace,
    block: Block,
    rows: Rows,
    cut: Cut,
    weight: Array | None,
    by_rows: bool,
    own_clusters: Clusters | None,
    draws: Draws | None = None,
) -> View:
    """The weighted rows; with `by_rows`, each row counts once and its loss is weighted instead.

    `own_clusters` are those of the rows, and `draws` how often these are drawn.
    """
    keep, n, factor = None, block.height, weight if by_rows else None
    numbers: Array | int = block.numbering
    if rows.starts is not None:
        n, numbers = len(rows.starts), block.rows[rows.starts]
    weight = None if by_rows else weight
    if weight is not None and len(weight) and not float(weight.min()) > 0:
        keep = weight > 0
        weight, numbers = weight[keep], xp.asarray(of_units(block.rows, rows))[keep]
        n = len(weight)
    elif not isinstance(numbers, int):
        numbers = xp.asarray(numbers)

    # Moments have no use for the cluster of each row: the totals of clusters are taken apart.
    asked = own_clusters is not None and any(plan.state(choice) is not Moments for choice in plan.choices)
    cluster = xp.asarray(own_clusters.of_rows) if own_clusters is not None and asked else None
    if keep is not None:
        cluster = None if cluster is None else cluster[keep]
        draws = None if draws is None else draws.at(xp.flatnonzero(keep))

    def cells(places: Array, count: int) -> Cells:
        own = places if keep is None else places[keep]
        return Cells(xp, n, weight, numbers, own, count, cluster, draws)

    by_class = None
    if plan.cell == "class" and rows.codes is not None:
        by_class = cells(rows.codes, len(plan.roles.names))
    by_slice = tuple(cells(xp.asarray(places), len(keys)) for places, keys in cut)
    everyone = Cells(xp, n, weight, numbers, cluster=cluster, draws=draws)
    return View(everyone, by_class, by_slice, keep, factor)


PART_BITS = 40
"""Bits of a row number: with the number of its part above them, rows of different parts are drawn apart."""
OVERALL, BY_CELL, SLICES = range(3)
"""The ways to cut clusters into cells; SLICES + i is the i-th slicing."""


def clusters_of(plan: Plan, block: Block, rows: Rows) -> Clusters | None:
    """The clusters of rows, or of groups; None without --cluster."""
    cluster = plan.roles.cluster
    if cluster is None:
        return None
    keys = block.frame[cluster]
    # Only distinct keys are hashed.
    places, values = distinct(keys)
    own = _of_whole_groups(block, places, rows, "cluster", (cluster,))
    return Clusters(clusters.hashed(values), own)


def draws_of(plan: Plan, xp: Namespace, block: Block, rows: Rows) -> Draws | None:
    """How often each row of a block, or each group, is drawn in a bootstrap; None without one.

    What names the unit in the file, its cluster, group or key, gives its counts, whichever rows come before
    it; otherwise its row number does.
    """
    resampling, names = plan.resampling, plan.unit_columns
    if resampling is None:
        return None
    units = hash_rows([block.frame[name] for name in names]) if names else block.rows
    if not names and plan.request.part is not None:
        units = units + (plan.request.part[0] << PART_BITS)
    return Draws(Counts(xp, resampling.keys(of_units(units, rows)), resampling.replicates))


def clustered(
    plan: Plan, xp: Namespace, rows: Rows, cut: Cut, own_clusters: Clusters | None
) -> clusters.Block:
    """The clusters of the block, for each way to cut the rows; for no way without --cluster."""
    if own_clusters is None:
        none = np.empty(0, dtype=np.int64)
        return clusters.Block(Clusters(none, none), {})
    ways: dict[int, Array | None] = {OVERALL: None}
    ways |= {SLICES + number: places for number, (places, _) in enumerate(cut)}
    if plan.cell == "label" or (plan.cell == "class" and rows.codes is not None):
        ways[BY_CELL] = None if plan.cell == "label" else rows.codes
    return clusters.Block(own_clusters, ways, xp)


def of_units(values: Array, rows: Rows) -> Array:
    """The values (n,) of rows, or of the first row of each group if groups are evaluated."""
    return values if rows.starts is None else values[rows.starts]


def cut_by(block: Block, slicings: Sequence[Slicing], rows: Rows) -> Cut:
    """For each slicing the slice of each row, or of each group, and the keys of the slices that occur."""
    found, known = [], Labels()
    for slicing in slicings:
        places, keys = slicing.of(block.frame, known)
        own = _of_whole_groups(block, places, rows, "slice", slicing.columns, slicing.text)
        found.append((own, keys))
    return found


def _of_whole_groups(
    block: Block, values: Array, rows: Rows, kind: str, columns: tuple[str, ...], text: Sequence[str] = ()
) -> Array:
    """The slice or cluster of each row, or of each group; rows that differ from their group are flagged."""
    if rows.starts is not None:
        own = values[rows.starts][run_of(np, rows.starts, len(values))]
        shown = join_names(text or [column[2:] for column in columns])
        block.flag(values != own, Code.SPLIT_GROUP, columns, leave_out=False, kind=kind, by=shown)
    return of_units(values, rows)
