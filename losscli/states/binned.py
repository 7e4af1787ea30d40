"""Row columns of bins, of which a row fills only those of its own bin: their moments, bin by bin.

A calibration error has thirty columns, of which a row fills two.  Only the values of the rows are summed, in
each bin; the moments of all columns follow from those sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, overload

from losscli.numeric.arrays import Array, Namespace, np, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.indicators import Indicators
from losscli.numeric.products import products
from losscli.states.cells import Cells
from losscli.states.moments import MAX_SPREAD, Moments, two_float_add
from losscli.states.sums import MAX_SKEW, mean_of

_NO_ROW = (1 << 63) - 1
_AT_ONCE = 1 << 19
"""Numbers of all columns in all bins of some cells that are computed at once."""


class Binned(Sequence[Array]):
    """Row columns (n,), each of which is in a bin a value of the rows, or the same for all of them.

    `places` (n,) are the bins of the rows, and `values` are v arrays (n,).  In a bin a column is the value at
    its index in `picks` (bins, columns), or 1 if that is v, times its number in `factors` (bins, columns),
    which is 0, 1 or -1.  The column itself is made when it is asked for.
    """

    def __init__(
        self, xp: Namespace, places: Array, values: Sequence[Array], picks: Array, factors: Array
    ) -> None:
        self._xp, self._places, self._values = xp, places, values
        self._picks, self._factors = picks, factors

    @classmethod
    def of(cls, xp: Namespace, columns: Sequence[Array | Indicators]) -> Self | None:
        """These columns, if for each bin there is one of values, then for each one of ones; else None."""
        match columns:
            case [
                Indicators(count=bins, parts=((places, values),), base=0.0),
                Indicators(parts=((same, ones),), base=0.0),
            ] if same is places and bool((ones == 1).all()):
                own = np.eye(bins, dtype=int)
                picks, factors = np.hstack([1 - own, np.ones_like(own)]), np.hstack([own, own])
                return cls(xp, places, [values], picks, factors)
        return None

    def paired(self, other: Self) -> Self:
        """The columns of `of`, then those of another `of` with as many bins minus these."""
        (x,), (y,), bins = self._values, other._values, len(self._picks)
        first, second = (places.ravel() for places in np.indices((bins, bins)))
        a, b = self._factors[first], other._factors[second]
        is_value = np.arange(2 * bins) < bins
        in_a, in_b = is_value & (a != 0), is_value & (b != 0)
        values, ones = (x, y, y - x), 3
        picks = np.hstack(
            [
                np.where(in_a, 0, ones),
                np.select([in_a & in_b, in_a, in_b], [2, 0, 1], ones),
            ]
        )
        factors = np.hstack([a, np.where(in_a & in_b, 1, b - a)])
        return type(self)(
            self._xp, self._places.astype(np.int64) * bins + other._places, values, picks, factors
        )

    def __len__(self) -> int:
        return len(self._picks[0])

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> list[Array]: ...
    def __getitem__(self, index: int | slice) -> Array | list[Array]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        xp = self._xp
        picks, factors = (xp.asarray(table[:, index])[self._places] for table in (self._picks, self._factors))
        # Values of other bins may be undefined, so a product with 0 would not do.
        column = factors * 1.0
        for place, values in enumerate(self._values):
            column = xp.where(picks == place, factors * values, column)
        return column

    def moments(self, cells: Cells, interval: bool = True) -> Moments:
        """As `Moments.of` for these columns."""
        if len(self) <= MAX_SKEW or cells.draws is not None or not len(cells.present):
            return Moments.of(cells, self[:], interval)
        return self._filled._moments(cells, interval and cells.count * len(self) ** 2 <= MAX_SPREAD)

    @cached_property
    def _filled(self) -> Self:
        """The same columns with those bins only that have rows."""
        xp, bins = self._xp, len(self._picks)
        present = np.flatnonzero(to_numpy(xp.bincount(self._places, minlength=bins)))
        if len(present) == bins:
            return self
        table = np.zeros(bins, dtype=int)
        table[present] = np.arange(len(present))
        places = xp.asarray(table)[self._places]
        return type(self)(xp, places, self._values, self._picks[present], self._factors[present])

    def _moments(self, cells: Cells, interval: bool) -> Moments:
        order, bins = cells.order, len(self._picks)
        places, *values = (x if order is None else x[order] for x in (self._places, *self._values))
        pairs = cells.split(places, bins)
        inner = Moments.of(pairs, values, interval)
        first: Array = np.full(len(inner.n), _NO_ROW)
        first[pairs.present] = to_numpy(pairs.numbers(pairs.xp.asarray(pairs.starts)))
        step = max(1, _AT_ONCE // self._picks.size) * bins
        runs = [slice(start, start + step) for start in range(0, len(first), step)]
        return Moments.stack([self._joint(inner.select(run), first[run]) for run in runs])

    def _joint(self, inner: Moments, first: Array) -> Moments:
        """The moments of the columns in each cell from those of the values in each bin, and its first row."""
        with np.errstate(all="ignore"):
            sums = _sums(inner, self._picks, self._factors)
            low, low_row = _minima(inner, first, self._picks, self._factors)
            high, high_row = _minima(inner, first, self._picks, -self._factors)
        return Moments(**sums, low=low, low_row=low_row, high=-high, high_row=high_row)


def _sums(inner: Moments, picks: Array, factors: Array) -> dict[str, Any]:
    """The sums of the k columns in each of c cells from the moments of the v values in each of its b bins.

    In a bin the columns are A x + t, with x the values.  With m the mean of the columns in the cell and W the
    sum of w^2 in the bin, d is their mean under the weights w^2 in the bin minus m, and S the spread of the
    values about that mean: the spread of the columns is the sum over bins of A S A' + W d d'.
    """
    bins, v = len(picks), inner.drift.shape[1]
    matrix = (factors[..., None] * (picks[..., None] == np.arange(v))).astype(float)
    constant = factors * (picks == v)

    def mapped(x: Array) -> Array:
        """A x (c, b, k) of x (c b, v)."""
        return np.einsum("bkv,cbv->cbk", matrix, x.reshape(-1, bins, v))

    n, weight2 = inner.n.reshape(-1, bins), inner.weight2[:, None]
    weights = inner.weight.reshape(-1, bins, 2)
    totals = [mapped(inner.total[:, part]) + constant * weights[:, :, part, None] for part in range(2)]
    weight, total = _over_bins(weights), _over_bins(np.stack(totals, axis=2))
    mean = np.where(n.any(axis=1)[:, None], mean_of(total, weight), 0.0)
    offset = np.where(weight2 > 0, inner.drift / weight2, 0.0)
    distance = mapped(np.where(weight2 > 0, inner.mean + offset, 0.0)) + constant - mean[:, None]
    scaled = weight2.reshape(-1, bins, 1) * distance
    spread = None
    if inner.spread is not None:
        about = inner.spread - (weight2 * offset)[:, :, None] * offset[:, None, :]
        rows = np.swapaxes(matrix, 1, 2)
        within = (about.reshape(-1, bins, v, v) @ rows).reshape(len(n), bins * v, -1)
        same = np.broadcast_to(rows.reshape(bins * v, -1), within.shape)
        left, right = np.concatenate([within, scaled], axis=1), np.concatenate([same, distance], axis=1)
        spread = np.stack([products(np, a.T, b.T) for a, b in zip(left, right, strict=True)])
    return {
        "n": n.sum(axis=1),
        "weight": weight,
        "weight2": inner.weight2.reshape(-1, bins).sum(axis=1),
        "total": total,
        "drift": scaled.sum(axis=1),
        "spread": spread,
    }


def _over_bins(parts: Array) -> Array:
    """The sums (c, 2, ...) of two floats (c, b, 2, ...) over bins, half of them at a time."""
    while (bins := parts.shape[1]) > 1:
        half, shape = bins // 2, (-1, *parts.shape[2:])
        first, second = parts[:, :half], parts[:, half : 2 * half]
        added = two_float_add(first.reshape(shape), second.reshape(shape)).reshape(first.shape)
        parts = np.concatenate([added, parts[:, 2 * half :]], axis=1)
    return parts[:, 0]


def _minima(inner: Moments, first: Array, picks: Array, factors: Array) -> tuple[Array, Array]:
    """The minimum of each column in each cell, and the row where it first occurs; each (c, k)."""
    bins = len(picks)
    has_rows = (inner.n > 0).reshape(-1, bins, 1)
    ones, of_bin = np.ones(len(first)), (slice(None), np.arange(bins)[:, None], picks)

    def of_columns(values: Array, of_ones: Array) -> Array:
        """For each column (c, b, k) its number among those of the values (c b, v) and of ones (c b,)."""
        every: Array = np.column_stack([values, of_ones]).reshape(-1, bins, values.shape[1] + 1)
        return every[of_bin]

    low, high = of_columns(inner.low, ones), of_columns(inner.high, ones)
    low_row, high_row = of_columns(inner.low_row, first), of_columns(inner.high_row, first)
    values = np.where(has_rows, np.where(factors < 0, -high, low * factors), np.inf)
    rows = np.where(factors < 0, high_row, low_row)
    lowest = values.min(axis=1)
    is_lowest = has_rows & ((values == lowest[:, None]) | np.isnan(values))
    row = np.where(is_lowest, rows, _NO_ROW).min(axis=1)
    return lowest, np.where(row == _NO_ROW, -1, row)
