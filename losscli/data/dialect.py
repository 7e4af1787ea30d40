"""The dialect of delimited text: separator, quotes, comments and header, inferred from its first lines."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

# A field may be longer than the 131,072 characters that Python's csv module allows by default.
csv.field_size_limit(sys.maxsize)

COMMON_SEPARATORS = (",", ";", "\t", "|")
SAMPLE = 1_000
"""Rows that show whether there is a header."""
_DECLARED = re.compile(r'^"?sep=(.)"?$')
"""The first line that Excel writes to name the separator."""
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number, whatever its decimal sign."""
_TRUTH = ("true", "false")
_COUNTED = 5
"""This many columns 0, 1, 2, ... are a header even above whole numbers; fewer need more values below."""


class Dialect(Struct, frozen=True):
    """The dialect of a table of delimited text.

    `quote` encloses fields that hold the separator or a line end; None if no character does.  Lines that
    begin with `comment` are skipped, as are `skip` lines before the header.  Without a header the columns
    are named by position.  `notes` say what is unusual.
    """

    separator: str = ","
    quote: str | None = '"'
    comment: str | None = None
    has_header: bool = True
    skip: int = 0
    notes: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `polars.scan_csv`."""
        return {
            "separator": self.separator,
            "quote_char": self.quote,
            "comment_prefix": self.comment,
            "has_header": self.has_header,
            "skip_lines": self.skip,
        }

    def records(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The fields of each row, the header first if there is one.  Raises csv.Error."""
        return csv.reader((line + "\n" for line in self.content_lines(lines)), **self.quoting)

    def content_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines from the header on, without comments."""
        for line in islice(lines, self.skip, None):
            if not (self.comment and line.startswith(self.comment)):
                yield line

    @property
    def quoting(self) -> dict[str, Any]:
        """The arguments of Python's csv module."""
        if self.quote is None:
            return {"delimiter": self.separator, "quoting": csv.QUOTE_NONE}
        return {"delimiter": self.separator, "quotechar": self.quote}

    def names(self, first: Sequence[str]) -> list[str]:
        """The names of the columns of a table with this first row."""
        return list(first) if self.has_header else [f"column_{i}" for i in range(1, len(first) + 1)]

    def is_padded(self, first: Sequence[str]) -> bool:
        """Whether blanks follow each separator of the header, as in 'id, prediction'."""
        return self.separator != " " and len(first) > 1 and all(name.startswith(" ") for name in first[1:])


def separators(line: str) -> list[str]:
    """The common separators that a line holds."""
    return [sign for sign in COMMON_SEPARATORS if sign in line]


def declared(line: str) -> str | None:
    """The separator that a first line 'sep=;' declares."""
    match = _DECLARED.match(line.strip("\ufeff\r\n "))
    return match.group(1) if match else None


def separator_of(line: str, usual: str, asked: str | None) -> str:
    """The separator of text with this header: the one `asked` for, unless the header has only another one.

    `usual` is the default of the format, empty without one.  Empty if the separator is unknown.
    """
    present = separators(line)
    if asked is None or asked in line or not present:
        return asked or usual
    return usual if usual in present else present[0] if len(present) == 1 else asked


def header_shows(rows: Sequence[Sequence[str]]) -> bool | None:
    """Whether the first of these rows is a header: False if it looks like a row, None if undecided.

    Text above numbers is a header, as is an empty name above the index of a dataframe.  A number above
    numbers is a row, as is text that recurs below.  The names 0, 1, 2, ... that pandas gives are a row as
    well, unless they are many or the values below are not whole numbers.
    """
    first = [name.strip() for name in rows[0]]
    others = [row for row in rows[1:] if len(first) == 1 or row != rows[0]]  # a file may repeat its header

    def below(i: int) -> list[str]:
        """The values of a column."""
        return [value for row in others if row[i : i + 1] and (value := row[i].strip())]

    def are_numbers(values: Sequence[str]) -> bool:
        return bool(values) and all(map(_NUMBER.fullmatch, values))

    # The first column nearly always decides, however many columns there are.
    if any(name and not _is_value(name) and are_numbers(below(i)) for i, name in enumerate(first)):
        return True
    columns = [below(i) for i in range(len(first))]
    numeric = [are_numbers(values) for values in columns]
    named = [(name, values) for name, values in zip(first, columns, strict=True) if _NUMBER.fullmatch(name)]
    if _is_counted(named) or (len(first) > 1 and not first[0] and _is_index(columns[0], numeric[0])):
        return True
    has_value = any(is_numeric and _is_value(name) for name, is_numeric in zip(first, numeric, strict=True))
    recurs = any(name and name in values for name, values in zip(first, columns, strict=True))
    has_truth = any(name.lower() in _TRUTH for name in first)
    is_only_row = not others and bool(named)
    return False if has_value or recurs or has_truth or is_only_row else None


def _is_value(name: str) -> bool:
    return bool(_NUMBER.fullmatch(name)) or name.lower() in (*_TRUTH, "nan", "na", "null")


def _is_counted(columns: Sequence[tuple[str, Sequence[str]]]) -> bool:
    """Whether columns are named 0, 1, 2, ... above values that differ from such names."""
    if not columns or [name for name, _ in columns] != [str(i) for i in range(len(columns))]:
        return False
    values = [value for _, column in columns for value in column]
    return len(columns) >= _COUNTED or (len(values) > _COUNTED and not any(map(_WHOLE.fullmatch, values)))


def _is_index(below: Sequence[str], numeric: bool) -> bool:
    """Whether a column without a name is an index written by pandas: row numbers from 0, or text."""
    return bool(below) and (not numeric or below[0] == "0")
