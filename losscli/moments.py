"""Moments: what a block of rows leaves behind, and how two of them merge.

All arrays have a leading axis of cells (one for overall, one a class for classes).  Sums are kept as two
floats, a value and its rounding error, so that a billion rows end within a few ulp of math.fsum; second
moments are centred, because sums of x^2 lose every digit at x near 1e9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from losscli.xp import Array, Namespace, np

MAX_SPREAD = 4_000_000
"""Numbers that the second moments of one loss may hold; beyond it there is no interval, and that is said."""


@dataclass(frozen=True, eq=False)
class Moments:
    """The weighted moments of k columns in c cells.

    n (c,) rows of positive weight; weight (c, 2) = sum w as two floats; weight2 (c,) = sum w^2;
    total (c, 2, k) = sum w x as two floats; drift (c, k) = sum w^2 (x - m), for unit weights no more than
    the rounding of m; spread (c, k, k) = sum w^2 (x - m)(x - m)', or None where it is not kept; low, high
    (c, k) the extremes, and low_row, high_row (c, k) the rows where they first stand (-1 in an empty cell).
    """

    n: Array
    weight: Array
    weight2: Array
    total: Array
    drift: Array
    spread: Array | None
    low: Array
    high: Array
    low_row: Array
    high_row: Array

    @property
    def mean(self) -> Array:
        """The weighted means (c, k); NaN in a cell without weight."""
        with np.errstate(all="ignore"):
            return _mean(self.total, self.weight)

    def columns(self, first: int, last: int) -> Moments:
        """The moments of columns first:last alone."""
        pick = slice(first, last)
        return replace(
            self,
            total=self.total[:, :, pick],
            drift=self.drift[:, pick],
            spread=None if self.spread is None else self.spread[:, pick, pick],
            low=self.low[:, pick],
            high=self.high[:, pick],
            low_row=self.low_row[:, pick],
            high_row=self.high_row[:, pick],
        )

    def cell(self, index: int) -> Moments:
        """The moments of one cell, with a cell axis of length 1."""
        return self.cells(slice(index, index + 1))

    def cells(self, pick: slice) -> Moments:
        """The moments of some cells."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Moments(**{name: None if v is None else v[pick] for name, v in fields.items()})


