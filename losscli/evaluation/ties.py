"""Ties on a leaderboard: submissions whose paired differences are within the noise.

The linearised loss of each row, its contribution to the value of a submission, is stored in a file, one line
per submission.  The covariance of the lines gives the variance of every paired difference; memory holds one
block of rows of all submissions at a time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data import scratch
from losscli.data.slicing import as_text
from losscli.data.stream import TARGET_ROW
from losscli.data.threads import in_order
from losscli.evaluation import block as block_reading
from losscli.evaluation import ordered
from losscli.evaluation import partial as partials
from losscli.evaluation.partial import Partial
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.products import products
from losscli.numeric.segments import stable_order
from losscli.numeric.skewed import symmetric
from losscli.numeric.student_tail import two_sided
from losscli.report.model import Placing, Result
from losscli.states import inference
from losscli.states.cells import Cells
from losscli.states.moments import MAX_SPREAD, moments_of
from losscli.states.multiple import holm
from losscli.states.noise import effective_number
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction, mean

T = TypeVar("T")
MOST = 2_000
"""Maximum number of submissions among which ties are tested: the best ones."""
_NUMBERS = 1 << 22
"""Maximum number of values in a block of rows of all submissions."""
_CACHED = 1 << 17
"""Number of values that fit a CPU cache: the size of a block, unless it has few rows per cell."""
_ROWS = 256
"""Minimum rows per cell in a block; with fewer, adding up the products takes as long as making them."""
_LOCK = Lock()
"""Held while slices are numbered and files are created, so that threads agree on them."""


class SubmissionJob(partials.EvaluationJob, frozen=True, kw_only=True):
    """An evaluation of a submission that also keeps the row columns of its first loss by row of the targets.

    `numbers` maps the slices of each slicing to their numbers among the cells of `stored`.
    """

    stored: Stored
    numbers: tuple[dict[Any, int], ...]

    @property
    def counts_pairs(self) -> bool:
        """Whether losses of labels leave behind the counts of pairs of classes: never, as lines need rows."""
        return False

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
        """Read and check one block, store its row columns, and take the state of every chosen loss."""
        taken = block_reading.take(self.plan, xp, frame, first_row, fixed)
        block, starts = taken.block, taken.rows.starts
        rows = block.frame[TARGET_ROW].to_numpy() if TARGET_ROW in block.frame.columns else block.rows
        if starts is not None:
            # A group is stored at its first row in the targets, whatever the order of its rows.
            rows = np.minimum.reduceat(rows, starts) if len(starts) else rows[:0]
        with np.errstate(all="ignore"):
            columns = [column for output in taken.output_columns(self.plan.choices[0]) for column in output]
        row_weight = taken.weight_of(self.plan.choices[0])
        weight: Array | float = 1.0 if row_weight is None else to_numpy(row_weight)
        if self.plan.choices[0].by_rows:
            columns, weight = [weight * to_numpy(column) for column in columns], 1.0
        for place, column in enumerate(columns):
            self.stored.column(place)[rows] = to_numpy(column)
        self.stored.weights[rows] = weight
        assignment = taken.assignment()
        for place, (codes, keys) in enumerate(assignment.slices):
            numbers = self.numbers[place]
            with _LOCK:
                known = [numbers.setdefault(key, len(numbers)) for key in as_text(keys).rows()]
            self.stored.cells[place, rows] = np.array([*known, -1])[codes]
        return replace(partials.states_of(taken, assignment), rows=frame.height)


class Entry(Struct, frozen=True, dict=True):
    """A submission: its results and its line on disk, or the reason why it is broken.

    `predicted` names the values that it predicts for each row: classes, levels or members.
    """

    name: str
    results: tuple[Result, ...] = ()
    line: int = -1
    reason: str = ""
    predicted: frozenset[str] = frozenset()

    @cached_property
    def by_cell(self) -> dict[frozenset[tuple[str, str]], Result]:
        """The results of one loss by their cells."""
        return {frozenset(each.cell.items()): each for each in self.results}


def scratch_array(path: Path, shape: tuple[int, ...], dtype: Any = np.float64) -> Array:
    """A memory-mapped array of zeros, allocated on disk at once.  Raises ScratchError.

    Were the disk full when a page of the array is written, the process would be killed.
    """
    with scratch.writing(path.parent.parent), open(path, "wb") as file:
        size = np.dtype(dtype).itemsize * math.prod(shape)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
    return np.memmap(path, dtype, "r+", shape=shape)


class Stored:
    """The row columns of a submission on disk, by row of the targets; reused for one after the other.

    `weights` (n,) are 0 for rows that are not evaluated; `cells` (slicings, n) are the numbers of slices.
    """

    def __init__(self, folder: Path, rows: int, slicings: int) -> None:
        folder.mkdir()
        self._folder, self._rows = folder, rows
        self.weights = scratch_array(folder / "weights", (rows,))
        self.cells = scratch_array(folder / "cells", (max(1, slicings), rows), np.int32)
        self._columns: dict[int, Array] = {}
        self.width = 0

    def clear(self) -> None:
        """Forget the rows."""
        self.weights[:], self.width = 0.0, 0

    def column(self, place: int) -> Array:
        """A row column (n,), valid for the rows of positive weight."""
        with _LOCK:
            self.width = max(self.width, place + 1)
            if place not in self._columns:
                self._columns[place] = scratch_array(self._folder / f"column-{place}", (self._rows,))
            return self._columns[place]


class Lines:
    """The linearised losses of the rows on disk: one line per submission.

    A value that is not a mean is linear only near the means of its cell, so each way to cut the rows into
    cells has its own lines.
    """

    def __init__(self, folder: Path, submissions: int, rows: int) -> None:
        self.rows, self._shape, self._folder = rows, (max(1, submissions), max(1, rows)), folder
        self._ways: list[Array] = []

    def add(self, line: int, job: SubmissionJob, part: Partial) -> None:
        """Store the linearised losses of a submission as its line."""
        choice = job.plan.choices[0]
        pilots = part.pilots or (None,) * job.plan.outputs(choice)
        bound = choice.reduction.with_pilots(pilots, part.weight_unit)
        if choice.loss.order is not None:
            self._add_settled(line, job, bound)
            return
        slopes = [inference.gradients(bound, moments_of(part.overall[0]))]
        if choice.loss.reduction is not mean:
            for slices, numbers in zip(part.slices, job.numbers, strict=True):
                gradients = inference.gradients(bound, moments_of(slices.states[0]))
                at = [slices.places[key] for key in numbers]
                slopes.append(gradients[at])
        for way, slope in enumerate(slopes):
            codes = None if way == 0 else job.stored.cells[way - 1]
            self._write(self._way(way)[line], job.stored, slope, codes)

    def _add_settled(self, line: int, job: SubmissionJob, bound: BoundReduction) -> None:
        """Store the line of a loss of order, from its settled columns overall and in each slice."""
        stored = job.stored
        at = np.flatnonzero(stored.weights > 0)
        weight, columns = stored.weights[at], [stored.column(i)[at] for i in range(stored.width)]
        for way, codes in enumerate([None, *stored.cells[: len(job.numbers)]]):
            count = 1 if codes is None else len(job.numbers[way - 1])
            cells = Cells(np, len(at), weight, 0, None if codes is None else codes[at], count)
            ranks = Ranks.of(cells, columns)
            ordered.require_memory(job.plan.choices[0], ranks)
            linearised = ranks.linearised(bound, job.plan.level)
            self._way(way)[line][at if cells.order is None else at[cells.order]] = linearised

    def _way(self, way: int) -> Array:
        with _LOCK:
            while len(self._ways) <= way:
                self._ways.append(scratch_array(self._folder / f"lines-{len(self._ways)}", self._shape))
            return self._ways[way]

    def _write(self, line: Array, stored: Stored, slope: Array, codes: Array | None) -> None:
        step = max(1, _NUMBERS // slope.shape[1])
        for first in range(0, self.rows, step):
            block = slice(first, first + step)
            slopes = slope[0] if codes is None else (each[codes[block]] for each in slope.T)
            line[block] = reduce(np.add, (each * stored.column(i)[block] for i, each in enumerate(slopes)))

    def noise(self, cut: Cut, way: int, workers: int = 1) -> Iterator[Pairs]:
        """For each cell, the noise of the difference of every two submissions; uses `workers` threads."""
        count = len(cut.lines)
        step = max(1, min(max(_CACHED // count, _ROWS * cut.cells), _NUMBERS // count))
        blocks = partial(self._blocks, self._ways[min(way, len(self._ways) - 1)], step, workers)
        at_once = max(1, MAX_SPREAD // count**2)
        for first in range(0, cut.cells, at_once):
            part = replace(cut, first=first, cells=min(at_once, cut.cells - first))
            with np.errstate(all="ignore"):
                sums = _Sums.of(blocks(part, _sums), part.cells, count)
                spread, third = np.zeros((2, part.cells, count, count))
                for cell, (second_powers, third_powers) in blocks(part, partial(_products, sums.mean)):
                    spread[cell] += second_powers
                    third[cell] += third_powers
            units, binary = sums.units, _binary(sums, spread)
            for cell, weight in enumerate(sums.weight.tolist()):
                if binary[cell]:
                    yield Pairs.of_flips(spread[cell], sums.mean[cell], weight)
                else:
                    yield Pairs.of(spread[cell], third[cell], weight, float(units[cell]))

    def _blocks(
        self, values: Array, step: int, workers: int, cut: Cut, function: Callable[[int, Array, Array], T]
    ) -> Iterator[tuple[int, T]]:
        """Each cell with the result of a function of its lines (s, n) and weights (n,), block by block.

        A block has `step` rows of the lines `values`.
        """
        lines = np.array(cut.lines)

        def call(start: int) -> list[tuple[int, T]]:
            rows = slice(start, start + step)
            weight, block, (at, cells) = cut.weights[rows], values[lines, rows], cut.sorted_rows(rows)
            if len(at) < len(weight) or cut.codes is not None:
                block, weight = block[:, at], weight[at]
            return [(cell, function(cell, block[:, a:b], weight[a:b])) for cell, a, b in cells]

        calls = (partial(call, start) for start in range(0, self.rows, step))
        return chain.from_iterable(in_order(calls, workers))


def _sums(_: int, lines: Array, weight: Array) -> _Sums:
    """Sums over the rows of one cell, for each line (s, n)."""
    # Not by BLAS, whose threads would compete with ours.
    total, squares = np.einsum("ij,j->i", lines, weight), np.einsum("i,i->", weight, weight)
    return _Sums(len(weight), weight.sum(), squares, total, lines.min(axis=1), lines.max(axis=1))


def _products(means: Array, cell: int, lines: Array, weight: Array) -> tuple[Array, Array]:
    """Sum w^2 (x - m)_i (x - m)_j and sum w^3 (x - m)_i^2 (x - m)_j of lines of one cell, each (s, s)."""
    deviations = lines - means[cell][:, None]
    if not (weight == 1.0).all():
        deviations *= weight
    return products(np, deviations, deviations), products(np, deviations * deviations, deviations)


class _Sums(Struct, frozen=True, eq=False, dict=True):
    """The sums of the lines of submissions in c cells, or in one.

    `n` (c,) rows; `weight` and `squares` (c,) of their weights; `total` (c, s) = sum w x; `low` and `high`
    (c, s), the extremes.
    """

    n: Array
    weight: Array
    squares: Array
    total: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, parts: Iterable[tuple[int, _Sums]], cells: int, count: int) -> _Sums:
        """The sums of `count` lines in `cells` cells, from parts that belong to one cell each."""
        n, weight, squares = np.zeros((3, cells))
        total = np.zeros((cells, count))
        low, high = np.full((cells, count), math.inf), np.full((cells, count), -math.inf)
        for cell, part in parts:
            n[cell] += part.n
            weight[cell] += part.weight
            squares[cell] += part.squares
            total[cell] += part.total
            np.minimum(low[cell], part.low, out=low[cell])
            np.maximum(high[cell], part.high, out=high[cell])
        return cls(n, weight, squares, total, low, high)

    @cached_property
    def mean(self) -> Array:
        """The means (c, s)."""
        return self.total / self.weight[:, None]

    @property
    def units(self) -> Array:
        """The effective number of rows in each cell (c,)."""
        return effective_number(self.weight, self.squares, self.n)


class Cut(Struct, frozen=True, eq=False):
    """Rows cut into cells: the `lines` of submissions, and the weight and the cell of each row (n,).

    `codes` is None if all rows are one cell; otherwise the cut has the `cells` cells from `first` on.
    """

    lines: Sequence[int]
    weights: Array
    codes: Array | None
    cells: int
    first: int = 0

    def sorted_rows(self, block: slice) -> tuple[Array, list[tuple[int, int, int]]]:
        """The rows of a block in cell order, and for each cell the start and end of its rows."""
        weight = self.weights[block]
        if self.codes is None:
            at = np.flatnonzero(weight > 0)
            return at, [(0, 0, len(at))] if len(at) else []
        cell = self.codes[block] - self.first
        at = np.flatnonzero((weight > 0) & (cell >= 0) & (cell < self.cells))
        cell = cell[at]
        ends = np.cumsum(np.bincount(cell, minlength=self.cells)).tolist()
        runs = zip(range(self.cells), [0, *ends], ends, strict=False)
        return at[stable_order(np, cell, self.cells)], [run for run in runs if run[1] < run[2]]


class Pairs(Struct, frozen=True):
    """The noise of the difference of every two submissions in a cell.

    `variance` and `skew` (s, s), the standardised third cumulant of row less column, and the degrees of
    freedom `df`.
    """

    variance: Array
    skew: Array
    df: float

    @classmethod
    def of(cls, spread: Array, third: Array, weight: float, units: float) -> Pairs:
        """The noise from the sums of products (s, s) and of squares times values (s, s) of `units` rows."""
        squares, third_power = np.diagonal(spread), np.diagonal(third)
        distance = np.maximum(squares[:, None] + squares[None, :] - 2 * spread, 0.0)
        cubes = third_power[:, None] - third_power[None, :] - 3 * third + 3 * third.T
        with np.errstate(all="ignore"):
            skew = cubes / distance**1.5 * math.sqrt(units * max(units - 1, 0.0)) / max(units - 2, 1.0)
            scale = units / (units - 1) / weight**2 if units > 1 else math.nan
        return cls(distance * scale, np.where(np.isfinite(skew), skew, 0.0), max(units - 1, 1.0))

    @classmethod
    def of_flips(cls, spread: Array, means: Array, rows: float) -> Pairs:
        """The noise of 0/1 losses of rows of equal weight, by McNemar's test.

        Under the hypothesis of no difference, the variance is the mean squared difference of the rows.
        """
        squares = np.diagonal(spread)
        distance = np.maximum(squares[:, None] + squares[None, :] - 2 * spread, 0.0)
        variance = (distance / rows + (means[:, None] - means[None, :]) ** 2) / rows
        return cls(variance, np.zeros_like(variance), math.inf)

    @classmethod
    def none(cls, count: int) -> Pairs:
        """No noise: different values are never tied."""
        return cls(np.zeros((count, count)), np.zeros((count, count)), 1.0)


def _binary(sums: _Sums, spread: Array) -> Array:
    """Whether the lines of each cell (c,) take two values that differ by one, and its rows weigh the same."""
    mean, squares = sums.mean, np.diagonal(spread, axis1=1, axis2=2)
    width = sums.high - sums.low
    with np.errstate(all="ignore"):
        expected = sums.n[:, None] * (mean - sums.low) * (sums.high - mean)
        two_values = np.abs(squares - expected) <= 1e-9 * np.maximum(expected, 1.0)
    equal_weights = sums.weight == sums.n
    binary: Array = equal_weights & ((width == 0) | (width == 1)).all(axis=1) & two_values.all(axis=1)
    return binary


def places(
    entries: Sequence[Entry], cell: dict[str, str], noise: Pairs, level: float, score: bool
) -> list[Placing]:
    """The submissions in one cell, ranked; those that do not differ significantly share a place.

    A submission shares the place of the leader of that place unless the paired difference between them is
    significant at `level`, adjusted by Holm for all pairs.
    """
    results = [entry.by_cell.get(frozenset(cell.items())) for entry in entries]
    values = np.array([math.nan if r is None or r.value is None else r.value for r in results])
    p = adjusted(values, noise)
    sign = -1.0 if score else 1.0
    order = sorted(np.flatnonzero(np.isfinite(values)).tolist(), key=lambda i: (sign * values[i], i))
    board, leader, place = list[Placing](), -1, 0
    for rank, i in enumerate(order, 1):
        if leader < 0 or p[leader, i] < 1 - level:
            leader, place = int(i), rank
        board.append(
            _placing(entries[i], results[i], cell, place, None if i == leader else float(p[leader, i]))
        )
    shared = [each.place for each in board]
    board = [replace(each, tied=shared.count(each.place) > 1) for each in board]
    undefined = np.flatnonzero(~np.isfinite(values)).tolist()
    return [*board, *(_placing(entries[i], results[i], cell, None, None) for i in undefined)]


def _placing(
    entry: Entry, result: Result | None, cell: dict[str, str], place: int | None, p_value: float | None
) -> Placing:
    if result is None:
        return Placing(model=entry.name, cell=cell, reason="no rows")
    return Placing(
        place=place,
        model=entry.name,
        cell=cell,
        value=result.value,
        se=result.se,
        ci_low=result.ci_low,
        ci_high=result.ci_high,
        level=result.level,
        p_value=p_value,
        rows=result.rows,
        reason="" if place is not None else "; ".join(map(str, result.notes)),
    )


def adjusted(values: Array, noise: Pairs) -> Array:
    """The p-values (s, s) of no difference between two submissions, adjusted by Holm for all pairs."""
    count = len(values)
    upper = np.triu_indices(count, 1)
    with np.errstate(all="ignore"):
        difference = values[upper[0]] - values[upper[1]]
        t = difference / np.sqrt(noise.variance[upper])
        t = np.where(np.isfinite(t), symmetric(t, noise.skew[upper]), t)
        p = np.where(difference == 0, 1.0, two_sided(np.abs(t), noise.df))
    known = np.flatnonzero(np.isfinite(p))
    p_values = np.ones((count, count))
    pair_p_values = np.ones(len(p))
    pair_p_values[known] = holm(p[known].tolist())
    p_values[upper] = pair_p_values
    return np.minimum(p_values, p_values.T)
