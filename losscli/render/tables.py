"""The model of tables of text, which every layout (terminal, Markdown, HTML) prints.

A table does not know where it is printed.  A layout without room for all of it hides columns with `fitting`
and rows with `first`, and the remaining table says what is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from losscli.numeric.cached import cached_property
from losscli.render.digits import aligned
from losscli.render.drawing import Drawing
from losscli.text import printable

Kind = Literal["name", "number", "drawing"]
"""Names are aligned left and may wrap; numbers are aligned right; drawings need a fixed-width font."""
Tone = Literal["", "good", "warning", "bad"]


_UNEVEN = re.compile("[\u0300-\U0010ffff]")
"""The characters of which some take no cell of a terminal, or two."""


def width_of(text: str) -> int:
    """The width of a text in a terminal, where a character takes zero, one or two cells."""
    if text.isascii() or not _UNEVEN.search(text):
        return len(text)
    from rich.cells import cell_len  # its import takes as long as making all these tables

    return cell_len(text)


def widest(texts: Sequence[str]) -> int:
    """The greatest width of some texts; 0 without any."""
    return max(map(width_of if _UNEVEN.search("".join(texts)) else len, texts), default=0)


GAP = 2
"""Spaces between columns."""
WIDEST_HEADING = len("difference ± se")
"""The width up to which a heading widens a column of numbers; a longer one wraps."""


def _printable(struct: Struct, *names: str) -> None:
    """Escape the text in fields of a struct under construction; a field holds one string or a tuple."""
    for name in names:
        value = getattr(struct, name)
        if not "".join(value).isprintable():
            escaped = printable(value) if isinstance(value, str) else tuple(map(printable, value))
            force_setattr(struct, name, escaped)


class Column(Struct, frozen=True, dict=True):
    """One column of a table.

    A column of priority 0 is always shown; of the others, those with the largest number are hidden first.  If
    a column is hidden, the lines `instead` are shown below the table.  A column of names wraps, but not below
    the width `fold`.  `is_value` marks the numbers that the table is about; `tones` are those of the cells,
    and `drawings` the graphical form of cells that have one.
    """

    heading: str
    cells: tuple[str, ...]
    kind: Kind = "number"
    priority: int = 0
    fold: int = 12
    is_value: bool = False
    tones: tuple[Tone, ...] = ()
    instead: tuple[str, ...] = ()
    drawings: tuple[Drawing | None, ...] = ()

    @classmethod
    def of(cls, heading: str, drawings: Iterable[Drawing | None], priority: int) -> Column:
        """A column of drawings, None for an empty cell."""
        drawn = tuple(drawings)
        cells = tuple("" if drawing is None else str(drawing) for drawing in drawn)
        return cls(heading, cells, "drawing", priority, drawings=drawn)

    def __post_init__(self) -> None:
        """Escape control characters; each layout escapes its own markup."""
        _printable(self, "heading", "cells", "instead")

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The cells as they are printed in a fixed-width font: numbers with their decimal points aligned."""
        return tuple(aligned(self.cells)) if self.kind == "number" else self.cells

    @cached_property
    def width(self) -> int:
        """The width at which no cell wraps."""
        heading = width_of(self.heading)
        if self.kind == "number":
            heading = min(heading, WIDEST_HEADING)
        return max(heading, widest(self.texts))

    @property
    def narrowest(self) -> int:
        """The smallest width at which the column is shown."""
        return min(self.width, self.fold) if self.kind == "name" else self.width

    def rows(self, indices: Sequence[int]) -> Column:
        """The column with only the rows at these indices."""
        return replace(
            self,
            cells=tuple(self.cells[index] for index in indices),
            tones=tuple(self.tones[index] for index in indices) if self.tones else (),
            drawings=tuple(self.drawings[index] for index in indices) if self.drawings else (),
        )


def narrowest(columns: Iterable[Column]) -> int:
    """The smallest width at which these columns fit side by side."""
    return sum(column.narrowest + GAP for column in columns) - GAP


