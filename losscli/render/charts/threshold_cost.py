"""The errors of both kinds at each threshold."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, percent
from losscli.render.graphics import style, tables
from losscli.report.charts import Chart

_CURVES = {"cost": "all errors", "false_positives": "false positives", "false_negatives": "false negatives"}


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """A curve for each kind of error, and one for their sum."""
    points = sorted(tables.finite(rows, "threshold", *_CURVES), key=lambda row: row["threshold"])
    long = [
        {"threshold": row["threshold"], "percent": 100 * row[field], "errors": name}
        for field, name in _CURVES.items()
        for row in points
    ]
    colours = alt.Scale(domain=list(_CURVES.values()), range=[style.INK, style.ORANGE, style.BLUE])
    dashes = alt.Scale(domain=list(_CURVES.values()), range=[[1, 0], [5, 3], [2, 2]])
    lines = (
        style.base(long)
        .mark_line(strokeWidth=2)
        .encode(
            x=style.x("threshold", "threshold of the score"),
            y=style.y("percent", "% of rows", zero=True),
            color=alt.Color("errors:N", title=None, scale=colours),
            strokeDash=alt.StrokeDash("errors:N", title=None, scale=dashes),
        )
    )
    best = min(points, key=lambda row: row["cost"], default=None)
    minimum = f"{percent(best['cost'])} % at {decimal(best['threshold'], 3)}" if best else "none"
    return Figure(
        f"Errors by threshold: fewest {minimum}",
        f"Curves of false positives, false negatives and both over the threshold; fewest: {minimum}.",
        lines,
    )


CHART = Drawing("threshold_cost", "task", tables.figures_of("threshold_cost", draw), order=4)
