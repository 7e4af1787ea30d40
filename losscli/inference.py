"""From moments to a value with its standard error and interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from losscli.finish import Finish
from losscli.losses.registry import Choice
from losscli.moments import Moments
from losscli.student import quantile
from losscli.xp import Array

FEW = 30
"""Rows or clusters below which an interval is rough."""
STEP = 1e-3
"""Of the differences that make the gradient, in standard errors of a column.

So small because some finishes subtract columns that are large: a variance about a centre far from the mean
is straight for a small part of a standard error only.  So large because rounding then costs no more than
the seventh digit, of a billion rows too.
"""


@dataclass(frozen=True)
class Estimate:
    """A value with its noise; None where it is not defined, with the reason in `notes`."""

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    notes: tuple[str, ...] = ()
    freedom: float | None = None


def estimate(
    choice: Choice, moments: Moments, level: float | None = None, pilots: Sequence[Any] = (None,)
) -> Estimate:
    """The value of a loss from the moments of one cell.

    There is a pilot an output.  With several outputs the columns hold one output after the other, and the
    value is the mean of theirs, or what a finish that is `joint` makes of all of them.
    """
    finish = choice.loss.finish
    weight = float(moments.weight[0, 0])
    if int(moments.n[0]) == 0 or weight <= 0:
        return Estimate(None, notes=("no rows",))
    outputs = len(pilots)
    if finish.extreme:
        rows = ", ".join(str(int(row) + 1) for row in moments.high_row[0])
        value = float(np.mean(moments.high[0]))
        return _defined(choice, moments, value, notes=(f"at row {rows}; a maximum has no interval",))
    means = moments.mean[0]
    low, high = (extreme[0].reshape(outputs, -1) for extreme in (moments.low, moments.high))
    known = {**choice.params, "weight": weight, "low": low, "high": high, "pilots": pilots}
    each = [{**known, "low": low[i], "high": high[i], "pilot": pilots[i]} for i in range(outputs)]

    def of(points: Array) -> Array:
        points = points.reshape(*points.shape[:-1], outputs, -1)
        with np.errstate(all="ignore"):
            if finish.joint:
                return finish(np, points, known)
            parts = [finish(np, points[..., i, :], own) for i, own in enumerate(each)]
            return parts[0] if outputs == 1 else sum(parts) / outputs

    value = float(of(means))
    if not math.isfinite(value) or level is None or moments.spread is None:
        notes = ("no interval: too many columns",) if level is not None and moments.spread is None else ()
        return _defined(choice, moments, value, notes)
    unit, units = _units(moments)
    n = int(units[0])
    if n < 2:
        return Estimate(value, notes=(f"no interval: one {unit}",))
    se, heavy = _standard_error(of, means, moments.spread[0], _largest(moments)[0], weight, n)
    if not math.isfinite(se):
        return Estimate(value, notes=(f"no interval: the spread of the {unit}s is not finite",))
    return _interval(value, se, level, unit, n, heavy)


def estimates(
    choice: Choice, moments: Moments, level: float | None = None, pilots: Sequence[Any] = (None,)
) -> list[Estimate]:
    """The estimate of each cell: the same numbers as `estimate` gives, for many cells at once."""
    found: list[Estimate | None] = [None] * len(moments.n)
    if (
        len(pilots) == 1
        and level is not None
        and moments.spread is not None
        and _same_for_all(choice.loss.finish)
    ):
        known = {**choice.params, "pilot": pilots[0]}
        for place, estimated in _at_once(choice.loss.finish, moments, level, known).items():
            found[place] = estimated
    return [each or estimate(choice, moments.cell(place), level, pilots) for place, each in enumerate(found)]


def _same_for_all(finish: Finish) -> bool:
    """Whether a finish asks for nothing that differs from cell to cell."""
    return not (finish.extreme or finish.joint or finish.names & {"weight", "low", "high"})


def _at_once(finish: Finish, moments: Moments, level: float, known: Mapping[str, Any]) -> dict[int, Estimate]:
    """The estimates of ordinary cells: of two rows or more, with finite values and slopes."""
    assert moments.spread is not None
    unit_name, n = _units(moments)
    weight, means, spread = moments.weight[:, 0], moments.mean, moments.spread
    variance = np.maximum(np.diagonal(spread, axis1=1, axis2=2), 0.0)
    with np.errstate(all="ignore"):
        scale = np.sqrt(n / (n - 1)) / weight
        steps = np.sqrt(variance) * scale[:, None]
        shifts = STEP * steps[:, :, None] * np.eye(means.shape[1])
        values = finish(np, means, known)
        ahead, behind = (finish(np, means[:, None, :] + sign * shifts, known) for sign in (1.0, -1.0))
        moving = steps > 0
        unit = np.where(moving, (ahead - behind) / (2.0 * STEP), 0.0)
        inverse = np.where(moving, 1.0 / np.where(moving, steps, 1.0), 0.0) * scale[:, None]
        correlation = spread * inverse[:, :, None] * inverse[:, None, :]
        se = np.sqrt(np.maximum(np.einsum("ci,cij,cj->c", unit, correlation, unit), 0.0))
        heavy = _heavy(_largest(moments), variance, unit, se[:, None])
    ordinary = (n > 1) & (weight > 0) & np.isfinite(values) & np.isfinite(unit).all(axis=1) & np.isfinite(se)
    return {
        place: _interval(
            float(values[place]), float(se[place]), level, unit_name, int(n[place]), bool(heavy[place])
        )
        for place in np.flatnonzero(ordinary).tolist()
    }


def _interval(value: float, se: float, level: float, unit: str, n: int, heavy: bool) -> Estimate:
    """The interval of Student's t between n rows or clusters, with a note where it is rough."""
    half = quantile(level, n - 1) * se
    note = ""
    if se == 0:
        note = f"no spread: an interval without width says only that all {unit}s are alike"
    elif n < FEW:
        note = f"rough interval: fewer than {FEW} {unit}s"
    elif heavy:
        note = f"rough interval: one {unit} makes most of the spread"
    return Estimate(value, se, value - half, value + half, (note,) if note else (), freedom=n - 1)


