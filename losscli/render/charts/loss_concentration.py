"""How much of the loss the worst rows account for."""

from __future__ import annotations

from losscli.render import worst
from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.render.naming import joined
from losscli.report.charts import Chart

_FEW = 0.01
"""The share of rows that the title mentions."""
_FEWEST = 3
"""The number of points up to which there is no curve to draw, as for a loss of 0 or 1."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure | None:
    """The share of the loss over the share of rows, the worst first; None for a loss below zero."""
    shares = [(0.0, 0.0), *worst.curve(chart)]
    if len(shares) <= _FEWEST:
        return None
    points: list[style.Row] = [
        {
            "top": 100 * top,
            "loss": 100 * loss,
            "text": f"{percent(top)} % of {chart.share_unit}: {percent(loss)} % of the loss",
        }
        for top, loss in shares
    ]
    loss = chart.loss or "the loss"
    common = style.base(points).encode(
        x=style.x("top", f"% of {chart.share_unit}, worst first"), y=style.y("loss", f"% of {loss}")
    )
    line = common.mark_line(color=style.BLUE, strokeWidth=2)
    dots = common.mark_circle(color=style.BLUE, size=20, opacity=1).encode(**style.tooltip())
    sentence = worst.sentence(chart, [_FEW])
    return Figure(
        f"{sentence[0].upper()}{sentence[1:]}",
        f"Curve of the cumulative share of {loss}: {joined([point['text'] for point in points[1:]], 8)}.",
        style.layered(tables.diagonal(0, 100), line, dots),
    )


CHART = Drawing("loss_concentration", "spread", tables.figures_of("loss_distribution", draw), order=1)
