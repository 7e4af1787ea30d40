"""A block of rows to moments by cell, and the merge of what blocks leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from losscli import clusters, moments, profile
from losscli.cells import Cells, to_numpy
from losscli.clusters import Totals
from losscli.errors import UsageError
from losscli.losses.marks import marks_of
from losscli.losses.registry import Choice
from losscli.moments import MAX_SPREAD, Moments
from losscli.params import joined
from losscli.plan import Plan
from losscli.profile import Profile
from losscli.screening import check_missing, match, read_weight
from losscli.tasks.base import Batch, Block, Finding, Rows, Tally
from losscli.tasks.catalogue import TASKS
from losscli.tasks.grouped import run_of
from losscli.tasks.slicing import Key, Slicing, merged_places
from losscli.xp import Array, Namespace

MAX_SLICES = 100_000
"""As many slices as one --by may have: each has moments of its own, and a row of the report."""


@dataclass(frozen=True, eq=False)
class Slices:
    """The moments of each chosen loss in the slices of one slicing that have occurred.

    `places` say at which cell the moments of a slice are, and the `totals` of clusters.
    """

    places: dict[Key, int]
    moments: tuple[Moments, ...]
    totals: Totals | None = None


@dataclass(frozen=True, eq=False)
class Partial:
    """What some rows leave behind: for each chosen loss its moments overall and by cell, and the findings.

    `slices` are those of each slicing.  `pilots` are what the task fixed for the run, for each output: parts
    of one run have the same.  `profile` is kept where the plan asks for it.  `totals` are those of clusters
    overall, `cell_totals` by class, or overall for the columns of all labels.  `fingerprint` tells targets
    apart, whatever the order of their rows.
    """

    overall: tuple[Moments, ...]
    cells: tuple[Moments | None, ...]
    tallies: dict[Finding, Tally] = field(default_factory=dict)
    rows: int = 0
    pilots: tuple[Any, ...] = ()
    slices: tuple[Slices, ...] = ()
    profile: Profile | None = None
    totals: Totals | None = None
    cell_totals: Totals | None = None
    fingerprint: int = 0


def pilot(plan: Plan, frame: pl.DataFrame) -> Any:
    """What a task fixes from the first block for the whole run."""
    return TASKS[plan.roles.task].pilot(Block(frame, 0, plan.roles))


def partial(plan: Plan, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
    """Read one block, check it, and take the moments of every chosen loss."""
    block = Block(frame, first_row, plan.roles)
    check_missing(block, plan.roles.id_groups)
    match(block)
    block.leave_out_label()
    block.check_lengths()
    check_missing(block, plan.roles.groups)
    read_weight(block, any(choice.by_rows for choice in plan.choices))
    with np.errstate(all="ignore"):
        rows = TASKS[plan.roles.task].read(block, xp, plan.wanted, fixed)
        weight = None if block.weight is None else xp.asarray(_of_units(block.weight, rows))
        if rows.factor is not None:
            weight = rows.factor if weight is None else weight * rows.factor
        found = _moments(plan, xp, block, rows, weight)
        own = _profile(plan, xp, rows, weight) if plan.profiled else None
    return replace(
        found,
        tallies=block.tallies,
        rows=frame.height,
        pilots=rows.pilots,
        profile=own,
        fingerprint=_fingerprint(block, rows),
    )


def _fingerprint(block: Block, rows: Rows) -> int:
    """The sum of a hash of each target: the same for the same targets, in whatever file or order.

    The hash spreads the bits of a float64, or the place of a label among the classes, as the finalizer of
    MurmurHash3 does.
    """
    roles = block.roles
    if roles.target_form == "label":
        parts = [] if rows.codes is None else [to_numpy(rows.codes).astype(np.float64)]
    else:
        # Each by itself: a column of vectors is not as long as one of numbers.
        parts = [block.numbers((name,)) for name in roles.targets]
    total = 0
    for values in parts:
        bits = (values.ravel(order="K") + 0.0).view(np.uint64)  # 0.0 and -0.0 are one number
        bits ^= bits >> np.uint64(33)
        bits *= np.uint64(0xFF51AFD7ED558CCD)
        bits ^= bits >> np.uint64(33)
        total += int(bits.sum())
    return total % (1 << 64)


@dataclass(frozen=True, eq=False)
class _View:
    """The rows of a block as one kind of mean takes them: overall, by class and by each slicing.

    `keep` are the rows that count, None for all; `factor` multiplies their losses, None for one.
    """

    everyone: Cells
    by_class: Cells | None
    by_slice: tuple[Cells, ...]
    keep: Array | None
    factor: Array | None

    def columns(self, choice: Choice, parts: tuple[Batch, ...]) -> tuple[Array, ...]:
        """The row columns of a loss, output after output."""
        columns = tuple(column for part in parts for column in choice.columns(part))
        if self.keep is not None:
            columns = tuple(column[self.keep] for column in columns)
        if self.factor is None:
            return columns
        xp, factor = self.everyone.xp, self.factor
        return tuple(xp.where(factor == 0, 0.0, factor * column) for column in columns)


_Cut = list[tuple[Array, list[Key]]]
"""For each slicing the place of each row among its slices, and what those are."""


def _view(
    plan: Plan,
    xp: Namespace,
    block: Block,
    rows: Rows,
    cut: _Cut,
    weight: Array | None,
    by_rows: bool,
) -> _View:
    """The rows weighted, or, where a mean divides `by_rows`, each counted once with its loss weighted."""
    keep, n, factor = None, block.height, weight if by_rows else None
    numbers: Array | int = block.numbering
    if rows.starts is not None:
        n, numbers = len(rows.starts), block.rows[rows.starts]
    weight = None if by_rows else weight
    if weight is not None and not bool(xp.all(weight > 0)):
        keep = weight > 0
        weight, numbers = weight[keep], xp.asarray(_of_units(block.rows, rows))[keep]
        n = len(weight)
    elif not isinstance(numbers, int):
        numbers = xp.asarray(numbers)

    def cells(places: Array, count: int) -> Cells:
        return Cells(xp, n, weight, numbers, places if keep is None else places[keep], count)

    by_class = None
    if plan.cell == "class" and rows.codes is not None:
        by_class = cells(rows.codes, len(plan.roles.names))
    by_slice = tuple(cells(xp.asarray(places), len(keys)) for places, keys in cut)
    return _View(Cells(xp, n, weight, numbers), by_class, by_slice, keep, factor)


def _moments(plan: Plan, xp: Namespace, block: Block, rows: Rows, weight: Array | None) -> Partial:
    cut = [_cut(block, slicing, rows) for slicing in plan.roles.slicings]
    ways = {choice.by_rows for choice in plan.choices}
    views = {by_rows: _view(plan, xp, block, rows, cut, weight, by_rows) for by_rows in ways}
    clustered = _clustered(plan, block, rows, cut)
    sliced: list[list[Moments]] = [[] for _ in cut]
    overall: list[Moments] = []
    by_cell: list[Moments | None] = []
    for choice in plan.choices:
        view = views[choice.by_rows]
        # The spread between clusters is taken when their totals are whole.
        of_rows = plan.roles.cluster is None
        spread = plan.level is not None and not choice.loss.finish.extreme and of_rows
        columns = view.columns(choice, rows.parts[choice.loss.batch])
        clustered.add(_OVERALL, columns, view.everyone.weight, view.keep)
        overall.append(_within(view.everyone, columns, spread))
        for number, (found, cells) in enumerate(zip(sliced, view.by_slice, strict=True)):
            clustered.add(_SLICES + number, columns, view.everyone.weight, view.keep)
            found.append(_within(cells, columns, spread))
        if view.by_class is not None:
            clustered.add(_BY_CELL, columns, view.everyone.weight, view.keep)
            by_cell.append(_within(view.by_class, columns, spread))
        elif plan.cell == "label":
            each = [view.columns(choice, (part,)) for part in rows.by_label[choice.loss.batch]]
            of_labels = [column for own in each for column in own]
            clustered.add(_BY_CELL, of_labels, view.everyone.weight, view.keep)
            by_cell.append(moments.stack([_within(view.everyone, own, spread) for own in each]))
        else:
            by_cell.append(None)
    totals = clustered.totals()
    slices = tuple(
        Slices({key: i for i, key in enumerate(keys)}, tuple(found), totals.get(_SLICES + number))
        for number, ((_, keys), found) in enumerate(zip(cut, sliced, strict=True))
    )
    return Partial(
        overall=tuple(overall),
        cells=tuple(by_cell),
        slices=slices,
        totals=totals.get(_OVERALL),
        cell_totals=totals.get(_BY_CELL),
    )


_OVERALL, _BY_CELL, _SLICES = range(3)
"""The ways in which clusters are cut into cells; there is one of the last kind for each slicing."""


def _clustered(plan: Plan, block: Block, rows: Rows, cut: _Cut) -> clusters.Block:
    """The clusters of the block, in no way where there are none."""
    if plan.roles.cluster is None:
        return clusters.Block(np.empty(0, dtype=np.int64), {})
    ways: dict[int, Array | None] = {_OVERALL: None}
    ways |= {_SLICES + number: places for number, (places, _) in enumerate(cut)}
    if plan.cell == "label" or (plan.cell == "class" and rows.codes is not None):
        ways[_BY_CELL] = None if plan.cell == "label" else rows.codes
    hashes = clusters.hashed(block.frame[plan.roles.cluster])
    cluster = plan.roles.cluster
    return clusters.Block(_of_whole_groups(block, hashes, rows, "cluster", (cluster,)), ways)


def _of_units(values: Array, rows: Rows) -> Array:
    """The values (n,) of rows, or where groups are evaluated those of the first row of each."""
    return values if rows.starts is None else values[rows.starts]


def _cut(block: Block, slicing: Slicing, rows: Rows) -> tuple[Array, list[Key]]:
    """The slice of each row, or of each group, and the slices that occur."""
    places, keys = slicing.of(block.frame)
    return _of_whole_groups(block, places, rows, "slice", slicing.columns, slicing.text), keys


def _of_whole_groups(
    block: Block, values: Array, rows: Rows, kind: str, columns: tuple[str, ...], text: Sequence[str] = ()
) -> Array:
    """The slice or cluster of each row, or of each group, whose rows may not differ in it."""
    if rows.starts is not None:
        own = values[rows.starts][run_of(np, rows.starts, len(values))]
        shown = joined(text or [column[2:] for column in columns])
        what = f"rows are in another {kind} by {shown} than the first of their group"
        remedy = f"a {kind} takes whole groups: choose a column that is the same in all rows of a group"
        block.flag(values != own, what, columns, remedy, leave_out=False)
    return _of_units(values, rows)


def _profile(plan: Plan, xp: Namespace, rows: Rows, weight: Array | None) -> Profile:
    """The profile of the plan's one loss, of one column on one output."""
    (choice,) = plan.choices
    (part,) = rows.parts[choice.loss.batch]
    place, (loss,) = part.place, choice.columns(part)
    if weight is not None and not bool(xp.all(weight > 0)):
        keep = weight > 0
        place, loss, weight = place[keep], loss[keep], weight[keep]
    return profile.of(xp, place, loss, weight, [mark.holds(xp, place) for mark in marks_of(choice)])


