"""A report for a GitHub Actions job: its summary, and annotations for gates that do not pass."""

from __future__ import annotations

from losscli.render.formats import markdown
from losscli.render.naming import plain
from losscli.render.sections import document
from losscli.render.sections.verdicts import judgement, worst_first
from losscli.render.tables import Document
from losscli.report.model import Report
from losscli.text import line_of_log

SUMMARY_BYTES = 1 << 20
"""The maximum size of the summary of a step; GitHub rejects a longer one."""
ANNOTATIONS = 10
"""The maximum number of annotations of one kind that GitHub shows for a step."""
_LEVELS = {"error": "error", "fail": "error", "unsure": "warning", "warn": "warning"}
_SHORTER = (None, 1000, 100, 10, 1, 0)
"""The maximum number of cells in a table, in ever shorter summaries."""


def summary(report: Report, max_bytes: int = SUMMARY_BYTES, cells: int | None = None) -> str:
    """The report as Markdown of fewer than `max_bytes` bytes; only with the worst cells if it is longer."""
    full = document(report).detailed().first(cells)
    too_long = None
    for max_cells in _SHORTER:
        shorter = full.first(max_cells, "a JSON report has all")
        if shorter == too_long:  # no table has more cells
            continue
        if _min_length(shorter) < max_bytes:
            text = markdown.text(shorter)
            if len(text.encode()) < max_bytes:
                return text
        too_long = shorter
    return ""


def _min_length(document: Document) -> int:
    """The number of characters in all cells, which is known before they are laid out."""
    columns = (column for table in document.tables for column in table.columns if column.kind != "drawing")
    return sum(len(cell) for column in columns for cell in column.cells)


def commands(report: Report) -> str:
    """Workflow commands, one per line, for up to `ANNOTATIONS` verdicts that do not pass, worst first."""
    failed = [verdict for verdict in worst_first(report.gates) if verdict.status in _LEVELS]
    lines = []
    for verdict in failed[:ANNOTATIONS]:
        cell = verdict.place
        where = f" ({cell})" if cell else ""
        message = line_of_log(plain(f"{verdict.title}{where}: {judgement(verdict)}"))
        lines.append(f"::{_LEVELS[verdict.status]} title=losscli gate::{_escaped(message)}\n")
    return "".join(lines)


def _escaped(message: str) -> str:
    """The text of a workflow command, with line breaks escaped: they would start another command."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
