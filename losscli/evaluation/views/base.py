"""The data of charts: sums in bins, taken from each block and drawn when all rows are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
from msgspec import Struct

from losscli.evaluation.block import Taken
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.scores import share_interval
from losscli.numeric.student import quantile
from losscli.plan.plan import Plan
from losscli.report.charts import Chart, Value
from losscli.report.findings import Code, Note, note
from losscli.states.base import Summary
from losscli.states.counts import Counts
from losscli.states.gathered import Gathered, Unbinned
from losscli.states.grid import Axis, Bins
from losscli.states.sampled import RATE, Sampled
from losscli.states.sums import total_weights
from losscli.tasks.catalog import TASKS

EVERY_ROW = 1 << 20
"""Charts count this many rows of a run one by one, and sample later blocks."""

MOST_CELLS = 20
"""Maximum number of outputs or labels that have charts of their own."""
CENTRAL = 0.99
"""The share of the weight, in the centre, that a chart always shows."""
_OUTLYING = 3.0
"""The maximum ratio of the range of all rows to that of the central ones for a chart to show all."""
_MARGIN = 0.5
"""How far a chart extends beyond the central rows, as a share of their range."""

_ALIKE = 1e-300
"""Numbers that differ by less count as equal: 0.0 and -0.0 have different bins."""

Summaries = Mapping[str, Summary]


class View(Protocol):
    """A module with the charts of a task: the summaries of a block, and the charts drawn from them."""

    def taken(self, block: ChartBlock) -> Mapping[str, Summary]:
        """The summaries of the rows of a block, by name."""

    def drawn(self, drawing: Drawing) -> Iterator[Chart]:
        """The charts of all rows."""


class ChartBlock(Struct, frozen=True, eq=False):
    """The rows (n,) of a block for charts: its rows, or groups, of positive weight; later blocks are sampled.

    `at` (n,) are their indices in the block, None for all; `weight` is None for ones.
    """

    block: Taken
    at: Array | None
    weight: Array | None
    is_sample: bool = False

    @classmethod
    def of(cls, taken: Taken) -> ChartBlock:
        """The rows of a block; a sample of them unless the block belongs to the first rows."""
        every = cls(taken, None, taken.weight)
        if taken.weight is not None and not bool(taken.xp.all(taken.weight > 0)):
            every = every.where(taken.weight > 0)
        if taken.block.start < EVERY_ROW:
            return every
        places = taken.xp.asarray(_drawn(taken.units, taken.block.start))
        if taken.weight is not None:
            places = places[taken.weight[places] > 0]
        return every._at(places, is_sample=True)

    def _at(self, places: Array, is_sample: bool) -> ChartBlock:
        weight = self.block.weight
        return ChartBlock(self.block, places, None if weight is None else weight[places], is_sample)

    @property
    def every(self) -> ChartBlock:
        """All rows of the block that have a weight."""
        if not self.is_sample:
            return self
        weight = self.block.weight
        every = ChartBlock(self.block, None, weight)
        return every if weight is None or bool(self.xp.all(weight > 0)) else every.where(weight > 0)

    def where(self, holds: Array) -> ChartBlock:
        """The rows where a condition (n,) holds."""
        places = self.xp.flatnonzero(holds) if self.at is None else self.at[holds]
        return self._at(places, self.is_sample)

    @property
    def xp(self) -> Namespace:
        """The namespace of the arrays."""
        return self.block.xp

    @property
    def plan(self) -> Plan:
        """The plan of the run."""
        return self.block.plan

    def batch(self, *kinds: type[Any]) -> Any:
        """The batch of the first of these types that a loss takes; None if no loss does."""
        return next((batches[0] for kind in kinds if (batches := self.block.rows.parts.get(kind))), None)

    def __call__(self, values: Array) -> Array:
        """The values (n,) of the rows that count."""
        return values if self.at is None else values[self.at]

    @property
    def counted(self) -> list[Array | None]:
        """The columns to sum: the rows and, if they have weights, the weights and squared weights."""
        if self.weight is None:
            return [None]
        return [None, self.weight, self.weight * self.weight]

    def grid(self, axes: Sequence[Axis | int], *places: Array, also: Sequence[Array] = ()) -> Sampled:
        """The grid of rows by positions (n,) on each axis; `also` is summed in the bins of the first axis."""
        along = also if self.weight is None else [self.weight * each for each in also]
        return self.summary(Gathered.of(self.xp, Unbinned(axes, places, self.counted, along)))

    def summary(self, rows: Gathered) -> Sampled:
        """The grid of the rows as a summary that tells samples from counted rows."""
        return Sampled(sample=rows) if self.is_sample else Sampled(counted=rows)


def _drawn(count: int, seed: int) -> Array:
    """The indices of a sample of `count` rows: a random one in each run of `RATE` rows.

    It is random because data may be periodic, and reproducible by its seed.
    """
    runs = np.arange(0, count, RATE)
    places = runs + np.random.default_rng(seed).integers(0, RATE, len(runs))
    return places[places < count]


class Table(Struct, frozen=True, eq=False):
    """The `rows`, the sums of their `weight`, and of squared weights, in bins (...)."""

    rows: Array
    weight: Array
    squares: Array

    @classmethod
    def of(cls, sums: Array) -> Table:
        """The table of the sums (k, ...) of `ChartBlock.counted`."""
        return cls(*(sums if len(sums) == 3 else (sums[0],) * 3))

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """The bins of all tables (...) along a new first axis."""
        fields = zip(*((each.rows, each.weight, each.squares) for each in tables), strict=True)
        return cls(*map(np.array, fields))

    def sum(self, axis: int) -> Table:
        """The sums over an axis of the bins."""
        return self.mapped(lambda sums: sums.sum(axis=axis))

    def grouped(self, places: Array, count: int, axis: int = 0) -> Table:
        """The sums over bins with equal `places` (bins,), from 0 to `count` - 1; -1 leaves a bin out."""
        return self.mapped(lambda sums: grouped(sums, places, count, axis))

    def __getitem__(self, bins: Any) -> Table:
        """The table of some bins."""
        return self.mapped(lambda sums: sums[bins])

    def mapped(self, change: Callable[[Array], Array]) -> Table:
        """The table with a function applied to its arrays (...) of bins."""
        rows = change(self.rows)
        if self.weight is self.rows is self.squares:
            return Table(rows, rows, rows)
        return Table(rows, change(self.weight), change(self.squares))

    @property
    def total(self) -> Table:
        """The sums over all bins, repeated in each bin."""
        return self.mapped(lambda sums: np.full(sums.shape, sums.sum()))

    @property
    def effective(self) -> Array:
        """The effective number of rows in each bin, by Kish; 0 in empty bins."""
        weight, squares = self.weight, self.squares
        return np.divide(weight * weight, squares, out=np.zeros_like(weight), where=squares > 0)


class Drawing(Struct, frozen=True, eq=False):
    """The summaries of all rows by name, with the plan, model and weight unit for the charts of them."""

    plan: Plan
    summaries: Summaries
    model: str | None = None
    unit: float = 1.0

    def has(self, name: str) -> bool:
        """Whether there is a summary of this name."""
        return name in self.summaries

    def grid(self, name: str) -> tuple[tuple[Bins, ...], Table, Array]:
        """The axes of a grid without fixed bins, its sums, and the sums along the first axis (m, bins)."""
        grid = cast(Sampled, self.summaries[name]).total
        axes = tuple(axis for axis in grid.axes if isinstance(axis, Bins))
        return axes, Table.of(grid.sums), grid.along

    def outside(self, name: str) -> float:
        """The number of rows that are not finite."""
        return float(cast(Sampled, self.summaries[name]).total.outside[0])

    def sampled(self, name: str, also: str = "") -> tuple[Note, ...]:
        """A note if a grid was sampled; `also` names what else it counts."""
        grid = cast(Sampled, self.summaries[name])
        if grid.sample is None:
            return ()
        numbers = {"count": grid.rows, "every": EVERY_ROW, "rate": RATE}
        return (
            note(Code.SAMPLED_CHART, also=also, **{key: f"{value:,.0f}" for key, value in numbers.items()}),
        )

    def counts(self, name: str) -> tuple[Array, Table]:
        """The distinct numbers, and their sums."""
        counts = cast(Counts, self.summaries[name])
        return counts.numbers, Table.of(counts.sums)

    def counted(self, table: Table) -> dict[str, list[Value]]:
        """The columns that count the rows of bins (n,)."""
        weights = total_weights(table.weight, self.unit)
        return {"rows": whole(table.rows), "weight": plain(weights, whole_too=True)}

    def chart(
        self,
        name: str,
        columns: Mapping[str, list[Value]],
        cell: Mapping[str, str] | None = None,
        notes: tuple[Note, ...] = (),
        loss: str = "",
    ) -> Chart:
        """A chart of the model."""
        unit = TASKS[self.plan.roles.task].unit
        return Chart(
            name=name, model=self.model, loss=loss, cell=cell or {}, unit=unit, columns=columns, notes=notes
        )

    @property
    def level(self) -> float | None:
        """The confidence level; None without intervals, and with clusters, whose rows are not independent."""
        return None if self.plan.roles.cluster is not None else self.plan.level

    def share_intervals(self, shares: Array, table: Table, scale: float = 1.0) -> dict[str, list[Value]]:
        """The columns of score intervals of shares (n,) of the rows of a table, times `scale`."""
        if self.level is None:
            return {name: [None] * len(shares) for name in ("ci_low", "ci_high")}
        with np.errstate(all="ignore"):  # without rows there is no interval
            low, high = share_interval(shares, table.effective, quantile(self.level, math.inf))
        return {"ci_low": plain(low * scale), "ci_high": plain(high * scale)}


def plain(values: Array, whole_too: bool = False) -> list[Value]:
    """Numbers (n,) as a list, None where they are not finite; `whole_too` writes 3.0 as 3."""
    return [
        None if not math.isfinite(value) else int(value) if whole_too and value.is_integer() else value
        for value in np.asarray(values, dtype=float).tolist()
    ]


def whole(values: Array) -> list[Value]:
    """Counts (n,) as whole numbers."""
    return [round(value) for value in values.tolist()]


def grouped(sums: Array, places: Array, count: int, axis: int = 0) -> Array:
    """The sums over bins along an axis with equal `places` (bins,), below `count`; -1 leaves a bin out."""
    moved = np.moveaxis(sums, axis, 0)
    summed = [moved[places == place].sum(axis=0) for place in range(count)]
    return np.moveaxis(np.reshape(summed, (count, *moved.shape[1:])), 0, axis)


def ratio(above: Array, below: Array) -> Array:
    """The quotient (n,), NaN where the divisor is zero."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below != 0)


