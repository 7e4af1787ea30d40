"""Ranks: the state of losses of order, which need the rows themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, reduce
from typing import Self

from msgspec import Struct
from msgspec.structs import asdict, replace

from losscli.numeric.arrays import Array, np, to_numpy
from losscli.numeric.poisson import PER_WORD, some_counts
from losscli.numeric.student import quantile
from losscli.states import inference
from losscli.states.base import Estimates
from losscli.states.cells import Alike, Cells
from losscli.states.draws import kept_replicates
from losscli.states.moments import Moments
from losscli.states.noise import effective, shares
from losscli.states.order import Sample, Settled
from losscli.states.reductions import BoundReduction, mean

BLOCK = 1 << 18
"""Rows whose moments are computed at a time."""
_MEAN = BoundReduction(mean, {}, bounds=(0.0, 1.0))
"""The reduction of a condition: the share of the rows where it holds."""


class Rows(Struct, frozen=True, eq=False):
    """Some rows (m,): their cells as `codes`, their columns, and their weights and clusters, if any.

    The `keys` determine how often each row is drawn in a bootstrap.

    An entry may stand for several rows with equal columns: `counts` (m,) are their numbers, and `weight`,
    `squares` and `cubes` (m,) the sums of the first three powers of their weights.
    """

    codes: Array
    columns: tuple[Array, ...]
    weight: Array | None
    cluster: Array | None
    keys: Array | None = None
    counts: Array | None = None
    squares: Array | None = None
    cubes: Array | None = None

    @classmethod
    def joint(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        if any(part.counts is not None for part in parts):
            parts = [part.as_entries() for part in parts]
        weights = (np.ones(len(part.codes)) if part.weight is None else part.weight for part in parts)

        def joined(name: str) -> Array | None:
            values = [getattr(part, name) for part in parts]
            return None if values[0] is None else np.concatenate(values)

        return cls(
            np.concatenate([part.codes for part in parts]),
            tuple(map(np.concatenate, zip(*(part.columns for part in parts), strict=True))),
            None if all(part.weight is None for part in parts) else np.concatenate([*weights]),
            *map(joined, ("cluster", "keys", "counts", "squares", "cubes")),
        )

    @property
    def effective(self) -> Array:
        """The effective number of rows of each entry (m,), from 1 to their count."""
        assert self.weight is not None
        assert self.squares is not None
        return self.weight / self.squares * self.weight

    @property
    def each(self) -> Array | float:
        """The weight of each row (m,); for entries, an average weight of their rows."""
        if self.squares is not None and self.cubes is not None:
            return self.cubes / self.squares
        return 1.0 if self.weight is None else self.weight

    def cells(self, span: slice) -> Cells:
        """Some of the rows, as a single cell."""
        weight = None if self.weight is None else self.weight[span]
        if self.counts is None:
            return Cells(np, span.stop - span.start, weight, span.start)
        assert weight is not None
        assert self.squares is not None
        assert self.cubes is not None
        return Alike(self.counts[span], weight, self.squares[span], self.cubes[span])

    def as_entries(self) -> Rows:
        """The rows as entries that stand for one row each, unless they are entries already."""
        if self.counts is not None:
            return self
        weight = np.ones(len(self.codes)) if self.weight is None else self.weight
        squares = weight * weight
        counts = np.ones(len(weight), dtype=np.int64)
        return replace(self, weight=weight, counts=counts, squares=squares, cubes=squares * weight)

    def at(self, places: Array | slice) -> Rows:
        """The rows at these places."""
        return self.moved(lambda values: values[places])

    def moved(self, function: Callable[[Array], Array]) -> Rows:
        """The rows with a function applied to each array."""
        others = {name: getattr(self, name) for name in self.__struct_fields__ if name != "columns"}
        moved = {name: None if values is None else function(values) for name, values in others.items()}
        return Rows(columns=tuple(map(function, self.columns)), **moved)


class Ranks(Struct, frozen=True, eq=False):
    """The rows of each cell in their original order: their number `n` (c,) and sum of `weights` (c,).

    `replicates` is the number of replicates of a bootstrap, 0 without one.

    The state grows by 8 bytes per row for each number, and by 1 for each condition.  `parts` are joined in
    place when they are needed together, so that no row is held twice.
    """

    n: Array
    weights: Array
    parts: list[Rows]
    replicates: int = 0

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The rows of a block with the row columns (n,) of a loss."""

        def sorted_rows(values: Array) -> Array:
            return to_numpy(values if cells.order is None else values[cells.order])

        n, weights = np.zeros(cells.count, dtype=np.int64), np.zeros(cells.count)
        n[cells.present] = cells.sizes
        if len(cells.present):
            weights[cells.present] = to_numpy(cells.weight_sums[0]).sum(axis=1)
        codes = np.repeat(_narrow(cells.present, cells.count), cells.sizes)
        weight = None if cells.weight is None else to_numpy(cells.weight)
        cluster = None if cells.cluster is None else to_numpy(cells.cluster)
        draws = cells.draws if interval else None
        keys, replicates = (None, 0) if draws is None else (draws.keys, draws.counts.replicates)
        rows = Rows(codes, tuple(map(sorted_rows, columns)), weight, cluster, keys)
        return cls(n, weights, [rows], replicates)

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """The cells of all parts, one part after the other."""
        stacked, *others = parts
        for part in others:
            stacked = stacked.merge(part, len(stacked.n) + np.arange(len(part.n)))
        return stacked

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The rows of both; cell i of `later` is cell places[i], by default cell i."""
        at = np.arange(len(later.n)) if places is None else places
        count = max(len(self.n), int(at.max(initial=-1)) + 1)
        n, weights = np.zeros(count, dtype=np.int64), np.zeros(count)
        for part, target in ((self, np.arange(len(self.n))), (later, at)):
            n[target] += part.n
            weights[target] += part.weights
        moved = later.parts
        if places is not None:
            moved = [replace(part, codes=_narrow(at, count)[part.codes]) for part in later.parts]
        return replace(self, n=n, weights=weights, parts=[*self.parts, *moved])

    def select(self, cells: slice | Array) -> Self:
        """The rows of some cells."""
        chosen = np.arange(len(self.n))[cells]
        new_codes = np.full(len(self.n), len(chosen))
        new_codes[chosen] = np.arange(len(chosen))
        new_codes = _narrow(new_codes, len(chosen))
        parts = []
        for part in self.parts:
            codes = new_codes[part.codes]
            kept = np.flatnonzero(codes < len(chosen))
            parts.append(replace(part.at(kept), codes=codes[kept]))
        return replace(self, n=self.n[chosen], weights=self.weights[chosen], parts=parts)

    def output(self, index: int, outputs: int) -> Self:
        """The rows of one of several outputs, whose columns follow one another."""
        k = len(self.parts[0].columns) // outputs
        span = slice(index * k, (index + 1) * k)
        return replace(self, parts=[replace(part, columns=part.columns[span]) for part in self.parts])

    def stored(self, most: int, store: Callable[[Array], Array]) -> Self:
        """The state; if more than `most` rows are in memory, `store` moves their arrays elsewhere."""
        in_memory = [part for part in self.parts if not isinstance(part.columns[0], np.memmap)]
        if sum(len(part.codes) for part in in_memory) <= most:
            return self
        on_disk = [part for part in self.parts if isinstance(part.columns[0], np.memmap)]
        return replace(self, parts=[*on_disk, Rows.joint(in_memory).moved(store)])

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        """The value of the loss in each cell, with an interval at this level; None for no intervals."""
        return self.settled(bound, level).estimates(bound, level)

    def settled(self, bound: BoundReduction, level: float | None, paired: bool = False) -> Moments:
        """The moments of the columns whose means determine the loss of each cell.

        If two models are `paired`, the columns of a are followed by those of b, and the moments are those of
        a pair: see `inference.differences`.
        """
        by_cell = [
            None if rows is None else self._moments(rows, settled, bound, level, paired)[0]
            for rows, settled in self._settled(bound, level, paired)
        ]
        present = [moments for moments in by_cell if moments is not None]
        if not present:
            return Moments.empty(len(by_cell), len(bound.pilots))
        empty = present[0].select(np.array([0]))
        empty = Moments.from_arrays({name: np.zeros_like(v) for name, v in empty.to_arrays().items()})
        return Moments.stack([empty if moments is None else moments for moments in by_cell])

    def settled_with_parts(
        self, bound: BoundReduction, level: float | None, paired: bool = False
    ) -> tuple[Moments, Moments]:
        """The moments of the only cell, as by `settled`, and those of each class or label as cells."""
        ((rows, settled),) = self._settled(bound, level, paired)
        assert rows is not None
        overall, *by_part = self._moments(rows, settled, bound, level, paired, parts=True)
        return overall, Moments.stack(by_part)

    def linearised(self, bound: BoundReduction, level: float | None) -> Array:
        """The linearised value of each row (m,), cell by cell: its mean is the value of the cell."""
        by_cell = [
            _linear(bound, settled_moments(rows, settled, noise=False), _columns(settled))
            for rows, settled in self._settled(bound, level)
            if rows is not None
        ]
        return np.concatenate([np.zeros(0), *by_cell])

    def _joined(self) -> Rows:
        """All rows, which become the only part."""
        self.parts[:] = [Rows.joint(self.parts)]
        return self.parts[0]

    def cells(self) -> Iterator[Rows | None]:
        """The rows of each cell, None for an empty cell."""
        rows = self._joined()
        sizes = self.n if rows.counts is None else np.bincount(rows.codes, minlength=len(self.n))
        order = None if sizes.max(initial=0) == len(rows.codes) else np.argsort(rows.codes, kind="stable")
        ends = np.cumsum(sizes).tolist()
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            if start == end:
                yield None
            else:
                yield rows if order is None else rows.at(order[start:end])

    def _settled(
        self, bound: BoundReduction, level: float | None, paired: bool = False
    ) -> Iterator[tuple[Rows | None, list[Settled]]]:
        """The rows of each cell, None for an empty cell, and its settled loss, one per output."""
        for rows in self.cells():
            yield rows, [] if rows is None else _settle(rows, bound, level, paired)

    def _moments(
        self,
        rows: Rows,
        settled: list[Settled],
        bound: BoundReduction,
        level: float | None,
        paired: bool,
        parts: bool = False,
    ) -> list[Moments]:
        """The moments of a settled loss and, with `parts`, of each of its parts; with their replicates."""
        noise = level is not None and bound.order is not None and bound.order.noise
        groups = [settled, *([part] for part in _parts(settled))] if parts else [settled]
        by_group = [settled_moments(rows, group, noise) for group in groups]
        if not self.replicates or by_group[0].spread is None:
            return by_group
        draws = self._draws(by_group, rows, bound, paired, parts)
        first, resampled = 1, []
        for moments in by_group:
            last = first + moments.drift.shape[1]
            deviations = draws[:, first:last] - moments.mean[:, :, None]
            resampled.append(replace(moments, draws=np.concatenate([draws[:, :1], deviations], axis=1)))
            first = last
        return resampled

    def _draws(
        self, by_group: Sequence[Moments], rows: Rows, bound: BoundReduction, paired: bool, parts: bool
    ) -> Array:
        """A weight of 1 and the means of all columns in each replicate (1, 1 + k, replicates)."""
        columns = [moments.drift.shape[1] for moments in by_group]
        count = kept_replicates(len(self.n), columns[0], self.replicates)
        draws: Array = np.full((1, 1 + sum(columns), count), np.nan)
        draws[:, 0] = 1.0
        for first in range(0, count, PER_WORD):
            drawn = some_counts(rows.keys, first // PER_WORD)
            for place in range(first, min(first + PER_WORD, count)):
                times = drawn[:, place - first]
                sample = rows.at(np.flatnonzero(times))
                if len(sample.codes):
                    weight = times[times > 0] * (1.0 if sample.weight is None else sample.weight)
                    settled = _settle(replace(sample, weight=weight, cluster=None), bound, None, paired)
                    losses = [*settled, *_parts(settled)] if parts else settled
                    draws[0, 1:, place] = [mean for loss in losses for mean in loss.means]
        return draws

    def to_arrays(self) -> dict[str, Array]:
        """The rows of all parts as arrays by name; columns as column_0 and so on."""
        rows = self._joined()
        columns = {f"column_{i}": column for i, column in enumerate(rows.columns)}
        arrays = {name: value for name, value in asdict(rows).items() if value is not None}
        sizes = {"n": self.n, "weights": self.weights, "replicates": np.array(self.replicates)}
        return {**sizes, **columns} | {name: value for name, value in arrays.items() if name != "columns"}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The state that `to_arrays` wrote."""
        count = sum(name.startswith("column_") for name in arrays)
        columns = tuple(arrays[f"column_{i}"] for i in range(count))
        others = {
            name: arrays.get(name) for name in Rows.__struct_fields__ if name not in ("codes", "columns")
        }
        rows = Rows(arrays["codes"], columns, **others)
        return cls(arrays["n"], arrays["weights"], [rows], int(arrays["replicates"]))


