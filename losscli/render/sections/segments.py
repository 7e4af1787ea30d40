"""The segments on which a model is weak, the most certain first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from losscli.render.digits import DASH, Precision, decimal, percent, span
from losscli.render.drawing import Axis, Drawing, Ends
from losscli.render.naming import interval_heading, loss_label, visible
from losscli.render.tables import Column, Table
from losscli.report.model import Report, Segment

AXIS = f"0{'worse':>18}"
"""The heading of the drawings, on which worse is always further to the right, for scores too."""


def tables(report: Report) -> Iterator[Table]:
    """The table of segments; a short form keeps the most certain ones."""
    if report.segments:
        title = f"where {loss_label(report.segments[0])} is worse than in the rest of the rows"
        yield Table(title, tuple(_columns(report.segments)), tuple(range(len(report.segments))))


def _columns(segments: Sequence[Segment]) -> Iterator[Column]:
    precisions = [Precision.of(each.difference, each.se) for each in segments]
    pairs = list(zip(segments, precisions, strict=True))
    yield Column("segment", tuple(map(segment_name, segments)), "name", fold=20)
    yield Column("value", tuple(precision.text(each.value) for each, precision in pairs), is_value=True)
    yield Column("rest", tuple(precision.text(each.rest) for each, precision in pairs), priority=3)
    yield Column(
        "difference ± se", tuple(precision.estimate(each.difference, each.se) for each, precision in pairs)
    )
    spans = tuple(span(each.ci_low, each.ci_high, precision) for each, precision in pairs)
    yield Column(interval_heading(segments), spans, priority=4)
    yield Column.of(AXIS, _drawings(segments), 5)
    yield Column("p", tuple(_p_value(each) for each in segments), "name", priority=2)
    yield Column("gain %", tuple(DASH if each.gain is None else percent(each.gain) for each in segments))
    yield Column("rows", tuple(f"{each.rows:,}" for each in segments), priority=1)


def segment_name(segment: Segment) -> str:
    """The columns of a segment with their values."""
    return ", ".join(f"{visible(column)} {visible(value)}" for column, value in segment.cell.items())


def _p_value(segment: Segment) -> str:
    return "< 1e-16" if segment.adjusted < 1e-16 else decimal(segment.adjusted, 2)


def _drawings(segments: Sequence[Segment]) -> Iterator[Drawing]:
    """The size of each difference with its interval, on an axis from zero."""
    ends = [_ends(segment) for segment in segments]
    axis = Axis.of([*ends, (0.0, 0.0, 0.0)])
    return (Drawing(axis, interval) for interval in ends)


def _ends(segment: Segment) -> Ends:
    if segment.higher_is_better:
        return -segment.ci_high, -segment.difference, -segment.ci_low
    return segment.ci_low, segment.difference, segment.ci_high
