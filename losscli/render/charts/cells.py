"""The cells with the worst values, with their intervals and the overall value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, estimate
from losscli.render.graphics import style
from losscli.render.naming import joined, visible
from losscli.render.sections.results import Section, sections, worst_first
from losscli.report.model import Report, Result

MOST = 20
"""The maximum number of cells in a chart, which shows the worst ones."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart for each kind of cell and loss."""
    all_sections = sections(report)
    overall = overall_of(all_sections)
    kinds = [section for section in all_sections if section.columns and not section.is_trend]
    for loss in dict.fromkeys(loss for section in kinds for loss in section.losses):
        for section in kinds:
            if figure := _figure(section, loss, overall.get(loss)):
                yield figure


def overall_of(sections: Iterable[Section]) -> Mapping[str, Result | None]:
    """The overall result of each loss."""
    overall = (section for section in sections if not section.columns)
    return {loss: section.of(loss)[0] for section in overall for loss in section.losses}


def _figure(section: Section, loss: str, overall: Result | None) -> Figure | None:
    results = section.of(loss)
    worst = [(section.cells[index], results[index]) for index in worst_first(results)[:MOST]]
    entries = [(cell, r) for cell, r in worst if r is not None and r.value is not None]
    if not entries:
        return None
    labels = [", ".join(map(visible, cell)) for cell, _ in entries]
    rows = [
        _row(name, label, result, section.unit)
        for name, label, (_, result) in zip(style.shortened(labels), labels, entries, strict=True)
    ]
    by = ", ".join(map(visible, section.columns))
    overall_value = None if overall is None else overall.value
    rules = [] if overall_value is None else [style.rule(overall_value)]
    left_out = f" The {MOST} worst of {len(results):,} cells." if len(results) > len(rows) else ""
    against = f", overall {decimal(overall_value, 3)}" if rules else ""
    extreme = "lowest" if overall and overall.higher_is_better else "highest"
    return Figure(
        f"{loss} by {by}: {extreme} for {labels[0]}, {decimal(rows[0]['value'], 3)}{against}",
        f"Dots with intervals, the worst first: {joined([row['text'] for row in rows], 5)}.{left_out}",
        style.intervals(rows, loss, under=rules),
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
