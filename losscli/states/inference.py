"""From sums to a value with its standard error and interval."""

from __future__ import annotations

import math
from collections.abc import Callable

from losscli.numeric.arrays import Array, np
from losscli.numeric.student import quantile
from losscli.report.findings import Code, Note, note
from losscli.states.base import Estimate
from losscli.states.reductions import BoundReduction, mean
from losscli.states.sums import Sums

FEW = 30
"""Number of rows or clusters below which an interval is unreliable."""
STEP = 1e-3
"""The step of the numerical gradient, in standard errors of a column.

It is small because some reductions subtract large columns: a variance about a centre far from the mean is
linear only within a small part of a standard error.  It is not smaller because rounding then costs at most
the seventh digit, even for a billion rows.
"""
_NODES = 12
"""Number of nodes of the Gauss-Legendre quadrature."""
_SLOPE = 1e-5
"""The relative step of a numerical gradient without standard errors."""


def estimate(bound: BoundReduction, sums: Sums, level: float | None = None) -> Estimate:
    """The value of a loss from the sums of one cell; see `estimates`."""
    return estimates(bound, sums, level)[0]


def estimates(bound: BoundReduction, sums: Sums, level: float | None = None) -> list[Estimate]:
    """The value of a loss in each cell from its sums, with an interval unless `level` is None.

    With several outputs (one pilot each), the columns of the outputs are concatenated, and the value is the
    mean of their values, or that of a `joint` reduction of all of them.
    """
    reduction, cells = bound.reduction, len(sums.n)
    if cells > 1 and reduction.names & {"weight", "low", "high"}:
        # The reduction asks for what differs from cell to cell.
        return [estimate(bound, sums.cell(place), level) for place in range(cells)]
    if reduction.extreme:
        return [_extreme(bound, sums.cell(place)) for place in range(cells)]
    return _with_intervals(bound, _value(bound, sums), sums, level)


def differences(
    bound: BoundReduction,
    pair: Sums,
    a: Sums,
    b: Sums,
    level: float | None = None,
) -> list[Estimate]:
    """The value of model b minus that of a in each cell, with its interval.

    `pair` has for each output the columns of a, then those of b - a; for a mean, b - a alone.  `a` and `b`
    are the sums of the models themselves.
    """
    reduction, cells = bound.reduction, len(pair.n)
    if reduction.extreme:
        return [
            _defined(
                bound,
                pair,
                i,
                np.mean(b.high, axis=1) - np.mean(a.high, axis=1),
                (note(Code.MAXIMUM, place=""),),
            )
            for i in range(cells)
        ]
    if cells > 1 and reduction.names & {"weight", "low", "high"}:
        alone = ((pair.cell(i), a.cell(i), b.cell(i)) for i in range(cells))
        return [differences(bound, *each, level)[0] for each in alone]
    return _with_intervals(bound, _difference(bound, a, b), pair, level)


def _difference(bound: BoundReduction, a: Sums, b: Sums) -> Callable[[Array], Array]:
    """A function from the means of a pair (..., 2 k), or (..., 1) for a mean, to the difference (...)."""
    if bound.reduction is mean:
        return lambda points: points.mean(axis=-1)
    of_a, of_b = _value(bound, a), _value(bound, b)

    def of(points: Array) -> Array:
        points = points.reshape(*points.shape[:-1], len(bound.pilots), 2, -1)
        first, more = points[..., 0, :], points[..., 1, :]
        shape = (*points.shape[:-3], -1)
        with np.errstate(all="ignore"):  # inf - inf is NaN
            return of_b((first + more).reshape(shape)) - of_a(first.reshape(shape))

    return of


