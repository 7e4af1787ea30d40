"""Ties on a leaderboard: submissions whose paired differences are within the noise.

What each row adds to the value of a submission (its linearised loss) is kept in a file on disk, one line per
submission.  Their covariance gives the variance of every paired difference, and memory holds only one block
of rows of all submissions at a time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data import scratch
from losscli.data.stream import TARGET_ROW
from losscli.evaluation import block as block_reading
from losscli.evaluation import ordered
from losscli.evaluation import partial as partials
from losscli.evaluation.partial import Partial
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.skewed import symmetric
from losscli.numeric.special import special
from losscli.report.model import Placing, Result
from losscli.states import inference
from losscli.states.cells import Cells
from losscli.states.moments import MAX_SPREAD, Moments, moments_of
from losscli.states.multiple import holm
from losscli.states.noise import effective
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction, mean

T = TypeVar("T")
MOST = 2_000
"""Maximum number of submissions among which ties are tested: the best ones."""
_NUMBERS = 1 << 22
"""Maximum number of values in a block of rows of all submissions."""
_LOCK = Lock()
"""Held while slices are numbered and files are made, so that threads agree on them."""


class SubmissionJob(partials.EvaluationJob, frozen=True, kw_only=True):
    """An evaluation of a submission that also keeps the row columns of its first loss by row of the targets.

    `numbers` maps the slices of each slicing to their numbers among the cells of `stored`.
    """

    stored: Stored
    numbers: tuple[dict[Any, int], ...]

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
        """Read and check one block, store its row columns, and take the state of every chosen loss."""
        taken = block_reading.take(self.plan, xp, frame, first_row, fixed)
        block, starts = taken.block, taken.rows.starts
        rows = block.frame[TARGET_ROW].to_numpy() if TARGET_ROW in block.frame.columns else block.rows
        if starts is not None:
            # A group is stored at its first row in the targets, in whatever order it was submitted.
            rows = np.minimum.reduceat(rows, starts) if len(starts) else rows[:0]
        found = [column for own in taken.output_columns(self.plan.choices[0]) for column in own]
        own = taken.weight_of(self.plan.choices[0])
        weight: Array | float = 1.0 if own is None else to_numpy(own)
        if self.plan.choices[0].by_rows:
            found, weight = [weight * to_numpy(column) for column in found], 1.0
        for place, column in enumerate(found):
            self.stored.column(place)[rows] = to_numpy(column)
        self.stored.weights[rows] = weight
        for place, (codes, keys) in enumerate(taken.cut):
            with _LOCK:
                known = [self.numbers[place].setdefault(key, len(self.numbers[place])) for key in keys.rows()]
            self.stored.cells[place, rows] = np.array([*known, -1])[codes]
        return replace(partials.states_of(taken), rows=frame.height)


class Entry(Struct, frozen=True, dict=True):
    """A submission: its results and its line on disk, or the reason why it is broken.

    `predicted` names the numbers that it predicts for each row: classes, levels or members.
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
    """An array of zeros on disk, which has room for all of it.  Raises ScratchError.

    A disk that is full when a page of the array is written would end the process.
    """
    with scratch.writing(path.parent.parent), open(path, "wb") as file:
        size = np.dtype(dtype).itemsize * math.prod(shape)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
    return np.memmap(path, dtype, "r+", shape=shape)


