"""From sums to a value with its standard error and interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, Context
from functools import partial

from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.scores import (
    difference_deviate,
    difference_interval,
    normal_p_value,
    share_interval,
)
from losscli.numeric.skewed import studentised, symmetric
from losscli.numeric.student import quantile, quantiles
from losscli.numeric.student_tail import two_sided
from losscli.report.findings import Code, Note, note
from losscli.states.base import Estimate, Estimates
from losscli.states.noise import (
    POINTS,
    Flips,
    Noise,
    Value,
    flips,
    flips_of_mean,
    noise_of,
    rows_of_count,
    rows_of_rate,
    shares,
)
from losscli.states.reductions import BoundReduction, Count, Reduction, mean
from losscli.states.resampled import Replicates
from losscli.states.sums import Sums

FEW = 30
"""Number of rows or clusters below which an interval is unreliable."""
_NODES = 12
"""Number of nodes of the Gauss-Legendre quadrature."""
_UP = Context(prec=2, rounding=ROUND_CEILING)
"""How a bound is rounded to two digits."""
_ROUNDING = 1e-6
"""The maximum distance by which rounding may carry a value beyond its bounds."""
_SLOPE = 1e-5
"""The relative step of a numerical gradient without standard errors."""


def estimate(bound: BoundReduction, sums: Sums, level: float | None = None) -> Estimate:
    """The value of a loss from the sums of one cell; see `estimates`."""
    return estimates(bound, sums, level)[0]


def estimates(bound: BoundReduction, sums: Sums, level: float | None = None) -> Estimates:
    """The value of a loss in each cell from its sums, with an interval unless `level` is None.

    With several outputs (one pilot each), the columns of the outputs are concatenated, and the value is the
    mean of their values, or that of a `joint` reduction over all of them.
    """
    reduction, cells = bound.reduction, len(sums.n)
    if cells > 1 and reduction.differs_by_cell and not _are_alike(reduction, sums):
        return Estimates.of([estimate(bound, sums.cell(place), level) for place in range(cells)])
    if reduction.extreme:
        return Estimates.of([_extreme(bound, sums.cell(place)) for place in range(cells)])
    with np.errstate(all="ignore"):
        by_cell = _with_intervals(bound, _value(bound, sums), sums, level)
    return _noted(bound, sums, by_cell) if sums.error is None else _with_errors(sums.error, by_cell)


def _are_alike(reduction: Reduction, sums: Sums) -> bool:
    """Whether all cells have the same arguments of the reduction, as classes have that share all rows."""
    return not reduction.names & {"low", "high"} and bool((sums.weight == sums.weight[0]).all())


def _with_errors(errors: Array, by_cell: Estimates) -> Estimates:
    """The estimates of approximate values, with a note on the largest error of all cells."""
    largest = errors.max(initial=0.0)
    notes = (
        (note(Code.APPROXIMATE, error=f"{float(_UP.create_decimal(largest)):.2g}"),) if largest > 0 else ()
    )
    is_defined = ~np.isnan(by_cell.value)
    return by_cell.with_max_error(np.where(is_defined, errors, np.nan)).with_notes(is_defined, notes)


def _noted(bound: BoundReduction, sums: Sums, by_cell: Estimates) -> Estimates:
    """The estimates, with a note on each where 0 / 0 counts as a number."""
    divides_zero = bound.reduction.divides_zero
    if divides_zero is None:
        return by_cell
    means = sums.mean.reshape(len(by_cell), len(bound.pilots), -1)
    choice = bound.params["zero_division"]
    added = note(Code.ZERO_DIVISION, number="1" if choice == "one" else "0", choice=choice)
    divided = divides_zero(np, means, bound.params)
    return by_cell.with_notes(divided & ~np.isnan(by_cell.value), (added,))


def differences(
    bound: BoundReduction,
    pair: Sums,
    a: Sums,
    b: Sums,
    level: float | None = None,
) -> Estimates:
    """The value of model b minus that of a in each cell, with its interval.

    `pair` has, for each output, the columns of a followed by those of b - a; for a mean, only b - a.  `a` and
    `b` are the sums of each model.
    """
    reduction, cells = bound.reduction, len(pair.n)
    if reduction.extreme:
        values = np.mean(b.high, axis=1) - np.mean(a.high, axis=1)
        notes = (note(Code.MAXIMUM, place=""),)
        return Estimates.of([_defined(bound, pair, i, values, notes) for i in range(cells)])
    if cells > 1 and reduction.differs_by_cell and not _are_alike(reduction, pair):
        by_cell = ((pair.cell(i), a.cell(i), b.cell(i)) for i in range(cells))
        return Estimates.of([differences(bound, *sums, level)[0] for sums in by_cell])
    free = replace(bound, bounds=(-math.inf, math.inf))
    with np.errstate(all="ignore"):
        flipped = _flipped(bound, pair, a, b)
        return _with_intervals(free, _difference(bound, a, b), pair, level, tested=True, flipped=flipped)


def _flipped(bound: BoundReduction, pair: Sums, a: Sums, b: Sums) -> Flips | None:
    """The rows on which a 0/1 loss, or the summand of a count, changes; None if unknown."""
    count, outputs = bound.reduction.count, len(bound.pilots)
    if count is None:
        return flips_of_mean(pair, a, b) if bound.reduction is mean and bound.order is None else None
    lowest, highest = count.span(outputs)
    if highest - lowest > 1:
        return None
    # Each output has two columns: a and b - a.
    columns = [2 * place + 1 for place in count.places(outputs)]
    changes = flips(pair, columns, np.ones(len(pair.n), dtype=bool))
    return None if changes is None else replace(changes, unit=_total_weight(bound, pair))


def _total_weight(bound: BoundReduction, sums: Sums) -> float:
    """The weight of the rows of the first cell."""
    return float(sums.weight[0, 0]) * bound.weight_unit


def _difference(bound: BoundReduction, a: Sums, b: Sums) -> Value:
    """A function from the means of a pair (..., 2 k), or (..., 1) for a mean, to the difference (...)."""
    if bound.reduction is mean:
        return lambda points: points.mean(axis=-1)
    value_a, value_b = _value(bound, a), _value(bound, b)

    def value(points: Array) -> Array:
        points = points.reshape(*points.shape[:-1], len(bound.pilots), 2, -1)
        first, more = points[..., 0, :], points[..., 1, :]
        shape = (*points.shape[:-3], -1)
        return value_b((first + more).reshape(shape)) - value_a(first.reshape(shape))

    return value


def contributions(
    bound: BoundReduction,
    pair: Sums,
    cells: Iterable[Sums],
    a: Sums,
    b: Sums,
) -> Array:
    """The contribution (c,) of the rows of each cell to the overall difference b - a; NaN if undefined.

    `cells` are sums of one or more cells, one after the other.

    Along the straight line from the means of a to those of b, the difference of a reduction is the integral
    of its gradient, and so linear in the contribution of each cell to the means: Aumann and Shapley (1974),
    Values of Non-Atomic Games.  Over cells that partition the rows, contributions add up to the difference.
    """
    with np.errstate(all="ignore"):
        overall, slope = _difference(bound, a, b)(pair.mean)[0], _path_slope(bound, pair, a, b)
        found, sizes = list[Array](), list[Array]()
        for some in cells:
            added = some.total[:, 0] / pair.weight[0, 0]
            found.append(added.mean(axis=1) if slope is None else _changes(bound, added) @ slope)
            sizes.append(some.n)
        parts, n = np.concatenate(found), np.concatenate(sizes)
        # Scaling distributes the error of quadrature and rounding over the cells.
        total = parts[n > 0].sum()
        exact = abs(total - overall) <= 1e-6 * np.abs(parts).sum() and total != 0
        return parts * (overall / total) if exact else parts


def _path_slope(bound: BoundReduction, pair: Sums, a: Sums, b: Sums) -> Array | None:
    """The mean gradient (k,) of the value on the line from the means of a to those of b; None for a mean."""
    if bound.reduction is mean:
        return None
    more = _changes(bound, pair.mean)[0]
    first = pair.mean.reshape(len(bound.pilots), 2, -1)[:, 0].ravel()
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    points = first + (nodes[:, None] + 1) / 2 * more
    size = np.maximum(np.abs(first), np.abs(first + more))
    return weights / 2 @ _slopes(_value(bound, b), points, size)


def _changes(bound: BoundReduction, columns: Array) -> Array:
    """The columns (c, k) of b - a among those of a pair (c, 2 k)."""
    return columns.reshape(len(columns), len(bound.pilots), 2, -1)[:, :, 1].reshape(len(columns), -1)


def value_of(bound: BoundReduction, sums: Sums) -> Array:
    """The value of each cell (c,)."""
    with np.errstate(all="ignore"):
        return _value(bound, sums)(sums.mean)


def gradients(bound: BoundReduction, sums: Sums) -> Array:
    """The gradient (c, k) of the value of each cell with respect to the means of the columns."""
    means = sums.mean
    if bound.reduction is mean:
        return np.full(means.shape, 1.0 / len(bound.pilots))
    by_cell = (sums.cell(place) for place in range(len(means)))
    with np.errstate(all="ignore"):
        slopes = [_slopes(_value(bound, m), m.mean, np.abs(m.mean[0]))[0] for m in by_cell]
    return np.stack(slopes)


def _slopes(f: Value, points: Array, size: Array) -> Array:
    """The gradient of a value at points (p, k), by central differences relative to the size (k,) of means."""
    step, slopes = np.where(size > 0, size, 1.0) * _SLOPE, np.empty(points.shape)
    columns, at_once = np.arange(len(step)), max(1, POINTS // points.size)
    for start in range(0, len(step), at_once):
        some = columns[start : start + at_once]
        shifts = step[some, None] * (some[:, None] == columns)
        slopes[:, some] = (f(points[:, None] + shifts) - f(points[:, None] - shifts)) / (2 * step[some])
    return slopes


def _with_intervals(
    bound: BoundReduction,
    f: Value,
    sums: Sums,
    level: float | None,
    tested: bool = False,
    flipped: Flips | None = None,
) -> Estimates:
    """The value of each cell with its interval and, if a difference is `tested`, its p-value.

    `flipped` holds the changes of a 0/1 loss whose difference is tested.
    """
    values = f(sums.mean)
    if bound.reduction is not mean:
        # A correlation of two rows may round to more than 1; values further out are invalid, not rounded.
        nearest = np.clip(values, *bound.bounds)
        values = np.where(abs(values - nearest) < _ROUNDING, nearest, values)
    if level is None or not sums.has_variance:
        why = Code.TOO_MANY_COLUMNS if sums.exact is None else Code.NO_INTERVAL
        notes = (note(why),) if level is not None else ()
        return Estimates.of([_defined(bound, sums, place, values, notes) for place in range(len(sums.n))])
    unit, units = _units(sums)
    noise = noise_of(f, sums, units, bound.reduction is mean)
    intervals = _Intervals(bound, f, sums, noise, level, tested)
    known = np.isfinite(values) & (sums.n > 0)
    shares = known & intervals.are_shares & ((units > 1) | (unit == "row"))
    rest = known & ~shares
    single, infinite = rest & (units < 2), rest & (units > 1) & ~np.isfinite(noise.se)
    rest &= (units > 1) & ~infinite
    parts = list[tuple[Array, Estimates]]()

    def add(cells: Array, make: Callable[[Array], Estimates]) -> None:
        (places,) = cells.nonzero()
        if len(places):
            parts.append((places, make(places)))

    def undefined(places: Array) -> Estimates:
        return Estimates.of([_defined(bound, sums, place, values) for place in places.tolist()])

    def without(code: Code, places: Array) -> Estimates:
        return Estimates.of_arrays(values[places], [(note(code, unit=unit),)])

    add(~known, undefined)
    add(single, partial(without, Code.ONE_UNIT))
    add(infinite, partial(without, Code.INFINITE_VARIANCE))
    add(shares, lambda places: intervals.shares_at(places, values[places], unit, units[places]))
    if flipped is not None:
        flip = partial(_flip, flipped, values, noise.se, level, units)
        is_flip = rest & ~np.isnan(flipped.rows)
        add(is_flip, lambda places: Estimates.of([*map(flip, places.tolist())]))
        rest &= ~is_flip
    add(rest, lambda places: intervals.at(places, values[places], unit, units[places]))
    estimated = Estimates.joined(parts)
    if sums.draws is None:
        return estimated
    replicates = Replicates(f, sums, noise, units, level)
    return Estimates.of(
        [
            replicates.estimate(place, each, intervals.bounds(place), unit)
            for place, each in enumerate(estimated)
        ]
    )


def _flip(flipped: Flips, values: Array, ses: Array, level: float, units: Array, place: int) -> Estimate:
    """The difference between two shares of rows with loss 1, with a score interval and McNemar's test."""
    value, se, n = float(values[place]), float(ses[place]), int(units[place])
    up, down, rows = (float(each[place]) for each in (flipped.up, flipped.down, flipped.rows))
    deviate = quantile(level, math.inf)
    low, high = difference_interval(up, down, rows, deviate)
    p = normal_p_value(difference_deviate(up, down, rows, 0.0))
    low, high = low * flipped.unit, high * flipped.unit
    return Estimate(value, se or (high - low) / (2 * deviate), low, high, df=float(n - 1), p_value=p)