def contributions(
    bound: BoundReduction,
    pair: Sums,
    cells: Sums,
    a: Sums,
    b: Sums,
) -> Array:
    """The contribution (c,) of the rows of each cell to the overall difference b - a; NaN if undefined.

    Along the straight line from the means of a to those of b, the difference of a reduction is the integral
    of its gradient, and so is linear in what each cell adds to the means: Aumann, Shapley (1974), Values of
    Non-Atomic Games.  Over cells that partition the rows, contributions add up to the difference.
    """
    whole, outputs = _difference(bound, a, b)(pair.mean)[0], len(bound.pilots)
    with np.errstate(all="ignore"):
        added = cells.total[:, 0] / pair.weight[0, 0]
        if bound.reduction is mean:
            parts: Array = added.mean(axis=1)
        else:
            split = (-1, outputs, 2, added.shape[1] // (2 * outputs))
            first, more = (pair.mean.reshape(split)[0, :, side].ravel() for side in (0, 1))
            nodes, weights = np.polynomial.legendre.leggauss(_NODES)
            points = first + (nodes[:, None] + 1) / 2 * more
            size = np.maximum(np.abs(first), np.abs(first + more))
            slope = weights / 2 @ _slopes(_value(bound, b), points, size)
            parts = added.reshape(split)[:, :, 1].reshape(len(cells.n), -1) @ slope
        # Scaling distributes the error of quadrature and rounding over the cells.
        total = parts[cells.n > 0].sum()
        exact = abs(total - whole) <= 1e-6 * np.abs(parts).sum() and total != 0
        return parts * (whole / total) if exact else parts


def gradients(bound: BoundReduction, sums: Sums) -> Array:
    """The gradient (c, k) of the value of each cell with respect to the means of the columns."""
    means = sums.mean
    if bound.reduction is mean:
        return np.full(means.shape, 1.0 / len(bound.pilots))
    alone = (sums.cell(place) for place in range(len(means)))
    with np.errstate(all="ignore"):
        found = [_slopes(_value(bound, m), m.mean, np.abs(m.mean[0]))[0] for m in alone]
    return np.stack(found)


def _slopes(of: Callable[[Array], Array], points: Array, size: Array) -> Array:
    """The gradient of a value at points (p, k), by central differences relative to the size (k,) of means."""
    step = np.where(size > 0, size, 1.0) * _SLOPE
    shifts = step[:, None] * np.eye(len(step))
    return (of(points[:, None] + shifts) - of(points[:, None] - shifts)) / (2 * step)


def _with_intervals(
    bound: BoundReduction, of: Callable[[Array], Array], sums: Sums, level: float | None
) -> list[Estimate]:
    values = of(sums.mean)
    if level is None or sums.spread is None:
        notes = (note(Code.TOO_MANY_COLUMNS),) if level is not None else ()
        return [_defined(bound, sums, place, values, notes) for place in range(len(sums.n))]
    unit, units = _units(sums)
    errors, heavy = _standard_errors(of, sums, units)
    found = []
    for place, n in enumerate(units.tolist()):
        value, se = float(values[place]), float(errors[place])
        if not math.isfinite(value) or not sums.n[place]:
            found.append(_defined(bound, sums, place, values))
        elif n < 2:
            found.append(Estimate(value, notes=(note(Code.ONE_UNIT, unit=unit),)))
        elif not math.isfinite(se):
            found.append(Estimate(value, notes=(note(Code.INFINITE_VARIANCE, unit=unit),)))
        else:
            found.append(_interval(value, se, level, unit, n, bool(heavy[place])))
    return found


def _value(bound: BoundReduction, sums: Sums) -> Callable[[Array], Array]:
    """A function from means (..., k) of all outputs to values (...), with the extremes of the first cell."""
    reduction, pilots, outputs = bound.reduction, bound.pilots, len(bound.pilots)
    low, high = (extreme[0].reshape(outputs, -1) for extreme in (sums.low, sums.high))
    weight = float(sums.weight[0, 0]) * bound.weight_unit
    known = {**bound.params, "weight": weight, "low": low, "high": high, "pilots": pilots}
    each = [{**known, "low": low[i], "high": high[i], "pilot": pilots[i]} for i in range(outputs)]

    def of(points: Array) -> Array:
        points = points.reshape(*points.shape[:-1], outputs, -1)
        with np.errstate(all="ignore"):
            if reduction.joint:
                return reduction(np, points, known)
            parts = [reduction(np, points[..., i, :], own) for i, own in enumerate(each)]
            return parts[0] if outputs == 1 else sum(parts) / outputs

    return of


def _extreme(bound: BoundReduction, sums: Sums) -> Estimate:
    rows = ", ".join(str(int(row) + 1) for row in sums.high_row[0])
    value = np.mean(sums.high, axis=1)
    return _defined(bound, sums, 0, value, (note(Code.MAXIMUM, place=f"at row {rows}; "),))


def _interval(value: float, se: float, level: float, unit: str, n: int, heavy: bool) -> Estimate:
    """The interval of Student's t between n rows or clusters, with a note if it is unreliable."""
    half = quantile(level, n - 1) * se
    notes: tuple[Note, ...] = ()
    if se == 0:
        notes = (note(Code.ZERO_VARIANCE, unit=unit),)
    elif n < FEW:
        notes = (note(Code.FEW_UNITS, few=FEW, unit=unit),)
    elif heavy:
        notes = (note(Code.DOMINANT_UNIT, unit=unit),)
    return Estimate(value, se, value - half, value + half, notes, df=n - 1)


def _units(sums: Sums) -> tuple[str, Array]:
    """The unit of the spread, row or cluster, and the number of units (c,)."""
    return ("row", sums.n) if sums.units is None else ("cluster", sums.units)


def _largest(sums: Sums) -> Array:
    """The most that one row (of average weight) or cluster adds to the spread of each column (c, k)."""
    if sums.largest is not None:
        return sums.largest
    with np.errstate(all="ignore"):
        furthest = np.maximum(sums.high - sums.mean, sums.mean - sums.low)
        return furthest * furthest * (sums.weight2 / sums.n)[:, None]


def _heavy(largest: Array, variance: Array, effect: Array, se: Array) -> Array:
    """Whether one row or cluster dominates the variance (...,) of a column that matters for the value.

    `effect` (..., k) is the change of the value per standard error of each column.
    """
    part = np.minimum(np.abs(effect) / se, 1.0)
    return (2.0 * largest * part * part > variance).any(axis=-1)


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
        bad = np.flatnonzero(~np.isfinite(extreme))
        if len(bad):
            kind = "not a number" if np.isnan(extreme[bad[0]]) else "infinite"
            first = note(Code.NOT_FINITE, kind=kind, row=int(row[bad[0]]) + 1, domain=domain)
            return Estimate(None, notes=(first,))
    if math.isinf(value) and np.isinf(sums.mean[place]).any():
        return Estimate(None, notes=(note(Code.SUM_OVERFLOW),))
    return Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason=bound.reduction.undefined),))


