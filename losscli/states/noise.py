"""The noise of a value: its standard error, its skewness, and the ends of its interval.

A value is a function f of the means m of k columns, whose covariance is S.  Taylor linearisation gives the
standard error se = sqrt(g' S g) with the gradient g of f: Binder (1983), On the variances of asymptotically
normal estimators from complex surveys, doi:10.2307/1402588.  The third moments of the rows give the skewness
of the linearised value, and Hall's transformation a studentised deviate t whose distribution is Student's
(see `numeric.skewed`).

An end of an interval is f(m - t d) with d = S g / se, the least change of the means for a change of the
value.  For a mean, this is the mean minus t standard errors; the ends of a root are the roots of the ends of
its mean; and an end stays in the range of f.  The curvature of f across that direction shifts t.  DiCiccio
and Efron (1992), More accurate confidence intervals in exponential families, doi:10.1093/biomet/79.2.231
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from msgspec import Struct

from losscli.numeric.arrays import Array, np
from losscli.states.cells import triples
from losscli.states.sums import Sums

STEP = 1e-3
"""The step of the numerical gradient, in standard errors of a column.

It is small because some reductions subtract large columns: a variance about a centre far from the mean is
linear only within a small fraction of a standard error.  It is no smaller so that rounding costs at most the
seventh digit, even for a billion rows.
"""
_BEND = 0.01
"""The step of second derivatives, in standard errors: rounding divided by its square stays small."""
POINTS = 1 << 19
"""The numbers of the points at which a value of many columns is computed at once: they fit into the cache."""
_SLOPES = 1e-5
"""The relative standard error below which it is mere error of the numerical gradients."""
_ROUNDING = 1e-9
"""The relative difference below which two numbers of units count as equal."""
_HALVINGS = 60
"""Steps of the bisection for a deviate: enough for all binary digits of a float."""

Value = Callable[[Array], Array]
"""A function f from means (..., k) to values (...).  Its callers ignore floating-point errors."""


class Noise(Struct, frozen=True):
    """The noise of the value of each cell.

    `se` (c,); `df` (c,) and `effective` (c,) degrees of freedom and number of units; `skew` (c,) the
    standardised third cumulant of the value; `path` (c, k) the change d of the means per standard error, or
    None if the value is taken to be linear in t; `shift` (c,) of t; `heavy` (c,) whether one unit dominates.
    """

    se: Array
    df: Array
    effective: Array
    skew: Array
    path: Array | None
    shift: Array
    heavy: Array

    def at(self, f: Value, sums: Sums, t: Array) -> tuple[Array, Array]:
        """The value at a studentised deviate t (..., c) below the estimate, and a mask of those on the path.

        Outside the domain of the value the path ends or turns back; there the value is extrapolated linearly.
        """
        value, t = f(sums.mean), t - self.shift
        linear: Array = value - t * self.se
        if self.path is None:
            return linear, np.zeros(t.shape, dtype=bool)
        on_path = f(sums.mean - t[..., None] * self.path)
        curved = (on_path - value) * t <= 0
        return np.where(curved, on_path, linear), curved

    def deviate(self, f: Value, sums: Sums, end: Array) -> Array:
        """The studentised deviate (c,) at which the value is zero.

        `end` (c,) is the deviate of the interval end nearest to zero, where the bisection starts.
        """
        values = f(sums.mean)
        linear: Array = values / self.se + self.shift
        at_end, curved = self.at(f, sums, end)
        if not curved.any():
            return linear
        inside = at_end * values <= 0
        low: Array = np.where(inside, self.shift, end)
        high: Array = np.where(inside, end, end + 4.0 * linear)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            beyond = self.at(f, sums, middle)[0] * values <= 0
            low = np.where(beyond, low, middle)
            high = np.where(beyond, middle, high)
        return np.where(curved, (low + high) / 2, linear)


def effective(sums: Sums) -> Array:
    """The effective number of units (c,), rows or clusters."""
    count = sums.n if sums.units is None else sums.units
    squares = sums.weight2 if sums.units2 is None else sums.units2
    return effective_number(sums.weight[:, 0], squares, count)


def effective_number(weight: Array, squares: Array, count: Array) -> Array:
    """The effective number of units (c,): (sum W)^2 / sum W^2 of the weights of `count` units.

    Kish (1965), Survey sampling.  With equal weights it is the number of units.
    """
    with np.errstate(all="ignore"):
        ratio = np.where(squares > 0, weight * (weight / squares), 0.0)
    # The squares of equal weights such as 0.1 have rounding errors.
    return np.where(np.abs(ratio - count) <= _ROUNDING * ratio, count, ratio)


def noise_of(f: Value, sums: Sums, units: Array, linear: bool) -> Noise:
    """The noise of the values of sums whose spread is between `units` (c,) rows or clusters.

    `linear` if the value is a mean.
    """
    means, variance = sums.mean, np.maximum(sums.variances, 0.0)
    scale = np.sqrt(units / (units - 1)) / sums.weight[:, 0]
    steps = np.sqrt(variance) * scale[:, None]
    effect = (_effects if sums.scattered is None else _effects_of_many)(f, means, steps)
    inverse = np.where(steps > 0, 1.0 / steps, 0.0) * scale[:, None]
    largest = np.abs(effect).max(axis=1, keepdims=True)
    relative = effect / np.where(largest > 0, largest, 1.0)
    if sums.scattered is not None:
        squared = sums.scattered.variance_along(relative * inverse)
    else:
        correlation = sums.spread * inverse[:, :, None] * inverse[:, None, :]
        along = np.einsum("cij,cj->ci", correlation, relative)
        squared = np.einsum("ci,ci->c", relative, along)
    error = np.sqrt(np.maximum(squared, 0.0))
    # If the columns vary together such that the value is constant, only the error of the slopes remains.
    error = np.where(error < _SLOPES, 0.0, error)
    se, count = largest[:, 0] * error, effective(sums)
    skew, path, shift = np.zeros(len(se)), None, np.zeros(len(se))
    if sums.third is not None:
        skew = _skewness(sums.third, inverse, relative, error, count)
        if not linear:
            path = steps * along / np.where(error > 0, error, 1.0)[:, None]
            shift = _shift(f, means, path, se, steps, correlation)
    heavy = _heavy(_largest(sums), variance, relative, error[:, None])
    return Noise(se, np.maximum(count - 1, 1.0), count, skew, path, shift, heavy)


def _effects(f: Value, means: Array, steps: Array) -> Array:
    """The change (c, k) of the value per standard error of each column, by central differences."""

    def differences(step: float) -> Array:
        # Steps are in standard errors of each column, so that neither tiny nor huge columns overflow.
        shifts = step * steps[:, :, None] * np.eye(means.shape[1])
        slopes = (f(means[:, None, :] + shifts) - f(means[:, None, :] - shifts)) / (2.0 * step)
        return np.where(steps > 0, slopes, 0.0)

    effect = differences(STEP)
    known = np.isfinite(effect)
    # A step may leave the domain, such as a root below zero; then a smaller one is tried.
    return effect if known.all() else np.where(known, effect, differences(STEP / 100))


def _effects_of_many(f: Value, means: Array, steps: Array) -> Array:
    """As `_effects`, some columns at a time, and only for those that vary: there may be thousands."""
    effect, (cells, columns) = np.zeros(means.shape), np.nonzero(steps > 0)

    def differences(step: float, cells: Array, columns: Array) -> Array:
        points, places = means[cells], np.arange(len(cells))
        shift, centre = step * steps[cells, columns], means[cells, columns]
        points[places, columns] = centre + shift
        above = f(points)
        points[places, columns] = centre - shift
        return (above - f(points)) / (2.0 * step)

    at_once = max(1, POINTS // means.shape[1])
    for start in range(0, len(cells), at_once):
        some = cells[start : start + at_once], columns[start : start + at_once]
        slopes = differences(STEP, *some)
        known = np.isfinite(slopes)
        effect[some] = slopes if known.all() else np.where(known, slopes, differences(STEP / 100, *some))
    return effect


def _skewness(third: Array, inverse: Array, relative: Array, error: Array, count: Array) -> Array:
    """The standardised third cumulant (c,) of the linearised value, from the unbiased skewness of units."""
    i, j, m = triples(relative.shape[1])
    part = relative * inverse
    cumulant = (_repeats(relative.shape[1]) * third * part[:, i] * part[:, j] * part[:, m]).sum(axis=1)
    skew = cumulant / error**3 * np.sqrt(count * (count - 1)) / np.maximum(count - 2, 1.0)
    return np.where(np.isfinite(skew), skew, 0.0)


@cache
def _repeats(k: int) -> Array:
    """How many of the k^3 products of three columns equal each of the triples (t,)."""
    return np.array([(1, 3, 6)[len({*each}) - 1] for each in triples(k).T.tolist()], dtype=float)


def _shift(f: Value, means: Array, path: Array, se: Array, steps: Array, correlation: Array) -> Array:
    """The shift (c,) of the deviate due to the curvature of the value: along the path, minus the bias.

    Both in standard errors; the bias is half the trace of the second derivatives times the covariance.
    """
    is_finite = np.isfinite(correlation).all(axis=(1, 2))
    lengths, axes = np.linalg.eigh(np.where(is_finite[:, None, None], correlation, 0.0))
    # The symmetric root of the covariance: its axes are unstable if two eigenvalues are nearly equal.
    root = (axes * np.sqrt(np.maximum(lengths, 0.0))[:, None, :]) @ axes.transpose(0, 2, 1)
    spans = root * steps[:, None, :]
    shift = (_bends(f, means, path[:, None, :])[:, 0] - _bends(f, means, spans).sum(axis=1)) / se
    return np.where(np.isfinite(shift), shift, 0.0)


def _bends(f: Value, means: Array, spans: Array) -> Array:
    """Half the second derivative (c, s) of the value along each of the spans (c, s, k)."""
    at = means[:, None, :]
    return (f(at + _BEND * spans) - 2.0 * f(at) + f(at - _BEND * spans)) / (2.0 * _BEND**2)


def _largest(sums: Sums) -> Array:
    """The maximum contribution (c, k) of one row (of average weight) or cluster to the spread of a column."""
    if sums.largest is not None:
        return sums.largest
    furthest = np.maximum(sums.high - sums.mean, sums.mean - sums.low)
    return furthest * furthest * (sums.weight2 / sums.n)[:, None]


def _heavy(largest: Array, variance: Array, effect: Array, se: Array) -> Array:
    """Whether one row or cluster dominates the variance (...,) of a column that matters for the value.

    `effect` (..., k) is the change of the value per standard error of each column.
    """
    part = np.minimum(np.abs(effect) / se, 1.0)
    return (2.0 * largest * part * part > variance).any(axis=-1)


def shares(sums: Sums) -> Array:
    """The effective number of rows (c,) of a column that holds only 0 and 1; NaN for any other column.

    With equal weights it is the number of rows.  Otherwise it is the number of independent rows that would
    have this variance, at most that of the rows; if the share is 0 or 1, it is that of the units.
    """
    assert sums.spread is not None
    mean, weight, units = sums.mean[:, 0], sums.weight[:, 0], effective(sums)
    with np.errstate(all="ignore"):
        rows = weight * (weight / sums.weight2)
        independent = weight * (mean * (1 - mean) / sums.spread[:, 0, 0]) * weight
    number = np.where(np.isfinite(independent) & (independent > 0), np.minimum(independent, rows), units)
    if sums.units is None:
        number = np.where(units == sums.n, units, number)
    return np.where(sums.binary if sums.binary is not None else holds_binary(sums), number, np.nan)


def rows_of_rate(sums: Sums, se: Array, hits: Sequence[int], misses: Sequence[int]) -> Array:
    """The effective number of rows (c,) with a hit or a miss; a rate is the share of hits among them.

    As in `shares`, it is at most the number of independent rows that would have the variance of the rate,
    whose standard error is `se` (c,); NaN if no row has either.
    """
    either = [*hits, *misses]
    with np.errstate(all="ignore"):
        either_share = sums.mean[:, either].sum(axis=1)
        share = sums.mean[:, list(hits)].sum(axis=1) / either_share
        # For columns of 0 and 1, sum w^2 x^2 = sum w^2 x = sum w^2 (x - mean) + mean sum w^2.
        squares = (sums.drift[:, either] + sums.mean[:, either] * sums.weight2[:, None]).sum(axis=1)
        weight = either_share * sums.weight[:, 0]
        rows = weight * (weight / squares)
        independent = share * (1 - share) / (se * se)
    units = effective(sums)
    number = np.where(
        np.isfinite(independent) & (independent > 0), np.minimum(independent, rows), np.minimum(rows, units)
    )
    if sums.units is None:
        number = np.where(units == sums.n, rows, number)
    return np.where(either_share > 0, number, np.nan)


def rows_of_count(sums: Sums, share: Array, error: Array, most: int) -> Array:
    """The effective number of rows (c,) behind a count, as a share of its maximum with a standard error (c,).

    As in `shares`, it is at most the number of independent items that may be counted, `most` per row.
    """
    weight, units = sums.weight[:, 0], effective(sums)
    with np.errstate(all="ignore"):
        rows = most * weight * (weight / sums.weight2)
        independent = share * (1 - share) / (error * error)
    number = np.where(np.isfinite(independent) & (independent > 0), np.minimum(independent, rows), units)
    return np.where(units == sums.n, units, number) if sums.units is None and most == 1 else number


class Flips(Struct, frozen=True):
    """The shares of rows (c,) on which a 0/1 loss goes up and down from one model to the other.

    `rows` (c,) is the effective number of rows, NaN in cells with losses other than 0 and 1; `unit` is the
    value of a share of one.
    """

    up: Array
    down: Array
    rows: Array
    unit: float = 1.0


def flips_of_mean(pair: Sums, a: Sums, b: Sums) -> Flips | None:
    """The flips between models a and b, whose difference `pair` holds; None if rows are clustered."""
    if pair.drift.shape[1] != 1:
        return None
    return flips(pair, [0], holds_binary(a) & holds_binary(b))


def flips(pair: Sums, columns: Sequence[int], known: Array) -> Flips | None:
    """The flips of the sum of some columns of a pair, which are differences, in the `known` cells (c,)."""
    if pair.units is not None or not pair.has_variance:
        return None
    chosen = list(columns)
    difference, drift = pair.mean[:, chosen].sum(axis=1), pair.drift[:, chosen].sum(axis=1)
    with np.errstate(all="ignore"):
        # The mean of (b - a)^2, with squared weights.
        squares = _spread_of_sum(pair, chosen) + 2 * difference * drift + difference**2 * pair.weight2
        changed = np.maximum(squares / pair.weight2, np.abs(difference))
    up, down = (changed + difference) / 2, (changed - difference) / 2
    return Flips(up, down, np.where(known, effective(pair), np.nan))


def _spread_of_sum(sums: Sums, columns: Sequence[int]) -> Array:
    """The sum of squared deviations (c,) of the sum of some columns."""
    if sums.scattered is None:
        assert sums.spread is not None
        spread: Array = sums.spread[:, columns][:, :, columns].sum(axis=(1, 2))
        return spread
    direction = np.zeros(sums.drift.shape)
    direction[:, columns] = 1.0
    return sums.scattered.variance_along(direction)


def holds_binary(sums: Sums) -> Array:
    """Whether the only column of each cell (c,) holds only 0 and 1: then x (1 - x) sums to zero."""
    if sums.spread is None or sums.drift.shape[1] != 1:
        return np.zeros(len(sums.n), dtype=bool)
    mean, drift, weight2 = sums.mean[:, 0], sums.drift[:, 0], sums.weight2
    low, high = sums.low[:, 0], sums.high[:, 0]
    ends = ((low == 0) | (low == 1)) & ((high == 0) | (high == 1))
    with np.errstate(all="ignore"):
        first = drift / weight2 + mean
        second = sums.spread[:, 0, 0] / weight2 + 2 * mean * (drift / weight2) + mean * mean
        return ends & (np.abs(first - second) < 1e-9)
