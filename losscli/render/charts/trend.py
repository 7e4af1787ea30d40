"""Values over time: the cells of slices by time, with intervals and the overall value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.charts.cells import overall_of
from losscli.render.digits import decimal, estimate
from losscli.render.graphics import style
from losscli.render.naming import joined, visible
from losscli.render.sections.results import Section, sections
from losscli.report.model import Report, Result

MOST = 60
"""The maximum number of cells in a chart, which shows the latest ones."""
_LABELS = 6
"""The maximum number of labels on the time axis."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart for each loss and each kind of cell in chronological order."""
    all_sections = sections(report) if report.times else []
    overall = overall_of(all_sections)
    for section in all_sections:
        for loss in section.losses if section.is_trend else ():
            if figure := _figure(section, loss, overall.get(loss)):
                yield figure


def _figure(section: Section, loss: str, overall: Result | None) -> Figure | None:
    entries = [
        (visible(cell[0]), result)
        for cell, result in zip(section.cells, section.of(loss), strict=True)
        if result is not None and result.value is not None
    ][-MOST:]
    if not entries:
        return None
    rows = _rows(entries, section.unit)
    order = [row["name"] for row in rows]
    ticks = order[:: -(-len(order) // _LABELS)]
    x_axis = alt.X(
        "name:N", sort=order, title=visible(section.columns[0]), axis=alt.Axis(values=ticks, labelAngle=0)
    )
    common = style.base(rows).encode(x=x_axis, color=alt.ColorValue(style.BLUE))
    band = common.mark_area(opacity=0.18).encode(y=style.y("low", loss), y2=alt.Y2("high:Q"))
    line = common.mark_line(strokeWidth=2).encode(y=style.y("value", loss))
    dots = common.mark_circle(size=28, opacity=1).encode(y=style.y("value", loss), **style.tooltip())
    under = [] if overall is None or overall.value is None else [style.rule(overall.value, "y")]
    first, last = rows[0], rows[-1]
    return Figure(
        f"{loss} over time: from {decimal(first['value'], 3)} in {first['name']} to "
        f"{decimal(last['value'], 3)} in {last['name']}",
        f"Line with a band of intervals: {joined([row['text'] for row in rows], 12)}.",
        style.layered(*under, band, line, dots),
    )


def _rows(entries: Sequence[tuple[str, Result]], unit: str) -> list[style.Row]:
    names = style.shortened(label for label, _ in entries)
    return [
        {
            "name": name,
            "value": result.value,
            "low": result.value if result.ci_low is None else result.ci_low,
            "high": result.value if result.ci_high is None else result.ci_high,
            "text": f"{label[:200]}: {estimate(result.value, result.se)}, {style.counted(result.rows, unit)}",
        }
        for name, (label, result) in zip(names, entries, strict=True)
    ]


CHART = Drawing("trend", "cells", figures)
