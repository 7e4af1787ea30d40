"""Gain by rank: the relevance of the items at each rank, and in the best order."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style, tables
from losscli.render.naming import joined
from losscli.report.charts import Chart

ORDERS = ("predicted order", "best order")


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """The curves of both orders over ranks, with intervals for the predicted one."""
    points = tables.finite(rows, "rank", "relevance", "ideal")
    long = [
        {
            "rank": row["rank"],
            "mean": row[field],
            "order": order,
            "text": f"rank {row['rank']}, {order}: {decimal(row[field], 3)}",
        }
        for field, order in zip(("relevance", "ideal"), ORDERS, strict=True)
        for row in points
    ]
    scale = alt.Scale(domain=list(ORDERS), range=[style.BLUE, style.ORANGE])
    common = style.base(long).encode(
        x=style.x("rank", "rank", tickMinStep=1, format="d"),
        y=style.y("mean", "mean relevance", zero=True),
        color=alt.Color("order:N", title=None, scale=scale),
    )
    lines, dots = common.mark_line(strokeWidth=2), common.mark_circle(size=30, opacity=1)
    first = "none"
    if points:
        relevance, ideal = (decimal(points[0][name], 3) for name in ("relevance", "ideal"))
        first = f"{relevance} at rank {points[0]['rank']}, {ideal} in the best order"
    summary = joined([row["text"] for row in long], 10) if long else first
    return Figure(
        f"Mean relevance: {first}",
        f"Curves of the mean relevance over ranks: {summary}.",
        style.layered(tables.whiskers(points, "rank"), lines, dots.encode(**style.tooltip())),
    )


CHART = Drawing("gain", "task", tables.figures_of("gain", draw), order=0)
