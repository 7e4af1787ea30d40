"""Moments: the state of every loss that is a function of weighted means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from losscli.numeric.arrays import Array, Namespace, np
from losscli.numeric.two_float import sum_with_product, two_sum
from losscli.states import inference
from losscli.states.base import Estimates, State
from losscli.states.cells import Cells, all_to_numpy, triples
from losscli.states.draws import kept_replicates
from losscli.states.reductions import BoundReduction
from losscli.states.sums import MAX_SKEW, Sums, mean_of

MAX_SPREAD = 4_000_000
"""Maximum number of second moments of one loss; beyond it, a note replaces the interval."""


class Moments(Sums, frozen=True, eq=False, dict=True):
    """The weighted moments of k columns in c cells, from blocks of rows to estimates; see `Sums`."""

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Moments:
        """The moments of k columns (n,) of a block in its cells.

        Keeps no spread without `interval`, or if it would hold more than MAX_SPREAD numbers.
        """
        spread = interval and cells.count * len(columns) ** 2 <= MAX_SPREAD
        if not len(cells.present):
            replicates = cells.draws.counts.replicates if spread and cells.draws is not None else None
            return cls.empty(cells.count, len(columns), spread, replicates)
        with np.errstate(all="ignore"):
            return _within(cells, columns, spread)

    def merge(self, later: Moments, places: Array | None = None) -> Moments:
        """The moments of the rows of both; cell i of `later` is cell places[i], by default cell i."""
        if places is None:
            return _merge(self, later)
        more = max(0, int(places.max(initial=-1)) + 1 - len(self.n))
        whole, later = _drawn_alike(self, later, len(self.n) + more)
        if more > 0:
            none = Moments.empty(more, self.drift.shape[-1], self.spread is not None, whole.replicates)
            whole = whole.each(lambda name, values: np.concatenate([values, getattr(none, name)]))
        arrays = whole.to_arrays()

        def placed(name: str, values: Array) -> Array:
            merged: Array = arrays[name].copy()
            merged[places] = values
            return merged

        return _merge(whole.select(places), later).each(placed)

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        """The value of the loss in each cell, with an interval at this level; None for no intervals."""
        return inference.estimates(bound, self, level)


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
    mean = mean_of(total, weight_sum)
    deviation = x - cells.per_row(mean.T)
    if weight is None:
        # The drift is only the rounding of the mean, which needs no pass over the rows.
        scaled, drift = deviation, _rounding(xp, total, weight_sum, mean)
    else:
        scaled = cells.weight_squared * deviation
        drift = cells.sums(scaled).T
    thirds, draws = None, cells.drawn(deviation) if spread else None
    if spread and len(x) <= MAX_SKEW:
        thirds = _thirds(cells, deviation, drift)
        products = thirds[2] if weight is None else cells.products(scaled, deviation)
    else:
        products = cells.products(scaled, deviation) if spread else None
    arrays = (weight_sum, weight2, total, drift, products, low.T, high.T)
    rows = (cells.numbers(low_at).T, cells.numbers(high_at).T)
    third = (*(thirds or (None,) * 4), draws)
    block = Moments(cells.rows, *all_to_numpy(xp, (*arrays, *rows, *third)))
    return block if len(cells.present) == cells.count else _scatter(block, cells.present, cells.count)


def _thirds(cells: Cells, deviation: Array, drift: Array) -> tuple[Array, Array, Array, Array]:
    """weight3, drift3, spread3 and third of `Sums`; without weights the first three repeat what is known."""
    if cells.weight is None:
        return (cells.weight3, drift, *cells.thirds(deviation, deviation))
    cubed = cells.weight_cubed * deviation
    return (cells.weight3, cells.sums(cubed).T, *cells.thirds(cubed, deviation))


def _rounding(xp: Namespace, total: Array, weight: Array, mean: Array) -> Array:
    """Sum x minus n times the rounded mean (c, k), with the precision of two floats."""
    return sum_with_product(xp, total[:, 0], -weight[:, :1], mean) + total[:, 1]


def _scatter(block: Moments, present: Array, cells: int) -> Moments:
    """The moments of the present cells among all of them."""
    whole = Moments.empty(cells, block.total.shape[-1], block.spread is not None, block.replicates)

    def scattered(name: str, values: Array) -> Array:
        every: Array = getattr(whole, name)
        every[present] = values
        return every

    return block.each(scattered)


def _drawn_alike(a: Moments, b: Moments, cells: int) -> tuple[Moments, Moments]:
    """Two parts, whose sums in replicates are kept if those of this number of cells are."""
    if a.draws is None or b.draws is None:
        return a, b
    least = kept_replicates(cells, a.drift.shape[1], min(a.draws.shape[2], b.draws.shape[2]))
    return replace(a, draws=a.draws[:, :, :least]), replace(b, draws=b.draws[:, :, :least])


def _merge(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of both; `a` holds the earlier rows."""
    with np.errstate(all="ignore"):
        weight, total = two_float_add(a.weight, b.weight), two_float_add(a.total, b.total)
        centre = mean_of(total, weight)
        moved, other = _recentred(a, centre), _recentred(b, centre)
        # NaN counts as an extreme, and the first one is kept.
        lower = (b.low < a.low) | ((b.low != b.low) & (a.low == a.low))
        higher = (b.high > a.high) | ((b.high != b.high) & (a.high == a.high))
        central = _sums(moved, other)
    return Moments(
        n=a.n + b.n,
        weight=weight,
        total=total,
        low=np.where(lower, b.low, a.low),
        high=np.where(higher, b.high, a.high),
        low_row=np.where(lower, b.low_row, a.low_row),
        high_row=np.where(higher, b.high_row, a.high_row),
        **central,
    )


