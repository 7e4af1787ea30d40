"""A report as an HTML page: charts and tables in one self-contained file."""

from __future__ import annotations

from losscli.render.formats import Origin, Page
from losscli.render.graphics.image import require
from losscli.render.tables import Document
from losscli.report.model import Report


def text(report: Report, cells: int | None, origin: Origin | None) -> str:
    """The report as a page."""
    from losscli.render.page import page

    return page(report, cells, origin)


def of_tables(document: Document) -> str:
    """Tables of several reports as a page."""
    from losscli.render.page import page_of_tables

    return page_of_tables("Reports side by side", document)


FORMAT = Page("html", ".html", text, of_tables, require)
