"""The cells with the worst values, with their intervals and the overall value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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


def overall_of(sections: Iterable[Section]) -> dict[str, Result]:
    """The overall result of each loss."""
    overall = (section for section in sections if not section.columns)
    return {loss: section.results[loss][()] for section in overall for loss in section.losses}


def _figure(section: Section, loss: str, overall: Result | None) -> Figure | None:
    results = section.of(loss)
    indices = [index for index in worst_first(results) if (r := results[index]) and r.value is not None][
        :MOST
    ]
    if not indices:
        return None
    labels = [", ".join(map(visible, section.cells[index])) for index in indices]
    rows = [
        _row(name, label, result, section.unit)
        for name, label, index in zip(style.shortened(labels), labels, indices, strict=True)
        if (result := results[index]) is not None
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