class _Intervals:
    """The intervals of cells at one level; with p-values if the values are differences to be `tested`."""

    def __init__(
        self, bound: BoundReduction, f: Value, sums: Sums, noise: Noise, level: float, tested: bool
    ) -> None:
        self.noise = noise
        self.lower, self.upper = np.full(len(sums.n), bound.bounds[0]), bound.bounds[1]
        if bound.reduction is mean:
            # A row below the bound, such as an unbiased estimate below zero, shows that the bound does not
            # hold.
            self.lower[(sums.low < bound.bounds[0]).any(axis=1)] = -math.inf
        self.first_order, self.ends, self.ordered = sums.third is None, sums.ends, bound.order is not None
        self.shares = np.full(len(sums.n), math.nan)
        self.base, self.unit = 0.0, 1.0
        self.equal = (noise.effective == sums.n) & (sums.units is None)
        if bound.reduction is mean and not tested:
            # Where all losses are 0, or all are 1, only the bounds of the loss show that it is a 0/1 loss.
            either = (sums.low[:, 0] == 0) & (sums.high[:, 0] == 1) | (bound.bounds == (0.0, 1.0))
            if either.any():
                self.shares = np.where(either, shares(sums), math.nan)
        elif not tested and (columns := bound.share_columns(sums.drift.shape[1])) is not None:
            self.shares = rows_of_rate(sums, noise.se, *columns)
        elif not tested and bound.reduction.count is not None:
            self._count(bound.reduction.count, bound, f(sums.mean), sums)
        self.deviates, self.level = _deviates(level, noise.df), level
        below, above = ends = studentised(np.array([self.deviates, -self.deviates]), noise.skew)
        self.low, self.high = noise.at(f, sums, ends)[0]
        self.p_values: Array | None = None
        if tested:
            towards_zero = np.where(f(sums.mean) > 0, below, above)
            self.p_values = _p_values(noise.deviate(f, sums, towards_zero), noise)

    def bounds(self, place: int) -> tuple[float, float]:
        """The minimum and maximum value that a cell can have."""
        return float(self.lower[place]), self.upper

    def _count(self, count: Count, bound: BoundReduction, values: Array, sums: Sums) -> None:
        """Treat a count as a share of the maximum that the rows of the only cell can add."""
        lowest, highest = count.span(len(bound.pilots))
        weight = _total_weight(bound, sums)
        self.base, self.unit = lowest * weight, (highest - lowest) * weight
        self.equal &= highest - lowest == 1
        share, error = (values - self.base) / self.unit, self.noise.se / self.unit
        self.shares = rows_of_count(sums, share, error, highest - lowest)

    @property
    def are_shares(self) -> Array:
        """Whether values (c,) are shares or counts of rows, those where a column of 0 and 1 is 1."""
        return ~np.isnan(self.shares)

    def at(self, places: Array, values: Array, unit: str, units: Array) -> Estimates:
        """The values of some cells with their intervals, and a note on unreliable ones."""
        se, low, high = self.noise.se[places], *self._ends(places, values)
        se = np.where((se == 0) & (high > low), (high - low) / (2 * self.deviates[places]), se)
        is_open = ~np.isfinite(high - low)
        kinds = (  # if several hold, the last one is noted
            (Code.DOMINANT_UNIT, self.noise.heavy[places]),
            (Code.FEW_UNITS, units < FEW),
            (Code.NO_INFLUENCE if self.ordered else Code.ZERO_VARIANCE, se == 0),
            (Code.OPEN_INTERVAL, is_open),
        )
        kind_of = np.zeros(len(se), dtype=np.int64)
        notes = [(note(Code.FIRST_ORDER),) if self.first_order else ()]
        for code, holds in kinds:
            if holds.any():
                kind_of[holds] = len(notes)
                notes.append((note(code, few=FEW, unit=unit),))
        p = np.nan if self.p_values is None else np.where(values == 0, 1.0, self.p_values[places])
        numbers = {"se": se, "ci_low": low, "ci_high": high, "df": self.noise.df[places], "p_value": p}
        if is_open.any():
            numbers = {name: np.where(is_open, np.nan, array) for name, array in numbers.items()}
        return Estimates.of_arrays(values, notes, kind_of, **numbers)

    def _ends(self, places: Array, values: Array) -> tuple[Array, Array]:
        """The ends of intervals, clipped to the bounds of the values; they never exclude the value."""
        low, high = self.low[places], self.high[places]
        if self.ends is not None:
            ends = self.ends[places]
            is_given = ~np.isnan(ends[:, 0])
            low, high = np.where(is_given, ends[:, 0], low), np.where(is_given, ends[:, 1], high)
        low, high = np.maximum(low, self.lower[places]), np.minimum(high, self.upper)
        return np.minimum(values, low), np.maximum(values, high)

    def shares_at(self, places: Array, values: Array, unit: str, units: Array) -> Estimates:
        """The shares or counts of rows with loss 1, with score intervals."""
        # With equal weights, the variance of a share follows from it and is not estimated: hence normal
        # deviates.
        q = np.where(self.equal[places], quantile(self.level, math.inf), self.deviates[places])
        ends = share_interval((values - self.base) / self.unit, self.shares[places], q)
        low, high = (self.base + self.unit * end for end in ends)
        # Rounding must not exclude the value.
        low, high = np.minimum(low, values), np.maximum(high, values)
        notes = [(), (note(Code.FEW_UNITS, few=FEW, unit=unit),)]
        is_few = ((units < FEW) & (unit != "row")).astype(np.int64)
        se, df = self.noise.se[places], self.noise.df[places]
        se = np.where(se > 0, se, (high - low) / (2 * q))
        return Estimates.of_arrays(values, notes, is_few, se=se, ci_low=low, ci_high=high, df=df)


