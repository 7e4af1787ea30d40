"""A report as HTML tables that need nothing else: for a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from losscli.render.tables import Column, Document, Table

_STYLES = {
    "name": "text-align: left",
    "number": "text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums",
    "drawing": "text-align: left; white-space: pre; font-family: monospace",
}
_PADDING = "padding: 0.1em 0.8em 0.1em 0"


def text(document: Document) -> str:
    """The tables with their titles, then the notes as a list."""
    blocks = [part for table in document.tables for part in _table(table)]
    if document.notes:
        notes = "".join(f"<li>{escape(note)}</li>\n" for note in document.notes)
        blocks.append(f"<h4>notes</h4>\n<ul>\n{notes}</ul>\n")
    return f"<div>\n{''.join(blocks)}</div>\n"


def _table(table: Table) -> Iterator[str]:
    yield f"<h4>{escape(table.title)}</h4>\n<table>\n"
    headings = "".join(_cell("th", column, column.heading) for column in table.columns)
    yield f"<thead><tr>{headings}</tr></thead>\n<tbody>\n"
    for place in range(table.height):
        cells = "".join(_cell("td", column, column.cells[place]) for column in table.columns)
        yield f"<tr>{cells}</tr>\n"
    yield "</tbody>\n</table>\n"
    for line in table.below:
        yield f"<p>{escape(line)}</p>\n"


def _cell(tag: str, column: Column, text: str) -> str:
    return f'<{tag} style="{_STYLES[column.kind]}; {_PADDING}">{escape(text)}</{tag}>'
