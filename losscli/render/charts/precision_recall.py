"""Precision over recall."""

from __future__ import annotations

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart

_FOUND = 0.9
"""The recall that the title is about."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """A curve."""
    points = tables.within(rows, "recall", "precision")
    for place, row in enumerate(points):
        row["place"] = place
    line = (
        style.base(points)
        .mark_line(color=style.BLUE, strokeWidth=2)
        .encode(
            x=style.x("recall", "recall", scale={"domain": [0, 1]}),
            y=style.y("precision", "precision", scale={"domain": [0, 1]}),
            order="place:Q",
        )
    )
    enough = [row for row in points if row["recall"] >= _FOUND]
    best = max(enough or points, key=lambda row: row["precision"])
    text = f"{percent(best['precision'])} % precision at {percent(best['recall'])} % recall"
    return Figure(f"Precision and recall: {text}", f"Curve of precision over recall: {text}.", line)


CHART = Drawing("precision_recall", "task", tables.of("precision_recall", draw), place=2)
