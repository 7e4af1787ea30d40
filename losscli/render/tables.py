"""The model of all that is shown: tables of text, which every layout (terminal, Markdown, HTML) prints.

A table does not know where it is printed.  What a layout has no room for it takes away by
`fitting` (columns) and `first` (rows), and the table that remains says what is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from losscli.numeric.cached import cached_property
from losscli.render.digits import aligned
from losscli.render.drawing import Drawing
from losscli.text import printable

Kind = Literal["name", "number", "drawing"]
"""Names are aligned left and may fold; numbers are aligned right; drawings need a fixed-width font."""
Tone = Literal["", "good", "warning", "bad"]


def width_of(text: str) -> int:
    """The width of a text in a terminal, where a character takes no cell, one or two."""
    if max(text, default="") < "\u0300":  # all characters up to here take one cell
        return len(text)
    from rich.cells import cell_len  # takes as long to import as all of these tables to make

    return cell_len(text)


GAP = 2
"""Spaces between columns."""
WIDEST_HEADING = len("difference ± se")
"""The widest heading that makes a column of numbers wider; a longer one is folded."""


def _printable(struct: Struct, *names: str) -> None:
    """Escape the text in fields of a struct that is being made: a text, or several."""
    for name in names:
        value = getattr(struct, name)
        if not "".join(value).isprintable():
            escaped = printable(value) if isinstance(value, str) else tuple(map(printable, value))
            force_setattr(struct, name, escaped)


class Column(Struct, frozen=True, dict=True):
    """One column of a table.

    A column of priority 0 is always shown; of the others, those of the largest number are hidden first.  A
    hidden column with `instead` is not missed: these lines are below the table instead.  A column of
    names folds, but not below the width `fold`.  `is_value` marks the numbers that the table is about;
    `tones` say of each cell whether it is good news, `drawings` what is drawn where there is more than text.
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
        """The column of drawings, None for a cell without one."""
        found = tuple(drawings)
        cells = tuple("" if each is None else str(each) for each in found)
        return cls(heading, cells, "drawing", priority, drawings=found)

    def __post_init__(self) -> None:
        """Escape what could steer a terminal; each layout escapes its own markup."""
        _printable(self, "heading", "cells", "instead")

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The cells as they are printed in a fixed-width font: numbers with their points in line."""
        return tuple(aligned(self.cells)) if self.kind == "number" else self.cells

    @cached_property
    def width(self) -> int:
        """The width at which no cell is folded."""
        heading = width_of(self.heading)
        if self.kind == "number":
            heading = min(heading, WIDEST_HEADING)
        return max([heading, *map(width_of, self.texts)])

    @property
    def narrowest(self) -> int:
        """The smallest width at which the column is shown."""
        return min(self.width, self.fold) if self.kind == "name" else self.width

    def rows(self, places: Sequence[int]) -> Column:
        """The column of these rows alone."""
        return replace(
            self,
            cells=tuple(self.cells[place] for place in places),
            tones=tuple(self.tones[place] for place in places) if self.tones else (),
            drawings=tuple(self.drawings[place] for place in places) if self.drawings else (),
        )


def narrowest(columns: Iterable[Column]) -> int:
    """The smallest width at which these columns fit side by side."""
    return sum(column.narrowest + GAP for column in columns) - GAP


REMEDY = "--cells all shows them"
"""How to see the rows that are hidden."""


class Table(Struct, frozen=True):
    """A table: its title, its columns of equal length, and the lines below it.

    Without headings it lists what names mean.
    `worst` are the rows of cells from the worst on, in the order in which a short form keeps them; rows that
    are not among them always stay.  If they are `in_order`, a short form does not sort them.  `details` are
    lines for readers who want all there is to know.
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
        """Escape what could steer a terminal."""
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
        """At most this many cells, the worst ones from the worst on; all of them in their order if they fit.

        `remedy` says where the hidden ones are.
        """
        if cells is None or len(self.worst) <= cells:
            return self
        ranked = frozenset(self.worst)
        always = tuple(place for place in range(self.height) if place not in ranked)
        kept = self.worst[:cells]
        places = (*always, *(sorted(kept) if self.in_order else kept))
        columns = tuple(column.rows(places) for column in self.columns)
        return replace(
            self,
            columns=columns,
            worst=(),
            hidden_rows=self.hidden_rows + len(self.worst) - cells,
            remedy=remedy,
        )

    def fitting(self, width: int | None) -> Table:
        """The table with as many of its columns as fit, the most important ones."""
        columns = self.columns
        for limit in sorted({column.priority for column in columns} - {0}, reverse=True):
            if width is None or narrowest(columns) <= width:
                break
            columns = tuple(column for column in columns if column.priority < limit)
        left = [column for column in self.columns if column not in columns]
        return replace(
            self,
            columns=columns,
            notes=(*self.notes, *(line for column in left for line in column.instead)),
            hidden_columns=tuple(column.heading for column in left if not column.instead),
        )


def latest_first(rows: int) -> tuple[int, ...]:
    """The order in which a short form keeps rows that are in order of time."""
    return tuple(range(rows - 1, -1, -1))


def of_names(title: str, rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> Table:
    """A table of text, in columns that fold."""
    columns = zip(*rows, strict=True)
    width = len(rows[0]) if rows else 0
    named = zip(headings or [""] * width, columns, strict=True)
    return Table(title, tuple(Column(heading, cells, "name") for heading, cells in named))


class Document(Struct, frozen=True):
    """A report as it is shown: its tables, then its notes."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Escape what could steer a terminal."""
        _printable(self, "notes")

    def detailed(self) -> Document:
        """The document with the details of each table among its notes."""
        tables = (replace(table, notes=(*table.details, *table.notes)) for table in self.tables)
        return replace(self, tables=tuple(tables))

    def first(self, cells: int | None, remedy: str = REMEDY) -> Document:
        """The document with at most this many cells in each table."""
        return replace(self, tables=tuple(table.first(cells, remedy) for table in self.tables))

    def with_remedy(self, remedy: str) -> Document:
        """The document where `remedy` says where rows are that are hidden."""
        return replace(self, tables=tuple(replace(table, remedy=remedy) for table in self.tables))