def _settle(rows: Rows, bound: BoundReduction, level: float | None, paired: bool) -> list[Settled]:
    """The settled loss of the rows of a cell, one per output."""
    assert bound.order is not None
    models = len(bound.pilots) * (2 if paired else 1)
    k = len(rows.columns) // models
    settled = [
        bound.order(sample_of(rows, rows.columns[i * k : i * k + k], level), bound.params)
        for i in range(models)
    ]
    if paired:
        settled = [pair_of(a, b, bound) for a, b in zip(settled[::2], settled[1::2], strict=True)]
    return settled


def _parts(settled: Sequence[Settled]) -> list[Settled]:
    """The losses of the classes or labels of a settled loss."""
    (loss,) = settled
    assert loss.parts is not None
    return loss.parts()


def _narrow(codes: Array, count: int) -> Array:
    """Numbers from 0 to `count` in the smallest type that holds them."""
    return codes.astype(np.min_scalar_type(count))


def sample_of(rows: Rows, columns: tuple[Array, ...], level: float | None) -> Sample:
    """The sample that an `Order` takes: rows with some of their columns, for an interval at this level."""
    weight = np.broadcast_to(1.0, len(rows.codes))
    if rows.weight is not None:
        # Values and influences do not depend on the unit of weights; in this one, no sixth power overflows.
        weight = np.ldexp(rows.weight, -math.frexp(float(rows.weight.max()))[1])
    functions = partial(_share, rows, level), partial(_error, rows)
    alike = {} if rows.counts is None else {"counts": rows.counts, "alike": rows.effective}
    return Sample(columns, weight, rows.cluster, level, *functions, **alike)


