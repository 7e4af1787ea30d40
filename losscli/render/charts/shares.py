"""Which cells make up the loss: their share of it against their share of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.charts.cells import overall_of
from losscli.render.digits import percent
from losscli.render.graphics import style
from losscli.render.naming import listed, shown
from losscli.render.sections.results import Section, sections
from losscli.report.model import Report, Result

MOST = 20
"""The cells of a chart, those with the largest shares."""
_ABOVE = 1 + 1e-6
"""By how much cells weigh more than all rows if these are in several of them, whatever the rounding."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart for each kind of cell, of the first loss that adds up over rows; times have their trend."""
    found = sections(report)
    overall = overall_of(found)
    for section in found:
        for loss in section.losses if section.columns and not section.is_trend else ():
            if figure := _figure(section, loss, overall.get(loss)):
                yield figure
                break


def _figure(section: Section, loss: str, whole: Result | None) -> Figure | None:
    found = [
        (result.share, ", ".join(map(shown, cell)), result)
        for cell, result in zip(section.cells, section.of(loss), strict=True)
        if result is not None and result.share is not None
    ]
    if not found:
        return None
    weight = sum(result.weight for _, _, result in found)
    of = f"% of {section.unit if all(result.weight == result.rows for _, _, result in found) else 'weight'}"
    if whole is not None and weight > whole.weight * _ABOVE:
        of = "equal share"  # outputs, labels and quantiles are of the same rows
    top = sorted(found, key=lambda each: -each[0])[:MOST]
    labels = style.shortened(label for _, label, _ in top)
    rows = [
        _row(name, label, share, result.weight / weight if weight else 0.0, of)
        for name, (share, label, result) in zip(labels, top, strict=True)
    ]
    axis = f"% of the loss (bar), {of} (line)"
    common = style.base(rows).encode(y=style.names())
    bars = common.mark_bar(color=style.BLUE, opacity=0.8, height={"band": 0.6}).encode(
        x=style.x("share", axis, zero=True), **style.said()
    )
    ticks = common.mark_tick(color=style.INK, thickness=2, height={"band": 0.85}).encode(x="part:Q")
    by = ", ".join(map(shown, section.columns))
    return Figure(
        f"Share of {loss} by {by}: {rows[0]['text']}",
        f"Bars of the share of the loss: {listed([row['text'] for row in rows], 5)}.",
        style.layered(bars, ticks).properties(height=alt.Step(style.STEP)),
    )


def _row(name: str, label: str, share: float, part: float, of: str) -> style.Row:
    rows = f"{percent(part)} {of} and " if of.startswith("%") else ""
    return {
        "name": name,
        "share": 100 * share,
        "part": 100 * part,
        "text": f"{label[:200]} has {rows}{percent(share)} % of the loss",
    }


CHART = Drawing("shares", "cells", figures, place=1)
