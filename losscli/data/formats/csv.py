"""CSV, TSV and other delimited text."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from losscli.data import limits
from losscli.data.dialect import SAMPLE, Dialect, declared, header_shows, separator_of, separators
from losscli.data.formats import rewriting
from losscli.data.formats.base import FILE, Files, Format, Scanned, empty_file, partitioned, read_errors
from losscli.data.formats.quoting import checked_quote, quote_of, require_enclosing
from losscli.data.formats.text import (
    expected_rows,
    first_lines,
    holds,
    is_plain,
    lines,
    not_text,
    shown,
    start_of,
)
from losscli.data.numbers import QUICK_NULL, Spelling
from losscli.data.spool import Spool
from losscli.errors import EXAMPLES, DataError, Problem, UsageError, all_of
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, Tally, finding, problem
from losscli.text import counted

if TYPE_CHECKING:
    from losscli.data.request import Reading

HEAD = 2 * SAMPLE
"""Lines that are read to find out how text is written; quoted fields may take several."""
_START = 1 << 18
"""Bytes that usually hold the first rows."""


class Delimited(Format, frozen=True):
    """Text whose columns have no types: their roles choose them."""

    marker: str = ""
    """The character in a first line without a comma that identifies the format."""

    def claims(self, line: str) -> bool:
        """Whether the line holds the marker and no comma."""
        return bool(self.marker) and self.marker in line and "," not in line

    def hold(self, files: Files, asked: Reading) -> Files:
        """The files with their dialect; what Polars cannot read is rewritten into temporary files."""
        held = all_of(*(lambda path=path: _held(path, files, asked) for path in files.paths))
        dialects = [each.dialect for each in held]
        if others := _unlike(files, dialects):
            raise DataError(others[:EXAMPLES])
        paths = tuple(each.path for each in held)
        return replace(
            files,
            paths=paths,
            dialect=replace(dialects[0], quote=_common_quote(held, files)),
            headers={each.path: each.header for each in held if each.header is not None},
            origins=dict(zip(paths, files.paths, strict=True)),
            rewritten=tuple(spool for each in held for spool in each.spools),
        )

    def open(self, files: Files) -> Scanned:
        """The table with the types that the first rows show, after a check of the separator."""
        dialect = files.dialect
        try:
            names = self.columns(files.paths[0], files)
            repeated = Counter(_header(files.paths[0], files)) if dialect.has_header else {}
            if dialect.has_header:
                scan = pl.scan_csv(files.paths[0], infer_schema=False, glob=files.remote, **dialect.options)
                names = scan.collect_schema()
        except pl.exceptions.NoDataError:
            raise empty_file(files.name) from None
        if len(names) == 1:
            _require_separator(next(iter(names)), dialect.separator, files.name)
        types = dict.fromkeys((*names, *files.partitions), pl.String())
        return shown(self, files, types, tuple(name for name, count in repeated.items() if count > 1))

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The files with these types, which are required."""
        return partitioned(self._scanned(list(files.paths), files, types or {}), files)

    def _scanned(self, source: list[str] | bytes, files: Files, types: Mapping[str, Any]) -> pl.LazyFrame:
        """Text that is written as the files are."""
        own = {name: dtype for name, dtype in types.items() if name not in files.partitions}
        numbers = [name for name, dtype in own.items() if dtype != pl.String]
        return pl.scan_csv(
            source,
            schema=pl.Schema(own),
            # By column: a label or a key may be the text NA.
            null_values=dict.fromkeys(numbers, QUICK_NULL) or None,
            decimal_comma=bool(numbers) and files.spelling.decimal == ",",
            # Polars resolves patterns in URLs; a local name is taken literally.
            glob=files.remote,
            include_file_paths=FILE if files.partitions else None,
            **files.dialect.options,
        )

    def first_rows(self, files: Files, types: Mapping[str, Any], most: int) -> pl.DataFrame:
        """The first rows; of one large file from its start, as Polars reads tens of megabytes for a few."""
        path, *others = files.paths
        start = start_of(path, _START) if is_plain(path) else b""
        if len(start) == _START and not others and not files.partitions:
            with suppress(*read_errors()):
                whole = start[: start.rfind(b"\n") + 1]
                rows = self._scanned(whole, files, types).head(most).collect()
                if rows.height == most:
                    return rows
        return super().first_rows(files, types, most)

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The names of the columns, without types."""
        return dict.fromkeys(files.dialect.names(_header(path, files)))

    def parses(self, files: Files, spelling: Spelling) -> bool:
        """Decimal commas as well, if there are no points: Polars would take them for commas too."""
        if spelling != Spelling(","):
            return super().parses(files, spelling)
        return files.dialect.separator != "," and not any(holds(path, ".") for path in files.paths)

    def expected_rows(self, files: Files) -> int | None:
        """Estimated from the length of the first lines."""
        return expected_rows(files)

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """Files that are not text, rows of unequal length, and stray quotes."""
        return not_text(files) or self.uneven(files) or _stray_quotes(files)

    def uneven(self, files: Files, blank: bool = False) -> list[Problem]:
        """Rows with more or fewer fields than the first, and blank lines among several columns."""
        return (
            [] if files.remote else [found for path in files.paths for found in _uneven(path, files, blank)]
        )

    def short_rows(self, files: Files, last: str) -> list[Problem]:
        """What `uneven` finds if the last column has missing values."""
        if files.remote:
            return []
        missing = (
            _as_text(path, files).select(pl.nth(-1).is_null().any()).collect(engine="streaming").item()
            for path in files.paths
        )
        return self.uneven(files) if any(missing) else []


class _Held(NamedTuple):
    """The path of a file as it is read, its dialect, and the temporary files behind it.

    `header` is its first row; None if it cannot be read.
    """

    path: str
    dialect: Dialect
    header: Sequence[str] | None = None
    spools: tuple[Spool, ...] = ()


def _held(path: str, files: Files, asked: Reading) -> _Held:
    """A file with its dialect, rewritten if need be.  Raises DataError."""
    name, spools, notes = files.shown(path), list[Spool](), list[str]()
    if is_plain(path) and (odd := _odd_bytes(start_of(path))):
        spools.append(rewriting.in_utf8(path, name))
        notes.append(f"rewritten from {odd}")
        path = spools[-1].path
    try:
        limits.require_inflation(path, asked.max_memory, name)
        head = first_lines(path, HEAD)
        first_line = head[0] if head else ""
        limits.require_short(first_line, name)
        _require_text(first_line, name)
        dialect = _detected(head, name, files.format, asked)
        first = next(dialect.records(head), [])
        limits.require_narrow(len(first), name)
        escape = asked.escape if asked.escape and holds(path, asked.escape) else None
        if escape or dialect.is_padded(first):
            spools.append(rewriting.standard(path, name, dialect, escape))
            notes.append("rewritten without escapes" if escape else "rewritten without blanks")
            path, dialect = spools[-1].path, replace(dialect, skip=0, comment=None)
            head = first_lines(path, HEAD)
        if dialect.quote is not None:
            dialect = replace(dialect, quote=quote_of(path, name, dialect))
        dialect = _with_header(dialect, head, name, asked)
        header = next(dialect.records(head), [])
    except pl.exceptions.NoDataError:
        raise empty_file(name) from None
    except csv.Error:
        reason, remedy = "lines end with CR", "end them with LF: tr '\\r' '\\n'"
        raise DataError(problem(Code.UNREADABLE_FILE, name, remedy=remedy, reason=reason)) from None
    except read_errors():
        return _Held(
            path, Dialect(separator=asked.separator or files.format.separator or ",")
        )  # `open` reports
    return _Held(path, replace(dialect, notes=(*notes, *dialect.notes)), header, tuple(spools))


def _require_text(line: str, name: str) -> None:
    """Raise DataError for a first line with null characters."""
    if "\0" in line:
        what = "the first line holds null characters, so it is no text in UTF-8"
        remedy = "if it is in UTF-16: iconv -f utf-16le -t utf-8"
        raise DataError(problem(Code.UNSUPPORTED_FORMAT, name, remedy=remedy, what=what))


def _common_quote(held: Sequence[_Held], files: Files) -> str | None:
    """The quote with which all files of a table are read; None if none of them has a quoted field.

    Raises DataError if quotes are plain characters in some of them, and enclose fields in others.
    """
    quote = next(
        (each.dialect.quote for each in held if each.header is not None and each.dialect.quote), None
    )
    if quote is not None:
        all_of(
            *(
                partial(require_enclosing, each.path, files.shown(path), replace(each.dialect, quote=quote))
                for path, each in zip(files.paths, held, strict=True)
                if each.dialect.quote is None
            )
        )
    return quote


def _odd_bytes(start: bytes) -> str:
    encoding = rewriting.encoding_of(start)
    if not encoding.startswith("utf-8"):
        return encoding.upper()
    return "CR line ends" if rewriting.has_old_line_ends(start) else ""


def _detected(head: list[str], name: str, form: Format, asked: Reading) -> Dialect:
    """The dialect of text with these first lines, as yet with a header."""
    quote = None if asked.quote == "none" else asked.quote or '"'
    skip = 1 if head and declared(head[0]) else 0
    kept = list(Dialect(comment=asked.comment, skip=skip).content_lines(head))
    line = next(filter(None, kept), "")
    if asked.comment is None and line.startswith("#"):
        _require_no_comment(line, kept, name)
    separator = declared(head[0]) if skip else separator_of(line, form.separator or "", asked.separator)
    if not separator and not separators(line) and " " not in line:
        separator = ","  # one column, which nothing separates
    if not separator:
        raise UsageError(f"{name}: .txt does not tell the separator", remedy="--separator tab")
    usual = asked.separator or form.separator
    notes = () if separator == usual else (f"separator {separator!r}",)
    return Dialect(separator, quote, asked.comment, skip=skip, notes=notes)


def _require_no_comment(line: str, kept: list[str], name: str) -> None:
    """Raise DataError if a first line with # looks like a comment, not like a header."""
    below = next(filter(None, kept[1:]), "")
    if not line[1:2].strip(" #!") or any(line.count(sign) != below.count(sign) for sign in separators(below)):
        raise DataError(problem(Code.COMMENT_LINES, name, examples=[line[:80]]))


