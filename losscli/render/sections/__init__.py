"""What a report shows, section by section; each is a module that makes tables of one part of the report."""

from __future__ import annotations

from losscli.render.sections import comparisons, leaderboard, results, rows, segments, verdicts
from losscli.render.sections.notes import notes
from losscli.render.tables import Document
from losscli.report.model import Report


def document(
    report: Report, page: int | None = None, cells: int | None = None, drawn: bool = False
) -> Document:
    """The report as tables and notes, in the order in which they are read.

    `page` is the width that losses side by side should not exceed; without one, they do not exceed what is
    comfortable to read.  `cells` is the maximum number of classes or slices in a table of results, whose
    intervals are `drawn` if asked.
    """
    tables = (
        *results.tables(report, page, cells, drawn),
        *comparisons.tables(report),
        *leaderboard.tables(report),
        *segments.tables(report),
        *rows.tables(report),
        *verdicts.tables(report),
    )
    return Document(tables, tuple(notes(report)))
