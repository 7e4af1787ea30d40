"""Histogram: where rows lie on the curve of a loss, and how the total loss is distributed over them.

Values are counted in bins whose width is a 128th of a power of two, so that a quantile is accurate to 0.8 %
whatever the range of the values.  Histograms merge by addition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import asdict

from losscli.numeric.arrays import Array, Namespace, np, to_numpy
from losscli.numeric.segments import binned_sums
from losscli.report.findings import Code, note
from losscli.states.base import Estimate, Estimates
from losscli.states.cells import Cells
from losscli.states.reductions import BoundReduction

DIGITS = 7
"""Leading binary digits of a value, after the first, that determine its bin."""
_SHIFT = 52 - DIGITS


class Bins(Struct, frozen=True, eq=False):
    """Non-negative values: their weight and weighted sum (c, bins) in consecutive bins from `first` on.

    The number of a bin is the leading bits of its values as float64, which sort like the values.  Methods
    for one cell default to the first.
    """

    first: int
    weight: Array
    total: Array

    @classmethod
    def of(cls, xp: Namespace, values: Array, weight: Array, codes: Array, cells: int) -> Bins:
        """The bins of non-negative values (n,) in the cells given by the codes (n,)."""
        if not len(values):
            return cls(0, np.zeros((cells, 0)), np.zeros((cells, 0)))
        numbers = xp.ascontiguousarray(values).view(xp.int64) >> _SHIFT
        first = int(numbers.min())
        size = int(numbers.max()) - first + 1
        sums = binned_sums(xp, codes * size + (numbers - first), (weight, weight * values), cells * size)
        return cls(first, *sums.reshape(2, cells, size))

    def merge(self, later: Bins, places: Array, cells: int) -> Bins:
        """The bins of both; cell i of `later` is cell places[i] of `cells`."""
        parts = [(self, np.arange(len(self.weight))), (later, places)]
        filled = [part for part, _ in parts if part.weight.shape[1]]
        first = min((part.first for part in filled), default=0)
        size = max((part.first + part.weight.shape[1] for part in filled), default=0) - first
        weight, total = np.zeros((cells, size)), np.zeros((cells, size))
        for part, at in parts:
            start = part.first - first if part.weight.shape[1] else 0
            span = slice(start, start + part.weight.shape[1])
            weight[at, span] += part.weight
            total[at, span] += part.total
        return Bins(first, weight, total)

    def select(self, cells: slice | Array) -> Bins:
        """The bins of some cells."""
        return Bins(self.first, self.weight[cells], self.total[cells])

    @property
    def edges(self) -> Array:
        """The bounds of the bins (bins + 1,)."""
        numbers = np.arange(self.first, self.first + self.weight.shape[1] + 1, dtype=np.int64)
        return (numbers << _SHIFT).view(np.float64)

    def quantile(self, share: float, cell: int = 0) -> float:
        """The value at or below which this share of the weight lies; NaN if the weight is zero."""
        cumulative = np.cumsum(self.weight[cell])
        if not len(cumulative) or cumulative[-1] == 0:
            return math.nan
        at = int(np.searchsorted(cumulative, share * cumulative[-1]))
        return float(self.total[cell, at] / self.weight[cell, at])

    def upper_share(self, share: float, cell: int = 0) -> float:
        """The share of the sum in the largest values with this share of the weight; NaN for a sum of 0."""
        weight, total = self.weight[cell, ::-1], self.total[cell, ::-1]
        cumulative = np.cumsum(weight)
        if not len(cumulative) or not 0 < total.sum() < math.inf:
            return math.nan
        target = share * cumulative[-1]
        at = int(np.searchsorted(cumulative, target))
        within = 1.0 - (cumulative[at] - target) / weight[at] if weight[at] else 0.0
        return float((total[:at].sum() + within * total[at]) / total.sum())

    def within(self, edges: Array, cell: int = 0) -> Array:
        """The weight between consecutive edges, taking the weight of a bin to be uniform over it."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.weight[cell])])
        return np.diff(np.interp(edges, self.edges, cumulative))