def _within(cells: Cells, columns: tuple[Array, ...], spread: bool) -> Moments:
    """The moments of columns in cells, without second moments where those would be too many."""
    return moments.within(cells, columns, spread and cells.count * len(columns) ** 2 <= MAX_SPREAD)


def merge(a: Partial, b: Partial) -> Partial:
    """What the rows of both leave behind; `a` holds the earlier rows."""
    tallies = {finding: Tally(tally.count, list(tally.examples)) for finding, tally in a.tallies.items()}
    for finding, tally in b.tallies.items():
        tallies.setdefault(finding, Tally()).add(tally)
    return Partial(
        overall=tuple(moments.merge(x, y) for x, y in zip(a.overall, b.overall, strict=True)),
        cells=tuple(
            None if x is None or y is None else moments.merge(x, y)
            for x, y in zip(a.cells, b.cells, strict=True)
        ),
        tallies=tallies,
        rows=a.rows + b.rows,
        pilots=a.pilots,
        slices=tuple(_merge_slices(x, y) for x, y in zip(a.slices, b.slices, strict=True)),
        profile=None if a.profile is None or b.profile is None else profile.merge(a.profile, b.profile),
        totals=_merge_totals(a.totals, b.totals),
        cell_totals=_merge_totals(a.cell_totals, b.cell_totals),
        fingerprint=(a.fingerprint + b.fingerprint) % 2**64,
    )


