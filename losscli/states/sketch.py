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
"""Maximum number of bins overall, whose entries take 20 MB."""
MAX_PAIRS = 1 << 19
"""Maximum number of pairs of a cell and a bin, for one slicing."""
WAITING = 4
"""How many times as many rows as bins wait to be sorted: few at a time, or most sorting is of old entries."""


class Sketch(Ranks, frozen=True, eq=False):
    """The rows of each cell, of which those with the same conditions in one bin of the first column are one.

    A bin holds the numbers that agree in all but their `coarse` lowest bits (see `numeric.bins`), and
    `coarse` is the smallest number for which there are at most `most` bins in all cells.  So it depends on
    the set of the rows alone, not on their order; of few distinct numbers it is 0, and nothing is lost.
    """

    most: int = MAX_BINS
    coarse: int = 0

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The rows of a block: the row column (n,) that orders them, and conditions (n,)."""
        most = MAX_BINS if cells.order is None else MAX_PAIRS
        return replace(super().of(cells, columns, interval=False), most=most)

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The rows of both; cell i of `later` is cell places[i], by default cell i."""
        whole = super().merge(later, places)
        whole = replace(whole, most=max(self.most, later.most), coarse=max(self.coarse, later.coarse))
        waiting = sum(len(part.codes) for part in whole.parts)
        return whole.binned() if waiting > WAITING * whole.most else whole

    def binned(self) -> Self:
        """The same with one part, whose entries are sorted by cell, bin and conditions."""
        rows = Rows.joint(self.parts).as_entries()
        values, *conditions = rows.columns
        keys, codes = keys_of(values), rows.codes
        order = np.argsort(keys)
        if len(self.n) > 1:
            order = order[np.argsort(codes[order], kind="stable")]
        apart = digits_apart(keys[order])
        apart[1:][np.diff(codes[order]) != 0] = KEY_BITS
        coarse = self._coarse(apart)
        first = apart > coarse
        group = np.empty(len(order), dtype=np.int64)
        group[order] = np.cumsum(first) - 1
        place = group << len(conditions)
        for bit, condition in enumerate(conditions):
            place |= condition.astype(np.int64) << bit
        size = int(first.sum()) << len(conditions)
        counts, *sums = (
            np.bincount(place, each, size) for each in (rows.counts, rows.weight, rows.squares, rows.cubes)
        )
        found = np.flatnonzero(counts)
        own = order[first][found >> len(conditions)]
        held = ((found >> bit & 1).astype(bool) for bit in range(len(conditions)))
        columns = (ends_of(keys[own], coarse)[0], *held)
        weight, squares, cubes = (each[found] for each in sums)
        whole = {"counts": counts[found].astype(np.int64), "squares": squares, "cubes": cubes}
        return replace(self, parts=[Rows(codes[own], columns, weight, None, **whole)], coarse=coarse)

    def _coarse(self, apart: Array) -> int:
        """The smallest `coarse` that leaves at most `most` bins of sorted keys with `digits_apart` (m,)."""
        bins = np.cumsum(np.bincount(apart, minlength=KEY_BITS + 1)[::-1])[::-1]
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
            away = np.abs(np.array(limits) - values[:, None]).max(axis=1)
        return replace(moments, error=away + ROUNDING * np.abs(values))

    def views(self) -> tuple[Rows, Rows, Rows]:
        """The entries of this binned state at three places of their bins: the value lies between two of them.

        The middle one has the middle of the bins.  The others have their lower ends where the condition
        holds and their upper ends elsewhere, and the reverse: see `Order`.
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
        """The place (n,) among the entries of this binned state, of one cell, of rows with these columns."""
        values, *conditions = columns
        lowest, *held = self.parts[0].columns
        place = np.searchsorted(lowest, ends_of(keys_of(values), self.coarse)[0])
        for condition, own in zip(conditions, held, strict=True):
            # Of a bin, rows on which the condition holds follow the others.
            place = place + (condition & ~own[place])
        return place

    def keys(self, own: slice) -> tuple[int, int]:
        """The keys of the smallest and the largest number in the bins of these entries."""
        low, high = ends_of(keys_of(self.parts[0].columns[0][own]), self.coarse)
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
    """The least and the greatest value of the rows of a cell, whose bins have these ends."""
    if low is None or high is None:
        return 0.0, 0.0
    first, last = (sample_of(rows, rows.columns, None) for rows in (low, high))
    return order.between(first, last, params)
