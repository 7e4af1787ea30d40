"""Where it hurts: the cells with the worst values, with their intervals and the value overall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, estimate
from losscli.render.graphics import style
from losscli.render.naming import listed, shown
from losscli.render.sections.results import Section, sections, worst_first
from losscli.report.model import Report, Result

MOST = 20
"""The cells of a chart, the worst ones."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart for each kind of cell and loss."""
    found = sections(report)
    overall = overall_of(found)
    kinds = [section for section in found if section.columns and not section.is_trend]
    for loss in dict.fromkeys(loss for section in kinds for loss in section.losses):
        for section in kinds:
            if figure := _figure(section, loss, overall.get(loss)):
                yield figure


def overall_of(found: Iterable[Section]) -> dict[str, Result]:
    """The overall result of each loss."""
    overall = (section for section in found if not section.columns)
    return {loss: section.results[loss][()] for section in overall for loss in section.losses}


def _figure(section: Section, loss: str, whole: Result | None) -> Figure | None:
    results = section.of(loss)
    places = [place for place in worst_first(results) if (r := results[place]) and r.value is not None][:MOST]
    if not places:
        return None
    labels = [", ".join(map(shown, section.cells[place])) for place in places]
    rows = [
        _row(name, label, result, section.unit)
        for name, label, place in zip(style.shortened(labels), labels, places, strict=True)
        if (result := results[place]) is not None
    ]
    by = ", ".join(map(shown, section.columns))
    whole_value = None if whole is None else whole.value
    over = [] if whole_value is None else [style.rule(whole_value)]
    left_out = f" The {MOST} worst of {len(results):,} cells." if len(results) > len(rows) else ""
    against = f", overall {decimal(whole_value, 3)}" if over else ""
    most = "lowest" if whole and whole.higher_is_better else "highest"
    return Figure(
        f"{loss} by {by}: {most} for {labels[0]}, {decimal(rows[0]['value'], 3)}{against}",
        f"Dots with intervals, the worst first: {listed([row['text'] for row in rows], 5)}.{left_out}",
        style.intervals(rows, loss, under=over),
    )


def _row(name: str, label: str, result: Result, unit: str) -> style.Row:
    rows = style.counted(result.rows, unit)
    return {
        "name": name,
        "value": result.value,
        "low": result.value if result.ci_low is None else result.ci_low,
        "high": result.value if result.ci_high is None else result.ci_high,
        "text": f"{label[:200]}: {estimate(result.value, result.se)}, {rows}",
    }


CHART = Drawing("cells", "cells", figures)