def _merge_slices(a: Slices, b: Slices) -> Slices:
    places, at = merged_places(a.places, list(b.places))
    if len(places) > MAX_SLICES:
        raise UsageError(
            f"--by cuts the rows into more than {MAX_SLICES:,} slices",
            remedy="a column of fewer values, or bins of numbers: --by age:4",
        )
    pairs = zip(a.moments, b.moments, strict=True)
    found = tuple(moments.merge_at(x, y, at, len(places)) for x, y in pairs)
    return Slices(places, found, _merge_totals(a.totals, b.totals, at))


def _merge_totals(a: Totals | None, b: Totals | None, at: Array | None = None) -> Totals | None:
    return None if a is None or b is None else clusters.merge(a, b, at)


def with_clusters(part: Partial) -> Partial:
    """The same, where the spread of moments is that between clusters, if rows come in clusters."""
    if part.totals is None:
        return part
    return replace(
        part,
        overall=_between(part.overall, part.totals),
        cells=_between(part.cells, part.cell_totals),
        slices=tuple(replace(each, moments=_between(each.moments, each.totals)) for each in part.slices),
    )


def _between(found: Sequence[Any], totals: Totals | None) -> tuple[Any, ...]:
    if totals is None:
        return tuple(found)
    return tuple(None if each is None else clusters.between(each, totals, i) for i, each in enumerate(found))
