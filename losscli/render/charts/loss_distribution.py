"""The distribution of the loss over rows, on a logarithmic axis."""

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
    is_below_zero = rows[0]["loss_low"] < 0
    losing = rows if is_below_zero else [row for row in rows if row["loss_low"] > 0] or rows
    if len(losing) < _FEWEST:
        return None
    free = 0.0 if is_below_zero else sum(row["share"] or 0.0 for row in rows if row["loss_high"] == 0)
    is_log = losing[0]["loss_low"] > 0
    scale: dict[str, Any] = {"type": "log", "nice": False} if is_log else {}
    fullest = max(losing, key=lambda row: row["percent"])
    what = f"{chart.loss or 'loss'} per {chart.unit.removesuffix('s')}"
    most = f"most common from {tables.span(fullest, 'loss')} ({percent(fullest['share'])} % of {chart.whole})"
    axis = f"{what} (log scale)" if is_log else what
    return Figure(
        f"{what}: {most}" + (f"; exactly 0 in {percent(free)} %" if free else ""),
        f"Histogram of {axis} in {len(losing)} bins; {most}.",
        tables.bars(losing, "loss", "percent", (axis, f"% of {chart.whole}"), **scale),
    )


CHART = Drawing("loss_distribution", "spread", tables.of("loss_distribution", draw), place=0)
