"""A report for a job on GitHub: its summary, and annotations for what does not pass."""

from __future__ import annotations

from losscli.render.formats import markdown
from losscli.render.naming import plain
from losscli.render.sections import document
from losscli.render.sections.verdicts import judgement, worst_first
from losscli.report.model import Report
from losscli.text import line_of_log

SUMMARY_BYTES = 1 << 20
"""The size up to which GitHub shows the summary of a step; it rejects a longer one."""
ANNOTATIONS = 10
"""The annotations of one kind that GitHub shows for a step."""
_LEVELS = {"error": "error", "fail": "error", "unsure": "warning", "warn": "warning"}
_SHORTER = (None, 1000, 100, 10, 1, 0)
"""Cells of a table, in summaries that are ever shorter."""


def summary(report: Report, room: int = SUMMARY_BYTES, cells: int | None = None) -> str:
    """The report as Markdown of fewer than `room` bytes; with the worst cells alone if it is longer."""
    whole = document(report).detailed().first(cells)
    for most in _SHORTER:
        text = markdown.text(whole.first(most, "a JSON report has all"))
        if len(text.encode()) < room:
            return text
    return ""


def commands(report: Report) -> str:
    """One workflow command per line for verdicts that do not pass, the worst first and at most ten."""
    failed = [verdict for verdict in worst_first(report.gates) if verdict.status in _LEVELS]
    lines = []
    for verdict in failed[:ANNOTATIONS]:
        cell = verdict.place
        where = f" ({cell})" if cell else ""
        message = line_of_log(plain(f"{verdict.title}{where}: {judgement(verdict)}"))
        lines.append(f"::{_LEVELS[verdict.status]} title=losscli gate::{_escaped(message)}\n")
    return "".join(lines)


def _escaped(message: str) -> str:
    """The text of a workflow command, in which a line break would start another command."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
