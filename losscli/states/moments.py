"""Moments: the state of every loss that is a function of weighted means.

All arrays have a leading axis of cells (one overall, or one per class or slice).  Sums are kept as two
floats, a value and its rounding error, so that a billion rows agree with math.fsum to a few ulp; second
moments are centred, because sums of x^2 lose every digit at x near 1e9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import asdict, astuple, replace

from losscli.numeric.arrays import Array, Namespace, np
from losscli.numeric.two_float import sum_with_product, two_sum
from losscli.states import inference
from losscli.states.base import Estimate, State
from losscli.states.cells import Cells, all_to_numpy
from losscli.states.reductions import BoundReduction

MAX_SPREAD = 4_000_000
"""Maximum number of second moments of one loss; beyond it, a note replaces the interval."""


class Moments(Struct, frozen=True, eq=False):
    """The weighted moments of k columns in c cells.

    n (c,) rows of positive weight; weight (c, 2) = sum w as two floats; weight2 (c,) = sum w^2;
    total (c, 2, k) = sum w x as two floats; drift (c, k) = sum w^2 (x - m), for unit weights the rounding of
    m; spread (c, k, k) = sum w^2 (x - m)(x - m)', or None if it is not kept; low, high (c, k) the extremes,
    and low_row, high_row (c, k) the rows where they first occur (-1 in an empty cell).

    With clusters, the spread is that between the totals of clusters, `units` (c,) is the number of clusters,
    and `largest` (c, k) the most that one of them adds to the diagonal of the spread.  These are computed
    after the last merge.
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
    units: Array | None = None
    largest: Array | None = None

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Moments:
        """The moments of k columns (n,) of a block in its cells.

        Keeps no spread without `interval`, or if it would hold more than MAX_SPREAD numbers.
        """
        spread = interval and cells.count * len(columns) ** 2 <= MAX_SPREAD
        if not len(cells.present):
            return cls.empty(cells.count, len(columns), spread)
        with np.errstate(all="ignore"):
            return _within(cells, columns, spread)

    @classmethod
    def empty(cls, cells: int, k: int, spread: bool = True) -> Moments:
        """The moments of no rows."""
        return cls(
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

    @classmethod
    def stack(cls, parts: Sequence[Moments]) -> Moments:
        """The cells of all parts, one part after the other."""
        fields = zip(*(astuple(part) for part in parts), strict=True)
        return cls(*(None if values[0] is None else np.concatenate(values) for values in fields))

    @property
    def weights(self) -> Array:
        """The sum of the weights in each cell (c,)."""
        return self.weight.sum(axis=1)

    @property
    def mean(self) -> Array:
        """The weighted means (c, k); NaN in a cell without weight."""
        with np.errstate(all="ignore"):
            return _mean(self.total, self.weight)

    def merge(self, later: Moments, places: Array | None = None) -> Moments:
        """The moments of the rows of both; cell i of `later` is cell places[i], by default cell i."""
        if places is None:
            return _merge(self, later)
        more = int(places.max(initial=-1)) + 1 - len(self.n)
        whole = self
        if more > 0:
            whole = Moments.stack([self, Moments.empty(more, self.drift.shape[-1], self.spread is not None)])
        joint = _merge(whole.select(places), later)
        merged = {}
        for name, values in whole.to_arrays().items():
            if (values_at := getattr(joint, name)) is not None:
                merged[name] = values if more > 0 else values.copy()
                merged[name][places] = values_at
        return Moments.from_arrays(merged)

    def select(self, cells: slice | Array) -> Moments:
        """The moments of some cells."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return Moments(**{name: None if v is None else v[cells] for name, v in fields.items()})

    def cell(self, index: int) -> Moments:
        """The moments of one cell, with a cell axis of length 1."""
        return self.select(slice(index, index + 1))

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
            largest=None if self.largest is None else self.largest[:, pick],
        )

    def output(self, index: int, outputs: int) -> Moments:
        """The moments of one of several outputs."""
        k = self.drift.shape[1] // outputs
        return self.columns(index * k, (index + 1) * k)

    def estimates(self, bound: BoundReduction, level: float | None) -> list[Estimate]:
        """The value of the loss in each cell, with an interval at this level; None for no intervals."""
        return inference.estimates(bound, self, level)

    def to_arrays(self) -> dict[str, Array]:
        """The fields that are kept, by name."""
        return {name: values for name, values in asdict(self).items() if values is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Moments:
        """The moments that `to_arrays` wrote."""
        return cls(**{"spread": None, **arrays})


def moments_of(state: State) -> Moments:
    """The state as moments, for a loss that is known to be a function of means."""
    assert isinstance(state, Moments)
    return state


def _within(cells: Cells, columns: Sequence[Array], spread: bool) -> Moments:
    xp, weight = cells.xp, cells.weight
    x = columns[0][None, :] if len(columns) == 1 else xp.stack(columns)
    if cells.order is not None:
        x = x.take(cells.order, axis=1)
    low, low_at = cells.extremes(x, "argmin", "minima")
    high, high_at = cells.extremes(x, "argmax", "maxima")
    weight_sum, weight2 = cells.weight_sums
    largest = xp.maximum(high.max(axis=1), -low.min(axis=1))
    if weight is None:
        total = cells.two_float_sums(x, largest)
    else:
        total = cells.two_float_sums(weight * x, largest * weight.max())
    mean = _mean(total, weight_sum)
    deviation = x - cells.per_row(mean.T)
    if weight is None:
        # The drift is only the rounding of the mean, which needs no pass over the rows.
        scaled, drift = deviation, _rounding(xp, total, weight_sum, mean)
    else:
        scaled = cells.weight_squared * deviation
        drift = cells.sums(scaled).T
    products = cells.products(scaled, deviation) if spread else None
    arrays = (weight_sum, weight2, total, drift, products, low.T, high.T)
    rows = (cells.numbers(low_at).T, cells.numbers(high_at).T)
    block = Moments(cells.sizes, *all_to_numpy(xp, (*arrays, *rows)))
    return block if len(cells.present) == cells.count else _scatter(block, cells.present, cells.count)


def _mean(total: Array, weight: Array) -> Array:
    """The means (c, k) from two-float sums (c, 2, k) and (c, 2), whose values are rounded sums."""
    # Of a sum of weights beyond the largest float there is no mean: dividing by infinity would give zero.
    whole = weight[:, :1]
    return total[:, 0] / whole * (whole / whole)


def _rounding(xp: Namespace, total: Array, weight: Array, mean: Array) -> Array:
    """Sum x minus n times the rounded mean (c, k), with the precision of two floats."""
    return sum_with_product(xp, total[:, 0], -weight[:, :1], mean) + total[:, 1]


def _scatter(block: Moments, present: Array, cells: int) -> Moments:
    """The moments of the present cells among all of them."""
    whole = Moments.empty(cells, block.total.shape[-1], block.spread is not None)
    for name in block.__struct_fields__:
        values = getattr(block, name)
        if values is not None:
            getattr(whole, name)[present] = values
    return whole


def _merge(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of both; `a` holds the earlier rows."""
    with np.errstate(all="ignore"):
        weight, total = _two_float_add(a.weight, b.weight), _two_float_add(a.total, b.total)
        centre = _mean(total, weight)
        drift, spread = _recentred(a, centre)
        other_drift, other_spread = _recentred(b, centre)
        # NaN counts as an extreme, and the first one is kept.
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
        # The increment is a matrix plus its transpose.
        half = (moments.drift + moved / 2)[:, :, None] * shift[:, None, :]
        spread = spread + (half + half.transpose(0, 2, 1))
    return moments.drift + moved, spread


def _two_float_add(a: Array, b: Array) -> Array:
    """The sum of two arrays (c, 2, ...) of two floats, value and rounding error."""
    total, error = two_sum(a[:, 0], b[:, 0])
    error += a[:, 1] + b[:, 1]
    result = np.stack(two_sum(total, error), axis=1)
    if not np.isfinite(result).all():
        overflow = ~np.isfinite(result[:, 0])
        result[:, 0][overflow], result[:, 1][~np.isfinite(result[:, 1])] = total[overflow], 0.0
    return result
