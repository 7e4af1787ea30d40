"""A report as GitHub Markdown: for a comment on a pull request or the summary of a job."""

from __future__ import annotations

import re

from losscli.render.formats import Layout
from losscli.render.tables import Column, Document, Table

_MARKUP = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINKS = re.compile(r"@(?=\w)|#(?=\d)|\bGH-(?=\d)|\b[a-z]+:(?=//)|\b(?:mailto|xmpp):|\bwww\.", re.IGNORECASE)
"""What GitHub turns into links: mentions, which notify people, issues, and URLs."""
_STARTS = re.compile(r"^\s*(?:[-+#=]|\d+(?=[.)]))")
"""The start of a list item or a heading."""


def text(document: Document) -> str:
    """The tables with their headings, then the notes as a list."""
    blocks = [_table(table) for table in document.tables]
    if document.notes:
        blocks.append("### notes\n\n" + "".join(f"- {_line(note)}\n" for note in document.notes))
    return "\n".join(blocks)


def _table(table: Table) -> str:
    # drawings need a monospaced font
    columns = [column for column in table.columns if column.kind != "drawing"]
    rows = [
        [_escaped(column.heading) for column in columns],
        ["---:" if column.kind == "number" else ":---" for column in columns],
        *zip(*map(_cells, columns), strict=True),
    ]
    lines = "".join([f"| {' | '.join(row)} |\n" for row in rows])
    below = "".join(f"\n{_line(line)}\n" for line in table.below)
    return f"### {_escaped(table.title)}\n\n{lines}{below}"


def _cells(column: Column) -> list[str]:
    """The escaped cells of a column, which hold no line ends: one search in all of them is faster."""
    return _escaped("\n".join(column.cells)).split("\n") if column.cells else []


def _escaped(text: str) -> str:
    """Text with its markup escaped, and with nothing that GitHub turns into a link."""
    return _LINKS.sub(r"`\g<0>`", _MARKUP.sub(r"\\\g<0>", text))


def _line(text: str) -> str:
    """Escaped text for the start of a line, where it must not begin a list or a heading."""
    return _STARTS.sub(_escaped_start, _escaped(text))


def _escaped_start(match: re.Match[str]) -> str:
    start = match[0].lstrip()
    return f"{start}\\" if start.isdecimal() else f"\\{start}"


FORMAT = Layout("markdown", ".md", text, details=True)
