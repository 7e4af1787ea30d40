"""Residuals against predictions: bins of both, shaded by the number of rows."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """A map of bins."""
    for row in rows:
        row["text"] = (
            f"prediction {tables.span(row, 'prediction')}, residual {tables.span(row, 'residual')}: "
            f"{row['counted']}"
        )
    bins = (
        style.base(rows)
        .mark_rect(color=style.BLUE, clip=True)
        .encode(
            x=style.x("prediction_low", "prediction"),
            x2=alt.X2("prediction_high:Q"),
            y=style.y("residual_low", "residual (prediction - target)"),
            y2=alt.Y2("residual_high:Q"),
            opacity=alt.Opacity("rows:Q", title="rows", scale=alt.Scale(type="sqrt", range=[0.12, 1])),
            **style.tooltip(),
        )
    )
    low, high = min(row["residual_low"] for row in rows), max(row["residual_high"] for row in rows)
    fullest = max(rows, key=lambda row: row["rows"])
    return Figure(
        f"Residuals against predictions: {'nearly ' if chart.notes else ''}all between {decimal(low, 3)} and "
        f"{decimal(high, 3)}",
        f"Map of rows in {len(rows):,} bins of prediction and residual; most rows: {fullest['text']}.",
        style.layered(bins, style.rule(0, "y")),
    )


CHART = Drawing("residuals", "task", tables.figures_of("residuals", draw), order=0)
