"""Coverage: the share of targets below each quantile against its level."""

from __future__ import annotations

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.render.naming import joined
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Dots with intervals about the diagonal."""
    points = tables.finite(rows, "nominal", "observed")
    for row in points:
        row["text"] = f"{percent(row['observed'])} % below the {percent(row['nominal'])} % quantile"
    dots = (
        style.base(points)
        .mark_circle(color=style.BLUE, size=55, opacity=1)
        .encode(
            x=style.x("nominal", "nominal level of the quantile", scale={"domain": [0, 1]}),
            y=style.y("observed", "observed share of targets below it", scale={"domain": [0, 1]}),
            **style.tooltip(),
        )
    )
    judged = tables.finite(points, "ci_low", "ci_high")
    off = [row for row in judged if not row["ci_low"] <= row["nominal"] <= row["ci_high"]]
    return Figure(
        f"Coverage: {len(off)} of {len(judged)} quantiles differ significantly from their level",
        f"Dots with intervals about the diagonal: {joined([row['text'] for row in points], 12)}.",
        style.layered(tables.diagonal(), tables.whiskers(points, "nominal"), dots),
    )


CHART = Drawing("coverage", "task", tables.figures_of("coverage", draw), order=0)
