"""CSV, TSV and other delimited text with a header."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from losscli.data.formats.base import FILE, Files, Format, Scanned, empty_file, partitioned
from losscli.data.formats.text import expected_rows, lines, not_text, shown
from losscli.data.numbers import QUICK_NULL
from losscli.errors import EXAMPLES, DataError, Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, Tally, finding, problem
from losscli.text import counted

HEADER_LINES = 100
"""The number of lines in which the end of a header is searched."""


class Delimited(Format, frozen=True):
    """Text whose columns have no types: their roles choose them."""

    marker: str = ""
    """The character in a first line without a comma that identifies the format."""

    def claims(self, line: str) -> bool:
        """Whether the line holds the marker and no comma."""
        return bool(self.marker) and self.marker in line and "," not in line

    def open(self, files: Files) -> Scanned:
        """The table with the types that the first rows show, after a check of the separator."""
        separator = files.separator or ","
        try:
            names = Counter(header(files.paths[0], separator))
            first = pl.scan_csv(
                files.paths[0], separator=separator, infer_schema=False, glob=files.remote
            ).collect_schema()
        except pl.exceptions.NoDataError:
            raise empty_file(files.name) from None
        if len(first) == 1:
            _require_separator(next(iter(first)), files.name)
        types = dict.fromkeys((*first, *files.partitions), pl.String())
        repeated = tuple(name for name, count in names.items() if count > 1)
        return shown(self, files, types, repeated)

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The files with these types, which are required."""
        own = {name: dtype for name, dtype in (types or {}).items() if name not in files.partitions}
        numbers = [name for name, dtype in own.items() if dtype != pl.String]
        scan = pl.scan_csv(
            list(files.paths),
            separator=files.separator or ",",
            schema=pl.Schema(own),
            # By column: a label or a key may be the text NA.
            null_values=dict.fromkeys(numbers, QUICK_NULL) or None,
            # Polars resolves patterns in URLs; a local name is taken literally.
            glob=files.remote,
            include_file_paths=FILE if files.partitions else None,
        )
        return partitioned(scan, files)

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The names in the header, without types."""
        return dict.fromkeys(header(path, files.separator or ","))

    def expected_rows(self, files: Files) -> int | None:
        """Estimated from the length of the first lines."""
        return expected_rows(files)

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """Files that are not text, and rows of unequal length."""
        return not_text(files) or self.uneven(files)

    def uneven(self, files: Files, blank: bool = False) -> list[Problem]:
        """Rows with more or fewer fields than the header, and blank lines among several columns."""
        return (
            [] if files.remote else [found for path in files.paths for found in _uneven(path, files, blank)]
        )

    def short_rows(self, files: Files, last: str) -> list[Problem]:
        """What `uneven` finds if the last column has missing values."""
        if files.remote:
            return []
        missing = (
            _as_text(path, files).select(pl.col(last).is_null().any()).collect(engine="streaming").item()
            for path in files.paths
        )
        return self.uneven(files) if any(missing) else []


def header(path: str, separator: str) -> Sequence[str]:
    """The names in the header of a text file, with duplicates."""
    return next(csv.reader(lines(path, HEADER_LINES), delimiter=separator), [])


def _require_separator(name: str, file: str) -> None:
    """Raise DataError if the name of the only column holds a common separator."""
    other = next((sign for sign in ",;\t|" if sign in name), "")
    if other:
        option = f"--separator {'tab' if other == chr(9) else repr(other) if other != ',' else other}"
        remedy = f"name it .tsv, or {option}" if other == "\t" else option
        raise DataError(
            problem(Code.WRONG_SEPARATOR, file, remedy=remedy, name=repr(name), separator=repr(other))
        )


def _uneven(path: str, files: Files, blank: bool) -> list[Problem]:
    count, examples = 0, list[str]()
    rows = csv.reader(lines(path), delimiter=files.separator or ",")
    width = len(next(rows, []))
    with suppress(csv.Error):
        for number, line in enumerate(rows, 1):
            if len(line) == width or (not line and width == 1 and not blank):
                continue
            count += 1
            if count <= EXAMPLES:
                fields = counted(len(line), "field") if line else "a blank line"
                examples.append(f"row {number}: {fields}")
    if not count:
        return []
    fields = "field" if width == 1 else f"{width} fields"
    kind = finding(Code.WRONG_FIELD_COUNT, files.shown(path), fields=fields)
    return [kind.problem(Tally(count, examples))]


def _as_text(path: str, files: Files) -> pl.LazyFrame:
    """A file with all columns as text, which never fails."""
    return pl.scan_csv(
        path,
        separator=files.separator or ",",
        infer_schema=False,
        truncate_ragged_lines=True,
        glob=files.remote,
    )


FORMATS = (
    Delimited("csv", (".csv",), separator=",", is_compressible=True),
    Delimited("tsv", (".tsv",), separator="\t", is_compressible=True, marker="\t"),
    Delimited("txt", (".txt",), separator="", is_compressible=True, is_option=False),
)
