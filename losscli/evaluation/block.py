"""Validate a block: report or drop unmatched or incomplete rows and rows outside the domain of a loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.data.stream import MATCHED
from losscli.evaluation.cells import Assignment, of_units
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.numeric.hashing import hash_keys, hash_of, sum_of_hashes
from losscli.numeric.segments import run_of
from losscli.numeric.two_float import unit_of
from losscli.plan.plan import Plan
from losscli.report.findings import Code, Finding, Tally
from losscli.tasks.base import Rows
from losscli.tasks.block import LARGEST, SMALLEST, Block
from losscli.tasks.catalog import TASKS
from losscli.text import param_text


def match(block: Block) -> None:
    """Report or drop predictions without a target."""
    if MATCHED not in block.frame.columns or block.frame[MATCHED].all():
        return
    roles = block.roles
    unmatched = ~block.frame[MATCHED].to_numpy()
    if roles.drop_unmatched:
        block.flag(unmatched, Code.UNMATCHED_PREDICTION, fatal=False, of="")
    else:
        block.flag(unmatched, Code.UNMATCHED_PREDICTION, roles.ids[0])
    block.drop_marked()


def check_missing(block: Block, groups: tuple[tuple[str, ...], ...]) -> None:
    """Report or drop rows with nulls or NaN in any of the columns."""
    absent: Array | None = None
    for name in [name for columns in groups if not block.are_finite(columns) for name in columns]:
        missing = _missing(block.frame[name])
        if missing is None:
            continue
        if not block.roles.drop_missing:
            drops = Code.MISSING_VALUE.value.remedy
            is_text = name in block.roles.texts
            remedy = f'write "" for an empty text; {drops}' if is_text else None
            block.flag(missing, Code.MISSING_VALUE, name, remedy=remedy)
        absent = missing if absent is None else absent | missing
    if absent is not None and block.roles.drop_missing:
        block.flag(absent, Code.MISSING_VALUE, fatal=False)
    block.drop_marked()


def _missing(series: pl.Series) -> Array | None:
    """A mask (n,) of the rows with null, NaN or a list that contains either; None if there are none."""
    missing = series.is_null() if series.null_count() else None
    if isinstance(series.dtype, pl.Float32 | pl.Float64) and np.isnan(series.to_numpy()).any():
        # NumPy shows nulls as NaN.
        missing = series.is_null() | series.is_nan().fill_null(True)
    if isinstance(series.dtype, pl.List | pl.Array):
        inner, hole = series.dtype.inner, pl.element().is_null()
        if inner.is_numeric():
            inner, hole = pl.Float64(), hole | pl.element().is_nan()
        holes = series.cast(pl.List(inner)).list.eval(hole).list.any().fill_null(False)
        if holes.any():
            missing = holes if missing is None else missing | holes
    return None if missing is None else missing.to_numpy()


class Fixed(Struct, frozen=True):
    """What the first block fixes for the whole run: the pilots of the task, and the unit of weights."""

    pilots: Any = None
    weight_unit: float = 1.0


def fixed_by(plan: Plan, frame: pl.DataFrame) -> Fixed:
    """What the first block of a run fixes.

    Weights are divided by a power of two, which changes no digit of a mean.  It is 1 unless the squares or
    sums of the weights would overflow or underflow.  Weights are not scaled if a mean divides by the number
    of rows.
    """
    block, unit = Block(frame, 0, plan.roles), 1.0
    name = plan.roles.weight
    if name is not None and not any(choice.by_rows for choice in plan.choices):
        weight = block.numbers((name,))[:, 0]
        largest = float(np.max(weight, initial=0.0, where=weight < np.inf))
        unit = unit_of(largest) if largest > 0 else 1.0
    return Fixed(TASKS[plan.roles.task].pilot(block), unit)


def read_weight(block: Block, counted: bool, unit: float = 1.0) -> None:
    """Read and check the weights of the remaining rows, divided by `unit`.

    Rows of weight zero are dropped unless they are `counted`: a mean divides by the number of rows.
    """
    name = block.roles.weight
    if name is None:
        return
    weight = block.numbers((name,))[:, 0]
    block.weight = weight if unit == 1.0 else weight / unit
    if unit == 1.0 and block.within((name,), SMALLEST, LARGEST):
        return
    extreme = (np.isinf(block.weight) & np.isfinite(weight)) | ((block.weight == 0) & (weight > 0))
    block.flag(extreme, Code.EXTREME_WEIGHT, name, lambda i: f"{weight[i]:g}")
    block.flag(weight < 0, Code.NEGATIVE_WEIGHT, name, lambda i: f"{weight[i]:g}")
    block.flag(np.isinf(weight), Code.INFINITE_WEIGHT, name)
    block.flag(weight == 0, Code.ZERO_WEIGHT_COUNTED if counted else Code.ZERO_WEIGHT, leave_out=False)
    block.drop_marked()


class Taken(Struct, frozen=True, eq=False, dict=True):
    """A validated block, and the weight of each row (n,) in units of `weight_unit`, None for ones."""

    plan: Plan
    xp: Namespace
    block: Block
    rows: Rows
    weight: Array | None
    weight_unit: float

    @property
    def units(self) -> int:
        """The number of rows; of groups in tasks that evaluate groups."""
        return self.block.height if self.rows.starts is None else len(self.rows.starts)

    def assignment(self) -> Assignment:
        """The assignment of the rows, or of the groups, to cells."""
        return Assignment(self.plan, self.xp, self.block, self.rows)

    def weight_of(self, choice: Choice) -> Array | None:
        """The row weights for a loss, in which a class of weight zero weighs one if the loss keeps it."""
        factor = self.rows.factor
        if factor is None or not choice.keeps_zero_class:
            return self.weight
        class_weight = self.xp.where(factor == 0, 1.0, factor)
        if self.block.weight is None:
            return class_weight
        return self.xp.asarray(of_units(self.block.weight, self.rows)) * class_weight

    def output_columns(self, choice: Choice) -> list[Sequence[Array]]:
        """The row columns of a loss for each output."""
        return [choice.columns(part) for part in self.rows.parts[choice.loss.batch]]

    def label_columns(self, choice: Choice) -> list[Sequence[Array]]:
        """The row columns of a loss for each label."""
        return [choice.columns(part) for part in self.rows.by_label[choice.loss.batch]]


class Cached(Taken, frozen=True):
    """A block that caches its row columns, for runs that also list, write or chart losses of rows."""

    cache: dict[str, list[Sequence[Array]]]

    @classmethod
    def of(cls, taken: Taken) -> Cached:
        """The same block with an empty cache, or itself if it has one already."""
        if isinstance(taken, cls):
            return taken
        return cls(taken.plan, taken.xp, taken.block, taken.rows, taken.weight, taken.weight_unit, {})

    def output_columns(self, choice: Choice) -> list[Sequence[Array]]:
        """The row columns of a loss for each output."""
        columns = self.cache.get(str(choice))
        if columns is None:
            columns = self.cache[str(choice)] = super().output_columns(choice)
        return columns


def take(plan: Plan, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Fixed) -> Taken:
    """Read and validate one block."""
    block = Block(frame, first_row, plan.roles)
    check_missing(block, plan.roles.id_groups)
    match(block)
    block.flag_text()
    block.drop_ignored_label()
    block.check_lengths()
    check_missing(block, plan.roles.groups)
    read_weight(block, any(choice.by_rows for choice in plan.choices), fixed.weight_unit)
    before = dict(block.tallies)
    taken = _read(plan, xp, block, fixed)
    return _without_undefined(taken, fixed, before) if plan.roles.drop_undefined else taken


def _read(plan: Plan, xp: Namespace, block: Block, fixed: Fixed) -> Taken:
    """The batches and the weights of a block whose rows are matched and complete."""
    with np.errstate(all="ignore"):
        rows = TASKS[plan.roles.task].read(block, xp, plan.wanted, fixed.pilots)
        weight = None if block.weight is None else xp.asarray(of_units(block.weight, rows))
        if rows.factor is not None:
            weight = rows.factor if weight is None else weight * rows.factor
            _note_zero_class(plan, block, rows.factor)
    return Taken(plan, xp, block, rows, weight, fixed.weight_unit * plan.roles.class_unit)


def _note_zero_class(plan: Plan, block: Block, factor: Array) -> None:
    """Count the rows whose class has weight zero, if a loss drops them or counts them as a loss of zero."""
    if 0.0 not in (plan.roles.class_weight or ()) or all(c.keeps_zero_class for c in plan.choices):
        return
    by_rows = any(choice.by_rows for choice in plan.choices)
    zero = to_numpy(factor == 0)
    block.flag(zero, Code.ZERO_WEIGHT_COUNTED if by_rows else Code.ZERO_WEIGHT, leave_out=False)


_SHOWN = 4
"""Maximum number of prediction and target columns shown with a row outside the domain of a loss."""


def is_defined(choice: Choice, values: Array) -> Array:
    """A mask of the defined values of a row column: finite, or infinite if the loss may be infinite."""
    return values == values if choice.may_be_infinite else abs(values) < np.inf


def flag_undefined(taken: Taken, choice: Choice) -> None:
    """Flag the rows of positive weight on which a loss is undefined, or whole groups of rows."""
    with np.errstate(all="ignore"):
        columns = [column for output in taken.output_columns(choice) for column in output]
        undefined = ~np.logical_and.reduce([to_numpy(is_defined(choice, column)) for column in columns])
    if (weight := taken.weight_of(choice)) is not None:
        undefined &= to_numpy(weight) > 0
    starts, loss = taken.rows.starts, choice.loss
    if starts is not None:
        undefined = undefined[run_of(np, starts, taken.block.height)]
    drops = Code.OUTSIDE_DOMAIN.value.remedy
    domain = f" ({loss.domain})" if loss.domain else ""
    taken.block.flag(
        undefined,
        Code.OUTSIDE_DOMAIN,
        taken.plan.roles.predictions,
        show=_values_shown(taken),
        fatal=not taken.plan.roles.drop_undefined,
        remedy=f"{loss.remedy}; {drops}" if loss.remedy else None,
        loss=str(choice),
        domain=domain,
    )


def note_replaced(taken: Taken, choice: Choice) -> None:
    """Count the rows of positive weight on which a loss replaces a number."""
    loss, params = choice.loss, choice.params
    if loss.replaces is None:
        return
    masks = [choice.replaced(part) for part in taken.rows.parts[loss.batch]]
    replaced = np.logical_or.reduce([to_numpy(mask) for mask in masks if mask is not None])
    if taken.weight is not None:
        counts = to_numpy(taken.weight) > 0
        starts = taken.rows.starts
        replaced &= counts if starts is None else counts[run_of(np, starts, len(replaced))]
    taken.block.flag(
        replaced,
        Code.REPLACED_VALUE,
        show=_values_shown(taken),
        leave_out=False,
        loss=str(choice),
        what=loss.replaces.words.format(**{name: param_text(value) for name, value in params.items()}),
    )


def _values_shown(taken: Taken) -> Callable[[int], str] | None:
    roles, frame = taken.plan.roles, taken.block.frame
    columns = dict.fromkeys((*roles.predictions, *roles.targets))
    if len(columns) > _SHOWN:
        return None
    return lambda i: ", ".join(f"{name[2:]} {frame[name][i]}" for name in columns)


def _without_undefined(taken: Taken, fixed: Fixed, before: dict[Finding, Tally]) -> Taken:
    """The block without rows outside a domain; `before` holds the tallies before the first reading."""
    block, height = taken.block, taken.block.height
    for choice in taken.plan.choices:
        flag_undefined(taken, choice)
    block.drop_marked()
    if block.height == height:
        return taken
    # The second reading repeats the notes on the remaining rows.
    kept = {
        kind: tally for kind, tally in block.tallies.items() if kind.fatal or kind.code is Code.OUTSIDE_DOMAIN
    }
    block.tallies = before | kept
    return _read(taken.plan, taken.xp, block, fixed)


def fingerprint_of(taken: Taken) -> int:
    """The sum of the hashes of all targets: equal for equal targets, whatever their file or order.

    Labels are hashed as their positions among the classes.
    """
    block, codes, roles = taken.block, taken.rows.codes, taken.plan.roles
    texts = [name for name in roles.texts if name in roles.targets]
    total = sum(int(hash_keys(block.text(name)).sum()) for name in texts)
    if roles.target_form != "label":
        # Column by column: vectors are longer than numbers.
        total += sum(sum_of_hashes(block.numbers((name,))) for name in roles.targets if name not in texts)
    elif codes is not None:
        # The code -1 means no single class.
        counts = enumerate(to_numpy(taken.xp.bincount(codes + 1)).tolist(), start=-1)
        total += sum(count * hash_of(float(code)) for code, count in counts if count)
    return total % (1 << 64)
