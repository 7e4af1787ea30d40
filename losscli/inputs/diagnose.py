"""What is wrong with a file that cannot be read as it should: found by a slow second look at it."""

from __future__ import annotations

import csv
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import polars as pl

from losscli.errors import Problem, counted
from losscli.tasks.base import EXAMPLES

if TYPE_CHECKING:
    from losscli.inputs.formats import Table

MISSING = "NA"
"""What stands for a missing number in a text file, besides nothing at all."""


def diagnose(source: Table) -> list[Problem]:
    """What is wrong with a file that could not be read: found by a slow second look at it."""
    if source.path is None:
        return []
    if source.separator is None:
        try:
            # Every page is decoded, and none is kept.
            pl.scan_parquet(source.path).select(pl.all().null_count()).collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            return [Problem(f"not a whole Parquet file ({reason})", source.name, "write it again")]
        return []
    return _not_utf8(source) or [*uneven(source), *not_numbers(source)]


def _not_utf8(source: Table) -> list[Problem]:
    assert source.path is not None
    bad = []
    with source.path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                bad.append(f"line {number + 1}: byte 0x{line[error.start]:02x}")
                if len(bad) == EXAMPLES:
                    break
    if not bad:
        return []
    return [Problem("not UTF-8", source.name, f"iconv -f latin1 -t utf-8 {source.path.name}", tuple(bad))]


def uneven(source: Table, blank: bool = False) -> list[Problem]:
    """Rows of a text file with more or fewer fields than its header, and blank lines among several columns.

    `blank` says that a blank line is one too many in a single column, where else it is a missing value.
    """
    if source.path is None or source.separator is None:
        return []
    count, examples = 0, list[str]()
    with source.path.open(newline="", encoding="utf-8", errors="replace") as file:
        lines = csv.reader(file, delimiter=source.separator)
        width = len(next(lines, []))
        with suppress(csv.Error):
            for number, line in enumerate(lines, 1):
                if len(line) == width or (not line and width == 1 and not blank):
                    continue
                count += 1
                if count <= EXAMPLES:
                    found = counted(len(line), "fields") if line else "a blank line"
                    examples.append(f"row {number}: {found}")
    if not count:
        return []
    fields = counted(width, "fields").removeprefix("1 ")
    what = counted(count, f"rows do not have the header's {fields}")
    remedy = "quote fields that hold the separator, delete blank lines"
    return [Problem(what, source.name, remedy, tuple(examples))]


def short_rows(source: Table) -> list[Problem]:
    """What `uneven` finds, if the last column has missing values: a row cut short has no last field."""
    if source.path is None or source.separator is None:
        return []
    # Read as text, which is never wrong.
    text = pl.scan_csv(
        source.path, separator=source.separator, infer_schema=False, truncate_ragged_lines=True
    )
    missing = text.select(pl.col(list(source.schema)[-1]).is_null().any()).collect(engine="streaming").item()
    return uneven(source) if missing else []


def not_numbers(source: Table, columns: Collection[str] | None = None) -> list[Problem]:
    """Columns of a text file that should hold numbers (or true and false) and hold text in some rows."""
    wanted = {
        name: dtype
        for name, dtype in source.schema.items()
        if dtype != pl.String and (columns is None or name in columns)
    }
    if source.path is None or source.separator is None or not wanted:
        return []
    text = pl.scan_csv(
        source.path, separator=source.separator, infer_schema=False, truncate_ragged_lines=True
    ).select(pl.col(*wanted).str.strip_chars_start().replace(MISSING, None))
    wrong = [pl.col(name).is_not_null() & ~_readable(pl.col(name), dtype) for name, dtype in wanted.items()]
    problems = []
    with suppress(pl.exceptions.PolarsError):
        counts = text.select(each.sum() for each in wrong).collect(engine="streaming")
        for (name, dtype), bad in zip(wanted.items(), wrong, strict=True):
            if not counts[name].item():
                continue
            rows = text.with_row_index("#", 1).filter(bad).select("#", name).head(EXAMPLES).collect()
            shown = tuple(f"row {row}: {value!r}" for row, value in rows.iter_rows())
            kind = "a whole number" if dtype.is_integer() else "a number"
            kind = "true or false" if dtype == pl.Boolean else kind
            what = counted(counts[name].item(), f"values that are not {kind}")
            problems.append(Problem(what, f"{source.name}, column {name}", "mend these rows", shown))
    return problems


def _readable(text: pl.Expr, dtype: Any) -> pl.Expr:
    if dtype == pl.Boolean:
        return text.str.to_lowercase().is_in(["true", "false"])
    return text.cast(dtype, strict=False).is_not_null()
