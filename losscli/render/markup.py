"""Tables as HTML, for pages and for notebooks."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator

from losscli.render.digits import SEPARATORS
from losscli.render.drawing import WIDTH, Drawing
from losscli.render.tables import Column, Table
from losscli.text import printable

LONGEST = 300
"""The maximum number of characters of a cell or a line; labels may be longer and are cut."""

_SHORT = 14
"""The maximum number of characters of a heading that does not wrap."""

_ONE_LINE = 24
"""The maximum number of characters of names in a column that does not wrap."""


def is_short(column: Column) -> bool:
    """Whether the names of a column are short enough not to wrap."""
    return max(map(len, column.cells), default=0) <= _ONE_LINE


def escaped(content: str) -> str:
    """Text with its markup escaped, and with the sequence that CI logs read as a command."""
    return html.escape(printable(content)).replace("##", "#&#35;")


def text(content: str) -> str:
    """Escaped text from a file, truncated to `LONGEST` characters."""
    left = len(content) - LONGEST
    return escaped(content if left <= 0 else f"{content[:LONGEST]}… ({left:,} more characters)")


def breakable(content: str) -> str:
    """A name that may wrap after each underscore."""
    return text(content).replace("_", "_<wbr/>")


def _heading(content: str) -> str:
    """A heading, on one line if it is short."""
    return text(content).replace(" ", "&nbsp;") if len(content) <= _SHORT else breakable(content)


def table(table: Table, attributes_of: Callable[[Column], str], table_attributes: str = "") -> Iterator[str]:
    """The lines of a table without its title; `attributes_of` gives the attributes of a column's cells.

    Decimal points are aligned within a column, unless its rows are losses, which have different units.
    """
    cell_attributes = [attributes_of(column) for column in table.columns]
    yield f"<table{table_attributes}>"
    if any(column.heading for column in table.columns):
        headings = "".join(
            f'<th scope="col"{attributes}>{_heading(column.heading)}</th>'
            for column, attributes in zip(table.columns, cell_attributes, strict=True)
        )
        yield f"<thead><tr>{headings}</tr></thead>"
    in_line = not (table.columns and table.columns[0].heading == "loss")
    yield "<tbody>"
    for row in range(table.height):
        cells = "".join(
            _cell(column, row, attributes, in_line)
            for column, attributes in zip(table.columns, cell_attributes, strict=True)
        )
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"


def _cell(column: Column, row: int, attributes: str, in_line: bool) -> str:
    """A cell: the value is bold, its standard error is not; a status has the color of its tone."""
    if column.drawings:
        drawing = column.drawings[row]
        return f"<td{attributes}>{'' if drawing is None else _svg(drawing)}</td>"
    cell = breakable(column.cells[row]) if column.kind == "name" else text(column.cells[row])
    if column.kind == "number" and in_line:
        cell = _in_line(column.texts[row])
    tone = column.tones[row] if column.tones else ""
    if tone:
        return f'<td{attributes}><span class="{tone}">{cell}</span></td>'
    if not column.is_value:
        return f"<td{attributes}>{cell}</td>"
    value, sign, error = cell.partition(" ± ")
    return f"<td{attributes}><b>{value}</b>{sign}{error}</td>"


def _svg(drawing: Drawing) -> str:
    """An interval as an inline SVG: a line with a dot, in the color of the text."""
    axis = drawing.axis
    low, middle, high = (f"{100 * axis.fraction(end):.4g}%" for end in drawing.ends)
    lines = [(low, high, "50%", "50%", 1.0)]
    if axis.mark is not None:
        mark = f"{100 * axis.fraction(axis.mark):.4g}%"
        lines.insert(0, (mark, mark, "0", "100%", 0.4))
    shapes = "".join(
        f'<line x1="{a}" x2="{b}" y1="{top}" y2="{bottom}" stroke="currentColor" opacity="{opacity:g}"/>'
        for a, b, top, bottom, opacity in lines
    )
    dot = f'<circle cx="{middle}" cy="50%" r="3" fill="currentColor"/>'
    style = f"width: {WIDTH}ch; height: 1em; overflow: visible; vertical-align: middle"
    return f'<svg aria-hidden="true" style="{style}">{shapes}{dot}</svg>'


def _in_line(number: str) -> str:
    """A number padded with spaces as wide as digits, which aligns decimal points."""
    parts = SEPARATORS.split(number.lstrip())
    return "".join(
        part if index % 2 else text(part).replace(" ", "&#8199;") for index, part in enumerate(parts)
    )
