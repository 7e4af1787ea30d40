"""Moments: what a block of rows leaves behind, and how two of them merge.

All arrays have a leading axis of cells (one for overall, one a class for classes).  Sums are kept as two
floats, a value and its rounding error, so that a billion rows end within a few ulp of math.fsum; second
moments are centred, because sums of x^2 lose every digit at x near 1e9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from losscli.xp import Array, Namespace, np

MAX_SPREAD = 4_000_000
"""Numbers that the second moments of one loss may hold; beyond it there is no interval, and that is said."""


@dataclass(frozen=True, eq=False)
class Moments:
    """The weighted moments of k columns in c cells.

    n (c,) rows of positive weight; weight (c, 2) = sum w as two floats; weight2 (c,) = sum w^2;
    total (c, 2, k) = sum w x as two floats; drift (c, k) = sum w^2 (x - m), zero for unit weights;
    spread (c, k, k) = sum w^2 (x - m)(x - m)', or None where it is not kept; low, high (c, k) the
    extremes, and low_row, high_row (c, k) the rows where they stand (-1 in an empty cell).
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

    @cached_property
    def mean(self) -> Array:
        """The weighted means (c, k); NaN in a cell without weight."""
        weight = self.weight[:, 0] + self.weight[:, 1]
        with np.errstate(all="ignore"):
            # The mean of two floats: the first quotient's remainder is divided again.
            first = self.total[:, 0] / weight[:, None]
            exact = np.isfinite(first)
            rest = np.where(exact, _residue(self.total, self.weight, np.where(exact, first, 0.0)), 0.0)
            return first + np.where(weight[:, None] > 0, rest / weight[:, None], 0.0)

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
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Moments(**{k: None if v is None else v[index : index + 1] for k, v in fields.items()})


def of(
    xp: Namespace,
    columns: tuple[Array, ...],
    weight: Array | None,
    rows: Array,
    codes: Array | None = None,
    cells: int = 1,
    spread: bool = True,
) -> Moments:
    """The moments of one block.

    `columns` are k arrays of shape (n,); `weight` (n,) is positive, None for ones; `rows` (n,) are row
    numbers; `codes` (n,) say the cell of each row, -1 for none.  Returns NumPy arrays: only moments
    leave a device.
    """
    x = xp.stack(columns)
    if codes is not None:
        # One stable sort by cell makes each cell a run: the sums below then serve any number of cells.
        order = xp.argsort(codes, kind="stable")
        order = order[int(xp.sum(codes < 0)) :]
        x, rows = x[:, order], rows[order]
        weight = None if weight is None else weight[order]
        sorted_codes = codes[order]
        n_cell = xp.bincount(sorted_codes, minlength=cells)
    else:
        n_cell = xp.asarray([x.shape[1]])
    present = xp.nonzero(n_cell)[0]
    if not len(present):
        return empty(cells, len(columns), spread)
    ends = xp.cumsum(n_cell)[present]
    starts = ends - n_cell[present]
    block = _runs(xp, x, weight, rows, starts, n_cell[present], spread)
    return block if len(present) == cells else _scatter(block, present, cells)


def _runs(
    xp: Namespace, x: Array, weight: Array | None, rows: Array, starts: Array, sizes: Array, spread: bool
) -> Moments:
    """The moments of consecutive runs of columns x (k, n), one run a cell."""
    k = x.shape[0]
    one = len(starts) == 1

    def sums(values: Array) -> Array:
        return xp.sum(values, axis=-1, keepdims=True) if one else xp.add.reduceat(values, starts, axis=-1)

    def per_row(values: Array) -> Array:
        return values if one else xp.repeat(values, sizes, axis=-1)

    with np.errstate(all="ignore"):
        if weight is None:
            weight_sums = xp.stack([sizes.astype(float), xp.zeros(len(sizes))])
            weight2, weighted = weight_sums[0], x
        else:
            weight_sums = _two_float_sum(xp, weight[None, :], sums)[:, 0, :]
            weight2, weighted = sums(weight * weight), weight * x
        total = _two_float_sum(xp, weighted, sums)
        mean = (total[0] + total[1]) / weight_sums[0]
        deviation = x - per_row(mean)
        if weight is None:
            scaled, drift = deviation, xp.zeros((k, len(starts)))
        else:
            scaled = weight * weight * deviation
            drift = sums(scaled)
        products = None
        if spread:
            products = xp.zeros((len(starts), k, k))
            for i in range(k):
                for j in range(i + 1):
                    products[:, i, j] = products[:, j, i] = sums(scaled[i] * deviation[j])
        low, low_row = _extremes(xp, x, rows, starts, sizes, xp.argmin, xp.minimum)
        high, high_row = _extremes(xp, x, rows, starts, sizes, xp.argmax, xp.maximum)
    return Moments(
        *map(
            _to_numpy,
            (
                sizes,
                weight_sums.T,
                weight2,
                total.transpose(2, 0, 1),
                drift.T,
                products,
                low,
                high,
                low_row,
                high_row,
            ),
        )
    )