def _standard_errors(of: Callable[[Array], Array], sums: Sums, units: Array) -> tuple[Array, Array]:
    """Taylor linearisation in each cell (c,): sqrt(g' V g) / W sqrt(n / (n - 1)).

    And whether one of the n units dominates it (c,).  The gradient g is computed by central differences.
    Binder (1983), On the variances of asymptotically normal estimators from complex surveys,
    doi:10.2307/1402588
    """
    means, spread = sums.mean, sums.spread
    assert spread is not None
    variance = np.maximum(np.diagonal(spread, axis1=1, axis2=2), 0.0)
    with np.errstate(all="ignore"):
        scale = np.sqrt(units / (units - 1)) / sums.weight[:, 0]
        steps = np.sqrt(variance) * scale[:, None]
        # Steps in standard errors of each column, so that neither tiny nor huge columns overflow.  A step
        # may leave the domain (a root below zero); then a smaller one is tried.
        effect = np.full(means.shape, np.nan)
        for size in (STEP, STEP / 100):
            shifts = size * steps[:, :, None] * np.eye(means.shape[1])
            slopes = (of(means[:, None, :] + shifts) - of(means[:, None, :] - shifts)) / (2.0 * size)
            effect = np.where(np.isfinite(effect), effect, np.where(steps > 0, slopes, 0.0))
            if np.isfinite(effect).all():
                break
        inverse = np.where(steps > 0, 1.0 / np.where(steps > 0, steps, 1.0), 0.0) * scale[:, None]
        correlation = spread * inverse[:, :, None] * inverse[:, None, :]
        most = np.abs(effect).max(axis=1, keepdims=True)
        relative = effect / np.where(most > 0, most, 1.0)
        square = np.einsum("ci,cij,cj->c", relative, correlation, relative)
        error = np.sqrt(np.maximum(square, 0.0))
        return most[:, 0] * error, _heavy(_largest(sums), variance, relative, error[:, None])
