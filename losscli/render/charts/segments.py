"""Weak segments: how much worse each one is than the rest of the rows."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, estimate
from losscli.render.graphics import style
from losscli.render.naming import joined, loss_label
from losscli.render.sections.segments import segment_name
from losscli.report.model import Report, Segment
from losscli.text import counted

MOST = 20
"""The maximum number of segments in a chart, which shows the most certain ones."""


def figures(report: Report) -> Iterator[Figure]:
    """One chart of all segments found."""
    if not report.segments:
        return
    top = report.segments[:MOST]
    labels = [segment_name(segment) for segment in top]
    rows = [_row(*segment) for segment in zip(style.shortened(labels), labels, top, strict=True)]
    loss = loss_label(top[0])
    sense = "below 0 is worse" if top[0].higher_is_better else "above 0 is worse"
    axis = f"difference of {loss} from the rest ({sense})"
    yield Figure(
        f"{loss} is significantly worse in {counted(len(report.segments), 'segment')}; "
        f"most certain: {labels[0]}, {decimal(top[0].value, 3)} against {decimal(top[0].rest, 3)} elsewhere",
        f"Dots with intervals about zero, the most certain first: {joined([r['text'] for r in rows], 8)}.",
        style.intervals(rows, axis, None, [style.rule(0, dash=False)], zero=True),
    )


def _row(name: str, label: str, segment: Segment) -> style.Row:
    return {
        "name": name,
        "value": segment.difference,
        "low": segment.ci_low,
        "high": segment.ci_high,
        "text": f"{label[:200]}: {estimate(segment.difference, segment.se)}, {style.counted(segment.rows)}",
    }


CHART = Drawing("segments", "segments", figures)