class Stored:
    """What is kept of the rows of one submission after the other, by row of the targets, on disk.

    `weights` (n,) are 0 for rows that are not evaluated, `cells` (slicings, n) are the numbers of slices.
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
        """A row column (n,), whose values are those of the rows of a positive weight."""
        with _LOCK:
            self.width = max(self.width, place + 1)
            if place not in self._columns:
                self._columns[place] = scratch_array(self._folder / f"column-{place}", (self._rows,))
            return self._columns[place]


class Lines:
    """What each row adds to the value of each submission, on disk: one line per submission.

    A value that is not a mean is linear in its rows only near its own means, so each way to cut the rows into
    cells has lines of its own.
    """

    def __init__(self, folder: Path, submissions: int, rows: int) -> None:
        self.rows, self._shape, self._folder = rows, (max(1, submissions), max(1, rows)), folder
        self._ways: list[Array] = []

    def add(self, line: int, job: SubmissionJob, part: Partial) -> None:
        """Store what the rows of a submission add to its values as a line."""
        choice = job.plan.choices[0]
        pilots = part.pilots or (None,) * job.plan.outputs(choice)
        bound = choice.reduction.with_pilots(pilots, part.weight_unit)
        if choice.loss.order is not None:
            self._add_settled(line, job, bound)
            return
        slopes = [inference.gradients(bound, moments_of(part.overall[0]))]
        if choice.loss.reduction is not mean:
            for slices, numbers in zip(part.slices, job.numbers, strict=True):
                own = inference.gradients(bound, moments_of(slices.states[0]))
                at = [slices.places[key] for key in numbers]
                slopes.append(own[at])
        for way, slope in enumerate(slopes):
            codes = None if way == 0 else job.stored.cells[way - 1]
            self._write(self._way(way)[line], job.stored, slope, codes)

    def _add_settled(self, line: int, job: SubmissionJob, bound: BoundReduction) -> None:
        """The same for a loss of order: the settled columns of the rows, overall and in each slice."""
        stored = job.stored
        at = np.flatnonzero(stored.weights > 0)
        weight, kept = stored.weights[at], [stored.column(i)[at] for i in range(stored.width)]
        for way, codes in enumerate([None, *stored.cells[: len(job.numbers)]]):
            count = 1 if codes is None else len(job.numbers[way - 1])
            cells = Cells(np, len(at), weight, 0, None if codes is None else codes[at], count)
            ranks = Ranks.of(cells, kept)
            ordered.require_memory(job.plan.choices[0], ranks)
            found = ranks.linearised(bound, job.plan.level)
            self._way(way)[line][at if cells.order is None else at[cells.order]] = found

    def _way(self, way: int) -> Array:
        with _LOCK:
            while len(self._ways) <= way:
                self._ways.append(scratch_array(self._folder / f"lines-{len(self._ways)}", self._shape))
            return self._ways[way]

    def _write(self, line: Array, stored: Stored, slope: Array, codes: Array | None) -> None:
        step = max(1, _NUMBERS // slope.shape[1])
        for first in range(0, self.rows, step):
            own = slice(first, first + step)
            slopes = slope[0] if codes is None else slope[codes[own]].T
            line[own] = sum(each * stored.column(i)[own] for i, each in enumerate(slopes))

    def noise(self, cut: Cut, way: int) -> Iterator[Pairs]:
        """For each cell, the noise of the difference of every two submissions."""
        at_once = max(1, MAX_SPREAD // len(cut.lines) ** 2)
        for first in range(0, cut.cells, at_once):
            own = replace(cut, first=first, cells=min(at_once, cut.cells - first))
            whole = self._moments(own, way)
            third = self._thirds(own, way, whole.mean)
            binary = _binary(whole)
            for cell, units in enumerate(effective(whole).tolist()):
                assert whole.spread is not None
                spread, weight = whole.spread[cell], float(whole.weight[cell, 0])
                if binary[cell]:
                    yield Pairs.of_flips(spread, whole.mean[cell], weight)
                else:
                    yield Pairs.of(spread, third[cell], weight, units)

    def _blocks(self, cut: Cut, way: int, function: Callable[..., T]) -> Iterator[T]:
        """What a function makes of each block: of its first row, lines (s, n), weights (n,) and cells (n,).

        The cells are None without slices, and -1 for rows of others.
        """
        values = self._ways[min(way, len(self._ways) - 1)]
        step = max(256, _NUMBERS // len(cut.lines))

        def call(start: int) -> T:
            own = slice(start, start + step)
            at, cell = np.flatnonzero(cut.weights[own] > 0), None
            if cut.codes is not None:
                cell = cut.codes[own][at] - cut.first
                cell = np.where((cell >= 0) & (cell < cut.cells), cell, -1)
            lines = np.stack([values[line, own][at] for line in cut.lines])
            return function(start, lines, cut.weights[own][at], cell)

        return map(call, range(0, self.rows, step))

    def _moments(self, cut: Cut, way: int) -> Moments:
        """The moments of the lines in each cell."""
        even = bool((cut.weights[cut.weights > 0] == 1.0).all())

        def of_block(start: int, lines: Array, weight: Array, cell: Array | None) -> Moments:
            block = Cells(np, len(weight), None if even else weight, start, cell, cut.cells)
            return Moments.of(block, list(lines))

        empty = Moments.empty(cut.cells, len(cut.lines))
        return reduce(Moments.merge, self._blocks(cut, way, of_block), empty)

    def _thirds(self, cut: Cut, way: int, means: Array) -> Array:
        """Sum w^3 (x - m)_i^2 (x - m)_j of the lines in the cells of these means (c, s): (c, s, s)."""

        def of_block(_: int, lines: Array, weight: Array, cell: Array | None) -> list[tuple[int, Array]]:
            cells = Cells(np, len(weight), None, 0, cell, len(means))
            if cells.order is not None:
                lines, weight = lines[:, cells.order], weight[cells.order]
            found = []
            for place, start, size in zip(cells.present, cells.starts, cells.sizes, strict=True):
                own = slice(start, start + size)
                apart = lines[:, own] - means[place][:, None]
                found.append((place, (weight[own] ** 3 * apart * apart) @ apart.T))
            return found

        found = np.zeros((*means.shape, means.shape[1]))
        for block in self._blocks(cut, way, of_block):
            for place, products in block:
                found[place] += products
        return found


class Cut(Struct, frozen=True, eq=False):
    """Rows cut into cells: the `lines` of submissions, and the weight and the cell of each row (n,).

    `codes` are None if all rows are one cell; else the `cells` from the `first` on are meant.
    """

    lines: Sequence[int]
    weights: Array
    codes: Array | None
    cells: int
    first: int = 0


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
        """From the sums of products (s, s) and of squares times values (s, s) of `units` rows."""
        own, cube = np.diagonal(spread), np.diagonal(third)
        apart = np.maximum(own[:, None] + own[None, :] - 2 * spread, 0.0)
        cubes = cube[:, None] - cube[None, :] - 3 * third + 3 * third.T
        with np.errstate(all="ignore"):
            skew = cubes / apart**1.5 * math.sqrt(units * max(units - 1, 0.0)) / max(units - 2, 1.0)
            scale = units / (units - 1) / weight**2 if units > 1 else math.nan
        return cls(apart * scale, np.where(np.isfinite(skew), skew, 0.0), max(units - 1, 1.0))

    @classmethod
    def of_flips(cls, spread: Array, means: Array, rows: float) -> Pairs:
        """The same for losses of 0 and 1 of rows of equal weight, by McNemar's test.

        Without a difference, the variance is the mean of the squared differences of rows.
        """
        own = np.diagonal(spread)
        apart = np.maximum(own[:, None] + own[None, :] - 2 * spread, 0.0)
        variance = (apart / rows + (means[:, None] - means[None, :]) ** 2) / rows
        return cls(variance, np.zeros_like(variance), math.inf)

    @classmethod
    def none(cls, count: int) -> Pairs:
        """Without noise, different values are never tied."""
        return cls(np.zeros((count, count)), np.zeros((count, count)), 1.0)


def _binary(whole: Moments) -> Array:
    """Whether all lines of each cell (c,) have two values, one apart, and all rows the same weight."""
    assert whole.spread is not None
    mean, own = whole.mean, np.diagonal(whole.spread, axis1=1, axis2=2)
    width = whole.high - whole.low
    with np.errstate(all="ignore"):
        expected = whole.n[:, None] * (mean - whole.low) * (whole.high - mean)
        two = np.abs(own - expected) <= 1e-9 * np.maximum(expected, 1.0)
    even = whole.weight.sum(axis=1) == whole.n
    found: Array = even & ((width == 0) | (width == 1)).all(axis=1) & two.all(axis=1)
    return found


def places(
    entries: Sequence[Entry], cell: dict[str, str], noise: Pairs, level: float, score: bool
) -> list[Placing]:
    """The submissions in one cell, ranked; those that do not differ significantly share a place.

    A submission shares the place of the leader of that place unless the paired difference between them is
    significant at `level`, adjusted by Holm for all pairs.
    """
    found = [entry.by_cell.get(frozenset(cell.items())) for entry in entries]
    values = np.array([math.nan if r is None or r.value is None else r.value for r in found])
    p = adjusted(values, noise)
    sign = -1.0 if score else 1.0
    order = sorted(np.flatnonzero(np.isfinite(values)).tolist(), key=lambda i: (sign * values[i], i))
    board, leader, place = list[Placing](), -1, 0
    for rank, i in enumerate(order, 1):
        if leader < 0 or p[leader, i] < 1 - level:
            leader, place = int(i), rank
        board.append(
            _placing(entries[i], found[i], cell, place, None if i == leader else float(p[leader, i]))
        )
    shared = [each.place for each in board]
    board = [replace(each, tied=shared.count(each.place) > 1) for each in board]
    undefined = np.flatnonzero(~np.isfinite(values)).tolist()
    return [*board, *(_placing(entries[i], found[i], cell, None, None) for i in undefined)]


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
        p = np.where(difference == 0, 1.0, 2 * special(np).stdtr(noise.df, -np.abs(t)))
    known = np.flatnonzero(np.isfinite(p))
    found = np.ones((count, count))
    of_pairs = np.ones(len(p))
    of_pairs[known] = holm(p[known].tolist())
    found[upper] = of_pairs
    return np.minimum(found, found.T)
