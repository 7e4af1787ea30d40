"""Tables as HTML, for pages and for notebooks."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator

from losscli.render.digits import SEPARATORS
from losscli.render.drawing import WIDTH, Drawing
from losscli.render.tables import Column, Table
from losscli.text import printable

LONGEST = 300
"""Characters of a cell or a line; a label may have any number."""

_SHORT = 14
"""Characters of a heading that is not broken."""

_ONE_LINE = 24
"""Characters of the names of a column that is not broken."""


def is_short(column: Column) -> bool:
    """Whether the names of a column are so short that each has a line."""
    return max(map(len, column.cells), default=0) <= _ONE_LINE


def escaped(content: str) -> str:
    """Text that is no markup, and no command to whoever reads the log of a job."""
    return html.escape(printable(content)).replace("##", "#&#35;")


def text(content: str) -> str:
    """Text of a file, cut if it is longer than anyone reads."""
    left = len(content) - LONGEST
    return escaped(content if left <= 0 else f"{content[:LONGEST]}… ({left:,} more characters)")


def breakable(content: str) -> str:
    """A name that may be broken after each part."""
    return text(content).replace("_", "_<wbr/>")


def _heading(content: str) -> str:
    """A heading, in one line if it is short."""
    return text(content).replace(" ", "&nbsp;") if len(content) <= _SHORT else breakable(content)


def table(table: Table, attributes: Callable[[Column], str], of_table: str = "") -> Iterator[str]:
    """The lines of a table without its title; `attributes` are those of the cells of a column.

    The decimal points of a column are in line, unless its rows are losses, which have different units.
    """
    given = [attributes(column) for column in table.columns]
    yield f"<table{of_table}>"
    if any(column.heading for column in table.columns):
        headings = "".join(
            f'<th scope="col"{own}>{_heading(column.heading)}</th>'
            for column, own in zip(table.columns, given, strict=True)
        )
        yield f"<thead><tr>{headings}</tr></thead>"
    in_line = not (table.columns and table.columns[0].heading == "loss")
    yield "<tbody>"
    for place in range(table.height):
        cells = "".join(
            _cell(column, place, own, in_line) for column, own in zip(table.columns, given, strict=True)
        )
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"


def _cell(column: Column, place: int, attributes: str, in_line: bool) -> str:
    """A cell: the value that a table is about stands out from its error, news from their names."""
    if column.drawings:
        drawing = column.drawings[place]
        return f"<td{attributes}>{'' if drawing is None else _drawn(drawing)}</td>"
    cell = breakable(column.cells[place]) if column.kind == "name" else text(column.cells[place])
    if column.kind == "number" and in_line:
        cell = _in_line(column.texts[place])
    tone = column.tones[place] if column.tones else ""
    if tone:
        return f'<td{attributes}><span class="{tone}">{cell}</span></td>'
    if not column.is_value:
        return f"<td{attributes}>{cell}</td>"
    value, sign, error = cell.partition(" ± ")
    return f"<td{attributes}><b>{value}</b>{sign}{error}</td>"


def _drawn(drawing: Drawing) -> str:
    """An interval as a line with a dot, in the colour and the width of text."""
    axis = drawing.axis
    low, middle, high = (f"{100 * axis.share(end):.4g}%" for end in drawing.ends)
    lines = [(low, high, "50%", "50%", 1.0)]
    if axis.mark is not None:
        mark = f"{100 * axis.share(axis.mark):.4g}%"
        lines.insert(0, (mark, mark, "0", "100%", 0.4))
    shapes = "".join(
        f'<line x1="{a}" x2="{b}" y1="{top}" y2="{bottom}" stroke="currentColor" opacity="{opacity:g}"/>'
        for a, b, top, bottom, opacity in lines
    )
    dot = f'<circle cx="{middle}" cy="50%" r="3" fill="currentColor"/>'
    style = f"width: {WIDTH}ch; height: 1em; overflow: visible; vertical-align: middle"
    return f'<svg aria-hidden="true" style="{style}">{shapes}{dot}</svg>'


def _in_line(number: str) -> str:
    """A number whose padding is as wide as its digits, so that decimal points are in line."""
    parts = SEPARATORS.split(number.lstrip())
    return "".join(
        part if place % 2 else text(part).replace(" ", "&#8199;") for place, part in enumerate(parts)
    )
