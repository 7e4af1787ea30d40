"""A report as self-contained HTML tables, for a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.render import markup
from losscli.render.tables import Column, Document, Table

_STYLES = {
    "name": "text-align: left",
    "number": "text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums",
    "drawing": "text-align: left; white-space: pre; font-family: monospace",
}
_TITLE = "margin: 0.8em 0 0.2em"
_PADDING = "padding: 0.1em 0.8em 0.1em 0"


def text(document: Document) -> str:
    """The tables with their titles, then the notes as a list."""
    blocks = [part for table in document.tables for part in _table(table)]
    if document.notes:
        notes = "".join(f"<li>{markup.text(note)}</li>\n" for note in document.notes)
        blocks.append(f'<h4 style="{_TITLE}">notes</h4>\n<ul>\n{notes}</ul>\n')
    return f"<div>\n{''.join(blocks)}</div>\n"


def _table(table: Table) -> Iterator[str]:
    yield f'<h4 style="{_TITLE}">{markup.text(table.title)}</h4>\n'
    yield from (f"{line}\n" for line in markup.table(table, _style))
    for line in table.below:
        yield f"<p>{markup.text(line)}</p>\n"


def _style(column: Column) -> str:
    line = "; white-space: nowrap" if column.kind == "name" and markup.is_short(column) else ""
    return f' style="{_STYLES[column.kind]}{line}; {_PADDING}"'