class Histogram(Struct, frozen=True, eq=False):
    """The number of rows `n` (c,), the sums of their `weights` and `loss` (c,), and the `minimum` loss (c,).

    `below` and `above` hold the positions of the rows on the curve by magnitude, below zero and from zero up;
    `losses` holds the losses by magnitude; `parts` (c, m, 3) the count, weight and loss of the rows of each
    part of the curve.
    """

    n: Array
    weights: Array
    loss: Array
    minimum: Array
    below: Bins
    above: Bins
    losses: Bins
    parts: Array

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Histogram:
        """The histogram of a block from its positions, losses and masks of the parts; (n,) each."""
        xp = cells.xp
        place, loss, *parts = (column if cells.order is None else column[cells.order] for column in columns)
        weight = xp.ones(len(loss)) if cells.weight is None else cells.weight
        codes = xp.asarray(np.repeat(cells.present, cells.sizes))
        weighted, negative = weight * loss, place < 0

        def bins(values: Array, rows: Array) -> Bins:
            return Bins.of(xp, values[rows], weight[rows], codes[rows], cells.count)

        def by_cell(values: Array, empty: float = 0.0) -> Array:
            """Values (..., runs) of runs as values (c, ...) of cells; `empty` for cells without rows."""
            filled = np.full((cells.count, *values.shape[:-1]), empty)
            filled[cells.present] = to_numpy(values).T
            return filled

        counted = [xp.where(part, each, 0.0) for part in parts for each in (1.0, weight, weighted)]
        sums = xp.zeros((2 + len(counted), 0))
        minimum = xp.zeros(0)
        if len(cells.present):
            sums = cells.sums(xp.stack([weight, weighted, *counted]))
            minimum = cells.extremes(loss[None], "argmin", "minima")[0][0]
        n = np.zeros(cells.count, dtype=np.int64)
        n[cells.present] = cells.sizes
        return cls(
            n=n,
            weights=by_cell(sums[0]),
            loss=by_cell(sums[1]),
            minimum=by_cell(minimum, math.inf),
            below=bins(-place, negative),
            above=bins(xp.abs(place), ~negative),  # including -0.0
            losses=bins(xp.abs(loss), xp.ones(len(loss), dtype=bool)),
            parts=by_cell(sums[2:]).reshape(cells.count, len(parts), 3),
        )

    @classmethod
    def stack(cls, parts: Sequence[Histogram]) -> Histogram:
        """The cells of all parts, one part after the other."""
        stacked, *others = parts
        for part in others:
            stacked = stacked.merge(part, len(stacked.n) + np.arange(len(part.n)))
        return stacked

    def merge(self, later: Histogram, places: Array | None = None) -> Histogram:
        """The histogram of the rows of both; cell i of `later` is cell places[i], by default cell i."""
        at = np.arange(len(later.n)) if places is None else places
        cells = max(len(self.n), int(at.max(initial=-1)) + 1)

        def sum_of(name: str) -> Array:
            values, added = getattr(self, name), getattr(later, name)
            total = np.zeros((cells, *values.shape[1:]), dtype=values.dtype)
            total[: len(values)] = values
            total[at] += added
            return total

        minimum = np.full(cells, math.inf)
        minimum[: len(self.minimum)] = self.minimum
        minimum[at] = np.minimum(minimum[at], later.minimum)
        sums = {name: sum_of(name) for name in ("n", "weights", "loss", "parts")}
        bins = {name: getattr(self, name).merge(getattr(later, name), at, cells) for name in _BINS}
        return Histogram(minimum=minimum, **sums, **bins)

    def select(self, cells: slice | Array) -> Histogram:
        """The histogram of some cells."""
        fields = asdict(self)
        return Histogram(
            **{name: v.select(cells) if name in _BINS else v[cells] for name, v in fields.items()}
        )

    def output(self, index: int, outputs: int) -> Histogram:
        """The histogram itself, which has one output."""
        return self

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        """The mean of the loss in each cell, without an interval."""
        with np.errstate(all="ignore"):
            means = self.loss / self.weights
        means = np.where(np.isfinite(means), means, np.nan)
        return Estimates.of_arrays(means, [()]).replaced(
            self.n == 0, Estimate(None, notes=(note(Code.NO_ROWS),))
        )

    def to_arrays(self) -> dict[str, Array]:
        """The fields by name; bins as NAME_first, NAME_weight and NAME_total."""
        arrays = {name: value for name, value in asdict(self).items() if name not in _BINS}
        for name in _BINS:
            bins = getattr(self, name)
            arrays[f"{name}_first"] = np.array(bins.first)
            arrays[f"{name}_weight"], arrays[f"{name}_total"] = bins.weight, bins.total
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Histogram:
        """The histogram that `to_arrays` wrote."""
        bins = {
            name: Bins(int(arrays[f"{name}_first"]), arrays[f"{name}_weight"], arrays[f"{name}_total"])
            for name in _BINS
        }
        return cls(**{name: arrays[name] for name in ("n", "weights", "loss", "minimum", "parts")}, **bins)

    def places(self, edges: Array) -> Array:
        """The weight between consecutive positions on the curve (m + 1,) -> (m,)."""
        # Below zero, magnitudes fall as positions rise.
        return (
            self.above.within(np.maximum(edges, 0.0)) + self.below.within(np.maximum(-edges, 0.0)[::-1])[::-1]
        )

    @property
    def sizes(self) -> Bins:
        """The positions by magnitude, whatever their sign."""
        return self.below.merge(self.above, np.arange(len(self.n)), len(self.n))

    def worst(self, share: float) -> float:
        """The share of the loss in this share of the rows, the worst ones.

        NaN if the loss is zero, infinite, or negative in some row: then shares have no meaning.
        """
        return self.losses.upper_share(share) if self.minimum[0] >= 0 else math.nan


_BINS = ("below", "above", "losses")
"""The fields of a histogram that are bins."""
