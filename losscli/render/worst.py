"""How much of the loss the worst rows account for, from the loss distribution chart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from losscli.render.digits import percent
from losscli.report.charts import Chart

SHARES = (0.01, 0.1)
"""The shares of the rows that a sentence mentions."""


def curve(chart: Chart) -> list[tuple[float, float]]:
    """Points (share of the rows, worst first; their share of the loss); empty if the shares are undefined."""
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
    subject = (
        f"{few} of {chart.share_unit}"
        if chart.share_unit == chart.unit
        else f"{chart.unit}, {few} of the weight,"
    )
    first = [f"the worst {subject} account for {part} of {chart.loss or 'the loss'}"]
    return ", ".join([*first, *(f"the worst {few} for {part}" for few, part in others)])


def _at(points: list[tuple[float, float]], share: float) -> float:
    """The share of the loss in the worst `share` of the rows, by linear interpolation."""
    index = min(bisect_left(points, share, key=lambda point: point[0]), len(points) - 1)
    before, after = points[index - 1] if index else (0.0, 0.0), points[index]
    width = after[0] - before[0]
    fraction = min((share - before[0]) / width, 1.0) if width > 0 else 1.0
    return before[1] + fraction * (after[1] - before[1])