def _units(moments: Moments) -> tuple[str, Array]:
    """What the spread is between, and how many of them there are (c,)."""
    return ("row", moments.n) if moments.units is None else ("cluster", moments.units)


def _largest(moments: Moments) -> Array:
    """What a row or cluster adds at most to the spread of each column (c, k); a row of usual weight."""
    if moments.largest is not None:
        return moments.largest
    with np.errstate(all="ignore"):
        furthest = np.maximum(moments.high - moments.mean, moments.mean - moments.low)
        return furthest * furthest * (moments.weight2 / moments.n)[:, None]


def _heavy(largest: Array, variance: Array, unit: Array, se: Array) -> Array:
    """Whether one row or cluster makes most of the variance (...,): of a column (..., k) on which it rests.

    `unit` is what each column does to the value in a standard error of its own.
    """
    part = np.minimum(np.abs(unit) / se, 1.0)
    return (2.0 * largest * part * part > variance).any(axis=-1)


def _defined(choice: Choice, moments: Moments, value: float, notes: tuple[str, ...] = ()) -> Estimate:
    """The estimate of a value without noise, or the reason why there is no value."""
    if math.isfinite(value):
        return Estimate(value, notes=notes)
    domain = f"; it takes {choice.loss.domain}" if choice.loss.domain else ""
    for extreme, row in ((moments.high[0], moments.high_row[0]), (moments.low[0], moments.low_row[0])):
        bad = np.flatnonzero(~np.isfinite(extreme))
        if len(bad):
            kind = "not a number" if np.isnan(extreme[bad[0]]) else "infinite"
            return Estimate(None, notes=(f"{kind}: first at row {int(row[bad[0]]) + 1}{domain}",))
    if math.isinf(value) and np.isinf(moments.mean[0]).any():
        return Estimate(None, notes=("its sum is beyond the largest float",))
    return Estimate(None, notes=(f"undefined: {choice.loss.finish.undefined}",))


def _standard_error(
    of: Any, means: Array, spread: Array, largest: Array, weight: float, n: int
) -> tuple[float, bool]:
    """Taylor linearisation: sqrt(g' V g) / W sqrt(n / (n - 1)); and whether one of the n makes most of it.

    The gradient g is taken by central differences.
    Binder (1983), On the variances of asymptotically normal estimators from complex surveys,
    doi:10.2307/1402588
    """
    scale = math.sqrt(n / (n - 1)) / weight
    variance = np.maximum(np.diagonal(spread), 0.0)
    steps = np.sqrt(variance) * scale
    moving = np.flatnonzero(steps > 0)
    if not len(moving):
        return 0.0, False
    gradient = np.zeros(len(means))
    # A step may leave the domain (a root below zero): then a smaller one serves.
    for shrink in (STEP, STEP / 100):
        shifts = np.zeros((len(moving), len(means)))
        shifts[np.arange(len(moving)), moving] = steps[moving] * shrink
        slopes = (of(means + shifts) - of(means - shifts)) / (2.0 * steps[moving] * shrink)
        if np.isfinite(slopes).all():
            break
    gradient[moving] = slopes
    # Scaled to steps, neither tiny nor huge columns overflow.
    unit = gradient * steps
    inverse = np.where(steps > 0, 1.0 / np.where(steps > 0, steps, 1.0), 0.0)
    correlation = spread * scale * scale * inverse[:, None] * inverse[None, :]
    size = float(np.abs(unit).max())
    if not 0 < size < math.inf:
        return size, False
    unit = unit / size
    relative = math.sqrt(max(float(unit @ correlation @ unit), 0.0))
    with np.errstate(all="ignore"):
        return size * relative, bool(_heavy(largest, variance, unit, np.float64(relative)))