class ShownBins(Struct, frozen=True, eq=False):
    """The bins of equal width that a chart shows of an axis: `places` (bins,) of the finer bins, and edges.

    A bin at place -1 is outside the shown range.
    """

    places: Array
    edges: Array

    @property
    def is_whole(self) -> bool:
        """Whether all bins are shown."""
        return bool((self.places >= 0).all())

    @property
    def count(self) -> int:
        """The number of shown bins."""
        return len(self.edges) - 1

    @property
    def low(self) -> Array:
        """The lower bound of each bin."""
        return self.edges[:-1]

    @property
    def high(self) -> Array:
        """The upper bound of each bin."""
        return self.edges[1:]


def shown(bins: Bins, weight: Array, most: int) -> ShownBins:
    """At most `most` bins of equal width that show the central rows of an axis: see `spread_of`."""
    if bins.count and bins.high - bins.low < _ALIKE:
        # All numbers are equal: one bin around them, wide enough to be visible.
        width = 2.0 ** math.floor(math.log2(abs(bins.low))) / 8 if abs(bins.low) > _ALIKE else 1.0
        places = np.zeros(bins.count, dtype=np.int64)
        return ShownBins(places, np.array([bins.low - width / 2, bins.low + width / 2]))
    return spread_of(*bins.edges(), weight, most)


