"""Tables as HTML, for pages and for notebooks."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from itertools import zip_longest

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
    return _escaped(printable(content))


def _escaped(content: str) -> str:
    return html.escape(content).replace("##", "#&#35;")


def text(content: str) -> str:
    """Escaped text from a file, truncated to `LONGEST` characters."""
    return escaped(_truncated(content))


def _truncated(content: str) -> str:
    left = len(content) - LONGEST
    return content if left <= 0 else f"{content[:LONGEST]}… ({left:,} more characters)"


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
    cells = (
        _cells(column, attributes, in_line)
        for column, attributes in zip(table.columns, cell_attributes, strict=True)
    )
    yield from (f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    yield "</tbody></table>"


def _cells(column: Column, attributes: str, in_line: bool) -> Iterator[str]:
    """The cells of a column: values are bold, their standard errors are not; a status has a color."""
    contents = list(map(_drawn, column.drawings)) or _texts(column, in_line)
    for content, tone in zip_longest(contents, column.tones, fillvalue=""):
        if tone:
            content = f'<span class="{tone}">{content}</span>'
        elif column.is_value:
            value, sign, error = content.partition(" ± ")
            content = f"<b>{value}</b>{sign}{error}"
        yield f"<td{attributes}>{content}</td>"


def _texts(column: Column, in_line: bool) -> list[str]:
    """The escaped texts of the cells, which hold no line ends: one replacement in all of them is faster."""
    is_padded = column.kind == "number" and in_line
    cells = [cell.lstrip() for cell in column.texts] if is_padded else column.cells
    lines = _escaped("\n".join(map(_truncated, cells)))
    if column.kind == "name":
        lines = lines.replace("_", "_<wbr/>")
    return (_padded(lines) if is_padded else lines).split("\n") if cells else []


def _drawn(drawing: Drawing | None) -> str:
    """An interval as an inline SVG: a line with a dot, in the color of the text."""
    if drawing is None:
        return ""
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


def _padded(numbers: str) -> str:
    """Numbers padded with spaces as wide as digits, which aligns decimal points."""
    parts = SEPARATORS.split(numbers)
    return "".join(part if index % 2 else part.replace(" ", "&#8199;") for index, part in enumerate(parts))
