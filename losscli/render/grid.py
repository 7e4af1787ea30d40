"""Columns laid out so that numbers stay whole: names fold, and never is anything cut off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, chop_cells
from rich.table import Table
from rich.text import Text

GAP = 2
_HEAD = len("95 % interval")
"""A heading may make its column so wide; beyond that it folds."""


class Column(Struct, frozen=True):
    """A column of a table.

    Names stand left and fold, down to a width of `least`; numbers, which have no `least`, stand right
    and never fold.
    """

    head: str
    cells: tuple[Text, ...]
    least: int | None = None

    @property
    def natural(self) -> int:
        """The width at which no cell folds."""
        widest = max((cell_len(cell.plain) for cell in self.cells), default=0)
        head = cell_len(self.head)
        return max(widest, head if self.least is not None else min(head, _HEAD))

    @property
    def narrowest(self) -> int:
        """The width below which the column is not laid out."""
        return self.natural if self.least is None else min(self.natural, self.least)


def names(head: str, cells: Iterable[str], least: int, style: str = "") -> Column:
    """A column of names from the data: no markup is read in them."""
    return Column(head, tuple(Text(cell, style) for cell in cells), least)


def fits(columns: Sequence[Column], width: int | None) -> bool:
    """Whether the columns can be laid out in a width; None is without limit."""
    return width is None or sum(column.narrowest + GAP for column in columns) - GAP <= width


def richest(
    build: Callable[[frozenset[str]], list[Column]], extras: Sequence[str], width: int | None
) -> list[Column]:
    """The columns with as many of the extras, the most wanted first, as fit."""
    for count in range(len(extras), 0, -1):
        columns = build(frozenset(extras[:count]))
        if fits(columns, width):
            return columns
    return build(frozenset())


def grid(columns: Sequence[Column], width: int | None) -> Table:
    """The columns as a table; on a console narrower than the numbers it is wider than the console."""
    widths = _widths(columns, width)
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
        header_style="",
    )
    for column, room in zip(columns, widths, strict=True):
        is_name = column.least is not None
        head = fold(column.head, room)
        lines = head if is_name else [f"{line:>{room}}" for line in head]
        table.add_column(Text("\n".join(lines)), width=room, no_wrap=True, vertical="top")
    for row in zip(*(column.cells for column in columns), strict=True):
        placed = zip(row, columns, widths, strict=True)
        table.add_row(
            *(_right(cell, room) if c.least is None else _folded(cell, room) for cell, c, room in placed)
        )
    table.width = sum(widths) + GAP * (len(widths) - 1)
    return table


def _widths(columns: Sequence[Column], width: int | None) -> list[int]:
    widths = [column.narrowest if width else column.natural for column in columns]
    room = (width or 0) - sum(widths) - GAP * (len(widths) - 1)
    for _ in range(room):  # a column of room at a time to the name that is most cramped
        cramped = [i for i, column in enumerate(columns) if widths[i] < column.natural]
        if not cramped:
            break
        widths[min(cramped, key=lambda i: widths[i] / columns[i].natural)] += 1
    return widths


def _right(cell: Text, width: int) -> Text:
    # by hand, since rich strips the spaces behind a number that hold its decimal point in line
    return Text(" " * (width - cell.cell_len)).append_text(cell)


def _folded(cell: Text, width: int) -> Text:
    if cell_len(cell.plain) <= width:
        return cell
    # further lines stand in, so that a row is seen to begin where its name does
    first, *others = fold(cell.plain, width, hang=min(2, width // 4))
    return Text("\n".join([first, *others]), cell.style)


def fold(text: str, width: int, hang: int = 0, after: str = " _/,:;=(") -> list[str]:
    """The lines of a text, all but the first `hang` cells in.

    A line ends after one of the characters `after`, unless that leaves most of it empty.
    """
    lines: list[str] = []
    room = max(hang + 2, width)  # the widest character takes two cells
    while cell_len(text) > room:
        line = chop_cells(text, room)[0]
        text = text[len(line) :]
        if not text.startswith(" "):
            end = 1 + max(line.rfind(character, hang) for character in after)
            word = re.split(f"[{re.escape(after)}]", line[end:] + text, maxsplit=1)[0]
            if end and (2 * cell_len(line[:end]) >= room or cell_len(word) < room - hang):
                line, text = line[:end], line[end:] + text
        lines.append(line)
        text = " " * hang + text.lstrip()
    return [line.rstrip() for line in (*lines, text)]
