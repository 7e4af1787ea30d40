"""Sketch: the state of losses of order in bounded memory, with a bound on its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.bins import KEY_BITS, digits_apart, ends_of, keys_of
from losscli.numeric.ranking import ROUNDING
from losscli.states import inference
from losscli.states.cells import Cells
from losscli.states.moments import Moments
from losscli.states.order import Order
from losscli.states.ranks import Ranks, Rows, sample_of
from losscli.states.reductions import BoundReduction

MAX_BINS = 1 << 18
"""Maximum number of bins in total, whose entries take 20 MB."""
MAX_PAIRS = 1 << 19
"""Maximum number of pairs of a cell and a bin, for one slicing."""
WAITING = 4
"""Rows that wait to be sorted, per bin: with fewer, most of the sorting would be of old entries."""


class Sketch(Ranks, frozen=True, eq=False):
    """The rows of each cell; those in one bin of the first column with equal conditions share an entry.

    A bin holds the numbers that agree in all but their `coarse` lowest bits (see `numeric.bins`), where
    `coarse` is the smallest number that leaves at most `most` bins in all cells.  So it depends only on the
    set of rows, not on their order; with few distinct numbers it is 0, and nothing is lost.
    """

    most: int = MAX_BINS
    coarse: int = 0

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The rows of a block from the row column (n,) that orders them, followed by conditions (n,)."""
        most = MAX_BINS if cells.order is None else MAX_PAIRS
        return replace(super().of(cells, columns, interval=False), most=most)

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The rows of both; cell i of `later` is cell places[i], by default cell i."""
        both = super().merge(later, places)
        both = replace(both, most=max(self.most, later.most), coarse=max(self.coarse, later.coarse))
        waiting = sum(len(part.codes) for part in both.parts)
        return both.binned() if waiting > WAITING * both.most else both

    def binned(self) -> Self:
        """The state with one part, whose entries are sorted by cell, bin and conditions."""
        rows = Rows.joint(self.parts).as_entries()
        values, *conditions = rows.columns
        keys, codes = keys_of(values), rows.codes
        order = np.argsort(keys)
        if len(self.n) > 1:
            order = order[np.argsort(codes[order], kind="stable")]
        differing = digits_apart(keys[order])
        differing[1:][np.diff(codes[order]) != 0] = KEY_BITS
        coarse = self._coarse(differing)
        first = differing > coarse
        group = np.empty(len(order), dtype=np.int64)
        group[order] = np.cumsum(first) - 1
        place = group << len(conditions)
        for bit, condition in enumerate(conditions):
            place |= condition.astype(np.int64) << bit
        size = int(first.sum()) << len(conditions)
        counts, *sums = (
            np.bincount(place, each, size) for each in (rows.counts, rows.weight, rows.squares, rows.cubes)
        )
        entries = np.flatnonzero(counts)
        firsts = order[first][entries >> len(conditions)]
        holds = ((entries >> bit & 1).astype(bool) for bit in range(len(conditions)))
        columns = (ends_of(keys[firsts], coarse)[0], *holds)
        weight, squares, cubes = (each[entries] for each in sums)
        powers = {"counts": counts[entries].astype(np.int64), "squares": squares, "cubes": cubes}
        return replace(self, parts=[Rows(codes[firsts], columns, weight, None, **powers)], coarse=coarse)

    def _coarse(self, differing: Array) -> int:
        """The smallest `coarse` with at most `most` bins, from the `digits_apart` (m,) of sorted keys."""
        bins = np.cumsum(np.bincount(differing, minlength=KEY_BITS + 1)[::-1])[::-1]
        few = np.flatnonzero(bins[1:] <= self.most)
        return max(self.coarse, min([*few.tolist(), KEY_BITS - 1]))

    def settled(self, bound: BoundReduction, level: float | None, paired: bool = False) -> Moments:
        """The moments of the columns whose means are the value of each cell, with a bound on its error."""
        assert not paired
        assert bound.order is not None
        binned = self.binned()
        below, middle, above = (Ranks(self.n, self.weights, [view]) for view in binned.views())
        moments = middle.settled(bound, level)
        if binned.coarse == 0:
            return replace(moments, error=np.zeros(len(self.n)))
        pairs = zip(below.cells(), above.cells(), strict=True)
        limits = [_limits(bound.order, bound.params, *pair) for pair in pairs]
        values = inference.value_of(bound, moments)
        with np.errstate(all="ignore"):
            distance = np.abs(np.array(limits) - values[:, None]).max(axis=1)
        return replace(moments, error=distance + ROUNDING * np.abs(values))

    def views(self) -> tuple[Rows, Rows, Rows]:
        """The entries of this binned state moved within their bins in three ways: below, middle and above.

        The value lies between those of the first and the last.  The first has the lower ends of the bins
        where the condition holds and the upper ends elsewhere, the last the reverse: see `Order`.
        """
        (entries,) = self.parts
        low, high = ends_of(keys_of(entries.columns[0]), self.coarse)
        middle = low if self.coarse == 0 else _between(low, high)
        holds = entries.columns[1] if len(entries.columns) > 1 else True
        places = (np.where(holds, low, high), middle, np.where(holds, high, low))
        below, between, above = (
            replace(entries, columns=(values, *entries.columns[1:])) for values in places
        )
        return below, between, above

    def find(self, columns: Sequence[Array]) -> Array:
        """The index (n,) of the entry of rows with these columns in this binned state of one cell."""
        values, *conditions = columns
        lowest, *entry_conditions = self.parts[0].columns
        index = np.searchsorted(lowest, ends_of(keys_of(values), self.coarse)[0])
        for condition, holds in zip(conditions, entry_conditions, strict=True):
            # Within a bin, rows where the condition holds follow the others.
            index = index + (condition & ~holds[index])
        return index

    def keys(self, entries: slice) -> tuple[int, int]:
        """The keys of the smallest and the largest number in the bins of these entries."""
        low, high = ends_of(keys_of(self.parts[0].columns[0][entries]), self.coarse)
        return int(keys_of(low[:1])[0]), int(keys_of(high[-1:])[0])

    def to_arrays(self) -> dict[str, Array]:
        """The entries as arrays by name: see `Ranks`."""
        binned = self.binned()
        return super(Sketch, binned).to_arrays() | {"limits": np.array([binned.most, binned.coarse])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The state that `to_arrays` wrote."""
        most, coarse = arrays["limits"].tolist()
        return replace(super().from_arrays(arrays), most=most, coarse=coarse)


def _between(low: Array, high: Array) -> Array:
    """The middle (n,) of each bin, finite unless all of its numbers are infinite."""
    middle = low / 2 + high / 2
    finite = np.where(np.isfinite(low), low, high)
    return np.where(np.isfinite(middle), middle, finite)


def _limits(
    order: Order, params: Mapping[str, Any], low: Rows | None, high: Rows | None
) -> tuple[float, float]:
    """The minimum and maximum value of the rows of a cell, whose bins have these ends."""
    if low is None or high is None:
        return 0.0, 0.0
    first, last = (sample_of(rows, rows.columns, None) for rows in (low, high))
    return order.between(first, last, params)
