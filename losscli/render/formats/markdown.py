"""A report as GitHub Markdown: for a comment on a pull request or the summary of a job."""

from __future__ import annotations

import re

from losscli.render.formats import Layout
from losscli.render.tables import Document, Table

_MARKUP = re.compile(r"[\\`*\[\]<>|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def text(document: Document) -> str:
    """The tables with their headings, then the notes as a list."""
    blocks = [_table(table) for table in document.tables]
    if document.notes:
        blocks.append("### notes\n\n" + "".join(f"- {_escaped(note)}\n" for note in document.notes))
    return "\n".join(blocks)


def _table(table: Table) -> str:
    # drawings need a font in which all characters have one width
    columns = [column for column in table.columns if column.kind != "drawing"]
    rows = [
        [_escaped(column.heading) for column in columns],
        ["---:" if column.kind == "number" else ":---" for column in columns],
        *(map(_escaped, row) for row in zip(*(column.cells for column in columns), strict=True)),
    ]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    below = "".join(f"\n{_escaped(line)}\n" for line in table.below)
    return f"### {_escaped(table.title)}\n\n{lines}{below}"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


FORMAT = Layout("markdown", ".md", text, details=True)