def _two_float_sum(xp: Namespace, x: Array, sums: object) -> Array:
    """The sums of x (k, n) by run as two floats (2, k, runs).

    Each value is split at a common binary digit: the high parts add without any rounding, and the low
    parts are so small that their rounding is some 1e-23 of the greatest value.  Rump, Ogita, Oishi
    (2008), Accurate floating-point summation, doi:10.1137/050645671.
    """
    assert callable(sums)
    top = xp.maximum(xp.max(x, axis=-1), -xp.min(x, axis=-1))
    _, exponent = xp.frexp(xp.where(xp.isfinite(top), top, 0.0))
    exponent = exponent + math.ceil(math.log2(x.shape[-1] + 1)) + 1
    # Where the split itself would overflow (or a value is infinite), the plain sum has to do.
    plain = ~xp.isfinite(top) | (exponent > 1020)
    grid = xp.ldexp(xp.ones(x.shape[0]), xp.where(plain, 0, exponent))[:, None]
    high = xp.where(plain[:, None], x, (x + grid) - grid) if bool(xp.any(plain)) else (x + grid) - grid
    low = x - high
    if bool(xp.any(plain)):
        low = xp.where(plain[:, None], 0.0, low)
    return xp.stack([sums(high), sums(low)])


def _extremes(
    xp: Namespace, x: Array, rows: Array, starts: Array, sizes: Array, arg: object, ufunc: object
) -> tuple[Array, Array]:
    """The extreme of each column in each run, and the row where it first stands; each (runs, k)."""
    assert callable(arg)
    if len(starts) == 1:
        at = arg(x, axis=1)
        return xp.take_along_axis(x, at[:, None], axis=1).T, rows[at][None, :]
    extreme = ufunc.reduceat(x, starts, axis=1)  # type: ignore[attr-defined]  # ufuncs of both libraries have it
    hit = (x == xp.repeat(extreme, sizes, axis=1)) | xp.isnan(x)
    far = xp.where(hit, rows, np.iinfo(np.int64).max)
    return extreme.T, xp.minimum.reduceat(far, starts, axis=1).T


def _to_numpy(array: Array) -> Array:
    return array.get() if hasattr(array, "get") else array


def _scatter(block: Moments, present: Array, cells: int) -> Moments:
    """The moments of the present cells among all of them."""
    whole = empty(cells, block.total.shape[-1], block.spread is not None)
    present = _to_numpy(present)
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


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of both; `a` holds the earlier rows."""
    with np.errstate(all="ignore"):
        weight = _two_float_add(a.weight, b.weight, axis=1)
        total = _two_float_add(a.total, b.total, axis=1)
        joint = replace(a, weight=weight, total=total)
        centre = joint.mean
        first, second = _recentred(a, centre), _recentred(b, centre)
        spread = None
        if first[1] is not None and second[1] is not None:
            spread = first[1] + second[1]
        lower, higher = b.low < a.low, b.high > a.high
        lower |= np.isnan(b.low) & ~np.isnan(a.low)
        higher |= np.isnan(b.high) & ~np.isnan(a.high)
        return Moments(
            n=a.n + b.n,
            weight=weight,
            weight2=a.weight2 + b.weight2,
            total=total,
            drift=first[0] + second[0],
            spread=spread,
            low=np.where(lower, b.low, a.low),
            high=np.where(higher, b.high, a.high),
            low_row=np.where(lower, b.low_row, a.low_row),
            high_row=np.where(higher, b.high_row, a.high_row),
        )


def _recentred(moments: Moments, centre: Array) -> tuple[Array, Array | None]:
    """Drift and spread about another centre.

    With d = m - centre: s' = s + (sum w^2) d and V' = V + s d' + d s' + (sum w^2) d d'.
    """
    shift = np.where(moments.n[:, None] > 0, moments.mean - centre, 0.0)
    moved = moments.weight2[:, None] * shift
    spread = moments.spread
    if spread is not None:
        cross = moments.drift[:, :, None] * shift[:, None, :]
        spread = spread + cross + cross.transpose(0, 2, 1) + moved[:, :, None] * shift[:, None, :]
    # About the joint mean the drift of unit weights is zero in sum, up to rounding.
    return moments.drift + moved, spread


def _two_float_add(a: Array, b: Array, axis: int) -> Array:
    """The sum of two arrays of two floats (value, rounding error) along an axis."""
    a0, a1 = np.moveaxis(a, axis, 0)
    b0, b1 = np.moveaxis(b, axis, 0)
    total = a0 + b0
    part = total - a0
    error = (a0 - (total - part)) + (b0 - part) + (a1 + b1)
    error = np.where(np.isfinite(total), error, 0.0)
    high = total + error
    return np.stack([high, np.where(np.isfinite(high), error - (high - total), 0.0)], axis=axis)


def _residue(total: Array, weight: Array, quotient: Array) -> Array:
    """What is left of total (c, 2, k) after quotient (c, k) times weight (c, 2): exact to two floats."""
    product = quotient * weight[:, :1]
    # Dekker's product: the rounding error of a product from the halves of its factors.
    split = 134217729.0
    q_high = quotient * split
    q_high = q_high - (q_high - quotient)
    w_high = weight[:, :1] * split
    w_high = w_high - (w_high - weight[:, :1])
    q_low, w_low = quotient - q_high, weight[:, :1] - w_high
    error = ((q_high * w_high - product) + q_high * w_low + q_low * w_high) + q_low * w_low
    error = np.where(np.isfinite(error), error, 0.0)
    return ((total[:, 0] - product) - error) + total[:, 1] - quotient * weight[:, 1:]


def stack(parts: list[Moments]) -> Moments:
    """The moments of several cells from those of one cell each."""
    fields = {
        name: None
        if getattr(parts[0], name) is None
        else np.concatenate([getattr(part, name) for part in parts])
        for name in Moments.__dataclass_fields__
    }
    return Moments(**fields)
