"""A report as text: tables whose numbers are never cut, at any width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from losscli.render.formats import Layout
from losscli.render.tables import GAP, Column, Document, Table, width_of
from losscli.text import line_of_log

if TYPE_CHECKING:
    from rich.console import Console

Line = list[tuple[str, str]]
"""Parts of a line: texts and their styles."""

_AT_ONCE = 64
"""Lines that are printed at once: a call of rich takes longer than ten of them."""
_TITLE = "bold underline"
_TONES = {"": "", "good": "green", "warning": "yellow", "bad": "red"}
_RULE = "─"
_ASCII = str.maketrans("─│├┤┼●", "-|||+*")
"""Replacements for encodings without line-drawing characters."""


def text(document: Document) -> str:
    """The document as plain text of unlimited width."""
    return "".join(f"{line_of_log(_plain(line))}\n" for line in lines(document, None))


def _plain(line: Line) -> str:
    return "".join(part for part, _ in line)


def show(document: Document, console: Console) -> None:
    """Print the document: on a terminal the columns that fit its width, elsewhere all as plain text."""
    _print(lines(document, console.width if console.is_terminal else None), console)


def show_table(table: Table, console: Console) -> None:
    """Print one complete table."""
    _print(_table(table, console.width if console.is_terminal else None), console)


def _print(lines: Iterable[Line], console: Console) -> None:
    from rich.segment import Segment, Segments

    ascii_only = not console.encoding.lower().startswith("utf")
    safe_lines = (_safe(line, ascii_only) for line in lines)
    while batch := [*islice(safe_lines, _AT_ONCE)]:
        # Segments need no layout, which takes ten times as long for a text.
        parts = [part for line in batch for part in (*line, ("\n", ""))]
        segments = (Segment(text, console.get_style(style) if style else None) for text, style in parts)
        console.print(Segments(segments), soft_wrap=True, end="")


def _safe(line: Line, ascii_only: bool) -> Line:
    """The line without characters that steer a terminal or a log."""
    plain = _plain(line)
    if (safe := line_of_log(plain)) != plain:
        line = [(safe, "")]
    return [(part.translate(_ASCII), style) for part, style in line] if ascii_only else line


def lines(document: Document, width: int | None) -> Iterator[Line]:
    """The lines of the document: its tables, how many columns are hidden, and its notes."""
    tables = [table.fitting(width) for table in document.tables]
    hidden = {heading for table in tables for heading in table.hidden_columns}
    blocks: list[Iterable[Line]] = [_table(table, width) for table in tables]
    if hidden:
        columns, pronoun = ("1 column", "it") if len(hidden) == 1 else (f"{len(hidden)} columns", "them")
        message = f"{columns} hidden: -o report.md or a wider terminal shows {pronoun}"
        blocks.append(_paragraph(message, width))
    if document.notes:
        notes = (line for note in document.notes for line in _paragraph(f"- {note}", width, hang=2))
        blocks.append([[("notes", _TITLE)], *notes])
    for index, block in enumerate(blocks):
        if index:
            yield []
        yield from block


def _table(table: Table, width: int | None) -> Iterator[Line]:
    if table.title:
        yield from _paragraph(table.title, width, style=_TITLE)
    widths = _widths(table.columns, width)
    sized = list(zip(table.columns, widths, strict=True))
    if any(column.heading for column in table.columns):
        yield from _row([_heading(column, room) for column, room in sized], widths)
        yield [(_RULE * (sum(widths) + GAP * (len(widths) - 1)), "")]
    for cells in zip(*(_cells(column, room) for column, room in sized), strict=True):
        yield from _row(cells, widths)
    for line in table.below:
        yield from _paragraph(line, width)


def _widths(columns: Sequence[Column], width: int | None) -> list[int]:
    """The width of each column; spare width goes to the columns of names that wrap most."""
    if width is None:
        return [column.width for column in columns]
    widths = [column.narrowest for column in columns]
    for _ in range(width - sum(widths) - GAP * (len(widths) - 1)):
        wrapped = [index for index, column in enumerate(columns) if widths[index] < column.width]
        if not wrapped:
            break
        widths[min(wrapped, key=lambda index: widths[index] / columns[index].width)] += 1
    return widths


def _heading(column: Column, width: int) -> list[Line]:
    folded = fold(column.heading, width)
    if column.kind == "name":
        return [[(line + _padding(line, width), "")] for line in folded]
    return [[(_right(line, width), "")] for line in folded]


def _cells(column: Column, width: int) -> Iterator[list[Line]]:
    """The lines of each cell: names wrap, numbers are aligned right, and the main value is bold."""
    if column.kind == "name":
        for text, tone in zip_longest(column.texts, column.tones, fillvalue=""):
            # continuation lines are indented, to show where a row begins
            folded = fold(text, width, hang=min(2, width // 4))
            yield [[(line, _TONES[tone]), (_padding(line, width), "")] for line in folded]
    elif column.is_value:
        for text in column.texts:
            value, separator, error = _right(text, width).partition(" ± ")
            yield [[(value, "bold"), (separator + error, "")]]
    else:
        for text in column.texts:
            yield [[(_right(text, width), "")]]


def _right(text: str, width: int) -> str:
    return _padding(text, width) + text


def _padding(text: str, width: int) -> str:
    return " " * (width - width_of(text))


def _row(cells: Sequence[list[Line]], widths: Sequence[int]) -> Iterator[Line]:
    """The lines of a row, side by side."""
    for lines in zip_longest(*cells):
        row: Line = []
        for line, width in zip(lines, widths, strict=True):
            row += line or [(" " * width, "")]
            row.append((" " * GAP, ""))
        yield _stripped(row)


def _stripped(line: Line) -> Line:
    """The line without trailing spaces."""
    while line and not (end := line[-1][0].rstrip()):
        line = line[:-1]
    return [*line[:-1], (end, line[-1][1])] if line else []


def _paragraph(text: str, width: int | None, hang: int = 0, style: str = "") -> list[Line]:
    folded = [text] if width is None else fold(text, width, hang, after=" ")
    return [[(line, style)] for line in folded]


def fold(text: str, width: int, hang: int = 0, after: str = " _/,:;=(") -> list[str]:
    """The lines of a wrapped text, all but the first indented by `hang`.

    A line breaks after one of the characters `after`, unless that leaves most of it empty.
    """
    folded: list[str] = []
    room = max(hang + 2, width)  # the widest character takes two cells
    while width_of(text) > room:
        line = _head(text, room)
        text = text[len(line) :]
        if not text.startswith(" "):
            end = 1 + max(line.rfind(character, hang) for character in after)
            word = re.split(f"[{re.escape(after)}]", line[end:] + text, maxsplit=1)[0]
            if end and (2 * width_of(line[:end]) >= room or width_of(word) < room - hang):
                line, text = line[:end], line[end:] + text
        folded.append(line)
        text = " " * hang + text.lstrip()
    return [line.rstrip() for line in (*folded, text)]


def _head(text: str, width: int) -> str:
    """The longest beginning of a text that fits into a width."""
    end = min(len(text), width)
    while width_of(text[:end]) > width:
        end -= 1
    return text[:end]


FORMAT = Layout("table", ".txt", text)