def _deviates(level: float, df: Array) -> Array:
    """The two-sided quantiles (c,) of Student's t for degrees of freedom (c,), few of which are distinct."""
    if len(df) == 1:
        return quantiles(level, df)
    distinct, places = np.unique(df, return_inverse=True)
    deviates: Array = quantiles(level, distinct)[places]
    return deviates


def _p_values(deviates: Array, noise: Noise) -> Array:
    """The two-sided p-values (c,) of studentised deviates (c,)."""
    pairs = zip(deviates.tolist(), noise.skew.tolist(), strict=True)
    sizes = np.abs([symmetric(t, skew) if math.isfinite(t) else t for t, skew in pairs])
    return two_sided(sizes, noise.df)


def _value(bound: BoundReduction, sums: Sums) -> Value:
    """A function from means (..., k) of all outputs to values (...), using the extremes of the first cell."""
    reduction, pilots, outputs = bound.reduction, bound.pilots, len(bound.pilots)
    low, high = (extreme[0].reshape(outputs, -1) for extreme in (sums.low, sums.high))
    weight = _total_weight(bound, sums)
    arguments = {**bound.params, "weight": weight, "low": low, "high": high, "pilots": pilots}
    by_output = [{**arguments, "low": low[i], "high": high[i], "pilot": pilots[i]} for i in range(outputs)]

    def value(points: Array) -> Array:
        points = points.reshape(*points.shape[:-1], outputs, -1)
        if reduction.joint:
            return reduction(np, points, arguments)
        parts = [reduction(np, points[..., i, :], own) for i, own in enumerate(by_output)]
        return parts[0] if outputs == 1 else sum(parts) / outputs

    return value


