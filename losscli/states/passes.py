"""Losses of order with more rows than fit in memory: exact values in several passes over the rows.

The rows of a cell are first binned, as for a `Sketch`, which gives the value but for the order of rows within
bins.  Then the rows of a few bins at a time are resolved: each pass reads all rows, keeps those of these
bins, and settles the loss of them and of the entries of all other bins.  The value of a `binned` loss follows
from the changes of all passes (see `Order.joined`); influences and intervals are those of the bins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.bins import keys_of
from losscli.states.moments import Moments
from losscli.states.order import Sample, Settled
from losscli.states.ranks import Ranks, Rows, pair_of, sample_of, settled_moments
from losscli.states.reductions import BoundReduction
from losscli.states.sketch import Sketch

MAX_ROWS = 1 << 25
"""Maximum number of rows sorted at a time, which takes some 4 GB of memory."""
STEP = 1 << 20
"""Rows read at a time."""


def takes_passes(state: Ranks, bound: BoundReduction) -> bool:
    """Whether the rows of a loss are so many that it has to be settled in passes, and allows it."""
    binned = bound.order is not None and bound.order.binned
    plain = state.replicates == 0 and all(part.cluster is None for part in state.parts)
    return int(state.n.sum()) > MAX_ROWS and binned and plain and not isinstance(state, Sketch)


def settled(state: Ranks, bound: BoundReduction, level: float | None, paired: bool = False) -> Moments:
    """The same as `Ranks.settled`, with at most MAX_ROWS rows in memory."""
    parts = []
    for cells in _runs(state.n, MAX_ROWS):
        if cells.stop - cells.start > 1 or state.n[cells.start] <= MAX_ROWS:
            parts.append(state.select(cells).settled(bound, level, paired))
        elif paired or len(bound.pilots) > 1:
            parts.append(_moments_of_several(state, cells.start, bound, level, paired))
        else:
            parts.append(_Cell(state, cells.start).settled(bound, level))
    return Moments.stack(parts)


def _moments_of_several(
    state: Ranks, cell: int, bound: BoundReduction, level: float | None, paired: bool
) -> Moments:
    """The moments of a large cell for several models or outputs; each row has the influence of its bin."""
    count = len(bound.pilots) * (2 if paired else 1)
    k = len(state.parts[0].columns) // count
    losses = [_Cell(state, cell, slice(i * k, i * k + k)).by_bin(bound, level) for i in range(count)]
    noise, parts = level is not None and bound.order is not None and bound.order.noise, []
    for rows in filter(lambda rows: len(rows.codes), _Cell(state, cell).rows(None)):
        settled = [loss.of(rows) for loss in losses]
        if paired:
            settled = [pair_of(a, b, bound) for a, b in zip(settled[::2], settled[1::2], strict=True)]
        parts.append(settled_moments(rows, settled, noise))
    known = {name: getattr(parts[0], name) for name in ("exact", "low", "high", "binary", "ends")}
    largest = np.max([moments.largest for moments in parts if moments.largest is not None], axis=0)
    return replace(reduce(Moments.merge, parts), largest=largest, **known)


def _runs(sizes: Array, most: int) -> Iterator[slice]:
    """Runs of consecutive sizes (c,) that sum to at most `most`, unless a single size exceeds it."""
    start, total = 0, 0
    for place, size in enumerate(sizes.tolist()):
        if place > start and total + size > most:
            yield slice(start, place)
            start, total = place, 0
        total += size
    yield slice(start, len(sizes))


class _Range(Struct, frozen=True):
    """The bins whose keys are from `first` to `last`."""

    first: int
    last: int

    def holds(self, values: Array) -> Array:
        """Whether numbers (n,) are in these bins (n,)."""
        keys = keys_of(values)
        return (keys >= self.first) & (keys <= self.last)


class _Bins(Struct, frozen=True):
    """A loss of some columns by bins: its exact `value`, and value plus influence of the `entries`."""

    columns: slice
    sketch: Sketch
    value: float
    entries: Array

    def of(self, rows: Rows) -> Settled:
        """The settled loss of some rows: the value, and the influence of the bin of each row."""
        return Settled((self.value,), (self.entries[self.sketch.find(rows.columns[self.columns])],))


class _Cell(Struct, frozen=True):
    """The rows of one cell, with some of their columns."""

    state: Ranks
    cell: int
    columns: slice = slice(None)

    def settled(self, bound: BoundReduction, level: float | None) -> Moments:
        """The moments of the column whose mean is the value."""
        assert bound.order is not None
        sketch = self._sketch(None)
        moments = sketch.settled(bound, level)
        value = np.array([[self._value(bound, sketch, [])]])
        return replace(moments, exact=value, low=value, high=value, error=None)

    def by_bin(self, bound: BoundReduction, level: float | None) -> _Bins:
        """The value, and the influences of the entries of bins."""
        assert bound.order is not None
        sketch = self._sketch(None)
        _, middle, _ = sketch.views()
        by_entry = bound.order(sample_of(middle, middle.columns, level), bound.params)
        value = self._value(bound, sketch, [])
        return _Bins(self.columns, sketch, value, by_entry.columns[0] - by_entry.means[0] + value)

    def rows(self, within: _Range | None) -> Iterator[Rows]:
        """The rows of the cell in these bins, some at a time."""
        for part in self.state.parts:
            for start in range(0, len(part.codes), STEP):
                rows = part.at(slice(start, start + STEP))
                rows = replace(rows, columns=rows.columns[self.columns])
                is_inside = rows.codes == self.cell
                if within is not None:
                    is_inside &= within.holds(rows.columns[0])
                rows = rows.at(np.flatnonzero(is_inside))
                yield replace(rows, codes=np.zeros(len(rows.codes), dtype=np.uint8))

    def _sketch(self, within: _Range | None) -> Sketch:
        """The binned rows, or those of them `within` some bins."""
        sketch = Sketch(np.zeros(1, dtype=np.int64), np.zeros(1), [])
        for rows in self.rows(within):
            weight = len(rows.codes) if rows.weight is None else rows.weight.sum()
            sketch = sketch.merge(Sketch(np.array([len(rows.codes)]), np.array([float(weight)]), [rows]))
        return sketch.binned()

    def _value(self, bound: BoundReduction, sketch: Sketch, others: Sequence[Rows]) -> float:
        """The value of the rows in the bins of a sketch, and of the entries of all others."""
        assert bound.order is not None
        below, middle, above = sketch.views()
        known = _value_of(bound, [middle, *others])
        if math.isnan(known):
            return known  # undefined, whatever the order
        refined = []
        for run in _runs_of_bins(sketch):
            in_run = np.zeros(len(middle.codes), dtype=bool)
            in_run[run] = True
            rest = [middle.at(np.flatnonzero(~in_run)), *others]
            low, high = (_sample_of([each.at(np.flatnonzero(in_run)), *rest]) for each in (below, above))
            if bound.order.between(low, high, bound.params) == (known, known):
                continue  # the order of these rows changes nothing
            within = _Range(*sketch.keys(run))
            if middle.counts is not None and middle.counts[run].sum() > _max_resolved():
                refined.append(self._value(bound, self._sketch(within), rest))
            else:
                refined.append(_value_of(bound, [*self.rows(within), *rest]))
        return bound.order.joined(known, refined)


def _max_resolved() -> int:
    """The maximum number of rows resolved at a time: as entries they take twice the memory."""
    return MAX_ROWS // 2


def _runs_of_bins(sketch: Sketch) -> Iterator[slice]:
    """Runs of entries of whole bins, as long as memory allows; empty if every bin is a single number."""
    if sketch.coarse == 0:
        return
    (entries,) = sketch.parts
    assert entries.counts is not None
    starts = np.flatnonzero(np.concatenate([[True], entries.columns[0][1:] != entries.columns[0][:-1]]))
    edges = np.append(starts, len(entries.codes))
    for run in _runs(np.add.reduceat(entries.counts, starts), _max_resolved()):
        yield slice(int(edges[run.start]), int(edges[run.stop]))


def _sample_of(parts: Sequence[Rows]) -> Sample:
    rows = Rows.joint(parts)
    return sample_of(rows, rows.columns, None)


def _value_of(bound: BoundReduction, parts: Sequence[Rows]) -> float:
    """The value of rows and entries together."""
    assert bound.order is not None
    (value,) = bound.order(_sample_of(parts), bound.params).means
    return value
