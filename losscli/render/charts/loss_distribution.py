"""How the loss is spread over rows, on a logarithmic axis."""

from __future__ import annotations

from typing import Any

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart

_FEWEST = 3
"""Bins from which on there is a distribution to see: a loss of 0 or 1 has none."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure | None:
    """Bars of the share of rows; rows without loss are in the text."""
    for row in rows:
        row["percent"] = 100 * (row["share"] or 0.0)
    losing = [row for row in rows if row["loss_low"] > 0] or rows
    if len(losing) < _FEWEST:
        return None
    free = sum(row["share"] or 0.0 for row in rows if row["loss_high"] == 0)
    scale: dict[str, Any] = {"type": "log", "nice": False} if losing[0]["loss_low"] > 0 else {}
    fullest = max(losing, key=lambda row: row["percent"])
    title = f"{chart.loss or 'Loss'} of a row: most often {tables.span(fullest, 'loss')}"
    titles = (f"{chart.loss or 'loss'} of a row, logarithmic", "% of rows")
    return Figure(
        f"{title}; {percent(free)} % of rows lose nothing" if free else title,
        f"Histogram of the loss of rows in {len(losing)} bins of a logarithmic axis, percent of rows.",
        tables.bars(losing, "loss", "percent", titles, **scale),
    )


CHART = Drawing("loss_distribution", "spread", tables.of("loss_distribution", draw), place=0)
