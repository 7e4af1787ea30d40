"""Files, frames and arrays to lazily scanned tables."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from losscli.errors import DataError, Problem, UsageError, all_of
from losscli.inputs import arrays, content, slices, sources
from losscli.inputs.arrays import Part
from losscli.inputs.diagnose import MISSING, Errors, diagnose, unlike, unreadable
from losscli.inputs.request import Reading
from losscli.inputs.sources import Files
from losscli.records import frozen

INFER_ROWS = 10_000
FILE = "#file"
"""The column that says from which file a row is, while folders key=value become columns."""

Source = Any
"""A path, a pattern, a folder, a URL or "-"; a polars frame (lazy or not), or a NumPy array."""


@frozen
class Table:
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


def tables(predictions: Source, targets: Source | None, asked: Reading) -> tuple[Table, Table]:
    """The tables of predictions and targets; twice the same one where there are no targets.

    Raises UsageError for options that no input needs, DataError where there is nothing to read.
    """
    if _is_stdin(predictions) and _is_stdin(targets):
        raise UsageError("standard input can be one side only", remedy="name a file for the other")
    found = all_of(
        lambda: _found(predictions, "predictions", asked),
        *([] if targets is None else [lambda: _found(targets, "targets", asked)]),
    )
    sources.used(asked, [files for _, files in found if files])
    matrix = len(found) == 2 and isinstance(found[1][0], list) and arrays.is_matrix(found[1][0][0])
    opened = all_of(
        partial(_table, found[0], "predictions", matrix),
        *(partial(_table, each, "targets", False) for each in found[1:]),
    )
    return opened[0], opened[-1]


def _is_stdin(source: Source | None) -> bool:
    return isinstance(source, str | Path) and str(source) == sources.STDIN


_Found = tuple[pl.DataFrame | pl.LazyFrame | list[list[Part]] | None, Files | None]
"""What a source is: a frame, or the arrays of files or of memory, and the files."""


def _found(source: Source, role: str, asked: Reading) -> _Found:
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source, None
    if not isinstance(source, str | Path):
        return [[Part(None, arrays.in_memory(source, role))]], None
    files = sources.locate(source, asked)
    return (arrays.mapped(files) if files.format in sources.ARRAYS else None), files


def _table(found: _Found, role: str, flat: bool) -> Table:
    opened = _opened(*found, role, flat)
    if opened.is_empty():
        raise DataError(Problem("no rows, only a header", opened.name, "write rows"))
    return opened


def _opened(data: Any, files: Files | None, role: str, flat: bool) -> Table:
    if files is None:
        if isinstance(data, list):
            data = arrays.frame(data[0][0], role, role, flat)
        return Table(role, data.lazy(), data.collect_schema())
    if data is not None:
        scan = arrays.scan(data, files, role, flat)
    elif files.separator is not None:
        return _text(files, files.separator)
    else:
        with reading(Table(files.name, pl.LazyFrame(), {}, files)):
            scan = _scan(files)
    opened = Table(files.name, scan, {}, files)
    with reading(opened):
        # From a copy: Polars puts row numbers into a scan only as long as its schema was not asked for.
        opened = replace(opened, schema=dict(scan.head().collect_schema()))
    if problems := unlike(opened):
        raise DataError(problems)
    return opened


def _scan(files: Files, schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
    """Files as a lazy table, in order; with types where a schema gives them."""
    paths = list(files.paths)
    own = {name: dtype for name, dtype in (schema or {}).items() if name not in files.partitions}
    # Names are names: only Polars can look for patterns behind a URL, everything else is found already.
    pattern = files.remote
    if files.format == "ipc_stream":
        types = slices.stream_schema(files.paths[0])
        return slices.lazy(lambda place: slices.stream_frames(files.paths[place]), files, types)
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


def _text(files: Files, separator: str) -> Table:
    empty = DataError(Problem("an empty file", files.name, "it needs a header and rows"))
    first = pl.scan_csv(
        files.paths[0],
        separator=separator,
        infer_schema_length=INFER_ROWS,
        null_values=MISSING,
        glob=files.remote,
    )
    opened = Table(files.name, first, {}, files)
    with reading(opened):
        try:
            schema = dict(first.collect_schema())
            header = Counter(content.header(files.paths[0], separator))
        except pl.exceptions.NoDataError:
            raise empty from None
    other = next((sign for sign in ",;\t|" if sign in next(iter(schema))), "")
    if len(schema) == 1 and other:
        option = f"--separator {'tab' if other == chr(9) else repr(other) if other != ',' else other}"
        remedy = f"name it .tsv, or {option}" if other == "\t" else option
        what = f"one column, {next(iter(schema))!r}: is {other!r} the separator?"
        raise DataError(Problem(what, files.name, remedy))
    if problems := unlike(opened):
        raise DataError(problems)
    repeated = tuple(name for name, count in header.items() if count > 1)
    types = {name: values.dtype for name, values in files.partitions.items()}
    return replace(opened, repeated=repeated).with_types({**schema, **types})


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
