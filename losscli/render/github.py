"""A report for a job on GitHub: its summary, and annotations of what does not pass."""

from __future__ import annotations

from msgspec.structs import replace

from losscli.render import markdown
from losscli.render.content import judgement, plain, worst_first
from losscli.report.model import Report

SUMMARY_BYTES = 1 << 20
"""What GitHub shows of a step's summary; it takes nothing of one that is longer."""
ANNOTATIONS = 10
"""What GitHub shows of one kind in a step."""
_LEVELS = {"error": "error", "fail": "error", "unsure": "warning", "warn": "warning"}


def summary(report: Report, room: int = SUMMARY_BYTES) -> str:
    """The report as Markdown of fewer than `room` bytes: all of it, or what matters most.

    Where it is long, results of cells are left out, then verdicts, those that pass first, and then notes;
    it says how many.
    """
    text = markdown.text(report)
    if len(text.encode()) < room:
        return text
    overall = tuple(replace(result, notes=()) for result in report.results if not result.cell)
    pairs = tuple(replace(each, notes=()) for each in report.comparisons if not each.cell)
    verdicts, notes = worst_first(report.gates), report.notes
    while True:
        left = {
            "results": len(report.results) - len(overall),
            "comparisons": len(report.comparisons) - len(pairs),
            "verdicts": len(report.gates) - len(verdicts),
            "notes": len(report.notes) - len(notes),
        }
        told = " and ".join(f"{count:,} {what}" for what, count in left.items() if count)
        said = (*notes, f"{told} are left out here; a JSON report has all") if told else notes
        short = replace(report, results=overall, comparisons=pairs, gates=tuple(verdicts), notes=said)
        text = markdown.text(short)
        if len(text.encode()) < room:
            return text
        if not (overall or pairs or verdicts or notes):
            return ""
        if verdicts:
            verdicts = verdicts[: len(verdicts) // 2]
        elif notes:
            notes = notes[: len(notes) // 2]
        else:
            overall, pairs = overall[: len(overall) // 2], pairs[: len(pairs) // 2]


def commands(report: Report) -> str:
    """A workflow command a line for verdicts that do not pass, the worst first and at most ten."""
    found = [verdict for verdict in worst_first(report.gates) if verdict.status in _LEVELS]
    lines = []
    for verdict in found[:ANNOTATIONS]:
        cell = verdict.place
        where = f" ({cell})" if cell else ""
        message = plain(f"{verdict.title}{where}: {judgement(verdict)}")
        lines.append(f"::{_LEVELS[verdict.status]} title=losscli gate::{_escaped(message)}\n")
    return "".join(lines)


def _escaped(message: str) -> str:
    """The text of a workflow command, in which a line break would end it, and another could begin."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
