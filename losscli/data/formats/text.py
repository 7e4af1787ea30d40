"""Shared code of text formats: lines, compressed or not, and what is wrong with them."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from shlex import quote
from typing import Any

from losscli.data.batches import batches
from losscli.data.formats.base import COMPRESSED, Files, Format, Scanned, read_errors
from losscli.data.limits import LONGEST_LINE
from losscli.data.numbers import Spelling, shows
from losscli.data.redaction import reason
from losscli.data.threads import in_order, workers
from losscli.errors import EXAMPLES, Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem

HEAD = 1 << 18
"""Characters of a file that show how it is written."""
START = 1 << 16
"""Bytes that show the encoding and the line ends of a file."""
CHUNK = 1 << 18
"""Bytes that are searched at a time."""
_PIECE = 1 << 25
"""Bytes that a thread searches."""
SAMPLE = 1_000
"""Rows that show the types of columns, unless a column has no value in them."""


def as_lines(path: str) -> pl.LazyFrame:
    """The lines of a text file as the column 'line'; bytes that are not UTF-8 become U+FFFD."""
    # One column without quotes, so that each line is a row, whatever the columns of the file.
    return pl.scan_csv(
        path,
        has_header=False,
        separator="\x01",
        quote_char=None,
        encoding="utf8-lossy",
        schema={"line": pl.String()},
        extra_columns="ignore",
        truncate_ragged_lines=True,
        empty_string_is_null=False,
        glob="://" in path,
    )


def lines(path: str, most: int | None = None) -> Iterator[str]:
    """The lines of a text file, compressed or not, at most `most`; bytes that are not UTF-8 become U+FFFD.

    Raises an error of Polars if compressed data end early.
    """
    text = as_lines(path)
    for batch in batches(text if most is None else text.head(most)):
        yield from batch.to_series()


def first_lines(path: str, most: int) -> list[str]:
    """The first lines of a text file, at most `most`, and fewer if they are long."""
    # Without Polars, which maps or inflates the whole file for a few lines, however long they are.
    opened = open if is_plain(path) else gzip.open if start_of(path).startswith(b"\x1f\x8b") else None
    with suppress(EOFError, OSError, zlib.error):  # damaged: Polars says how
        if opened is not None:
            with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="\n") as file:
                if opened is open and (start := file.read(HEAD)).count("\n") >= most:
                    return [line.removesuffix("\r") for line in start.split("\n", most)[:most]]
                file.seek(0)
                text = islice(iter(partial(file.readline, LONGEST_LINE + 1), ""), most)
                return [line.removesuffix("\n").removesuffix("\r") for line in _short(text)]
    return list(_short(lines(path, most)))


def _short(text: Iterable[str]) -> Iterator[str]:
    """Lines until they are long together, at least two."""
    length = 0
    for number, line in enumerate(text):
        if number > 1 and length > HEAD:
            break
        length += len(line)
        yield line


def start_of(path: str, size: int = START) -> bytes:
    """The first bytes of a local file; none of a URL."""
    if "://" in path:
        return b""
    with open(path, "rb") as file:
        return file.read(size)


def is_plain(path: str) -> bool:
    """Whether a file is local and not compressed."""
    return "://" not in path and not start_of(path).startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))


def holds(path: str, sign: str) -> bool:
    """Whether a character is in a text file; true for those that are compressed or remote, unread."""
    if not is_plain(path):
        return True
    places = range(0, os.path.getsize(path), _PIECE)
    return any(in_order((partial(_piece_holds, path, sign.encode(), place) for place in places), workers()))


def _piece_holds(path: str, sign: bytes, place: int) -> bool:
    with open(path, "rb") as file:  # buffered, as a read of the system may be short
        file.seek(place)
        buffer = bytearray(CHUNK)
        counts = islice(iter(partial(file.readinto, buffer), 0), _PIECE // CHUNK)
        return any(buffer.find(sign, 0, count) >= 0 for count in counts)


def shown(form: Format, files: Files, types: Mapping[str, Any], repeated: tuple[str, ...] = ()) -> Scanned:
    """The files read as `types`, with the types that their first values show."""
    scan = form.scan(files, types)
    sample = form.first_rows(files, types, SAMPLE)
    texts = sample.select([name for name, dtype in types.items() if dtype == pl.String])
    spelling = files.spelling.as_in(texts)
    found = shows(texts, spelling)
    own = {name: found[name].dtype if name in found else dtype for name, dtype in types.items()}
    quick = frozenset(name for name in found if found[name].is_quick and name not in files.partitions)
    if quick and not form.parses(files, spelling):
        quick = frozenset()
    return Scanned(scan, Shown(own, scan, spelling), types, quick, repeated, spelling, sample.height > 0)


class Shown(Mapping[str, Any]):
    """The types that the columns of text show; those without a value in the first rows are searched for one.

    `types` are None for these.  A column is searched when its type is asked for, since that may take a pass
    over the file.
    """

    def __init__(self, types: Mapping[str, Any], scan: pl.LazyFrame, spelling: Spelling) -> None:
        self._types, self._scan, self._spelling = dict(types), scan, spelling

    def __getitem__(self, name: str) -> Any:
        if self._types[name] is None:
            self._types[name] = self._searched(name) or pl.String()
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def _searched(self, name: str) -> Any:
        column = self._spelling.stripped(pl.col(name))
        with suppress(*read_errors()):  # which are reported when the column is read
            values = self._scan.select(column).filter(column.is_not_null()).head(SAMPLE).collect()
            return shows(values, self._spelling)[name].dtype


def expected_rows(files: Files) -> int | None:
    """The number of lines, estimated from the length of the first; None for compressed text."""
    if any(path.lower().endswith(COMPRESSED) for path in files.paths):
        return None
    with open(files.paths[0], "rb") as file:
        start = file.read(1 << 16)
    size = sum(os.path.getsize(path) for path in files.paths)
    return round(size * start.count(b"\n") / max(len(start), 1)) or None


def not_text(files: Files) -> list[Problem]:
    """Files that are empty, incomplete or not UTF-8."""
    for path in files.paths:
        try:
            blank = True
            for line in lines(path):
                blank = blank and not line.strip()
        except pl.exceptions.NoDataError:
            blank = True
        except read_errors() as error:
            return [
                problem(Code.DAMAGED_FILE, files.shown(path), kind="compressed file", reason=reason(error))
            ]
        if blank:
            return [problem(Code.EMPTY_FILE, files.shown(path))]
    return _not_utf8(files)


def _not_utf8(files: Files) -> list[Problem]:
    problems = []
    for path in files.paths:
        bad = (
            f"line {number}: {line[:80]}" for number, line in enumerate(lines(path), 1) if "\ufffd" in line
        )
        if examples := tuple(line for line, _ in zip(bad, range(EXAMPLES), strict=False)):
            name = files.shown(path)
            # What iconv reads: a pipe, or the output of a decompressor, has no name.
            has_name = files.spool is None and is_plain(path)
            remedy = "iconv -f latin1 -t utf-8" + (f" {quote(name.rpartition('/')[2])}" if has_name else "")
            problems.append(problem(Code.WRONG_ENCODING, name, remedy=remedy, examples=examples))
    return problems
