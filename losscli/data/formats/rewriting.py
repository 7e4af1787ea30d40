"""Text that Polars cannot read, rewritten into a temporary file: UTF-8, standard quotes, LF."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from losscli.data.dialect import Dialect
from losscli.data.formats.base import Files
from losscli.data.formats.text import is_plain, lines, start_of
from losscli.data.spool import Spool
from losscli.errors import DataError
from losscli.report.findings import Code, problem

BUFFER = 1 << 20
"""Characters written at a time."""
_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Byte order marks and their encodings."""


def encoding_of(start: bytes) -> str:
    """The encoding of text with these first bytes; UTF-8 is decoded without a byte order mark."""
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8-sig")


def has_old_line_ends(start: bytes) -> bool:
    """Whether text with these first bytes has CR line ends, as from old Macs and some exports."""
    text = start.decode(encoding_of(start), errors="replace")
    return "\r" in text and "\n" not in text


def all_in_utf8(files: Files) -> Files:
    """Files of non-delimited text; those with a byte order mark are rewritten."""
    marks = ("\ufeff".encode(), *_MARKS)
    spools = {
        path: in_utf8(path, files.shown(path))
        for path in files.paths
        if is_plain(path) and start_of(path).startswith(marks)
    }
    if not spools:
        return files
    paths = tuple(spools[path].path if path in spools else path for path in files.paths)
    origins = dict(zip(paths, files.paths, strict=True))
    return replace(files, paths=paths, origins=origins, rewritten=tuple(spools.values()))


def in_utf8(path: str, name: str) -> Spool:
    """A local file in UTF-8 without a byte order mark, with LF instead of CR line ends.  Raises DataError."""
    start = start_of(path)
    encoding = encoding_of(start)

    def chunks() -> Iterator[bytes]:
        # Line ends other than CR stay as they are, as they may be part of a quoted name.
        with open(path, encoding=encoding, newline=None if has_old_line_ends(start) else "") as file:
            while text := file.read(BUFFER):
                yield text.encode()

    try:
        return Spool(chunks(), name)
    except UnicodeError:
        remedy = f"convert it: iconv -f {encoding.removesuffix('-sig')} -t utf-8"
        raise DataError(problem(Code.WRONG_ENCODING, name, remedy=remedy)) from None


def standard(path: str, name: str, dialect: Dialect, escape: str | None) -> Spool:
    """Delimited text with quotes doubled instead of escaped, and without blanks around fields.

    Raises DataError for a quote that neither opens nor closes a field.
    """
    settings: dict[str, Any] = dialect.quoting | {"skipinitialspace": escape is None, "strict": True}
    text: Iterable[str] = (line + "\n" for line in _text_lines(path, name, dialect))
    if escape:
        settings["escapechar"] = escape
        text = _doubled_escapes(text, escape, dialect)
    rows = csv.reader(text, **settings)
    return Spool(_encoded_rows(rows, name, dialect, strip=escape is None), name)


def _text_lines(path: str, name: str, dialect: Dialect) -> Iterator[str]:
    for line in dialect.content_lines(lines(path)):
        if "\ufffd" in line and is_plain(path):
            _require_utf8(path, name)
        yield line


def _require_utf8(path: str, name: str) -> None:
    with open(path, encoding="utf-8") as file:
        try:
            for _ in file:
                pass
        except UnicodeError:
            raise DataError(problem(Code.WRONG_ENCODING, name)) from None


def _doubled_escapes(text: Iterable[str], escape: str, dialect: Dialect) -> Iterator[str]:
    r"""Lines with escapes doubled before plain characters, since csv drops one: C:\new stays C:\new."""
    special = {escape, dialect.quote, dialect.separator}
    pair = re.compile(f"{re.escape(escape)}(.?)", re.DOTALL)
    for line in text:
        yield pair.sub(lambda match: match[0] if match[1] in special else escape + match[0], line)


def _encoded_rows(rows: Any, name: str, dialect: Dialect, strip: bool) -> Iterator[bytes]:
    buffer = io.StringIO()
    quote = dialect.quote or '"'
    writer = csv.writer(buffer, delimiter=dialect.separator, quotechar=quote, lineterminator="\n")
    try:
        for row in rows:
            writer.writerow([field.strip() for field in row] if strip else row)
            if buffer.tell() >= BUFFER:
                yield buffer.getvalue().encode()
                buffer.seek(0)
                buffer.truncate()
    except csv.Error:
        shown = f"row {rows.line_num - dialect.has_header}"
        remedy = "--quote none if quotes are plain characters; else double the quotes within a field"
        raise DataError(problem(Code.STRAY_QUOTE, name, remedy=remedy, row=shown, quote=quote)) from None
    yield buffer.getvalue().encode()
