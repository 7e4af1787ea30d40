"""How residuals are spread: a histogram about zero."""

from __future__ import annotations

from losscli.render.charts import Drawing, Figure
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Bars of the share of rows."""
    for row in rows:
        row["percent"] = 100 * (row["share"] or 0.0)
    fullest = max(rows, key=lambda row: row["percent"])
    bars = tables.bars(
        rows, "residual", "percent", ("residual (prediction - target)", f"% of {chart.share_unit}")
    )
    return Figure(
        f"Distribution of residuals: most common from {tables.span(fullest, 'residual')}",
        f"Histogram of residuals in {len(rows)} bins; most common: {fullest['text']}.",
        style.layered(bars, style.rule(0)),
    )


CHART = Drawing("residual_distribution", "task", tables.figures_of("residual_distribution", draw), order=2)
