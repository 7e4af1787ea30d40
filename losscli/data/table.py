"""A table that can be read: its columns, its first rows, and how it is scanned."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data import sources
from losscli.data.diagnose import MISSING, Errors, diagnose, unreadable
from losscli.data.formats import arrow_stream
from losscli.data.sources import Files
from losscli.errors import DataError, Problem

INFER_ROWS = 10_000
FILE = "#file"
"""The column that says from which file a row is, while folders key=value become columns."""

Source = Any
"""A path, a pattern, a folder, a URL or "-"; or data in memory: see `formats.memory.read`."""


class Table(Struct, frozen=True, eq=False):
    """A table that can be scanned: its name in messages, its lazy frame, and the files behind it.

    `repeated` are names that several columns of a text file have.
    """

    name: str
    scan: pl.LazyFrame
    schema: Mapping[str, Any]
    files: Files | None = None
    repeated: tuple[str, ...] = ()

    @property
    def separator(self) -> str | None:
        """Of text files, else None."""
        return self.files.separator if self.files else None

    def is_file_of(self, other: Table) -> bool:
        """Whether both read the same local files."""
        if self.files is None or other.files is None or self.files.remote or other.files.remote:
            return False
        mine, theirs = (sorted(map(os.path.realpath, files.paths)) for files in (self.files, other.files))
        return mine == theirs

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
            return int(self.scan.select(pl.len()).collect(engine="streaming").item())

    def expected(self) -> int | None:
        """About how many rows there are, where that is known without reading them."""
        if self.files is None or self.files.remote:
            return None
        if self.files.format in ("parquet", "ipc", *sources.ARRAYS):
            return self.count()
        if self.files.format in sources.COMPRESSIBLE and not any(map(_is_compressed, self.files.paths)):
            with open(self.files.paths[0], "rb") as file:
                start = file.read(1 << 16)
            size = sum(os.path.getsize(path) for path in self.files.paths)
            return round(size * start.count(b"\n") / max(len(start), 1)) or None
        return None

    def distinct(self, column: str, most: int) -> list[Any]:
        """The sorted distinct values of a column, at most so many; one pass over the column."""
        with reading(self):
            values = self.scan.select(pl.col(column).unique()).collect(engine="streaming")[column]
        return list(values.drop_nulls().sort().head(most))

    def with_types(self, types: Mapping[str, Any]) -> Table:
        """Text files with these columns read as these types, however their first rows look; else the same."""
        if self.separator is None or self.files is None:
            return self
        schema = {**self.schema, **types}
        return replace(self, scan=_scan(self.files, schema), schema=schema)

    def with_numbers(self, columns: Iterable[str]) -> Table:
        """The same table with these columns as numbers.  Raises DataError where a type cannot be."""
        names = list(columns)
        if self.separator is not None:
            return self.with_types(dict.fromkeys(names, pl.Float64()))
        wrong = [name for name in names if not _is_number(self.schema[name])]
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
        if self.files is None or self.files.format != "ndjson":
            return self
        # Whole numbers in the first rows do not say that all are.
        schema = {**self.schema, **{name: _as_float(self.schema[name]) for name in names}}
        return replace(self, scan=_scan(self.files, schema), schema=schema)


def _is_compressed(path: str) -> bool:
    return path.lower().endswith((".gz", ".zst"))


def _is_number(dtype: Any) -> bool:
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return bool(inner.is_numeric()) or inner in (pl.Boolean, pl.Null)


def _as_float(dtype: Any) -> Any:
    if isinstance(dtype, pl.List):
        return pl.List(_as_float(dtype.inner))
    return dtype if dtype == pl.Boolean else pl.Float64()


def _scan(files: Files, schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
    """Files as a lazy table, in order; with types where a schema gives them."""
    paths = list(files.paths)
    own = {name: dtype for name, dtype in (schema or {}).items() if name not in files.partitions}
    # Names are names: only Polars can look for patterns behind a URL, everything else is found already.
    pattern = files.remote
    if files.format == "ipc_stream":
        types = arrow_stream.stream_schema(files.paths[0])
        return arrow_stream.lazy(lambda place: arrow_stream.stream_frames(files.paths[place]), files, types)
    if files.format in ("parquet", "ipc"):
        read = pl.scan_parquet if files.format == "parquet" else pl.scan_ipc
        if not files.partitions:
            return read(paths, glob=pattern, hive_partitioning=None if pattern else False)
        hive = dict.fromkeys(sources.keys_of(paths[0]), pl.String()) | {
            name: values.dtype for name, values in files.partitions.items()
        }
        others = [name for name in hive if name not in files.partitions]
        scan = read(paths, glob=False, hive_partitioning=True, hive_schema=hive)
        return scan.drop(others) if others else scan
    label = FILE if files.partitions else None
    if files.format == "ndjson":
        scan = pl.scan_ndjson(
            paths if pattern else [glob.escape(path) for path in paths],
            schema=own or None,
            infer_schema_length=INFER_ROWS,
            include_file_paths=label,
        )
        return _partitioned(scan, files)
    numbers = [name for name, dtype in own.items() if dtype != pl.String]
    scan = pl.scan_csv(
        paths,
        separator=files.separator or ",",
        schema=pl.Schema(own),
        # By column: a label or a key may well be the text NA.
        null_values=dict.fromkeys(numbers, MISSING) or None,
        glob=pattern,
        include_file_paths=label,
    )
    return _partitioned(scan, files)


def _partitioned(scan: pl.LazyFrame, files: Files) -> pl.LazyFrame:
    """The columns that folders key=value give, where Polars does not give them itself."""
    if not files.partitions:
        return scan
    columns = [
        pl.col(FILE).replace_strict(list(files.paths), values, return_dtype=values.dtype).alias(name)
        for name, values in files.partitions.items()
    ]
    return scan.with_columns(columns).drop(FILE)


@contextmanager
def reading(*tables: Table) -> Iterator[None]:
    """Turn what Polars raises while it reads into a DataError that names file, row and remedy."""
    try:
        yield
    except Errors as error:
        found = [problem for each in tables for problem in diagnose(each)]
        # A URL in Polars' own words may hold a password, so they are not shown even with a traceback.
        remote = any(each.files and each.files.remote for each in tables)
        raise DataError(found or unreadable(error, *tables)) from (None if remote else error)