class Cells:
    """The rows of a block with their weights, sorted into cells: made once for all losses of the block.

    `weight` (n,) is positive, None for ones; `numbers` (n,) are row numbers, or the first of consecutive
    ones; `codes` (n,) say the cell of each row, -1 for none.  Without codes there is one cell.
    """

    def __init__(
        self,
        xp: Namespace,
        n: int,
        weight: Array | None,
        numbers: Array | int,
        codes: Array | None = None,
        cells: int = 1,
    ) -> None:
        self.xp, self.count = xp, cells
        self.order: Array | None = None
        bounds: Array = np.array([0, n])
        if codes is not None:
            # One stable sort makes each cell a run: the sums below then serve any number of cells.
            counts = _to_numpy(xp.bincount(codes + 1, minlength=cells + 1))
            bounds = np.cumsum(counts)
            # NumPy sorts narrow integers by their digits, ten times as fast as wide ones.
            order = xp.argsort(codes.astype(np.min_scalar_type(-cells - 1)), kind="stable")
            self.order = order[int(bounds[0]) :]
            weight = None if weight is None else weight[self.order]
            bounds = bounds - bounds[0]
        sizes = np.diff(bounds)
        self.present = np.flatnonzero(sizes)
        self.one_run = len(self.present) == 1
        self.sizes, self.starts = sizes[self.present], bounds[:-1][self.present]
        self._numbers, self.weight = numbers, weight

    def numbers(self, places: Array) -> Array:
        """The row numbers of places among the sorted rows."""
        at = places if self.order is None else self.order[places]
        return at + self._numbers if isinstance(self._numbers, int) else self._numbers[at]

    @cached_property
    def run_starts(self) -> Array:
        """The starts of the runs, on the device."""
        return self.xp.asarray(self.starts)

    @cached_property
    def weight_squared(self) -> Array:
        """The square of each row's weight."""
        assert self.weight is not None
        return self.weight * self.weight

    @cached_property
    def weight_sums(self) -> tuple[Array, Array]:
        """Sum w (runs, 2) as two floats, and sum w^2 (runs,)."""
        if self.weight is None:
            ones = np.stack([self.sizes, np.zeros(len(self.sizes))], axis=1)
            return self.xp.asarray(ones), self.xp.asarray(ones[:, 0])
        weight = self.weight[None, :]
        return self.two_float_sums(weight, weight.max(axis=1))[:, :, 0], self.sums(self.weight_squared)

    def sums(self, values: Array) -> Array:
        """The sums of values (..., n) by run (..., runs)."""
        if self.one_run:
            return values.sum(axis=-1, keepdims=True)
        return self.xp.add.reduceat(values, self.run_starts, axis=-1)

    def per_row(self, values: Array) -> Array:
        """The values (..., runs) of each row's run (..., n)."""
        return values if self.one_run else self.xp.repeat(values, self.sizes, axis=-1)

    def two_float_sums(self, x: Array, greatest: Array) -> Array:
        """The sums of x (k, n) by run as two floats (runs, 2, k); `greatest` (k,) = max |x|.

        Each value is split at a common binary digit: the high parts add without any rounding, and the
        low parts are so small that their rounding is some 1e-23 of the greatest value.  Rump, Ogita,
        Oishi (2008), Accurate floating-point summation, doi:10.1137/050645671.
        """
        xp = self.xp
        above = greatest * (2.0 * x.shape[1])
        if not bool(xp.isfinite(2.0 * above).all()):
            # The split itself would overflow, or a value is infinite: the plain sum has to do.
            plain = self.sums(x)
            return xp.stack([plain, xp.zeros_like(plain)]).transpose(2, 0, 1)
        grid = xp.ldexp(xp.ones_like(above), xp.frexp(above)[1])[:, None]
        part = x + grid
        part -= grid
        high = self.sums(part)
        low = self.sums(xp.subtract(x, part, out=part))
        return xp.stack(_two_sum(high, low)).transpose(2, 0, 1)

    def extremes(self, x: Array, arg: str, ufunc: str) -> tuple[Array, Array]:
        """The extreme of each column in each run, and the place where it first stands; each (k, runs)."""
        xp = self.xp
        if self.one_run:
            at = getattr(x, arg)(axis=1)
            return x[xp.arange(len(x)), at][:, None], at[:, None]
        extreme = getattr(xp, ufunc).reduceat(x, self.run_starts, axis=1)
        hit = x == self.per_row(extreme)
        if bool(xp.isnan(extreme).any()):
            hit |= xp.isnan(x)
        hits = [xp.flatnonzero(row) for row in hit]
        return extreme, xp.stack([at[xp.searchsorted(at, self.run_starts)] for at in hits])

    def products(self, a: Array, b: Array) -> Array:
        """The sums of a[i] b[j] (runs, k, k) by run; overwrites b where there is one column."""
        if len(a) == 1:
            b *= a
            return self.sums(b).T[:, :, None]
        ends = (self.starts + self.sizes).tolist()
        return self.xp.stack(
            [_gram(self.xp, a[:, i:j], b[:, i:j]) for i, j in zip(self.starts.tolist(), ends, strict=True)]
        )


def of(
    xp: Namespace,
    columns: Sequence[Array],
    weight: Array | None,
    rows: Array,
    codes: Array | None = None,
    cells: int = 1,
    spread: bool = True,
) -> Moments:
    """The moments of one block: `within` of its `Cells`."""
    return within(Cells(xp, len(rows), weight, rows, codes, cells), columns, spread)


def within(cells: Cells, columns: Sequence[Array], spread: bool = True) -> Moments:
    """The moments of k columns (n,) of a block in its cells.

    Returns NumPy arrays: only moments leave a device.
    """
    if not len(cells.present):
        return empty(cells.count, len(columns), spread)
    xp, weight = cells.xp, cells.weight
    x = columns[0][None, :] if len(columns) == 1 else xp.stack(columns)
    if cells.order is not None:
        x = x.take(cells.order, axis=1)
    with np.errstate(all="ignore"):
        low, low_at = cells.extremes(x, "argmin", "minimum")
        high, high_at = cells.extremes(x, "argmax", "maximum")
        weight_sum, weight2 = cells.weight_sums
        greatest = xp.maximum(high.max(axis=1), -low.min(axis=1))
        if weight is None:
            total = cells.two_float_sums(x, greatest)
        else:
            total = cells.two_float_sums(weight * x, greatest * weight.max())
        deviation = x - cells.per_row(_mean(total, weight_sum).T)
        scaled = deviation if weight is None else cells.weight_squared * deviation
        drift = cells.sums(scaled)
        products = cells.products(scaled, deviation) if spread else None
    arrays = (weight_sum, weight2, total, drift.T, products, low.T, high.T)
    rows = (cells.numbers(low_at).T, cells.numbers(high_at).T)
    block = Moments(cells.sizes, *map(_to_numpy, (*arrays, *rows)))
    return block if len(cells.present) == cells.count else _scatter(block, cells.present, cells.count)