def _with_header(dialect: Dialect, head: list[str], name: str, asked: Reading) -> Dialect:
    """The dialect with what the first rows show of a header.  Raises DataError if they show none."""
    if asked.header:
        return dialect
    with suppress(csv.Error):
        rows = list(islice(dialect.records(head), SAMPLE))
        shows = header_shows(rows) if rows else None
        if asked.header is None:
            if shows is False:
                shown = dialect.separator.join(rows[0])[:80]
                raise DataError(problem(Code.NO_HEADER, name, examples=[f"line {dialect.skip + 1}: {shown}"]))
            return dialect
        note = "with a header" if shows else f"no header: columns are {', '.join(_few(rows))}"
        return replace(dialect, has_header=bool(shows), notes=(*dialect.notes, note))
    return dialect


def _few(rows: list[list[str]]) -> Iterator[str]:
    width = len(rows[0]) if rows else 0
    names = Dialect(has_header=False).names([""] * width)
    yield from names if width <= 3 else (*names[:2], "...", names[-1])


def _unlike(files: Files, dialects: list[Dialect]) -> list[Problem]:
    """Files of a table that are written in another way than the first."""
    first = dialects[0]
    problems = []
    for path, own in zip(files.paths, dialects, strict=True):
        header = "has" if own.has_header else "has no"
        differ = [
            *([f"separator {own.separator!r}"] if own.separator != first.separator else []),
            *([f"{header} header"] if own.has_header != first.has_header else []),
            *(["'sep=' line"] if own.skip != first.skip else []),
        ]
        if differ:
            differences = ", ".join(differ)
            problems.append(
                problem(Code.DIFFERENT_COLUMNS, path, first=files.paths[0], differences=differences)
            )
    return problems