REMEDY = "--cells all shows them"
"""How to see the rows that are hidden."""


class Table(Struct, frozen=True):
    """A table: its title, its columns of equal length, and the lines below it.

    A table without headings is a list of names with their meaning.  `worst` are the indices of the rows that
    a short form may hide, the first to keep first; all other rows are always shown.  If the rows are
    `in_order`, a short form keeps their order.  `details` are lines for verbose output.
    """

    title: str
    columns: tuple[Column, ...]
    worst: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    hidden_rows: int = 0
    remedy: str = ""
    in_order: bool = False

    def __post_init__(self) -> None:
        """Escape control characters."""
        _printable(self, "title", "notes", "details", "hidden_columns")

    @property
    def height(self) -> int:
        """The number of rows."""
        return len(self.columns[0].cells) if self.columns else 0

    @property
    def below(self) -> tuple[str, ...]:
        """The lines below the table: how many rows are hidden, then its notes."""
        hidden = f"... {self.hidden_rows:,} more; {self.remedy}"
        return (hidden, *self.notes) if self.hidden_rows else self.notes

    def first(self, cells: int | None, remedy: str = REMEDY) -> Table:
        """The table with at most this many cells, worst first; all cells in their order if they fit.

        `remedy` says how to see the hidden ones.
        """
        indices = kept_rows(self.height, self.worst, cells, self.in_order)
        if len(indices) == self.height:
            return self
        columns = tuple(column.rows(indices) for column in self.columns)
        hidden = self.hidden_rows + self.height - len(indices)
        return replace(self, columns=columns, worst=(), hidden_rows=hidden, remedy=remedy)

    def fitting(self, width: int | None) -> Table:
        """The table with as many of its most important columns as fit into a width."""
        columns = self.columns
        for limit in sorted({column.priority for column in columns} - {0}, reverse=True):
            if width is None or narrowest(columns) <= width:
                break
            columns = tuple(column for column in columns if column.priority < limit)
        hidden = [column for column in self.columns if column not in columns]
        return replace(
            self,
            columns=columns,
            notes=(*self.notes, *(line for column in hidden for line in column.instead)),
            hidden_columns=tuple(column.heading for column in hidden if not column.instead),
        )


def kept_rows(height: int, worst: Sequence[int], cells: int | None, in_order: bool = False) -> Sequence[int]:
    """The indices of the rows that a table with at most `cells` cells shows.

    `worst` and `in_order` are those of a `Table`.
    """
    if cells is None or len(worst) <= cells:
        return range(height)
    ranked = frozenset(worst)
    unranked = (index for index in range(height) if index not in ranked)
    return (*unranked, *(sorted(worst[:cells]) if in_order else worst[:cells]))


def latest_first(rows: int) -> tuple[int, ...]:
    """The `worst` indices of rows that are ordered by time."""
    return tuple(range(rows - 1, -1, -1))


def of_names(title: str, rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> Table:
    """A table of text, in columns that wrap."""
    columns = zip(*rows, strict=True)
    width = len(rows[0]) if rows else 0
    pairs = zip(headings or [""] * width, columns, strict=True)
    return Table(title, tuple(Column(heading, cells, "name") for heading, cells in pairs))


class Document(Struct, frozen=True):
    """A report for people: its tables, then its notes."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Escape control characters."""
        _printable(self, "notes")

    def detailed(self) -> Document:
        """The document with the details of each table shown below it."""
        tables = (replace(table, notes=(*table.details, *table.notes)) for table in self.tables)
        return replace(self, tables=tuple(tables))

    def first(self, cells: int | None, remedy: str = REMEDY) -> Document:
        """The document with at most this many cells in each table."""
        return replace(self, tables=tuple(table.first(cells, remedy) for table in self.tables))

    def with_remedy(self, remedy: str) -> Document:
        """The document whose tables say `remedy` about hidden rows."""
        return replace(self, tables=tuple(replace(table, remedy=remedy) for table in self.tables))
