"""A block of rows to moments by cell, and the merge of what blocks leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from losscli import moments, profile
from losscli.cells import Cells, to_numpy
from losscli.losses.marks import marks_of
from losscli.losses.registry import Choice
from losscli.moments import MAX_SPREAD, Moments
from losscli.params import joined
from losscli.plan import Plan
from losscli.profile import Profile
from losscli.tasks.base import MATCHED, Batch, Block, Finding, Rows, Tally
from losscli.tasks.catalogue import TASKS
from losscli.tasks.grouped import run_of
from losscli.tasks.slicing import Key, Slicing, merged_places
from losscli.xp import Array, Namespace


@dataclass(frozen=True, eq=False)
class Slices:
    """The moments of each chosen loss in the slices of one slicing that have occurred.

    `places` say at which cell the moments of a slice are.
    """

    places: dict[Key, int]
    moments: tuple[Moments, ...]


@dataclass(frozen=True, eq=False)
class Partial:
    """What some rows leave behind: for each chosen loss its moments overall and by cell, and the findings.

    `slices` are those of each slicing.  `pilots` are what the task fixed for the run, for each output: parts
    of one run have the same.  `profile` is kept where the plan asks for it.  `fingerprint` tells
    targets apart, whatever the order of their rows.
    """

    overall: tuple[Moments, ...]
    cells: tuple[Moments | None, ...]
    tallies: dict[Finding, Tally]
    rows: int
    pilots: tuple[Any, ...] = ()
    slices: tuple[Slices, ...] = ()
    profile: Profile | None = None
    fingerprint: int = 0


def pilot(plan: Plan, frame: pl.DataFrame) -> Any:
    """What a task fixes from the first block for the whole run."""
    return TASKS[plan.roles.task].pilot(Block(frame, 0, plan.roles))


def partial(plan: Plan, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
    """Read one block, check it, and take the moments of every chosen loss."""
    block = Block(frame, first_row, plan.roles)
    _check_missing(block, plan.roles.id_groups)
    _match(block)
    block.leave_out_label()
    block.check_lengths()
    _check_missing(block, plan.roles.groups)
    _read_weight(block, any(choice.by_rows for choice in plan.choices))
    with np.errstate(all="ignore"):
        rows = TASKS[plan.roles.task].read(block, xp, plan.wanted, fixed)
        weight = None if block.weight is None else xp.asarray(_of_units(block.weight, rows))
        if rows.factor is not None:
            weight = rows.factor if weight is None else weight * rows.factor
        overall, cells, slices = _moments(plan, xp, block, rows, weight)
        own = _profile(plan, xp, rows, weight) if plan.profiled else None
    return Partial(
        overall, cells, block.tallies, frame.height, rows.pilots, slices, own, _fingerprint(block, rows)
    )


def _fingerprint(block: Block, rows: Rows) -> int:
    """The sum of a hash of each target: the same for the same targets, in whatever file or order.

    The hash spreads the bits of a float64, or the place of a label among the classes, as the finalizer of
    MurmurHash3 does.
    """
    roles = block.roles
    if roles.target_form == "label":
        values = None if rows.codes is None else to_numpy(rows.codes).astype(np.float64)
    else:
        values = block.numbers(roles.targets) if roles.targets else None
    if values is None:
        return 0
    bits = (values.ravel(order="K") + 0.0).view(np.uint64)  # 0.0 and -0.0 are one number
    bits ^= bits >> np.uint64(33)
    bits *= np.uint64(0xFF51AFD7ED558CCD)
    bits ^= bits >> np.uint64(33)
    return int(bits.sum())


def _match(block: Block) -> None:
    """Leave out predictions without a target."""
    if MATCHED not in block.frame.columns:
        return
    roles = block.roles
    alone = ~block.frame[MATCHED].to_numpy()
    if roles.drop_unmatched:
        block.flag(alone, "predictions without a target were left out", fatal=False)
    else:
        block.flag(alone, "predictions without a target", roles.ids[0], "--unmatched drop leaves them out")
    block.drop_marked()


def _check_missing(block: Block, groups: tuple[tuple[str, ...], ...]) -> None:
    """Find nulls and NaN in groups of columns, and leave out their rows."""
    absent: Array | None = None
    for name in [name for columns in groups if not block.are_finite(columns) for name in columns]:
        missing = _missing(block.frame[name])
        if missing is None:
            continue
        if not block.roles.drop_missing:
            block.flag(missing, "missing values", name, "--missing drop leaves such rows out")
        absent = missing if absent is None else absent | missing
    if absent is not None and block.roles.drop_missing:
        block.flag(absent, "rows with missing values were left out", fatal=False)
    block.drop_marked()


def _missing(series: pl.Series) -> Array | None:
    """Where a column has null or NaN, or lists that hold one; None for nowhere."""
    missing = series.is_null() if series.null_count() else None
    if isinstance(series.dtype, pl.Float32 | pl.Float64) and np.isnan(series.to_numpy()).any():
        # As NumPy sees it a null is NaN too.
        missing = series.is_null() | series.is_nan().fill_null(True)
    if isinstance(series.dtype, pl.List | pl.Array):
        numbers = series.cast(pl.List(pl.Float64))
        holes = numbers.list.eval(pl.element().is_null() | pl.element().is_nan()).list.any().fill_null(False)
        if holes.any():
            missing = holes if missing is None else missing | holes
    return None if missing is None else missing.to_numpy()


def _read_weight(block: Block, counted: bool) -> None:
    """The weights of the rows that are left, checked.

    Rows of weight zero are as if absent, but where they are `counted` in a mean over the number of rows.
    """
    name = block.roles.weight
    if name is None:
        return
    weight = block.numbers((name,))[:, 0]
    block.weight = weight
    if weight.min(initial=1.0) > 0 and block.are_finite((name,)):
        return
    remedy = "a weight is a number from 0 up"
    block.flag(weight < 0, "negative weights", name, remedy, lambda i: f"{weight[i]:g}")
    block.flag(np.isinf(weight), "infinite weights", name, remedy)
    said = (
        "rows of weight zero count as rows without loss" if counted else "rows of weight zero were left out"
    )
    block.flag(weight == 0, said, fatal=False, leave_out=False)
    block.drop_marked()


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


def _moments(
    plan: Plan, xp: Namespace, block: Block, rows: Rows, weight: Array | None
) -> tuple[tuple[Moments, ...], tuple[Moments | None, ...], tuple[Slices, ...]]:
    cut = [_cut(block, slicing, rows) for slicing in plan.roles.slicings]
    ways = {choice.by_rows for choice in plan.choices}
    views = {by_rows: _view(plan, xp, block, rows, cut, weight, by_rows) for by_rows in ways}
    sliced: list[list[Moments]] = [[] for _ in cut]
    overall: list[Moments] = []
    by_cell: list[Moments | None] = []
    for choice in plan.choices:
        view = views[choice.by_rows]
        spread = plan.level is not None and not choice.loss.finish.extreme
        columns = view.columns(choice, rows.parts[choice.loss.batch])
        overall.append(_within(view.everyone, columns, spread))
        for found, cells in zip(sliced, view.by_slice, strict=True):
            found.append(_within(cells, columns, spread))
        if view.by_class is not None:
            by_cell.append(_within(view.by_class, columns, spread))
        elif plan.cell == "label":
            parts = rows.by_label[choice.loss.batch]
            alone = [_within(view.everyone, view.columns(choice, (part,)), spread) for part in parts]
            by_cell.append(moments.stack(alone))
        else:
            by_cell.append(None)
    slices = tuple(
        Slices({key: i for i, key in enumerate(keys)}, tuple(found))
        for (_, keys), found in zip(cut, sliced, strict=True)
    )
    return tuple(overall), tuple(by_cell), slices


def _of_units(values: Array, rows: Rows) -> Array:
    """The values (n,) of rows, or where groups are evaluated those of the first row of each."""
    return values if rows.starts is None else values[rows.starts]


def _cut(block: Block, slicing: Slicing, rows: Rows) -> tuple[Array, list[Key]]:
    """The slice of each row, or of each group, and the slices that occur."""
    places, keys = slicing.of(block.frame)
    if rows.starts is not None:
        own = places[rows.starts][run_of(np, rows.starts, len(places))]
        what = f"rows are in another slice by {joined(slicing.text)} than the first of their group"
        remedy = "a slice takes whole groups: choose a column that is the same in all rows of a group"
        block.flag(places != own, what, slicing.columns, remedy, leave_out=False)
    return _of_units(places, rows), keys


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
        tuple(moments.merge(x, y) for x, y in zip(a.overall, b.overall, strict=True)),
        tuple(
            None if x is None or y is None else moments.merge(x, y)
            for x, y in zip(a.cells, b.cells, strict=True)
        ),
        tallies,
        a.rows + b.rows,
        a.pilots,
        tuple(_merge_slices(x, y) for x, y in zip(a.slices, b.slices, strict=True)),
        None if a.profile is None or b.profile is None else profile.merge(a.profile, b.profile),
        (a.fingerprint + b.fingerprint) % 2**64,
    )


def _merge_slices(a: Slices, b: Slices) -> Slices:
    places, at = merged_places(a.places, list(b.places))
    pairs = zip(a.moments, b.moments, strict=True)
    return Slices(places, tuple(moments.merge_at(x, y, at, len(places)) for x, y in pairs))