def _header(path: str, files: Files) -> Sequence[str]:
    """The fields of the first row of a file.  Raises why it cannot be read."""
    if path not in files.headers:
        return next(files.dialect.records(first_lines(path, HEAD)), [])
    return files.headers[path]


def _require_separator(name: str, separator: str, file: str) -> None:
    """Raise DataError if the name of the only column holds a common separator."""
    other = next(iter(separators(name)), "")
    if other == separator:
        remedy = "quotes enclose whole rows: write them around each field, or around none"
        raise DataError(
            problem(Code.WRONG_SEPARATOR, file, remedy=remedy, name=repr(name), separator=repr(other))
        )
    if other:
        option = f"--separator {'tab' if other == chr(9) else repr(other) if other != ',' else other}"
        remedy = f"name it .tsv, or {option}" if other == "\t" else option
        raise DataError(
            problem(Code.WRONG_SEPARATOR, file, remedy=remedy, name=repr(name), separator=repr(other))
        )


def _uneven(path: str, files: Files, blank: bool) -> list[Problem]:
    count, examples, starts = 0, list[str](), set[str]()
    rows: Iterable[list[str]] = files.dialect.records(lines(path))
    width = 0
    with suppress(csv.Error):
        width = len(next(iter(rows), []))
        for number, line in enumerate(rows, 1 if files.dialect.has_header else 2):
            if len(line) == width or (not line and width == 1 and not blank):
                continue
            count += 1
            starts |= {field.lstrip()[:1] for field in line}
            if count <= EXAMPLES:
                fields = counted(len(line), "field") if line else "a blank line"
                examples.append(f"row {number}: {fields}")
    if not count:
        return []
    fields = "field" if width == 1 else f"{width} fields"
    remedy = next((_UNEVEN[sign] for sign in _UNEVEN if sign in starts), None)
    kind = finding(Code.WRONG_FIELD_COUNT, files.shown(path), remedy=remedy, fields=fields)
    return [kind.problem(Tally(count, examples))]


def _stray_quotes(files: Files) -> list[Problem]:
    """The first quote that neither opens nor closes a field, also within a row."""
    if files.dialect.quote is None:
        return []
    try:
        for path in files.paths:
            checked_quote(path, files.shown(path), files.dialect)
    except DataError as error:
        return list(error.problems)
    return []


_UNEVEN = {
    "#": "--comment '#' skips lines that begin with #",
    "'": """--quote "'" if single quotes enclose fields""",
}
"""Remedies for rows of unequal length, by how one of their fields begins."""


def _as_text(path: str, files: Files) -> pl.LazyFrame:
    """A file with all columns as text, which never fails."""
    return pl.scan_csv(
        path, infer_schema=False, truncate_ragged_lines=True, glob=files.remote, **files.dialect.options
    )


FORMATS = (
    Delimited("csv", (".csv",), separator=",", is_text=True, is_compressible=True),
    Delimited("tsv", (".tsv",), separator="\t", is_text=True, is_compressible=True, marker="\t"),
    Delimited("txt", (".txt",), separator="", is_text=True, is_compressible=True, is_option=False),
)
