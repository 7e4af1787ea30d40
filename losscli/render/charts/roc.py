"""The ROC curve: the true positive rate against the false positive rate."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart

_ALARMS = 0.05
"""The maximum false positive rate of the point that the title mentions."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """The ROC curve, with the diagonal of random guessing."""
    points = tables.finite(rows, "false_positive_rate", "true_positive_rate")
    for row in points:
        row["text"] = (
            f"true positive rate {percent(row['true_positive_rate'])} % at a false positive rate of "
            f"{percent(row['false_positive_rate'])} %"
        )
    line = (
        style.base(points)
        .mark_line(color=style.BLUE, strokeWidth=2)
        .encode(
            x=style.x("false_positive_rate", "false positive rate", scale={"domain": [0, 1]}),
            y=style.y("true_positive_rate", "true positive rate", scale={"domain": [0, 1]}),
            order=alt.Order("place:Q"),
        )
    )
    for index, row in enumerate(points):
        row["place"] = index
    few = [row for row in points if row["false_positive_rate"] <= _ALARMS]
    best = max(few or points, key=lambda row: row["true_positive_rate"])
    return Figure(
        f"ROC: {best['text']}",
        f"Curve of the true positive rate over the false positive rate: {best['text']}.",
        style.layered(tables.diagonal(), line),
    )


CHART = Drawing("roc", "task", tables.figures_of("roc", draw), order=1)
