"""How scores are spread in each class."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.graphics import style, tables
from losscli.render.naming import listed, shown
from losscli.report.charts import Chart


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """Overlaid histograms, one for each class."""
    classes = list(dict.fromkeys(row["class"] for row in rows))
    for row, label in zip(rows, (shown(row["class"]) for row in rows), strict=True):
        row["percent"] = 100 * (row["share"] or 0.0)
        row["label"] = label[: style.LONGEST]
        row["text"] = f"{label[:200]}, score {tables.span(row, 'score')}: {row['counted']}"
    colour = alt.Color(
        "label:N",
        title="true class",
        scale=alt.Scale(domain=[shown(name)[: style.LONGEST] for name in classes], range=list(style.SERIES)),
    )
    titles = ("score", "% of the class")
    return Figure(
        f"Distribution of scores by class: {listed([shown(name)[: style.LONGEST] for name in classes])}",
        f"Histograms of the score, percent of rows of each class, in {len(rows)} bins.",
        tables.bars(rows, "score", "percent", titles, colour, 0.55),
    )


CHART = Drawing("score_distribution", "task", tables.of("score_distribution", draw), place=3)
