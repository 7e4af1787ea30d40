"""Files, frames and arrays to lazily scanned tables, and what is wrong with a file that cannot be read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from losscli.errors import DataError, Problem
from losscli.tasks.base import EXAMPLES

INFER_ROWS = 10_000

Source = Any
"""A path, a polars frame (lazy or not), or a NumPy array."""


def _csv(path: Path, separator: str = ",", **options: Any) -> pl.LazyFrame:
    return pl.scan_csv(path, separator=separator, infer_schema_length=INFER_ROWS, **options)


def _tsv(path: Path, **options: Any) -> pl.LazyFrame:
    return _csv(path, separator="\t", **options)


FORMATS: Mapping[str, Callable[..., pl.LazyFrame]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": pl.scan_parquet,
    ".pq": pl.scan_parquet,
}
TEXT = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, eq=False)
class Table:
    """A table that can be scanned: its name in messages, its lazy frame, and the file behind it."""

    name: str
    scan: pl.LazyFrame
    schema: Mapping[str, Any]
    path: Path | None = None

    @property
    def separator(self) -> str | None:
        """Of a text file, else None."""
        return TEXT.get(self.path.suffix.lower()) if self.path else None

    def head(self, rows: int = 1000) -> pl.DataFrame:
        """The first rows."""
        with reading(self):
            return self.scan.head(rows).collect()

    def count(self) -> int:
        """The number of rows."""
        with reading(self):
            return int(self.scan.select(pl.len()).collect().item())

    def distinct(self, column: str, most: int) -> list[Any]:
        """The sorted distinct values of a column, at most so many; one pass over the column."""
        with reading(self):
            values = self.scan.select(pl.col(column).unique()).collect(engine="streaming")[column]
        return list(values.drop_nulls().sort().head(most))

    def with_numbers(self, columns: Collection[str]) -> Table:
        """The same table with these columns read as numbers, however the first rows of a text file look."""
        numbers = [name for name in columns if name in self.schema and not self.schema[name].is_nested()]
        if self.separator is None or self.path is None or not numbers:
            return self
        scan = _csv(
            self.path,
            separator=self.separator,
            schema_overrides=dict.fromkeys(numbers, pl.Float64),
            null_values=dict.fromkeys(numbers, "NA"),
        )
        return Table(self.name, scan, {**self.schema, **dict.fromkeys(numbers, pl.Float64())}, self.path)


def table(source: Source, role: str) -> Table:
    """A table from a path, a polars frame or an array.  Raises DataError where it cannot be read."""
    if isinstance(source, pl.DataFrame):
        return Table(role, source.lazy(), source.schema)
    if isinstance(source, pl.LazyFrame):
        return Table(role, source, source.collect_schema())
    if isinstance(source, str | Path):
        return _file(Path(source))
    return table(_frame(np.asarray(source), role), role)


def _frame(array: np.ndarray[Any, Any], role: str) -> pl.DataFrame:
    name = "prediction" if role == "predictions" else "target"
    if array.ndim == 1:
        return pl.DataFrame({name: array})
    if array.ndim == 2 and role == "predictions":
        return pl.DataFrame({name: pl.Series(array, dtype=pl.Array(_dtype(array), array.shape[1]))})
    if array.ndim == 2:
        return pl.DataFrame({f"y_true_{i}": array[:, i] for i in range(array.shape[1])})
    raise DataError(f"{role}: an array of {array.ndim} dimensions; give one of one or two")


def _dtype(array: np.ndarray[Any, Any]) -> Any:
    return pl.Float32 if array.dtype == np.float32 else pl.Float64


def _file(path: Path) -> Table:
    suffix = path.suffix.lower()
    if not path.exists():
        raise DataError(Problem("no such file", str(path), "check the path"))
    if path.is_dir():
        raise DataError(Problem("a folder, not a file", str(path), "name a file in it"))
    if suffix not in FORMATS:
        raise DataError(
            Problem(f"unknown format {suffix or '(no suffix)'}", str(path), f"known: {', '.join(FORMATS)}")
        )
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise DataError(Problem(f"cannot be read: {error.strerror}", str(path))) from None
    if empty:
        raise DataError(Problem("an empty file", str(path), "it needs a header and rows"))
    opened = Table(str(path), FORMATS[suffix](path), {}, path)
    with reading(opened):
        schema = opened.scan.collect_schema()
    return Table(str(path), opened.scan, schema, path)


@contextmanager
def reading(*tables: Table) -> Iterator[None]:
    """Turn what Polars raises while it reads into a DataError that names file, row and remedy."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        found = [problem for each in tables for problem in diagnose(each)]
        if not found:
            names = " and ".join(each.name for each in tables)
            found = [
                Problem(f"cannot be read: {str(error).strip().splitlines()[0]}", names, "is the file whole?")
            ]
        raise DataError(found) from error


def diagnose(source: Table) -> list[Problem]:
    """What is wrong with a file that could not be read: found by a slow second look at it."""
    if source.path is None:
        return []
    if source.separator is None:
        try:
            pl.scan_parquet(source.path).select(pl.len()).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            return [
                Problem(f"not a whole Parquet file ({reason})", source.name, "write or download it again")
            ]
        return []
    return [problem for check in (_not_utf8, _ragged, _not_numbers) for problem in check(source)][:1]


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


def _ragged(source: Table) -> list[Problem]:
    assert source.path is not None
    count, examples = 0, []
    with source.path.open(newline="", encoding="utf-8", errors="replace") as file:
        lines = csv.reader(file, delimiter=source.separator or ",")
        width = len(next(lines, []))
        for number, line in enumerate(lines, 1):
            if line and len(line) != width:
                count += 1
                if count <= EXAMPLES:
                    examples.append(f"row {number}: {len(line)} fields")
    if not count:
        return []
    return [
        Problem(
            f"{count} rows do not have the header's {width} fields",
            source.name,
            "quote fields that hold the separator",
            tuple(examples),
        )
    ]


def _not_numbers(source: Table) -> list[Problem]:
    """Columns that should hold numbers and hold text in some rows."""
    numeric = [name for name, dtype in source.schema.items() if dtype.is_numeric()]
    problems = []
    for name in numeric:
        assert source.path is not None
        text = (
            pl.scan_csv(source.path, separator=source.separator or ",", infer_schema=False)
            .select(pl.col(name).str.strip_chars())
            .with_row_index("row", offset=1)
        )
        kind = pl.Int64 if source.schema[name].is_integer() else pl.Float64
        wrong = text.filter(pl.col(name).is_not_null() & pl.col(name).cast(kind, strict=False).is_null())
        try:
            rows = wrong.collect()
        except pl.exceptions.PolarsError:
            continue
        rows = rows.filter(~pl.col(name).is_in(["NA", "NaN", "nan", "inf", "-inf"]))
        if rows.height:
            shown = tuple(f"row {row}: {value!r}" for row, value in rows.head(EXAMPLES).iter_rows())
            what = f"{rows.height} values are not {'whole ' if kind == pl.Int64 else ''}numbers"
            problems.append(Problem(what, f"{source.name}, column {name}", "mend or drop these rows", shown))
    return problems
