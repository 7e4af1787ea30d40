"""How cells contribute to the loss: their share of the loss against their share of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.charts.cells import overall_of
from losscli.render.digits import percent
from losscli.render.graphics import style
from losscli.render.naming import joined, visible
from losscli.render.sections.results import Section, sections
from losscli.report.model import Report, Result

MOST = 20
"""The maximum number of cells in a chart, which shows those with the largest shares."""
_ABOVE = 1 + 1e-6
"""The ratio of the cells' weight to that of all rows above which cells share rows, beyond rounding."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart per kind of cell, of the first loss that adds up over rows; times have a trend instead."""
    all_sections = sections(report)
    overall = overall_of(all_sections)
    for section in all_sections:
        for loss in section.losses if section.columns and not section.is_trend else ():
            if figure := _figure(section, loss, overall.get(loss)):
                yield figure
                break


def _figure(section: Section, loss: str, overall: Result | None) -> Figure | None:
    entries = [
        (result.share, cell, result)
        for cell, result in zip(section.cells, section.of(loss), strict=True)
        if result is not None and result.share is not None
    ]
    if not entries:
        return None
    weight = sum(result.weight for _, _, result in entries)
    share_unit = f"% of {section.unit if all(r.weight == r.rows for _, _, r in entries) else 'weight'}"
    if overall is not None and weight > overall.weight * _ABOVE:
        share_unit = "equal share"  # outputs, labels and quantiles are of the same rows
    top = sorted(entries, key=lambda entry: -entry[0])[:MOST]
    labels = [", ".join(map(visible, cell)) for _, cell, _ in top]
    rows = [
        _row(name, label, share, result.weight / weight if weight else 0.0, share_unit)
        for name, label, (share, _, result) in zip(style.shortened(labels), labels, top, strict=True)
    ]
    axis = f"% of the loss (bar), {share_unit} (line)"
    common = style.base(rows).encode(y=style.names())
    bars = common.mark_bar(color=style.BLUE, opacity=0.8, height={"band": 0.6}).encode(
        x=style.x("share", axis, zero=True), **style.tooltip()
    )
    ticks = common.mark_tick(color=style.INK, thickness=2, height={"band": 0.85}).encode(x=alt.X("part:Q"))
    by = ", ".join(map(visible, section.columns))
    return Figure(
        f"Share of {loss} by {by}: {rows[0]['text']}",
        f"Bars of the share of the loss: {joined([row['text'] for row in rows], 5)}.",
        style.layered(bars, ticks).properties(height=alt.Step(style.STEP)),
    )


def _row(name: str, label: str, share: float, part: float, share_unit: str) -> style.Row:
    rows = f"{percent(part)} {share_unit} and " if share_unit.startswith("%") else ""
    return {
        "name": name,
        "share": 100 * share,
        "part": 100 * part,
        "text": f"{label[:200]} has {rows}{percent(share)} % of the loss",
    }


CHART = Drawing("shares", "cells", figures, order=1)
