"""Reliability: observed frequencies against predicted probabilities, with intervals and counts."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style, tables
from losscli.render.naming import listed
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Dots about the diagonal, larger where rows are more."""
    found = tables.within(rows, "probability", "observed")
    for row in found:
        said, seen = decimal(row["probability"], 3), decimal(row["observed"], 3)
        row["text"] = f"predicted {said}, observed {seen}, {row['counted']}"
    dots = (
        style.base(found)
        .mark_circle(color=style.BLUE, opacity=1)
        .encode(
            x=style.x("probability", "predicted probability", scale={"domain": [0, 1]}),
            y=style.y("observed", "observed frequency", scale={"domain": [0, 1]}),
            size=alt.Size("rows:Q", title="rows", scale=alt.Scale(range=[25, 260]), legend=None),
            **style.said(),
        )
    )
    judged = tables.within(found, "ci_low", "ci_high")
    off = [row for row in judged if not row["ci_low"] <= row["probability"] <= row["ci_high"]]
    return Figure(
        f"Reliability: {len(off)} of {len(judged)} bins are significantly off the diagonal",
        "Dots with intervals about the diagonal, sized by the number of rows: "
        f"{listed([row['text'] for row in found], 12)}.",
        style.layered(tables.diagonal(), tables.whiskers(found, "probability"), dots),
    )


CHART = Drawing("reliability", "task", tables.of("reliability", draw), place=0)
