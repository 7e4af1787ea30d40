"""How many rows of each cell have each number, such as that of a pair of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np, to_numpy
from losscli.numeric.indicators import Indicators, width
from losscli.numeric.segments import compressed, two_float_sums
from losscli.states.base import Estimates
from losscli.states.cells import Alike, Cells
from losscli.states.moments import Moments, two_float_add
from losscli.states.reductions import BoundReduction
from losscli.states.scattered import Scattered

Columns = Sequence[Array | Indicators]
"""The row columns of a loss, those of classes without their zeros."""
_DENSE = 8
"""The range of numbers per row up to which they are counted rather than sorted."""
_LARGEST = 1 << 63
"""The first number that is too large for the number of a cell and of a row in one."""
_AT_ONCE = 1 << 18
"""The numbers of cells times columns that are computed at once."""


class Contingency(Struct, frozen=True, eq=False):
    """The rows of each cell by a whole number: exact in any order, and as large as the numbers are many.

    n (c,) rows of positive weight; `counts` (m,) of them are in the cells `cells` (m,) and have the `numbers`
    (m,), in this order.  `powers` (4, m) are the sums of their weights, as two floats, and of the squares and
    third powers of these; None if all weights are one.  `columns` are the columns (m,) of a loss for numbers
    (m,); without them the only column is the number.
    """

    n: Array
    cells: Array
    numbers: Array
    counts: Array
    powers: Array | None = None
    columns: Callable[[Array], Columns] | None = None

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The counts of a column (n,) of whole numbers from 0 up."""
        (numbers,) = (to_numpy(column).astype(np.int64) for column in columns)
        if cells.order is None:
            return cls.of_rows(numbers, cells.weight)
        codes = np.repeat(cells.present, cells.sizes)
        return cls.of_rows(numbers[cells.order], cells.weight, codes, cells.count)

    @classmethod
    def of_rows(
        cls, numbers: Array, weight: Array | None = None, cells: Array | None = None, count: int = 1
    ) -> Self:
        """The counts of whole numbers (n,) from 0 up, with weights (n,), in `count` cells (n,)."""
        cells = np.zeros(len(numbers), dtype=np.int64) if cells is None else cells.astype(np.int64)
        known, kinds = None, int(numbers.max(initial=0)) + 1
        if kinds * count >= _LARGEST:
            known, numbers = np.unique(numbers, return_inverse=True)
            kinds = len(known)
        powers = None
        if weight is None:
            present, counts = _counted(cells * kinds + numbers)
        else:
            places, present = compressed(cells * kinds + numbers)
            counts = np.bincount(places, minlength=len(present))
            powers = _powers(places, weight, len(present))
        own, present = np.divmod(present, kinds)
        n = np.bincount(own, counts, count).astype(np.int64)
        return cls(n, own, present if known is None else known[present], counts, powers)

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """The cells of all parts, one part after the other."""
        starts = np.cumsum([0, *(len(part.n) for part in parts)])
        cells = np.concatenate([part.cells + start for part, start in zip(parts, starts, strict=False)])
        n, numbers, counts = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("n", "numbers", "counts")
        )
        powers = None
        if parts[0].powers is not None:
            powers = np.concatenate([part.powers for part in parts], axis=1)
        return cls(n, cells, numbers, counts, powers, parts[0].columns)

    @property
    def weights(self) -> Array:
        """The sum of the weights in each cell (c,)."""
        if self.powers is None:
            return self.n.astype(float)
        return self.scattered((), by_class=False).weight.sum(axis=1)

    @property
    def sums(self) -> Array:
        """`powers` (4, m), also of weights that are one."""
        if self.powers is not None:
            return self.powers
        counts = self.counts.astype(float)
        return np.stack([counts, np.zeros_like(counts), counts, counts])

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The counts of the rows of both; cell i of `later` is cell places[i], by default cell i."""
        places = np.arange(len(later.n)) if places is None else places
        n = np.zeros(max(len(self.n), int(places.max(initial=-1)) + 1), dtype=np.int64)
        n[: len(self.n)] = self.n
        n[places] += later.n
        others = zip(self._entries()[1:], later._entries()[1:], strict=True)
        joined = (None if a is None else np.concatenate([a, b], axis=-1) for a, b in others)
        return self._sorted(n, np.concatenate([self.cells, places[later.cells]]), *joined)

    def select(self, cells: slice | Array) -> Self:
        """The counts of some cells, in that order."""
        chosen = np.arange(len(self.n))[cells]
        place = np.full(len(self.n), -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.cells] >= 0
        own, *others = (None if each is None else each[..., kept] for each in self._entries())
        return self._sorted(self.n[cells], place[own], *others)

    def in_cells(self, cells: Array, count: int) -> Self:
        """The same rows, those of each entry in one of other cells (m,)."""
        n = np.bincount(cells, self.counts, count).astype(np.int64)
        return self._sorted(n, cells, self.numbers, self.counts, self.powers)

    def parts(self, entries: int) -> Iterator[Self]:
        """The same rows in parts of some entries each."""
        for start in range(0, max(1, len(self.cells)), entries):
            some = slice(start, start + entries)
            cells, numbers, counts = self.cells[some], self.numbers[some], self.counts[some]
            n = np.bincount(cells, counts, len(self.n)).astype(np.int64)
            powers = None if self.powers is None else self.powers[:, some]
            yield replace(self, n=n, cells=cells, numbers=numbers, counts=counts, powers=powers)

    def output(self, index: int, outputs: int) -> Self:
        """The counts themselves, whose only column is that of all outputs."""
        return self

    def moments(self, columns: Sequence[Array], interval: bool = True) -> Moments:
        """The moments of columns (m,) of the entries."""
        (weight, rest, squares, cubes), counts, cells = self.sums, self.counts, self.cells
        if rest.any():
            # What rounding left of each weight is an entry without rows.
            none = np.zeros_like(rest)
            weight, counts = np.concatenate([weight, rest]), np.concatenate([counts, none.astype(np.int64)])
            squares, cubes = np.concatenate([squares, none]), np.concatenate([cubes, none])
            cells, columns = np.tile(cells, 2), [np.tile(column, 2) for column in columns]
        codes = cells if len(self.n) > 1 else None
        return Moments.of(Alike(counts, weight, squares, cubes, -1, codes, len(self.n)), columns, interval)

    def runs(self) -> Iterator[slice]:
        """The cells in runs, so few that the moments of all columns of a loss fit into memory."""
        assert self.columns is not None
        length = max(1, _AT_ONCE // width(self.columns(self.numbers[:0])))
        return (slice(start, start + length) for start in range(0, max(1, len(self.n)), length))

    def settled(self, outputs: int) -> Moments:
        """The moments of the columns of a loss with a number of outputs."""
        assert self.columns is not None
        return self.scattered(self.columns(self.numbers), outputs > 1).moments()

    def scattered(self, columns: Columns, by_class: bool) -> Scattered:
        """The columns (m,) of the entries, of many classes each; `by_class` those of a class are together."""
        return Scattered.of(self.n, self.cells, self.sums, columns, by_class)

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        """The value of the loss in each cell, with an interval at this level; None for no intervals."""
        if self.columns is None:
            return self.moments([self.numbers.astype(float)]).estimates(bound, level)
        parts = list[tuple[Array, Estimates]]()
        for run in self.runs():
            moments = self.select(run).settled(len(bound.pilots))
            parts.append((np.arange(len(self.n))[run], moments.estimates(bound, level)))
        return Estimates.joined(parts)

    def to_arrays(self) -> dict[str, Array]:
        """The counts as arrays by name."""
        names = ("n", "cells", "numbers", "counts", "powers")
        return {name: values for name in names if (values := getattr(self, name)) is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The counts that `to_arrays` wrote."""
        return cls(**arrays)

    def _entries(self) -> tuple[Any, ...]:
        return self.cells, self.numbers, self.counts, self.powers

    def _sorted(self, n: Array, cells: Array, numbers: Array, counts: Array, powers: Array | None) -> Self:
        """Entries in their order, at most two of the same number in one cell as one."""
        order = np.lexsort((numbers, cells))
        cells, numbers, counts = (each[order] for each in (cells, numbers, counts))
        starts = np.flatnonzero((np.diff(cells, prepend=-1) > 0) | (np.diff(numbers, prepend=-1) != 0))
        if len(starts) < len(order):
            counts = np.add.reduceat(counts, starts)
        if powers is not None:
            powers = _added(powers[:, order], starts)
        cells, numbers = cells[starts], numbers[starts]
        return replace(self, n=n, cells=cells, numbers=numbers, counts=counts, powers=powers)


def _powers(places: Array, weight: Array, size: int) -> Array:
    """The `powers` (4, size) of weights (n,) by place (n,)."""
    squares = weight * weight
    others = (np.bincount(places, each, size) for each in (squares, squares * weight))
    return np.stack([*two_float_sums(places, weight, size).T, *others])


def _added(powers: Array, starts: Array) -> Array:
    """The sums of the powers (4, m) of entries, one or two from each start on."""
    twice = np.flatnonzero(np.diff(starts, append=powers.shape[1]) > 1)
    added = powers[:, starts]
    if len(twice):
        other = powers[:, starts[twice] + 1]
        added[:2, twice] = two_float_add(added[:2, twice].T, other[:2].T).T
        added[2:, twice] += other[2:]
    return added


def _counted(numbers: Array) -> tuple[Array, Array]:
    """The whole numbers that occur, ascending, and how often each does."""
    if int(numbers.max(initial=0)) >= _DENSE * len(numbers):
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers)
    present = np.flatnonzero(counts)
    return present, counts[present]
