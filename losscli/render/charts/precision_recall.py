"""Precision over recall."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart

_RECALL = 0.9
"""The minimum recall of the point that the title mentions."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """A curve of precision over recall."""
    points = tables.finite(rows, "recall", "precision")
    for index, row in enumerate(points):
        row["place"] = index
    line = (
        style.base(points)
        .mark_line(color=style.BLUE, strokeWidth=2)
        .encode(
            x=style.x("recall", "recall", scale={"domain": [0, 1]}),
            y=style.y("precision", "precision", scale={"domain": [0, 1]}),
            order=alt.Order("place:Q"),
        )
    )
    enough = [row for row in points if row["recall"] >= _RECALL]
    best = max(enough or points, key=lambda row: row["precision"])
    text = f"{percent(best['precision'])} % precision at {percent(best['recall'])} % recall"
    return Figure(f"Precision and recall: {text}", f"Curve of precision over recall: {text}.", line)


CHART = Drawing("precision_recall", "task", tables.figures_of("precision_recall", draw), order=2)
