"""The sections of a report; each is a module that makes the tables of one part of it."""

from __future__ import annotations

from losscli.render.sections import comparisons, leaderboard, results, rows, segments, verdicts
from losscli.render.sections.notes import notes
from losscli.render.tables import Document
from losscli.report.model import Report


def document(
    report: Report, width: int | None = None, cells: int | None = None, with_intervals: bool = False
) -> Document:
    """The report as tables and notes, in reading order.

    `width` limits how many losses are side by side; the default is a width that is comfortable to read.
    `cells` is the maximum number of classes or slices in a table of results, comparisons or verdicts;
    `with_intervals` draws the intervals of results.
    """
    tables = (
        *results.tables(report, width, cells, with_intervals),
        *comparisons.tables(report, cells),
        *leaderboard.tables(report),
        *segments.tables(report),
        *rows.tables(report),
        *verdicts.tables(report, cells),
    )
    return Document(tables, tuple(notes(report)))
