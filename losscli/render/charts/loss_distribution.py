"""The distribution of the loss over rows, on a logarithmic axis."""

from __future__ import annotations

from typing import Any

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart

_FEWEST = 3
"""The minimum number of bins of a distribution worth drawing; a loss of 0 or 1 has fewer."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure | None:
    """Bars of the share of rows; the title mentions rows without loss."""
    for row in rows:
        row["percent"] = 100 * (row["share"] or 0.0)
    is_below_zero = rows[0]["loss_low"] < 0
    losing = rows if is_below_zero else [row for row in rows if row["loss_low"] > 0] or rows
    if len(losing) < _FEWEST:
        return None
    free_share = 0.0 if is_below_zero else sum(row["share"] or 0.0 for row in rows if row["loss_high"] == 0)
    is_log = losing[0]["loss_low"] > 0
    scale: dict[str, Any] = {"type": "log", "nice": False} if is_log else {}
    fullest = max(losing, key=lambda row: row["percent"])
    what = f"{chart.loss or 'loss'} per {chart.unit.removesuffix('s')}"
    peak = (
        f"most common from {tables.span(fullest, 'loss')} "
        f"({percent(fullest['share'])} % of {chart.share_unit})"
    )
    axis = f"{what} (log scale)" if is_log else what
    return Figure(
        f"{what}: {peak}" + (f"; exactly 0 in {percent(free_share)} %" if free_share else ""),
        f"Histogram of {axis} in {len(losing)} bins; {peak}.",
        tables.bars(losing, "loss", "percent", (axis, f"% of {chart.share_unit}"), **scale),
    )


CHART = Drawing("loss_distribution", "spread", tables.figures_of("loss_distribution", draw), order=0)
