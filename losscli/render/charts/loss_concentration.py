"""How much of the loss the worst rows make up."""

from __future__ import annotations

import math

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.render.naming import listed
from losscli.report.charts import Chart

_FEW = 0.01
"""The share of rows that the title is about, as near as the bins allow."""

_FEWEST = 3
"""Points up to which there is no curve to see."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure | None:
    """The share of the loss over the share of rows, the worst first."""
    points: list[style.Row] = [{"rows": 0.0, "loss": 0.0}]
    points += [
        {"rows": 100 * row["top_share"], "loss": 100 * row["top_loss_share"]}
        for row in tables.within(rows, "top_share", "top_loss_share")
    ]
    if len(points) <= _FEWEST:  # a loss of 0 or 1; or below zero, which has no share
        return None
    points.sort(key=lambda point: point["rows"])
    for point in points:
        shares = percent(point["rows"] / 100), percent(point["loss"] / 100)
        point["text"] = "{} % of rows: {} % of the loss".format(*shares)
    few = min(points[1:], key=lambda point: abs(math.log((point["rows"] or 1e-9) / (100 * _FEW))))
    loss = chart.loss or "the loss"
    common = style.base(points).encode(
        x=style.x("rows", "% of rows, the worst first"), y=style.y("loss", f"% of {loss}")
    )
    line = common.mark_line(color=style.BLUE, strokeWidth=2)
    dots = common.mark_circle(color=style.BLUE, size=20, opacity=1).encode(**style.said())
    share = f"{percent(few['rows'] / 100)} % of rows make up {percent(few['loss'] / 100)} %"
    told = listed([point["text"] for point in points[1:]], 8)
    return Figure(
        f"Concentration: the worst {share} of {loss}",
        f"Curve of the share of the loss over that of rows: {told}.",
        style.layered(tables.diagonal(0, 100), line, dots),
    )


CHART = Drawing("loss_concentration", "spread", tables.of("loss_distribution", draw), place=1)
