"""Which cells make up the loss: their share of it against their share of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style
from losscli.render.naming import listed, shown
from losscli.render.sections.results import Section, sections
from losscli.report.model import Report

MOST = 20
"""The cells of a chart, those with the largest shares."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart for each kind of cell, of the first loss that adds up over rows; times have their trend."""
    for section in sections(report):
        for loss in section.losses if section.columns and not section.is_trend else ():
            if figure := _figure(section, loss):
                yield figure
                break


def _figure(section: Section, loss: str) -> Figure | None:
    found = [
        (result.share, ", ".join(map(shown, cell)), result)
        for cell, result in zip(section.cells, section.of(loss), strict=True)
        if result is not None and result.share is not None
    ]
    if not found:
        return None
    weight = sum(result.weight for _, _, result in found)
    of = section.unit if all(result.weight == result.rows for _, _, result in found) else "weight"
    top = sorted(found, key=lambda each: -each[0])[:MOST]
    labels = style.shortened(label for _, label, _ in top)
    rows = [
        _row(name, label, share, result.weight / weight if weight else 0.0, of)
        for name, (share, label, result) in zip(labels, top, strict=True)
    ]
    axis = f"% of the loss (bar), % of {of} (line)"
    common = style.base(rows).encode(y=style.names())
    bars = common.mark_bar(color=style.BLUE, opacity=0.8, height={"band": 0.6}).encode(
        x=style.x("share", axis, zero=True), **style.said()
    )
    ticks = common.mark_tick(color=style.INK, thickness=2, height={"band": 0.85}).encode(x="part:Q")
    by = ", ".join(map(shown, section.columns))
    return Figure(
        f"Share of {loss} by {by}: {rows[0]['text']}",
        f"Bars of the loss, lines of the {of}: {listed([row['text'] for row in rows], 5)}.",
        style.layered(bars, ticks).properties(height=alt.Step(style.STEP)),
    )


def _row(name: str, label: str, share: float, part: float, of: str) -> style.Row:
    return {
        "name": name,
        "share": 100 * share,
        "part": 100 * part,
        "text": f"{label[:200]} has {percent(part)} % of {of} and {percent(share)} % of the loss",
    }


CHART = Drawing("shares", "cells", figures, place=1)
