"""The rows of a block sorted into cells (overall, classes or slices), with sums and extremes by cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from functools import cache
from itertools import combinations_with_replacement

from losscli.numeric.arrays import Array, Namespace, np, on_host, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.products import products
from losscli.numeric.segments import Runs, stable_order
from losscli.numeric.two_float import two_sum
from losscli.states.draws import Draws, kept_replicates

_FEW_ROWS = 32
_LONG_RUN = 1 << 13
"""Rows from which the extremes of a run are found by itself."""
_SLICE = 1 << 13
"""Rows whose products are summed at once."""
_FEW_COLUMNS = 4
"""Maximum number of columns for which pairwise products are faster than a matrix product."""


@cache
def triples(k: int) -> Array:
    """The triples i <= j <= l of k columns (3, t), in the order of `itertools`."""
    return np.array([*combinations_with_replacement(range(k), 3)]).T.reshape(3, -1)


class Cells:
    """The rows of a block with their weights, sorted into cells: made once for all losses of the block.

    `weight` (n,) is positive, None for ones; `numbers` are the row numbers (n,), or the first one if they are
    consecutive; `codes` (n,) are the cells of the rows, -1 for none.  Without codes there is one cell.
    `cluster` (n,) are the clusters of the rows, for states that need them, and `draws` how often each row is
    drawn, if intervals are those of a bootstrap.
    """

    def __init__(
        self,
        xp: Namespace,
        n: int,
        weight: Array | None,
        numbers: Array | int,
        codes: Array | None = None,
        cells: int = 1,
        cluster: Array | None = None,
        draws: Draws | None = None,
    ) -> None:
        self.xp, self.count = xp, cells
        self.order: Array | None = None
        sizes: Array = np.array([n])
        if codes is not None:
            # One stable sort makes each cell a run, so that sums work for any number of cells.
            places = codes + 1
            nowhere, sizes = np.split(to_numpy(xp.bincount(places, minlength=cells + 1)), [1])
            self.order = stable_order(xp, places, cells + 1)[int(nowhere[0]) :]
            weight = None if weight is None else weight[self.order]
            cluster = None if cluster is None else cluster[self.order]
            draws = None if draws is None else draws.at(self.order)
        self.present = sizes.nonzero()[0]
        self.one_run = len(self.present) == 1
        self.sizes, self.starts = sizes[self.present], (sizes.cumsum() - sizes)[self.present]
        self.rows = self.sizes
        self._numbers, self.weight, self.cluster, self.draws = numbers, weight, cluster, draws

    def numbered(self, numbers: Array | int) -> Cells:
        """The same rows with other numbers."""
        cells = copy(self)
        cells._numbers = numbers
        return cells

    def split(self, places: Array, parts: int) -> Cells:
        """The sorted rows with a cell for each part of each cell: for part j of cell i it is i * parts + j.

        `places` (n,) are the parts of the sorted rows.  Clusters and draws are left out.
        """
        xp, n = self.xp, int(self.sizes.sum())
        numbers = self._numbers if self.order is None else self.numbers(xp.arange(n))
        first = xp.asarray(self.present * parts)
        return Cells(xp, n, self.weight, numbers, self.per_row(first) + places, self.count * parts)

    def numbers(self, places: Array) -> Array:
        """The row numbers of the sorted rows at these indices."""
        at = places if self.order is None else self.order[places]
        return at + self._numbers if isinstance(self._numbers, int) else self._numbers[at]

    @cached_property
    def runs(self) -> Runs:
        """The runs of the sorted rows, one per cell that has rows."""
        return Runs(self.xp, self.starts, int(self.sizes.sum()))

    @property
    def spans(self) -> list[slice]:
        """The sorted rows of each run."""
        ends = (self.starts + self.sizes).tolist()
        return [slice(a, b) for a, b in zip(self.starts.tolist(), ends, strict=True)]

    @cached_property
    def weight_squared(self) -> Array:
        """The square of each row's weight."""
        assert self.weight is not None
        return self.weight * self.weight

    @cached_property
    def weight_cubed(self) -> Array:
        """The third power of each row's weight."""
        assert self.weight is not None
        return self.weight_squared * self.weight

    @cached_property
    def weight3(self) -> Array:
        """Sum w^3 (runs,)."""
        return self.weight_sums[1] if self.weight is None else self.sums(self.weight_cubed)

    @cached_property
    def weight_sums(self) -> tuple[Array, Array]:
        """Sum w (runs, 2) as two floats, and sum w^2 (runs,)."""
        if self.weight is None:
            ones = np.zeros((len(self.sizes), 2))
            ones[:, 0] = self.sizes
            return self.xp.asarray(ones), self.xp.asarray(ones[:, 0])
        weight = self.weight[None, :]
        return self.two_float_sums(weight, weight.max(axis=1))[:, :, 0], self.sums(self.weight_squared)

    def sums(self, values: Array) -> Array:
        """The sums of values (..., n) by run (..., runs)."""
        if self.one_run:
            return values.sum(axis=-1, keepdims=True)
        return self.runs.sums(values)

    def quick_sums(self, values: Array) -> Array:
        """As `sums`, in any order: for values whose sums are exact, or whose rounding is negligible."""
        return self.xp.einsum("ij->i", values)[:, None] if self.one_run else self.sums(values)

    def per_row(self, values: Array) -> Array:
        """The values (..., runs) of each row's run (..., n)."""
        return values if self.one_run else self.runs.per_row(values)

    def two_float_sums(self, x: Array, largest: Array) -> Array:
        """The sums of x (k, n) by run as two floats (runs, 2, k); `largest` (k,) = max |x|.

        Each value is split at a common binary digit: the high parts add without any rounding, and the
        low parts are so small that their rounding is some 1e-23 of the largest value.  Rump, Ogita,
        Oishi (2008), Accurate floating-point summation, doi:10.1137/050645671.
        """
        xp = self.xp
        above = largest * (2.0 * x.shape[1])
        # If the split would overflow, or a value is infinite, use the plain sum.
        if not math.isfinite(2.0 * above.max()):
            high = self.sums(x)
            low = xp.zeros_like(high)
        else:
            grid = xp.ldexp(1.0, xp.frexp(above)[1])[:, None]
            part = x + grid
            part -= grid
            high, low = two_sum(self.quick_sums(part), self.quick_sums(xp.subtract(x, part, out=part)))
        found = xp.empty((high.shape[1], 2, len(x)))
        found[:, 0], found[:, 1] = high.T, low.T
        return found

    def extremes(self, x: Array, arg: str, of_runs: str) -> tuple[Array, Array]:
        """The extreme of each column in each run, and the index of its first occurrence; each (k, runs)."""
        xp = self.xp
        if self.one_run or int(self.sizes.sum()) >= len(self.sizes) * _LONG_RUN:
            at = xp.stack([getattr(x[:, own], arg)(axis=1) + own.start for own in self.spans], axis=1)
            return x[xp.arange(len(x))[:, None], at], at
        extreme = getattr(self.runs, of_runs)(x)
        hit = x == self.per_row(extreme)
        if bool(xp.isnan(extreme).any()):
            hit |= xp.isnan(x)
        return extreme, self.runs.first_hits(hit)

    def thirds(self, scaled: Array, deviation: Array) -> tuple[Array, Array]:
        """The sums by run of a[i] b[j] (runs, k, k), and of a[i] b[j] b[l] for i <= j <= l (runs, t).

        The columns `a` and `b` are `scaled` and `deviation`, each (k, n).
        """
        k, xp, count = len(deviation), self.xp, len(self.starts)
        i, j, m = triples(k)
        if self.one_run:
            second, third = _thirds(xp, scaled, deviation)
            return second[None], third[None]
        second, third = xp.empty((count, k, k)), xp.empty((count, len(i)))
        for place, (a, b, c) in enumerate(zip(i.tolist(), j.tolist(), m.tolist(), strict=True)):
            if b == c:
                pair = scaled[a] * deviation[b]
                second[:, a, b] = second[:, b, a] = self.sums(pair)
            third[:, place] = self.sums(pair * deviation[c])
        return second, third

    def drawn(self, deviation: Array) -> Array | None:
        """In each replicate sum w and sum w x of columns x (k, n) by run: (runs, 1 + k, replicates).

        None if rows are not drawn; in no replicate if the sums of all cells would be too many.
        """
        if self.draws is None:
            return None
        if not kept_replicates(self.count, len(deviation), self.draws.counts.replicates):
            return self.xp.zeros((len(self.starts), 1 + len(deviation), 0))
        weight = self.xp.ones((1, deviation.shape[1])) if self.weight is None else self.weight[None, :]
        columns = self.xp.concatenate([weight, weight * deviation])
        return self.draws.sums(columns, self.starts, self.sizes)

    def products(self, a: Array, b: Array) -> Array:
        """The sums of a[i] b[j] (runs, k, k) by run; overwrites b if it has one column."""
        k = len(a)
        if self.one_run and k <= _FEW_COLUMNS:
            found = self.xp.empty((1, k, k))
            for i in range(k):
                found[0, i, i:] = found[0, i:, i] = self.xp.einsum("j,ij->i", a[i], b[i:])
            return found
        if k == 1:
            b *= a
            return self.sums(b).T[:, :, None]
        if len(self.starts) > k * _FEW_ROWS:
            # The runs are too short for one matrix product each.
            found = self.xp.empty((len(self.starts), k, k))
            for i in range(k):
                found[:, i, i:] = self.sums(a[i] * b[i:]).T
                found[:, i:, i] = found[:, i, i:]
            return found
        return self.xp.stack([products(self.xp, a[:, own], b[:, own]) for own in self.spans])


