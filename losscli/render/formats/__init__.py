"""The formats of a report: each module of this folder defines one as `FORMAT`; there is no other list."""

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
    """A format for people: its name for --format, the suffix of its files, and its layout function `write`.

    It may be a short form of the report.  With `details`, it always includes what a terminal shows with -v.
    """

    name: str
    suffix: str
    write: Callable[[Document], str]
    meaning: str = ""
    details: bool = False


class Data(Struct, frozen=True):
    """A format for programs, which is always complete; `meaning` explains its suffix if necessary.

    `without_formulas` escapes text that a spreadsheet would run.  `notes` returns caveats that the format
    itself cannot express.
    """

    name: str
    suffix: str
    write: Callable[[Report], str]
    meaning: str = ""
    without_formulas: Callable[[str], str] = str
    notes: Callable[[Report], list[str]] = lambda report: []


class Origin(Struct, frozen=True):
    """The run that writes a file: its command, the time, and the commit of the working folder."""

    command: str = ""
    time: str = ""
    commit: str = ""


class Page(Struct, frozen=True):
    """A format for people that has charts, made from the report itself.

    `write` takes the report, the maximum number of cells in a table (None for as many as fit), and the run
    that writes the page (None outside of a command).  `write_tables` makes a page with only tables.
    `require` raises UsageError if packages for drawing are missing.
    """

    name: str
    suffix: str
    write: Callable[[Report, int | None, Origin | None], str]
    write_tables: Callable[[Document], str]
    require: Callable[[], None]
    meaning: str = ""


class Picture(Struct, frozen=True):
    """An image format: `write` draws the named charts of a report, one below the other.

    By default the stem of the file names the chart: cells.svg.
    """

    name: str
    suffix: str
    write: Callable[[Report, Sequence[str]], str | bytes]
    require: Callable[[], None]
    meaning: str = ""


Format: TypeAlias = Layout | Data | Page | Picture


@cache
def all_formats() -> dict[str, Format]:
    """Every format by name: the default first, formats for people before those for programs."""
    names = sorted(module.name for module in iter_modules(__path__))
    formats: list[Format] = [import_module(f"{__name__}.{name}").FORMAT for name in names]
    formats.sort(key=lambda format_: (format_.name != DEFAULT, isinstance(format_, Data)))
    return {format_.name: format_ for format_ in formats}


def printed_formats() -> dict[str, Format]:
    """The formats that can be printed to stdout: all but images."""
    return {name: format_ for name, format_ in all_formats().items() if not isinstance(format_, Picture)}


DEFAULT = "table"
"""The format of stdout."""
