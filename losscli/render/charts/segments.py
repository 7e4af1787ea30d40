"""Where a model is weak: how much worse each segment is than the rest of the rows."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, estimate
from losscli.render.graphics import style
from losscli.render.naming import listed, loss_label
from losscli.render.sections.segments import segment_name
from losscli.report.model import Report, Segment
from losscli.text import counted

MOST = 20
"""The segments of a chart, the most certain ones."""


def figures(report: Report) -> Iterator[Figure]:
    """One chart of the segments that were found."""
    if not report.segments:
        return
    top = report.segments[:MOST]
    labels = [segment_name(each) for each in top]
    rows = [_row(*each) for each in zip(style.shortened(labels), labels, top, strict=True)]
    loss = loss_label(top[0])
    sense = "below 0 is worse" if top[0].higher_is_better else "above 0 is worse"
    axis = f"difference of {loss} from the rest ({sense})"
    yield Figure(
        f"{loss} is significantly worse in {counted(len(report.segments), 'segment')}; "
        f"most certain: {labels[0]}, {decimal(top[0].value, 3)} against {decimal(top[0].rest, 3)} elsewhere",
        f"Dots with intervals about zero, the most certain first: {listed([r['text'] for r in rows], 8)}.",
        style.intervals(rows, axis, None, [style.rule(0, dash=False)], zero=True),
    )


def _row(name: str, label: str, each: Segment) -> style.Row:
    return {
        "name": name,
        "value": each.difference,
        "low": each.ci_low,
        "high": each.ci_high,
        "text": f"{label[:200]}: {estimate(each.difference, each.se)}, {style.counted(each.rows)}",
    }


CHART = Drawing("segments", "segments", figures)
