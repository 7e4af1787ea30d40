"""Reliability: observed frequencies against predicted probabilities, with intervals and counts."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style, tables
from losscli.render.naming import joined
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Dots about the diagonal, sized by the number of rows."""
    points = tables.finite(rows, "probability", "observed")
    for row in points:
        predicted, observed = decimal(row["probability"], 3), decimal(row["observed"], 3)
        row["text"] = f"predicted {predicted}, observed {observed}, {row['counted']}"
    dots = (
        style.base(points)
        .mark_circle(color=style.BLUE, opacity=1)
        .encode(
            x=style.x("probability", "predicted probability", scale={"domain": [0, 1]}),
            y=style.y("observed", "observed frequency", scale={"domain": [0, 1]}),
            size=alt.Size("rows:Q", title="rows", scale=alt.Scale(range=[25, 260]), legend=None),
            **style.tooltip(),
        )
    )
    judged = tables.finite(points, "ci_low", "ci_high")
    off = [row for row in judged if not row["ci_low"] <= row["probability"] <= row["ci_high"]]
    return Figure(
        f"Reliability: {len(off)} of {len(judged)} bins are significantly off the diagonal",
        "Dots with intervals about the diagonal, sized by the number of rows: "
        f"{joined([row['text'] for row in points], 12)}.",
        style.layered(tables.diagonal(), tables.whiskers(points, "probability"), dots),
    )


CHART = Drawing("reliability", "task", tables.figures_of("reliability", draw), order=0)