def _sums(a: Mapping[str, Array | None], b: Mapping[str, Array | None]) -> dict[str, Any]:
    """The sums of arrays of the same name, None if one is missing; names that share arrays share the sum."""
    sums = dict[tuple[int, int], Array | None]()
    for name, values in a.items():
        other = b.get(name)
        if (id(values), id(other)) not in sums:
            sums[id(values), id(other)] = None if values is None or other is None else values + other
    return {name: sums[id(values), id(b.get(name))] for name, values in a.items()}


def _recentred(moments: Moments, centre: Array) -> dict[str, Array | None]:
    """Drift, spread and third moments about another centre."""
    shift = mean_of(moments.total, moments.weight) - centre
    shift[moments.n == 0] = 0.0
    drift, spread = _shifted(moments.drift, moments.spread, moments.weight2, shift)
    draws = _shifted_draws(moments.draws, shift)
    found = {"weight2": moments.weight2, "drift": drift, "spread": spread, "draws": draws}
    if moments.third is None or moments.weight3 is None:
        return found
    assert moments.drift3 is not None
    drift3, spread3 = drift, spread
    if moments.weight3 is not moments.weight2:
        drift3, spread3 = _shifted(moments.drift3, moments.spread3, moments.weight3, shift)
    third = _shifted_third(moments, moments.weight3, shift)
    return {**found, "weight3": moments.weight3, "drift3": drift3, "spread3": spread3, "third": third}


def _shifted(drift: Array, spread: Array | None, weight: Array, shift: Array) -> tuple[Array, Array | None]:
    """First and second moments under weights that sum to `weight` (c,), about a centre `shift` (c, k) lower.

    With d = shift: s' = s + (sum w) d and V' = V + s d' + d s' + (sum w) d d'.
    """
    moved = weight[:, None] * shift
    if spread is not None:
        # The increment is a matrix plus its transpose.
        half = (drift + moved / 2)[:, :, None] * shift[:, None, :]
        spread = spread + (half + half.transpose(0, 2, 1))
    return drift + moved, spread


def _shifted_draws(draws: Array | None, shift: Array) -> Array | None:
    """The sums in each replicate about a centre `shift` (c, k) lower."""
    if draws is None:
        return None
    return np.concatenate([draws[:, :1], draws[:, 1:] + draws[:, :1] * shift[:, :, None]], axis=1)


def _shifted_third(moments: Moments, weight3: Array, shift: Array) -> Array:
    """Third moments about a centre `shift` (c, k) lower: the product of three x - m + d, expanded."""
    third, drift, spread = moments.third, moments.drift3, moments.spread3
    assert third is not None
    assert drift is not None
    assert spread is not None
    i, j, m = triples(shift.shape[1])
    for a, b, c in ((i, j, m), (j, i, m), (m, i, j)):
        third = third + shift[:, a] * spread[:, b, c] + drift[:, a] * shift[:, b] * shift[:, c]
    return third + weight3[:, None] * shift[:, i] * shift[:, j] * shift[:, m]


def two_float_add(a: Array, b: Array) -> Array:
    """The sum of two arrays (c, 2, ...) of two floats, value and rounding error."""
    total, error = two_sum(a[:, 0], b[:, 0])
    error += a[:, 1] + b[:, 1]
    result = np.stack(two_sum(total, error), axis=1)
    if not np.isfinite(result).all():
        overflow = ~np.isfinite(result[:, 0])
        result[:, 0][overflow], result[:, 1][~np.isfinite(result[:, 1])] = total[overflow], 0.0
    return result
