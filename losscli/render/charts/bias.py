"""Bias: the mean residual in bins of the prediction, with intervals."""

from __future__ import annotations

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import signed
from losscli.render.graphics import style, tables
from losscli.render.naming import joined
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Dots with intervals, and a line at zero."""
    for row in rows:
        within = tables.span(row, "prediction")
        row["text"] = f"predictions {within}: {signed(row['residual'])}, {row['counted']}"
    dots = (
        style.base(tables.finite(rows, "prediction", "residual"))
        .mark_circle(color=style.BLUE, size=45, opacity=1)
        .encode(
            x=style.x("prediction", "mean prediction of the bin"),
            y=style.y("residual", "mean residual (prediction - target)"),
            **style.tooltip(),
        )
    )
    judged = tables.finite(rows, "ci_low", "ci_high")
    beyond = [row for row in judged if not row["ci_low"] <= 0 <= row["ci_high"]]
    largest = max((row["residual"] for row in beyond), key=abs, default=None)
    worst = "" if largest is None else f"; largest: {signed(largest)}"
    return Figure(
        f"Bias: significant in {len(beyond)} of {len(judged)} bins of the prediction{worst}",
        f"Dots of the mean residual with intervals: {joined([row['text'] for row in rows], 12)}.",
        style.layered(style.rule(0, "y"), tables.whiskers(rows, "prediction"), dots),
    )


CHART = Drawing("bias", "task", tables.figures_of("bias", draw), order=1)
