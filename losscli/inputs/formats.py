"""Files, frames and arrays to lazily scanned tables, and what is wrong with a file that cannot be read."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from losscli.errors import DataError, Problem
from losscli.inputs.diagnose import MISSING, diagnose

INFER_ROWS = 10_000

Source = Any
"""A path, a polars frame (lazy or not), or a NumPy array."""

TEXT = {".csv": ",", ".tsv": "\t"}
"""Formats of text, each with its separator."""
FORMATS = (*TEXT, ".parquet", ".pq")
_MAGIC = {
    b"PAR1": ("a Parquet file", "name it .parquet"),
    b"PK\x03\x04": ("a zip or Excel file", "save it as .csv"),
    b"\x1f\x8b": ("compressed with gzip", "unpack it: gunzip"),
    b"\xff\xfe": ("UTF-16, not UTF-8", "convert it: iconv -f utf-16 -t utf-8"),
    b"\xfe\xff": ("UTF-16, not UTF-8", "convert it: iconv -f utf-16 -t utf-8"),
}


@dataclass(frozen=True, eq=False)
class Table:
    """A table that can be scanned: its name in messages, its lazy frame, and the file behind it.

    `repeated` are names that several columns of a text file have.
    """

    name: str
    scan: pl.LazyFrame
    schema: Mapping[str, Any]
    path: Path | None = None
    repeated: tuple[str, ...] = ()

    @property
    def separator(self) -> str | None:
        """Of a text file, else None."""
        return TEXT.get(self.path.suffix.lower()) if self.path else None

    def is_empty(self) -> bool:
        """Whether there are no rows; reads no more than the beginning of one column."""
        with reading(self):
            return not self.scan.select(list(self.schema)[:1]).head(1).collect().height

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

    def with_types(self, types: Mapping[str, Any]) -> Table:
        """A text file with these columns read as these types, however its first rows look; else the same."""
        if self.separator is None or self.path is None:
            return self
        schema = {**self.schema, **types}
        numbers = [name for name, dtype in schema.items() if dtype != pl.String]
        scan = pl.scan_csv(
            self.path,
            separator=self.separator,
            schema=pl.Schema(schema),
            # By column: a label or a key may well be the text NA.
            null_values=dict.fromkeys(numbers, MISSING) or None,
        )
        return replace(self, scan=scan, schema=schema)

    def with_numbers(self, columns: Iterable[str]) -> Table:
        """The same table with these columns as numbers.  Raises DataError where a type cannot be."""
        if self.separator is not None:
            return self.with_types(dict.fromkeys(columns, pl.Float64()))
        wrong = [name for name in columns if not _is_number(self.schema[name])]
        if wrong:
            raise DataError(
                [
                    Problem(
                        f"values of type {self.schema[name]}, where numbers are needed",
                        f"{self.name}, column {name}",
                        "write the column as numbers",
                    )
                    for name in wrong
                ]
            )
        return self


def _is_number(dtype: Any) -> bool:
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return bool(inner.is_numeric()) or inner in (pl.Boolean, pl.Null)


def table(source: Source, role: str, flat: bool = False) -> Table:
    """A table with rows, from a path, a polars frame or an array.  Raises DataError where there is none.

    A matrix of predictions is a column of arrays, or with `flat` a column an output.
    """
    opened = _opened(source, role, flat)
    if opened.is_empty():
        raise DataError(Problem("no rows, only a header", opened.name, "write rows"))
    return opened


def is_matrix(source: Source) -> bool:
    """Whether a source is an array (n, k) with several columns."""
    if isinstance(source, str | Path | pl.DataFrame | pl.LazyFrame):
        return False
    with suppress(ValueError):
        return np.ndim(source) == 2 and np.shape(source)[1] > 1
    return False


def _opened(source: Source, role: str, flat: bool) -> Table:
    if isinstance(source, pl.DataFrame):
        return Table(role, source.lazy(), source.schema)
    if isinstance(source, pl.LazyFrame):
        return Table(role, source, source.collect_schema())
    if isinstance(source, str | Path):
        return _file(Path(source))
    if hasattr(source, "columns"):
        what = f"a {type(source).__name__} is neither a polars frame nor an array"
        raise DataError(Problem(what, role, "polars.from_pandas makes one"))
    if isinstance(source, np.ma.MaskedArray):
        # What is masked is missing.
        source = np.ma.filled(source.astype(float), np.nan)
    try:
        array = np.asarray(source)
    except ValueError as error:
        raise DataError(Problem(f"no array: {error}", role, "rows of equal length")) from None
    return _opened(_frame(array, role, flat), role, flat)


def _frame(array: np.ndarray[Any, Any], role: str, flat: bool) -> pl.DataFrame:
    name = "prediction" if role == "predictions" else "target"
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    with suppress(TypeError, pl.exceptions.PolarsError):
        if array.ndim == 1 and array.dtype.kind in "biufUOT":
            return pl.DataFrame({name: array.tolist() if array.dtype.kind == "O" else array})
        if array.ndim == 2 and array.dtype.kind in "biuf" and role == "predictions" and not flat:
            return pl.DataFrame({name: pl.Series(array, dtype=pl.Array(_dtype(array), array.shape[1]))})
        if array.ndim == 2 and array.dtype.kind in "biuf":
            stem = "y_pred" if role == "predictions" else "y_true"
            return pl.DataFrame({f"{stem}_{i}": array[:, i] for i in range(array.shape[1])})
    what = f"an array of {array.ndim} dimensions and type {array.dtype}"
    raise DataError(Problem(what, role, "numbers or labels (n,), or numbers (n, k)"))


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
            start = file.read(4)
    except OSError as error:
        raise DataError(Problem(f"cannot be read: {error.strerror}", str(path))) from None
    if not start:
        raise DataError(Problem("an empty file", str(path), "it needs a header and rows"))
    if suffix in TEXT:
        return _text(path, TEXT[suffix], start)
    opened = Table(str(path), pl.scan_parquet(path), {}, path)
    with reading(opened):
        return replace(opened, schema=opened.scan.collect_schema())


def _text(path: Path, separator: str, start: bytes) -> Table:
    for magic, (what, remedy) in _MAGIC.items():
        if start.startswith(magic):
            raise DataError(Problem(what, str(path), remedy))
    scan = pl.scan_csv(path, separator=separator, infer_schema_length=INFER_ROWS, null_values=MISSING)
    opened = Table(str(path), scan, {}, path)
    with reading(opened):
        try:
            schema = dict(scan.collect_schema())
        except pl.exceptions.NoDataError:
            raise DataError(Problem("an empty file", str(path), "it needs a header and rows")) from None
    other = next((sign for sign in ",;\t|" if sign in next(iter(schema))), "")
    if len(schema) == 1 and other:
        remedy = "name it .tsv" if other == "\t" else "write it with the separator of its suffix"
        what = f"one column, {next(iter(schema))!r}: is {other!r} the separator?"
        raise DataError(Problem(what, str(path), remedy))
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        header = Counter(next(csv.reader(file, delimiter=separator), []))
    repeated = tuple(name for name, count in header.items() if count > 1)
    return replace(opened, repeated=repeated).with_types(schema)


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