def _share(rows: Rows, level: float | None, condition: Array, at: float) -> tuple[float, float]:
    """The effective number of rows behind the share `at` where a condition holds, and the deviate."""
    moments = _row_moments(rows, (condition.astype(float),))
    known = replace(moments, exact=np.array([[at]]), binary=np.ones(1, dtype=bool))
    units = float(effective(moments)[0])
    equal_weights = moments.units is None and units == moments.n[0]
    return float(shares(known)[0]), quantile(
        level or 0.5, math.inf if equal_weights else max(units - 1.0, 1.0)
    )


def _error(rows: Rows, influence: Array) -> float:
    """The standard error of a value whose rows have this influence."""
    (estimate,) = _row_moments(rows, (influence,)).estimates(_MEAN, 0.5)
    return math.nan if estimate.se is None else estimate.se


def settled_moments(rows: Rows, settled: Sequence[Settled], noise: bool) -> Moments:
    """The moments of the columns of a settled loss, whose means are known exactly."""
    columns, means = _columns(settled), np.array([[mean for each in settled for mean in each.means]])
    moments = _row_moments(rows, columns, noise)
    if rows.cluster is None:
        largest = [np.max(np.abs(rows.each * (c - m))) ** 2 for c, m in zip(columns, means[0], strict=True)]
        moments = replace(moments, largest=np.array([largest]))
    extremes = np.nan_to_num(means)  # these must not show as the reason of an undefined value
    moments = replace(moments, exact=means, low=extremes, high=extremes)
    ends = settled[0].ends if len(settled) == 1 else None
    return replace(
        moments,
        binary=np.zeros(1, dtype=bool),
        ends=np.array([[math.nan, math.nan] if ends is None else ends]),
    )


