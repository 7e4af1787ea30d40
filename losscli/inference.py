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
    n = int(moments.n[0])
    if n < 2:
        return Estimate(value, notes=("no interval: one row",))
    se = _standard_error(of, means, moments.spread[0], weight, n)
    if not math.isfinite(se):
        return Estimate(value, notes=("no interval: the spread of the rows is not finite",))
    half = quantile(level, n - 1) * se
    return Estimate(value, se, value - half, value + half, freedom=n - 1)


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
    n, weight, means, spread = moments.n, moments.weight[:, 0], moments.mean, moments.spread
    with np.errstate(all="ignore"):
        scale = np.sqrt(n / (n - 1)) / weight
        steps = np.sqrt(np.maximum(np.diagonal(spread, axis1=1, axis2=2), 0.0)) * scale[:, None]
        shifts = steps[:, :, None] * np.eye(means.shape[1])
        values = finish(np, means, known)
        ahead, behind = (finish(np, means[:, None, :] + sign * shifts, known) for sign in (1.0, -1.0))
        moving = steps > 0
        unit = np.where(moving, (ahead - behind) / 2.0, 0.0)
        inverse = np.where(moving, 1.0 / np.where(moving, steps, 1.0), 0.0) * scale[:, None]
        correlation = spread * inverse[:, :, None] * inverse[:, None, :]
        se = np.sqrt(np.maximum(np.einsum("ci,cij,cj->c", unit, correlation, unit), 0.0))
    ordinary = (n > 1) & (weight > 0) & np.isfinite(values) & np.isfinite(unit).all(axis=1) & np.isfinite(se)
    quantiles = {rows: quantile(level, rows - 1) for rows in np.unique(n[ordinary]).tolist()}
    found = {}
    for place in np.flatnonzero(ordinary).tolist():
        value, error = float(values[place]), float(se[place])
        half = quantiles[int(n[place])] * error
        found[place] = Estimate(value, error, value - half, value + half, freedom=int(n[place]) - 1)
    return found


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


def _standard_error(of: Any, means: Array, spread: Array, weight: float, n: int) -> float:
    """Taylor linearisation: sqrt(g' V g) / W sqrt(n / (n - 1)).

    The gradient g is taken by central differences with a step of one standard error of each column.
    Binder (1983), On the variances of asymptotically normal estimators from complex surveys,
    doi:10.2307/1402588
    """
    scale = math.sqrt(n / (n - 1)) / weight
    steps = np.sqrt(np.maximum(np.diagonal(spread), 0.0)) * scale
    moving = np.flatnonzero(steps > 0)
    if not len(moving):
        return 0.0
    gradient = np.zeros(len(means))
    # A step may leave the domain (a root below zero): then a smaller one serves.
    for shrink in (1.0, 0.1, 1e-2, 1e-3, 1e-4):
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
        return size
    unit = unit / size
    return size * math.sqrt(max(float(unit @ correlation @ unit), 0.0))
