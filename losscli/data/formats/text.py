"""Shared code of text formats: lines, compressed or not, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from losscli.data.batches import batches
from losscli.data.formats.base import COMPRESSED, Files, read_errors
from losscli.data.redaction import reason
from losscli.errors import EXAMPLES, Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem

INFER_ROWS = 10_000
MISSING = "NA"
"""Spellings of a missing number in a text file, in addition to an empty field."""


def lines(path: str, most: int | None = None) -> Iterator[str]:
    """The lines of a text file, compressed or not, at most `most`; bytes that are not UTF-8 become U+FFFD.

    Raises an error of Polars if compressed data end early.
    """
    # One column without quotes, so that each line is a row, whatever the columns of the file.
    text = pl.scan_csv(
        path,
        has_header=False,
        separator="\x01",
        quote_char=None,
        encoding="utf8-lossy",
        infer_schema=False,
        truncate_ragged_lines=True,
        empty_string_is_null=False,
        glob="://" in path,
        n_rows=most,
    )
    for batch in batches(text):
        yield from batch.to_series()


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
            remedy = f"iconv -f latin1 -t utf-8 {name.rpartition('/')[2]}"
            problems.append(problem(Code.WRONG_ENCODING, name, remedy=remedy, examples=examples))
    return problems
