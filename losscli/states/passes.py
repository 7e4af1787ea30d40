"""Losses of order of more rows than fit in memory: exact values, in several passes over the rows.

The rows of a cell are first binned, as for a `Sketch`, which gives the value but for the order of rows within
bins.  Then the rows of some bins at a time are told apart: each pass reads all rows, keeps those of these
bins, and settles the loss of them and of the entries of all other bins.  Of a loss that is `binned`, the
value of all rows follows from what each of them changes (see `Order.joined`); influences and intervals are
those of the bins.
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
"""Maximum number of rows that are sorted at once: some 4 GB of memory."""
STEP = 1 << 20
"""Rows that are read at once."""


def takes_passes(state: Ranks, bound: BoundReduction) -> bool:
    """Whether the rows of a loss are so many that they are settled in passes, and can be."""
    binned = bound.order is not None and bound.order.binned
    plain = state.replicates == 0 and all(part.cluster is None for part in state.parts)
    return int(state.n.sum()) > MAX_ROWS and binned and plain and not isinstance(state, Sketch)


def settled(state: Ranks, bound: BoundReduction, level: float | None, paired: bool = False) -> Moments:
    """The same as `Ranks.settled`, with at most MAX_ROWS rows in memory."""
    found = []
    for cells in _runs(state.n, MAX_ROWS):
        if cells.stop - cells.start > 1 or state.n[cells.start] <= MAX_ROWS:
            found.append(state.select(cells).settled(bound, level, paired))
        elif paired or len(bound.pilots) > 1:
            found.append(_of_several(state, cells.start, bound, level, paired))
        else:
            found.append(_Cell(state, cells.start).settled(bound, level))
    return Moments.stack(found)


def _of_several(state: Ranks, cell: int, bound: BoundReduction, level: float | None, paired: bool) -> Moments:
    """The moments of a large cell for several models or outputs: each row has the influence of its bins."""
    count = len(bound.pilots) * (2 if paired else 1)
    k = len(state.parts[0].columns) // count
    own = [_Cell(state, cell, slice(i * k, i * k + k)).by_bin(bound, level) for i in range(count)]
    noise, found = level is not None and bound.order is not None and bound.order.noise, []
    for rows in filter(lambda rows: len(rows.codes), _Cell(state, cell).rows(None)):
        each = [one.of(rows) for one in own]
        if paired:
            each = [pair_of(a, b, bound) for a, b in zip(each[::2], each[1::2], strict=True)]
        found.append(settled_moments(rows, each, noise))
    known = {name: getattr(found[0], name) for name in ("exact", "low", "high", "binary", "ends")}
    largest = np.max([moments.largest for moments in found if moments.largest is not None], axis=0)
    return replace(reduce(Moments.merge, found), largest=largest, **known)


def _runs(sizes: Array, most: int) -> Iterator[slice]:
    """Runs of consecutive sizes (c,), of at most `most` together unless a single one is more."""
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
    """A loss of some columns, by bins: its exact value, with the influence added to it in `entries`."""

    columns: slice
    sketch: Sketch
    value: float
    entries: Array

    def of(self, rows: Rows) -> Settled:
        """The value, with the influence that each row has as one of its bin."""
        return Settled((self.value,), (self.entries[self.sketch.find(rows.columns[self.columns])],))


class _Cell(Struct, frozen=True):
    """The rows of one cell, with some of their columns."""

    state: Ranks
    cell: int
    columns: slice = slice(None)

    def settled(self, bound: BoundReduction, level: float | None) -> Moments:
        """The moments of the columns whose means are the value."""
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
        found = bound.order(sample_of(middle, middle.columns, level), bound.params)
        value = self._value(bound, sketch, [])
        return _Bins(self.columns, sketch, value, found.columns[0] - found.means[0] + value)

    def rows(self, within: _Range | None) -> Iterator[Rows]:
        """The rows of the cell in these bins, some at a time."""
        for part in self.state.parts:
            for start in range(0, len(part.codes), STEP):
                rows = part.at(slice(start, start + STEP))
                rows = replace(rows, columns=rows.columns[self.columns])
                kept = rows.codes == self.cell
                if within is not None:
                    kept &= within.holds(rows.columns[0])
                rows = rows.at(np.flatnonzero(kept))
                yield replace(rows, codes=np.zeros(len(rows.codes), dtype=np.uint8))

    def _sketch(self, within: _Range | None) -> Sketch:
        """The entries of the bins of these rows."""
        whole = Sketch(np.zeros(1, dtype=np.int64), np.zeros(1), [])
        for rows in self.rows(within):
            weight = len(rows.codes) if rows.weight is None else rows.weight.sum()
            whole = whole.merge(Sketch(np.array([len(rows.codes)]), np.array([float(weight)]), [rows]))
        return whole.binned()

    def _value(self, bound: BoundReduction, sketch: Sketch, others: Sequence[Rows]) -> float:
        """The value of the rows in the bins of a sketch, and of the entries of all others."""
        assert bound.order is not None
        below, middle, above = sketch.views()
        known = _value_of(bound, [middle, *others])
        if math.isnan(known):
            return known  # not defined, whatever the order
        refined = []
        for own in _runs_of_bins(sketch):
            kept = np.zeros(len(middle.codes), dtype=bool)
            kept[own] = True
            rest = [middle.at(np.flatnonzero(~kept)), *others]
            low, high = (_sample_of([each.at(np.flatnonzero(kept)), *rest]) for each in (below, above))
            if bound.order.between(low, high, bound.params) == (known, known):
                continue  # these rows change nothing, whatever their order
            within = _Range(*sketch.keys(own))
            if middle.counts is not None and middle.counts[own].sum() > _at_once():
                refined.append(self._value(bound, self._sketch(within), rest))
            else:
                refined.append(_value_of(bound, [*self.rows(within), *rest]))
        return bound.order.joined(known, refined)


def _at_once() -> int:
    """Maximum number of rows that are told apart at once: as entries they take twice the memory."""
    return MAX_ROWS // 2


def _runs_of_bins(sketch: Sketch) -> Iterator[slice]:
    """Runs of the entries of whole bins, as long as memory allows; none if all bins are single numbers."""
    if sketch.coarse == 0:
        return
    (entries,) = sketch.parts
    assert entries.counts is not None
    starts = np.flatnonzero(np.concatenate([[True], entries.columns[0][1:] != entries.columns[0][:-1]]))
    edges = np.append(starts, len(entries.codes))
    for run in _runs(np.add.reduceat(entries.counts, starts), _at_once()):
        yield slice(int(edges[run.start]), int(edges[run.stop]))


def _sample_of(parts: Sequence[Rows]) -> Sample:
    whole = Rows.joint(parts)
    return sample_of(whole, whole.columns, None)


def _value_of(bound: BoundReduction, parts: Sequence[Rows]) -> float:
    """The value of rows and entries together."""
    assert bound.order is not None
    (value,) = bound.order(_sample_of(parts), bound.params).means
    return value