def _mean(total: Array, weight: Array) -> Array:
    """The means (c, k) from two-float sums (c, 2, k) and (c, 2), whose values are rounded sums."""
    return total[:, 0] / weight[:, :1]


def _gram(xp: Namespace, a: Array, b: Array) -> Array:
    """The products a b' (k, k) of columns (k, n).

    Of few columns in slices so small that BLAS works in the calling thread: there its own threads only
    spin.  Many columns are worth them.
    """
    k, n = a.shape
    if k > 32:
        return a @ b.T
    width = max(16, 200_000 // (k * k))
    total = xp.zeros((k, k))
    for i in range(0, n, width):
        total += a[:, i : i + width] @ b[:, i : i + width].T
    return total


def _to_numpy(array: Array) -> Array:
    return array.get() if hasattr(array, "get") else array


def _scatter(block: Moments, present: Array, cells: int) -> Moments:
    """The moments of the present cells among all of them."""
    whole = empty(cells, block.total.shape[-1], block.spread is not None)
    for name in block.__dataclass_fields__:
        values = getattr(block, name)
        if values is not None:
            getattr(whole, name)[present] = values
    return whole


def empty(cells: int, k: int, spread: bool) -> Moments:
    """The moments of no rows."""
    return Moments(
        n=np.zeros(cells, dtype=np.int64),
        weight=np.zeros((cells, 2)),
        weight2=np.zeros(cells),
        total=np.zeros((cells, 2, k)),
        drift=np.zeros((cells, k)),
        spread=np.zeros((cells, k, k)) if spread else None,
        low=np.full((cells, k), math.inf),
        high=np.full((cells, k), -math.inf),
        low_row=np.full((cells, k), -1, dtype=np.int64),
        high_row=np.full((cells, k), -1, dtype=np.int64),
    )


def stack(parts: Sequence[Moments]) -> Moments:
    """The cells of all parts, one part after the other."""
    fields = zip(*(vars(part).values() for part in parts), strict=True)
    return Moments(*(None if values[0] is None else np.concatenate(values) for values in fields))


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of both; `a` holds the earlier rows."""
    with np.errstate(all="ignore"):
        weight, total = _two_float_add(a.weight, b.weight), _two_float_add(a.total, b.total)
        centre = _mean(total, weight)
        drift, spread = _recentred(a, centre)
        other_drift, other_spread = _recentred(b, centre)
        # A NaN is an extreme, and the first one stays.
        lower = (b.low < a.low) | ((b.low != b.low) & (a.low == a.low))
        higher = (b.high > a.high) | ((b.high != b.high) & (a.high == a.high))
    return Moments(
        n=a.n + b.n,
        weight=weight,
        weight2=a.weight2 + b.weight2,
        total=total,
        drift=drift + other_drift,
        spread=None if spread is None or other_spread is None else spread + other_spread,
        low=np.where(lower, b.low, a.low),
        high=np.where(higher, b.high, a.high),
        low_row=np.where(lower, b.low_row, a.low_row),
        high_row=np.where(higher, b.high_row, a.high_row),
    )


def _recentred(moments: Moments, centre: Array) -> tuple[Array, Array | None]:
    """Drift and spread about another centre.

    With d = m - centre: s' = s + (sum w^2) d and V' = V + s d' + d s' + (sum w^2) d d'.
    """
    shift = _mean(moments.total, moments.weight) - centre
    shift[moments.n == 0] = 0.0
    moved = moments.weight2[:, None] * shift
    spread = moments.spread
    if spread is not None:
        # What is added is a matrix and its transpose.
        half = (moments.drift + moved / 2)[:, :, None] * shift[:, None, :]
        spread = spread + (half + half.transpose(0, 2, 1))
    return moments.drift + moved, spread


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum and its rounding error.  Knuth (1969), The Art of Computer Programming 2, 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_float_add(a: Array, b: Array) -> Array:
    """The sum of two arrays (c, 2, ...) of two floats, value and rounding error."""
    total, error = _two_sum(a[:, 0], b[:, 0])
    error += a[:, 1] + b[:, 1]
    result = np.stack(_two_sum(total, error), axis=1)
    if not np.isfinite(result).all():
        overflow = ~np.isfinite(result[:, 0])
        result[:, 0][overflow], result[:, 1][~np.isfinite(result[:, 1])] = total[overflow], 0.0
    return result
