"""The distribution of scores in each class."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.graphics import style, tables
from losscli.render.naming import joined, visible
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Overlaid histograms, one per class."""
    classes = list(dict.fromkeys(row["class"] for row in rows))
    for row, label in zip(rows, (visible(row["class"]) for row in rows), strict=True):
        row["percent"] = 100 * (row["share"] or 0.0)
        row["label"] = label[: style.LONGEST]
        row["text"] = f"{label[:200]}, score {tables.span(row, 'score')}: {row['counted']}"
    colour = alt.Color(
        "label:N",
        title="true class",
        scale=alt.Scale(
            domain=[visible(name)[: style.LONGEST] for name in classes], range=list(style.SERIES)
        ),
    )
    titles = ("score", "% of the class")
    return Figure(
        f"Distribution of scores by class: {joined([visible(name)[: style.LONGEST] for name in classes])}",
        f"Histograms of the score, percent of rows of each class, in {len(rows)} bins.",
        tables.bars(rows, "score", "percent", titles, colour, 0.55),
    )


CHART = Drawing("score_distribution", "task", tables.figures_of("score_distribution", draw), order=3)
