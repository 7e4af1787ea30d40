"""A report as GitHub Markdown: for a pull request's comment or a job summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from losscli.render import board, comparison
from losscli.render.content import (
    WEAK,
    Section,
    detectable,
    interval_head,
    notes,
    plain,
    sections,
    shown,
    weighted,
)
from losscli.render.digits import DASH, apart, decimal, error, percent, signed
from losscli.report.model import Report, Result, Verdict

Columns = list[tuple[str, Sequence[str], bool]]
"""Heading, cells, and whether they are numbers."""

_MARKUP = re.compile(r"[\\`*\[\]<>|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def text(report: Report) -> str:
    """A table of the overall results, one a loss for each kind of cell, the gates and the notes."""
    blocks = [block for section in sections(report) for block in _section(section)]
    for kind in comparison.kinds(report):
        fields = kind.fields(drawn=False)
        blocks.append(_titled(kind.title, [(field.head, field.cells, field.number) for field in fields]))
    for title, fields in board.sections(report):
        blocks.append(_titled(title, [(field.head, field.cells, field.number) for field in fields]))
    if any(placing.tied for placing in report.board):
        blocks.append(f"{_escaped(board.LEGEND)}\n")
    for title, fields in board.single_rows(report):
        blocks.append(_titled(title, [(field.head, field.cells, field.number) for field in fields]))
    if any(map(comparison.stars, report.comparisons)):
        blocks.append(f"{_escaped(comparison.LEGEND)}\n")
    if found := detectable(report):
        blocks[0] += f"\n{_escaped(found)}\n"
    if report.gates:
        weak = f"\n{WEAK}\n" if any(verdict.weak for verdict in report.gates) else ""
        blocks.append(_titled("gates", _verdicts(report.gates)) + weak)
    if said := notes(report):
        blocks.append("### notes\n\n" + "".join(f"- {_escaped(note)}\n" for note in said))
    return "\n".join(blocks)


def _section(section: Section) -> Iterator[str]:
    if not section.columns:
        numbers = [column for column in _numbers(section.row((), section.losses)) if column[0] != "share %"]
        yield _titled("overall", [("loss", section.losses, False), *numbers])
        return
    heads = [shown(column) for column in section.columns]
    for loss in section.losses:
        cells = [cell for cell in section.cells if (loss, cell) in section.results]
        parts = zip(heads, zip(*cells, strict=True), strict=True)
        names: Columns = [(head, list(map(shown, part)), False) for head, part in parts]
        yield _titled(f"{loss} by {', '.join(heads)}", [*names, *_numbers(section.column(loss, cells))])


def _numbers(results: Sequence[Result | None]) -> Columns:
    found = [result for result in results if result is not None]
    spans = [DASH if r.low is None else f"{decimal(r.low)} to {decimal(r.high)}" for r in found]
    columns: Columns = [
        ("value", [decimal(r.value) for r in found], True),
        ("± se", [error(r.se, r.value) or DASH for r in found], True),
        (interval_head(found), spans, True),
        ("share %", [percent(r.share) for r in found], True),
        ("rows", [f"{r.rows:,}" for r in found], True),
    ]
    told = [column for column in columns if column[0] == "value" or set(column[1]) != {DASH}]
    return [*told, ("weight", [decimal(r.weight) for r in found], True)] if weighted(found) else told


def _verdicts(verdicts: Sequence[Verdict]) -> Columns:
    pairs = [apart(verdict.value, verdict.limit) for verdict in verdicts]
    return [
        ("status", [f"{v.status}, weak" if v.weak else v.status for v in verdicts], False),
        ("gate", [plain(v.title) for v in verdicts], False),
        ("cell", [v.place for v in verdicts], False),
        ("value", [value for value, _ in pairs], True),
        ("limit", [limit for _, limit in pairs], True),
        ("margin/se", [signed(v.margin) for v in verdicts], True),
        ("why", [plain(v.reason) for v in verdicts], False),
    ]


def _titled(title: str, columns: Columns) -> str:
    lines = [
        [_escaped(head) for head, _, _ in columns],
        ["---:" if number else ":---" for _, _, number in columns],
        *([_escaped(cell) for cell in row] for row in zip(*(cells for _, cells, _ in columns), strict=True)),
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"### {_escaped(title)}\n\n{table}"


def _escaped(cell: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", cell)