def spread_of(low: Array, high: Array, weight: Array, most: int) -> ShownBins:
    """At most `most` bins of equal width, a power of two, that show the central rows of ordered bins.

    They show all rows unless these extend far beyond the central ones.
    """
    filled = np.flatnonzero(weight)
    if not len(filled):
        return ShownBins(np.full(len(low), -1), np.zeros(1))
    start, end = _window(low[filled], high[filled], weight[filled])
    inside = (high > start) & (low < end) & (weight > 0)
    width = 2.0 ** math.ceil(
        math.log2(max(end / most - start / most, float((high - low)[inside].max()), 5e-324))
    )
    while math.floor(_below(end) / width) - math.floor(start / width) + 1 > most:
        width *= 2.0
    first = math.floor(start / width)
    count = math.floor(_below(end) / width) - first + 1
    places = np.floor((low / 2 + high / 2) / width) - first
    places = np.where((places >= 0) & (places < count), places, -1).astype(np.int64)
    return ShownBins(places, (first + np.arange(count + 1)) * width)


def _below(end: float) -> float:
    """The largest float below an end."""
    return math.nextafter(end, -math.inf)


def _window(low: Array, high: Array, weight: Array) -> tuple[float, float]:
    """The range that a chart shows of nonempty bins."""
    start, end = float(low[0]), float(high[-1])
    cumulative = np.cumsum(weight) / weight.sum()
    first = int(np.searchsorted(cumulative, (1 - CENTRAL) / 2))
    last = min(int(np.searchsorted(cumulative, (1 + CENTRAL) / 2)), len(low) - 1)
    inner, outer = float(low[first]), float(high[last])
    central_half = outer / 2 - inner / 2
    if end / 2 - start / 2 <= _OUTLYING * central_half:
        return start, end
    margin = 2 * _MARGIN * central_half
    return max(start, inner - margin), min(end, outer + margin)
