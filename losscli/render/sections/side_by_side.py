"""Several reports in the same tables: a row for each loss and cell, a column for each report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from losscli.render.digits import estimate
from losscli.render.naming import label, plain, visible
from losscli.render.sections.results import worst_first
from losscli.render.tables import Column, Document, Table
from losscli.report.comparable import unlike
from losscli.report.model import Report, Result, result_name

INDEPENDENT = "differences are those of independent samples; losscli compare takes the same rows in pairs"

Key = tuple[str, tuple[str, ...]]
"""A loss with its parameters and model, without its label, and the values of its cell."""
Results = dict[Key, Result]
_ABSENT = Result(loss="", value=None, rows=0, weight=0.0)
"""Replaces a result that a report does not have."""


def side_by_side(reports: Mapping[str, Report]) -> Document:
    """The results of named reports; comparable ones have their differences from the first report."""
    first, *others = reports.items()
    reasons = {name: unlike(report, first[1]) for name, report in others}
    compared = [name for name, reason in reasons.items() if not reason]
    notes = [f"{visible(name)} is not compared with {visible(first[0])}: {reasons[name]}" for name in reasons]
    notes = [note for note, reason in zip(notes, reasons.values(), strict=True) if reason]
    if compared:
        notes.append(INDEPENDENT)
    kinds = dict.fromkeys(tuple(result.cell) for report in reports.values() for result in report.results)
    tables = [table for columns in sorted(kinds, key=len) for table in _tables(columns, reports, compared)]
    return Document(tuple(tables), tuple(map(plain, notes)))


def _tables(
    columns: tuple[str, ...], reports: Mapping[str, Report], compared: Sequence[str]
) -> Iterator[Table]:
    """The tables of one kind of cell, one per loss; if `columns` is (), the table of overall results."""
    results_of = {name: _results(report, columns) for name, report in reports.items()}
    labels = {
        key: label(result) for results in reversed(results_of.values()) for key, result in results.items()
    }
    keys = list(dict.fromkeys(key for results in results_of.values() for key in results))
    if not columns:
        losses = Column("loss", tuple(labels[key] for key in keys), "name", fold=20)
        yield Table("overall", (losses, *_numbers(keys, results_of, compared)))
        return
    by = ", ".join(map(visible, columns))
    for loss in dict.fromkeys(loss for loss, _ in keys):
        loss_keys = [key for key in keys if key[0] == loss]
        names = (
            Column(visible(column), tuple(visible(cell[index]) for _, cell in loss_keys), "name", fold=8)
            for index, column in enumerate(columns)
        )
        first = next(iter(results_of.values()))
        worst = worst_first([first.get(key) for key in loss_keys])
        yield Table(
            f"{labels[loss_keys[0]]} by {by}", (*names, *_numbers(loss_keys, results_of, compared)), worst
        )


def _results(report: Report, columns: tuple[str, ...]) -> Results:
    return {
        (result_name(result), tuple(result.cell.values())): result
        for result in report.results
        if tuple(result.cell) == columns
    }


def _numbers(
    keys: Sequence[Key], results_of: Mapping[str, Results], compared: Sequence[str]
) -> Iterator[Column]:
    base = [next(iter(results_of.values())).get(key, _ABSENT) for key in keys]
    for name, report_results in results_of.items():
        results = [report_results.get(key, _ABSENT) for key in keys]
        values = tuple(estimate(result.value, result.se) for result in results)
        yield Column(visible(name), values, is_value=True)
        if name in compared:
            pairs = zip(results, base, strict=True)
            yield Column("difference", tuple(_difference(new, old) for new, old in pairs), priority=1)


def _difference(new: Result, old: Result) -> str:
    if new.value is None or old.value is None:
        return estimate(None, None)
    se = None if new.se is None or old.se is None else math.hypot(new.se, old.se)
    return estimate(new.value - old.value, se)
