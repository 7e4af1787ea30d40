"""The formats of a report, each a module of this folder with its `FORMAT`: no list is kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeAlias

from msgspec import Struct

from losscli.render.tables import Document
from losscli.report.model import Report


class Layout(Struct, frozen=True):
    """A format for people: its name for --format, the suffix of its files, and what lays out the tables.

    It may be a short form of the report.  With `details` it always has what a terminal shows with -v.
    """

    name: str
    suffix: str
    write: Callable[[Document], str]
    meaning: str = ""
    details: bool = False


class Data(Struct, frozen=True):
    """A format for programs, which is always complete; `meaning` explains its suffix if need be.

    `without_formulas` is for text that spreadsheets open: it escapes what they would run.  `notes` say what
    its text does not.
    """

    name: str
    suffix: str
    write: Callable[[Report], str]
    meaning: str = ""
    without_formulas: Callable[[str], str] = str
    notes: Callable[[Report], list[str]] = lambda report: []


class Origin(Struct, frozen=True):
    """How a file comes to be written: the command, the time, and the commit of the working folder."""

    command: str = ""
    time: str = ""
    commit: str = ""


class Page(Struct, frozen=True):
    """A format with charts: for people, and made of the report itself.

    `write` takes the report, the number of cells of a table, None for as many as a page has room for, and
    how the page comes to be written, None if no command writes it.  `write_tables` makes a page of tables
    alone.  `require` raises UsageError if packages that draw are missing.
    """

    name: str
    suffix: str
    write: Callable[[Report, int | None, Origin | None], str]
    write_tables: Callable[[Document], str]
    require: Callable[[], None]
    meaning: str = ""


class Picture(Struct, frozen=True):
    """A format of images: `write` draws the charts of a report that are named, one below the other.

    Files name the chart by their stem if nothing else does: cells.svg.
    """

    name: str
    suffix: str
    write: Callable[[Report, Sequence[str]], str | bytes]
    require: Callable[[], None]
    meaning: str = ""


Format: TypeAlias = Layout | Data | Page | Picture


@cache
def all_formats() -> dict[str, Format]:
    """Every format by its name, the default first, those for people before those for programs."""
    names = sorted(module.name for module in iter_modules(__path__))
    found: list[Format] = [import_module(f"{__name__}.{name}").FORMAT for name in names]
    found.sort(key=lambda each: (each.name != DEFAULT, isinstance(each, Data)))
    return {each.name: each for each in found}


def printed_formats() -> dict[str, Format]:
    """The formats of stdout: texts."""
    return {name: each for name, each in all_formats().items() if not isinstance(each, Picture)}


DEFAULT = "table"
"""The format of stdout."""