class Alike(Cells):
    """Entries, each of which stands for several rows that are alike.

    Of the weights of the `rows` (n,) of an entry, `weight`, `squares` and `cubes` (n,) are the sums of the
    first three powers.  The other arguments are those of `Cells`, with the first row of each entry.
    """

    def __init__(
        self,
        rows: Array,
        weight: Array,
        squares: Array,
        cubes: Array,
        numbers: Array | int = 0,
        codes: Array | None = None,
        cells: int = 1,
    ) -> None:
        super().__init__(np, len(rows), weight, numbers, codes, cells)
        if self.order is not None:
            rows, squares, cubes = rows[self.order], squares[self.order], cubes[self.order]
        self.rows = self.sums(rows) if len(self.present) else rows[:0]
        self.weight_squared, self.weight_cubed = squares, cubes


def _thirds(xp: Namespace, a: Array, b: Array) -> tuple[Array, Array]:
    """The sums of a[i] b[j] (k, k) and of a[i] b[j] b[l] for i <= j <= l (t,) of columns (k, n).

    The rows are summed in slices, of which BLAS needs no thread, but by few operations: between two short
    ones another thread may take the interpreter, and getting it back takes longer than they do.
    """
    k, n = a.shape
    second, third = xp.zeros((k, k)), xp.zeros(triples(k).shape[1])
    width = _SLICE if on_host(xp) else max(n, 1)
    end = n - n % width
    for rows, size in ((slice(0, end), width), (slice(end, n), n - end)):
        if rows.start == rows.stop:
            continue
        x, y = (columns[:, rows].reshape(k, -1, size) for columns in (a, b))
        place = 0
        for i in range(k):
            for j in range(i, k):
                pair = x[i] * y[j]
                second[i, j] = _added(xp, second[i, j], pair.sum(axis=1))
                for m in range(j, k):
                    third[place] = _added(xp, third[place], _dots(xp, pair, y[m]))
                    place += 1
    return second + xp.triu(second, 1).T, third


def _added(xp: Namespace, total: Array, terms: Array) -> Array:
    """The total with the terms (s,) added one after the other."""
    return xp.cumsum(xp.concatenate([total[None], terms]))[-1]


def _dots(xp: Namespace, a: Array, b: Array) -> Array:
    """The dot product (s,) of each row of two matrices (s, w)."""
    return np.vecdot(a, b) if on_host(xp) else (a * b).sum(axis=1)  # CuPy lacks vecdot


def all_to_numpy(xp: Namespace, arrays: Sequence[Array | None]) -> list[Array | None]:
    """Arrays of 64-bit numbers as NumPy arrays; from a device in one copy, which waits only once."""
    if on_host(xp):
        return list(arrays)
    there = [array for array in arrays if array is not None]
    # Views, not conversions: the bits of integers survive as float64.
    flat = to_numpy(xp.concatenate([xp.ascontiguousarray(array).ravel().view(float) for array in there]))
    ends = np.cumsum([array.size for array in there])
    parts = iter(
        part.view(np.dtype(array.dtype.str)).reshape(array.shape)
        for part, array in zip(np.split(flat, ends[:-1]), there, strict=True)
    )
    return [None if array is None else next(parts) for array in arrays]
