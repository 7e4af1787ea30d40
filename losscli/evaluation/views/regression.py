"""Charts of regression: residuals against predictions, bias by prediction, distribution of residuals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct

from losscli.evaluation.views.base import (
    MOST_CELLS,
    ChartBlock,
    Drawing,
    Table,
    grouped,
    plain,
    ratio,
    shown,
)
from losscli.evaluation.views.notes import beyond
from losscli.numeric.arrays import Array
from losscli.numeric.student import quantile
from losscli.report.charts import Chart, Value
from losscli.report.findings import Note
from losscli.states.base import Summary
from losscli.states.grid import Axis, Bins
from losscli.tasks.regression import Regression

PREDICTION = Axis(digits=3, octaves=15)
RESIDUAL = Axis(digits=4, octaves=30)
"""Fine enough for 16 bins of predictions and 32 of residuals if an outlier is 4,000 or 100 million times as
large as the others; finer without outliers."""
_MAP = 40
"""Maximum number of bins of either axis of the map."""
_SPREAD = 60
"""Maximum number of bins of the distribution."""
_GROUPS = 15
"""Number of bins of about the same weight for the bias."""


def taken(block: ChartBlock) -> dict[str, Summary]:
    """The grid of predictions and residuals of each output."""
    batches = block.block.rows.parts.get(Regression, ())[:MOST_CELLS]
    summaries: dict[str, Summary] = {}
    for place, batch in enumerate(batches):
        assert isinstance(batch, Regression)
        prediction, error = block(batch.prediction), block(batch.error)
        axes = (PREDICTION, RESIDUAL)
        summaries[str(place)] = block.grid(axes, prediction, error, also=(error, prediction))
    return summaries


def drawn(drawing: Drawing) -> Iterator[Chart]:
    """The charts of each output."""
    names = drawing.plan.roles.names
    for place in range(MOST_CELLS):
        if not drawing.has(str(place)):
            return
        cell = {"output": names[place]} if len(drawing.plan.roles.predictions) > 1 else {}
        (predictions, residuals), table, along = drawing.grid(str(place))
        output = _Output(drawing, cell, predictions, residuals, table, along, drawing.sampled(str(place)))
        yield _residuals(output)
        yield _bias(output)
        yield _spread(output)


class _Output(Struct, frozen=True, eq=False):
    """The data of the charts of one output: its `cell`, both axes of its map, and the sums in their bins.

    `along` (2, bins) are the sums of residuals and predictions in the bins of predictions; `notes` are common
    to all of its charts.
    """

    drawing: Drawing
    cell: Mapping[str, str]
    predictions: Bins
    residuals: Bins
    table: Table
    along: Array
    notes: tuple[Note, ...]


def _residuals(output: _Output) -> Chart:
    drawing, table = output.drawing, output.table
    predictions, residuals = output.predictions, output.residuals
    across = shown(predictions, table.weight.sum(axis=1), _MAP)
    along = shown(residuals, table.weight.sum(axis=0), _MAP)
    shown_table = table.grouped(across.places, across.count, 0).grouped(along.places, along.count, 1)
    x, y = np.nonzero(shown_table.rows)
    columns = {
        "prediction_low": plain(across.low[x]),
        "prediction_high": plain(across.high[x]),
        "residual_low": plain(along.low[y]),
        "residual_high": plain(along.high[y]),
        **drawing.counted(shown_table[x, y]),
    }
    axes = (("predictions", predictions, across), ("residuals", residuals, along))
    extents = {name: (bins.low, bins.high) for name, bins, axis in axes if not axis.is_whole}
    rows_outside = table.rows.sum() - shown_table.rows.sum()
    left_out = beyond(rows_outside, table.rows.sum(), extents)
    return drawing.chart("residuals", columns, output.cell, (*left_out, *output.notes))


def _bias(output: _Output) -> Chart:
    drawing, predictions = output.drawing, output.predictions
    rows = output.table.sum(1)
    across = shown(predictions, rows.weight, _MAP)
    places = _even(np.where(across.places >= 0, rows.weight, 0.0))
    count = int(places.max(initial=-1)) + 1
    groups = rows.grouped(places, count)
    total, predicted = grouped(output.along, places, count, axis=1)
    bias = ratio(total, groups.weight)
    low, high = predictions.edges()
    members = [np.flatnonzero(places == place) for place in range(len(bias))]
    variance = _variances(output.residuals, output.table, places, bias)
    columns = {
        "prediction_low": plain(np.array([low[at[0]] for at in members])),
        "prediction_high": plain(np.array([high[at[-1]] for at in members])),
        "prediction": plain(ratio(predicted, groups.weight)),
        "residual": plain(bias),
        **_interval(drawing, bias, variance, groups),
        **drawing.counted(groups),
    }
    rows_outside = rows.rows.sum() - groups.rows.sum()
    left_out = beyond(rows_outside, rows.rows.sum(), {"predictions": (predictions.low, predictions.high)})
    return drawing.chart("bias", columns, output.cell, (*left_out, *output.notes))


def _even(weight: Array) -> Array:
    """The group of each bin (bins,), of about equal weights; -1 for bins without weight."""
    filled = weight > 0
    total = weight.sum()
    middle = np.cumsum(weight) - weight / 2
    groups = np.minimum((middle / total * _GROUPS).astype(np.int64), _GROUPS - 1) if total else filled * 0
    places = np.full(len(weight), -1)
    places[filled] = np.unique(groups[filled], return_inverse=True)[1]
    return places


def _variances(residuals: Bins, table: Table, places: Array, bias: Array) -> Array:
    """The variance of the residuals of each group (groups,) about their mean.

    Residuals are taken to be uniform within their bin.
    """
    low, high = residuals.edges()
    middle, inside = low / 2 + high / 2, (high / 2 - low / 2) ** 2 / 3
    weight = grouped(table.weight, places, len(bias))
    with np.errstate(over="ignore", invalid="ignore"):
        squares = (middle - bias[:, None]) ** 2 + inside
        return np.where(weight > 0, weight * squares, 0.0).sum(axis=1) / weight.sum(axis=1)


def _interval(drawing: Drawing, bias: Array, variance: Array, table: Table) -> dict[str, list[Value]]:
    """The intervals of means, by Student's t."""
    low: list[float] = []
    high: list[float] = []
    for mean, square, n in zip(bias.tolist(), variance.tolist(), table.effective.tolist(), strict=True):
        half = math.nan
        if drawing.level is not None and n > 1:
            half = quantile(drawing.level, n - 1) * math.sqrt(square / (n - 1))
        low.append(mean - half)
        high.append(mean + half)
    return {"ci_low": plain(np.array(low)), "ci_high": plain(np.array(high))}


def _spread(output: _Output) -> Chart:
    drawing, residuals, table = output.drawing, output.residuals, output.table.sum(0)
    along = shown(residuals, table.weight, _SPREAD)
    shown_table = table.grouped(along.places, along.count)
    columns = {
        "residual_low": plain(along.low),
        "residual_high": plain(along.high),
        **drawing.counted(shown_table),
        "share": plain(ratio(shown_table.weight, np.full(along.count, table.weight.sum()))),
    }
    rows_outside = table.rows.sum() - shown_table.rows.sum()
    left_out = beyond(rows_outside, table.rows.sum(), {"residuals": (residuals.low, residuals.high)})
    return drawing.chart("residual_distribution", columns, output.cell, (*left_out, *output.notes))