def _row_moments(rows: Rows, columns: Sequence[Array], interval: bool = True) -> Moments:
    """The moments of columns (n,) of the rows, with the spread between clusters, if any."""
    moments = reduce(Moments.merge, _blocks(rows, columns, interval))
    if rows.cluster is None or not interval:
        return moments
    from losscli.states import clusters  # imports Polars, and the catalog of losses imports this module

    block = clusters.Block(clusters.pairs_of(clusters.Clusters.of(rows.cluster), {0: None}))
    block.add(0, columns, rows.weight, None)
    return clusters.between(moments, block.totals()[0], 0)


def _blocks(rows: Rows, columns: Sequence[Array], interval: bool) -> Iterator[Moments]:
    """The moments of columns (n,), some rows at a time to save memory."""
    n = len(rows.codes)
    for start in range(0, n, BLOCK):
        span = slice(start, min(start + BLOCK, n))
        yield Moments.of(rows.cells(span), [column[span] for column in columns], interval)


def _columns(settled: Sequence[Settled]) -> tuple[Array, ...]:
    return tuple(column for each in settled for column in each.columns)


def _linear(bound: BoundReduction, moments: Moments, columns: Sequence[Array]) -> Array:
    """The linearised value (m,) of each row of a cell, given the moments of its columns (m,)."""
    value = float(inference.value_of(bound, moments)[0])
    slopes = inference.gradients(bound, moments)[0]
    parts = zip(slopes, columns, moments.mean[0], strict=True)
    return value + sum(slope * (column - centre) for slope, column, centre in parts)


def pair_of(a: Settled, b: Settled, bound: BoundReduction) -> Settled:
    """The columns of a followed by those of b - a; for a mean, only b - a."""
    means = tuple(y - x for x, y in zip(a.means, b.means, strict=True))
    columns = tuple(y - x for x, y in zip(a.columns, b.columns, strict=True))
    if bound.reduction is mean:
        return Settled(means, columns, parts=partial(_pairs, a, b, bound))
    return Settled((*a.means, *means), (*a.columns, *columns))


def _pairs(a: Settled, b: Settled, bound: BoundReduction) -> list[Settled]:
    """The pairs of the parts of a and b."""
    parts = zip(_parts([a]), _parts([b]), strict=True)
    return [pair_of(one, other, bound) for one, other in parts]
