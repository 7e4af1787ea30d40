"""How much of the loss the worst rows account for, from the chart of its distribution."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from losscli.render.digits import percent
from losscli.report.charts import Chart

SHARES = (0.01, 0.1)
"""The shares of the rows whose part of the loss is said."""


def curve(chart: Chart) -> list[tuple[float, float]]:
    """Shares of the rows, the worst first, with their shares of the loss; empty if these are not defined."""
    pairs = zip(chart.columns["top_share"], chart.columns["top_loss_share"], strict=True)
    return sorted(
        (float(top), float(loss))
        for top, loss in pairs
        if isinstance(top, int | float) and isinstance(loss, int | float)
    )


def sentence(chart: Chart, shares: Iterable[float] = SHARES) -> str:
    """'the worst 1 % of rows account for 12 % of mae, the worst 10 % for 48 %'; empty if not defined."""
    points = curve(chart)
    if not points:
        return ""
    (few, part), *others = ((f"{100 * share:g} %", f"{percent(_at(points, share))} %") for share in shares)
    whose = f"{few} of {chart.whole}" if chart.whole == chart.unit else f"{chart.unit}, {few} of the weight,"
    found = [f"the worst {whose} account for {part} of {chart.loss or 'the loss'}"]
    return ", ".join([*found, *(f"the worst {few} for {part}" for few, part in others)])


def _at(points: list[tuple[float, float]], share: float) -> float:
    """The share of the loss in the worst rows of a share; between points in proportion."""
    place = min(bisect_left(points, share, key=lambda point: point[0]), len(points) - 1)
    before, after = points[place - 1] if place else (0.0, 0.0), points[place]
    width = after[0] - before[0]
    inside = min((share - before[0]) / width, 1.0) if width > 0 else 1.0
    return before[1] + inside * (after[1] - before[1])
