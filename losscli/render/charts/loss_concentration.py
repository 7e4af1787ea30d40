"""How much of the loss the worst rows account for."""

from __future__ import annotations

from losscli.render import worst
from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.render.naming import listed
from losscli.report.charts import Chart

_FEW = 0.01
"""The share of rows that the title is about."""
_FEWEST = 3
"""Points up to which there is no curve to see: a loss of 0 or 1."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure | None:
    """The share of the loss over the share of rows, the worst first; None for a loss below zero."""
    shares = [(0.0, 0.0), *worst.curve(chart)]
    if len(shares) <= _FEWEST:
        return None
    points: list[style.Row] = [
        {
            "top": 100 * top,
            "loss": 100 * loss,
            "text": f"{percent(top)} % of {chart.whole}: {percent(loss)} % of the loss",
        }
        for top, loss in shares
    ]
    loss = chart.loss or "the loss"
    common = style.base(points).encode(
        x=style.x("top", f"% of {chart.whole}, worst first"), y=style.y("loss", f"% of {loss}")
    )
    line = common.mark_line(color=style.BLUE, strokeWidth=2)
    dots = common.mark_circle(color=style.BLUE, size=20, opacity=1).encode(**style.said())
    said = worst.sentence(chart, [_FEW])
    return Figure(
        f"{said[0].upper()}{said[1:]}",
        f"Curve of the cumulative share of {loss}: {listed([point['text'] for point in points[1:]], 8)}.",
        style.layered(tables.diagonal(0, 100), line, dots),
    )


CHART = Drawing("loss_concentration", "spread", tables.of("loss_distribution", draw), place=1)