def _extreme(bound: BoundReduction, sums: Sums) -> Estimate:
    rows = sums.high_row[0]
    # Rows distributed by Spark have no numbers.
    place = "" if (rows < 0).any() else f"at row {', '.join(str(int(row) + 1) for row in rows)}; "
    return _defined(bound, sums, 0, np.mean(sums.high, axis=1), (note(Code.MAXIMUM, place=place),))


def _units(sums: Sums) -> tuple[str, Array]:
    """The unit of the spread, row or cluster, and the number of units (c,)."""
    return ("row", sums.n) if sums.units is None else ("cluster", sums.units)


def _defined(
    bound: BoundReduction, sums: Sums, place: int, values: Array, notes: tuple[Note, ...] = ()
) -> Estimate:
    """The estimate of one cell without an interval, or the reason why its value is undefined."""
    if not sums.n[place] or sums.weight[place, 0] <= 0:
        return Estimate(None, notes=(note(Code.NO_ROWS),))
    value = float(values[place])
    if math.isfinite(value):
        return Estimate(value, notes=notes)
    domain = f"; it takes {bound.domain}" if bound.domain else ""
    ends = ((sums.high, sums.high_row), (sums.low, sums.low_row))
    for extreme, row in ((end[place], rows[place]) for end, rows in ends):
        invalid = np.flatnonzero(~np.isfinite(extreme))
        if len(invalid):
            kind = "not a number" if np.isnan(extreme[invalid[0]]) else "infinite"
            first = note(Code.NOT_FINITE, kind=kind, row=int(row[invalid[0]]) + 1, domain=domain)
            return Estimate(None, notes=(first,))
    if math.isinf(value) and np.isinf(sums.mean[place]).any():
        return Estimate(None, notes=(note(Code.SUM_OVERFLOW),))
    return Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason=bound.undefined),))
