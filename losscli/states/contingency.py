"""How many rows of each cell have each number, such as that of a pair of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np, to_numpy
from losscli.numeric.indicators import Indicators
from losscli.states.base import Estimates
from losscli.states.cells import Alike, Cells
from losscli.states.moments import Moments
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

    n (c,) rows; `counts` (m,) of them are in the cells `cells` (m,) and have the `numbers` (m,), in this
    order.  All rows have the weight one.  `columns` are the columns (m,) of a loss for numbers (m,); without
    them the only column is the number.
    """

    n: Array
    cells: Array
    numbers: Array
    counts: Array
    columns: Callable[[Array], Columns] | None = None

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Self:
        """The counts of a column (n,) of whole numbers from 0 up."""
        (numbers,) = (to_numpy(column).astype(np.int64) for column in columns)
        if cells.order is None:
            return cls.of_rows(numbers)
        return cls.of_rows(numbers[cells.order], np.repeat(cells.present, cells.sizes), cells.count)

    @classmethod
    def of_rows(cls, numbers: Array, cells: Array | None = None, count: int = 1) -> Self:
        """The counts of whole numbers (n,) from 0 up in `count` cells (n,), without any in one."""
        if cells is None:
            present, counts = _counted(numbers)
            return cls(np.array([len(numbers)]), np.zeros(len(present), dtype=np.int64), present, counts)
        n, kinds = np.bincount(cells, minlength=count), int(numbers.max(initial=0)) + 1
        if kinds * count >= _LARGEST:
            return cls(n, cells, numbers, cells)._sorted(n, cells, numbers, np.ones_like(numbers))
        present, counts = _counted(cells.astype(np.int64) * kinds + numbers)
        return cls(n, *np.divmod(present, kinds), counts)

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """The cells of all parts, one part after the other."""
        starts = np.cumsum([0, *(len(part.n) for part in parts)])
        n, numbers, counts = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("n", "numbers", "counts")
        )
        cells = np.concatenate([part.cells + start for part, start in zip(parts, starts, strict=False)])
        return cls(n, cells, numbers, counts, parts[0].columns)

    @property
    def weights(self) -> Array:
        """The sum of the weights in each cell (c,)."""
        return self.n.astype(float)

    def merge(self, later: Self, places: Array | None = None) -> Self:
        """The counts of the rows of both; cell i of `later` is cell places[i], by default cell i."""
        places = np.arange(len(later.n)) if places is None else places
        n = np.zeros(max(len(self.n), int(places.max(initial=-1)) + 1), dtype=np.int64)
        n[: len(self.n)] = self.n
        n[places] += later.n
        cells = np.concatenate([self.cells, places[later.cells]])
        numbers = np.concatenate([self.numbers, later.numbers])
        return self._sorted(n, cells, numbers, np.concatenate([self.counts, later.counts]))

    def select(self, cells: slice | Array) -> Self:
        """The counts of some cells, in that order."""
        chosen = np.arange(len(self.n))[cells]
        place = np.full(len(self.n), -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.cells] >= 0
        entries = (each[kept] for each in (place[self.cells], self.numbers, self.counts))
        return self._sorted(self.n[cells], *entries)

    def in_cells(self, cells: Array, count: int) -> Self:
        """The same rows, those of each entry in one of other cells (m,)."""
        n = np.bincount(cells, self.counts, count).astype(np.int64)
        return self._sorted(n, cells, self.numbers, self.counts)

    def output(self, index: int, outputs: int) -> Self:
        """The counts themselves, whose only column is that of all outputs."""
        return self

    def moments(self, columns: Sequence[Array], interval: bool = True) -> Moments:
        """The moments of columns (m,) of the entries."""
        weight = self.counts.astype(float)  # its sum, and those of its second and third power
        codes = self.cells if len(self.n) > 1 else None
        cells = Alike(self.counts, weight, weight, weight, -1, codes, len(self.n))
        return Moments.of(cells, columns, interval)

    def runs(self) -> Iterator[slice]:
        """The cells in runs, so few that the moments of all columns of a loss fit into memory."""
        assert self.columns is not None
        columns = self.columns(self.numbers[:0])
        width = sum(each.count if isinstance(each, Indicators) else 1 for each in columns)
        length = max(1, _AT_ONCE // width)
        return (slice(start, start + length) for start in range(0, max(1, len(self.n)), length))

    def settled(self, outputs: int) -> Moments:
        """The moments of the columns of a loss with a number of outputs."""
        assert self.columns is not None
        return self.scattered(self.columns(self.numbers), outputs > 1).moments()

    def scattered(self, columns: Columns, by_class: bool) -> Scattered:
        """The columns (m,) of the entries, of many classes each; `by_class` those of a class are together."""
        return Scattered.of(self.n, self.cells, self.counts, columns, by_class)

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
        return {name: getattr(self, name) for name in ("n", "cells", "numbers", "counts")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The counts that `to_arrays` wrote."""
        return cls(**arrays)

    def _sorted(self, n: Array, cells: Array, numbers: Array, counts: Array) -> Self:
        """Entries in their order, those of the same number in one cell as one."""
        order = np.lexsort((numbers, cells))
        cells, numbers, counts = (each[order] for each in (cells, numbers, counts))
        starts = np.flatnonzero((np.diff(cells, prepend=-1) > 0) | (np.diff(numbers, prepend=-1) != 0))
        counts = np.add.reduceat(counts, starts) if len(starts) else counts
        return replace(self, n=n, cells=cells[starts], numbers=numbers[starts], counts=counts)


def _counted(numbers: Array) -> tuple[Array, Array]:
    """The whole numbers that occur, ascending, and how often each does."""
    if int(numbers.max(initial=0)) >= _DENSE * len(numbers):
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers)
    present = np.flatnonzero(counts)
    return present, counts[present]
