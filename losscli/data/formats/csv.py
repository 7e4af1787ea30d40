"""CSV, TSV and other delimited text with a header."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from losscli.data.formats.base import FILE, Files, Format, Scanned, empty_file, kind_of_value, partitioned
from losscli.data.formats.text import INFER_ROWS, MISSING, expected_rows, lines, not_text
from losscli.errors import EXAMPLES, DataError, Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, Tally, finding, problem
from losscli.text import counted

HEADER_LINES = 100
"""The number of lines in which the end of a header is searched."""


class Delimited(Format, frozen=True):
    """Text whose columns have no type: the first rows suggest one, and roles may choose another."""

    marker: str = ""
    """The character in a first line without a comma that identifies the format."""

    def claims(self, line: str) -> bool:
        """Whether the line holds the marker and no comma."""
        return bool(self.marker) and self.marker in line and "," not in line

    def open(self, files: Files) -> Scanned:
        """The table with the types that the first rows suggest, after a check of the separator."""
        separator = files.separator or ","
        first = pl.scan_csv(
            files.paths[0],
            separator=separator,
            infer_schema_length=INFER_ROWS,
            null_values=MISSING,
            glob=files.remote,
        )
        try:
            schema = dict(first.collect_schema())
            names = Counter(header(files.paths[0], separator))
        except pl.exceptions.NoDataError:
            raise empty_file(files.name) from None
        if len(schema) == 1:
            _require_separator(next(iter(schema)), files.name)
        repeated = tuple(name for name, count in names.items() if count > 1)
        schema |= {name: values.dtype for name, values in files.partitions.items()}
        return Scanned(self.scan(files, schema), schema, repeated)

    def scan(self, files: Files, schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The files with the types of a schema, which is required."""
        own = {name: dtype for name, dtype in (schema or {}).items() if name not in files.partitions}
        numbers = [name for name, dtype in own.items() if dtype != pl.String]
        scan = pl.scan_csv(
            list(files.paths),
            separator=files.separator or ",",
            schema=pl.Schema(own),
            # By column: a label or a key may be the text NA.
            null_values=dict.fromkeys(numbers, MISSING) or None,
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

    def as_numbers(self, schema: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Any column can be parsed as numbers."""
        return dict.fromkeys(names, pl.Float64())

    def diagnose(self, files: Files, schema: Mapping[str, Any]) -> list[Problem]:
        """Files that are not text, rows of unequal length, and text in numeric columns."""
        return not_text(files) or [*self.uneven(files), *self.not_numbers(files, schema)]

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

    def not_numbers(
        self, files: Files, schema: Mapping[str, Any], columns: Collection[str] | None = None
    ) -> list[Problem]:
        """Numeric (or boolean) columns that hold other text in some rows."""
        wanted = {
            name: dtype
            for name, dtype in schema.items()
            if dtype != pl.String and name not in files.partitions and (columns is None or name in columns)
        }
        if not wanted:
            return []
        return [found for path in files.paths for found in _not_numbers(path, files, wanted)]


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


def _not_numbers(path: str, files: Files, wanted: dict[str, Any]) -> list[Problem]:
    text = _as_text(path, files).select(pl.col(*wanted).str.strip_chars_start().replace(MISSING, None))
    wrong = [pl.col(name).is_not_null() & ~_parses(pl.col(name), dtype) for name, dtype in wanted.items()]
    problems = []
    with suppress(pl.exceptions.PolarsError):
        counts = text.select(each.sum() for each in wrong).collect(engine="streaming")
        for (name, dtype), bad in zip(wanted.items(), wrong, strict=True):
            if not counts[name].item():
                continue
            rows = text.with_row_index("#", 1).filter(bad).select("#", name).head(EXAMPLES).collect()
            shown = [f"row {row}: {value!r}" for row, value in rows.iter_rows()]
            where = f"{files.shown(path)}, column {name}"
            kind = finding(Code.NOT_A_NUMBER, where, kind=kind_of_value(dtype))
            problems.append(kind.problem(Tally(counts[name].item(), shown)))
    return problems


def _parses(text: pl.Expr, dtype: Any) -> pl.Expr:
    if dtype == pl.Boolean:
        return text.str.to_lowercase().is_in(["true", "false"])
    return text.cast(dtype, strict=False).is_not_null()


FORMATS = (
    Delimited("csv", (".csv",), separator=",", is_compressible=True),
    Delimited("tsv", (".tsv",), separator="\t", is_compressible=True, marker="\t"),
    Delimited("txt", (".txt",), separator="", is_compressible=True, is_option=False),
)
