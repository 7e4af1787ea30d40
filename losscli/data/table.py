"""A table that can be scanned, and the errors of reading it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data import cluster, vectors
from losscli.data.batches import batches
from losscli.data.diagnose import Errors, diagnose, starved, unreadable
from losscli.data.formats.base import Files
from losscli.data.numbers import Spelling, remedy_for
from losscli.data.threads import Once
from losscli.data.vectors import is_vector
from losscli.errors import EXAMPLES, DataError, Problem
from losscli.report.findings import Code, Tally, finding, problem
from losscli.text import counted, shortened

T = TypeVar("T")
Source = Any
"""A path, a pattern, a folder, a URL or "-"; a table; or data in memory: see `formats.memory.read`."""
SLICE = 1 << 18
"""Rows taken at a time from a frame in memory: a multiple of the length of any block."""
SMALL = 1 << 23
"""Maximum size in bytes of text that is read as a whole."""


class Table(Struct, frozen=True, eq=False):
    """A table that can be scanned: its name in messages, its lazy frame, and the files behind it.

    `schema` has the types of columns; in text formats, which have none, the types that their values show.
    Text columns are read in `types`: as text, until roles ask for numbers.  Polars can parse `quick` columns
    while reading.  `spelling` says how numbers are written in text.  `repeated` are the names that several
    columns share, `structs` the types of structs whose fields became columns, `folders` the columns from
    key=value folders, and `extensions` the columns of extension types, which are read in their storage types.
    Unless it `is_numbered`, its rows are in no order, and messages omit their numbers.  `rows` are the rows
    of the scan if they are in memory; `frame` is the Spark DataFrame that holds them, if any.  `shared`
    caches what several runs derive from the same table.
    """

    name: str
    scan: pl.LazyFrame
    schema: Mapping[str, Any]
    files: Files | None = None
    types: Mapping[str, Any] = {}
    quick: frozenset[str] = frozenset()
    spelling: Spelling = Spelling()
    repeated: tuple[str, ...] = ()
    structs: Mapping[str, Any] = {}
    folders: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    is_numbered: bool = True
    rows: pl.DataFrame | None = None
    frame: Any = None
    shared: Once | None = None

    def made(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of `make`, which runs that share the table compute once per key."""
        return make() if self.shared is None else self.shared.get(key, make)

    def is_file_of(self, other: Table) -> bool:
        """Whether both tables are read from the same local files."""
        if self.files is None or other.files is None or self.files.remote or other.files.remote:
            return False
        own_paths, other_paths = (
            sorted(map(os.path.realpath, each.sources)) for each in (self.files, other.files)
        )
        return own_paths == other_paths

    def digest(self) -> str:
        """A digest of the content of its files; empty if unknown."""
        return "" if self.files is None else self.files.digest()

    def digests(self) -> tuple[str, ...]:
        """A digest of each of its files by path and content; empty if unknown."""
        return () if self.files is None else self.files.digests()

    def is_empty(self) -> bool:
        """Whether there are no rows, as local files state it or the beginning of one column shows it."""
        with reading(self):
            if (files := self.files) is not None and not files.remote:
                # For the first row of a column of lists Polars reads all of its first row group.
                stated = files.format.rows(files)
                if stated is not None:
                    return not stated
            return not self.scan.select(list(self.schema)[:1]).head(1).collect().height

    def head(self, *names: str, rows: int = 1000) -> pl.DataFrame:
        """The first rows of some columns; lists in text are parsed."""
        lists = [name for name in names if self.is_shown_otherwise(name) and self.schema[name].is_nested()]
        with reading(self):
            scan = self.scan.with_columns(self.spelling.lists(pl.col(name)) for name in lists)
            return scan.select(names).head(rows).collect()

    def count(self) -> int:
        """The number of rows."""
        if self.frame is not None:
            return int(self.frame.count())
        if self.rows is not None:
            return self.rows.height
        with reading(self):
            return int(self.scan.select(pl.len()).collect(engine="streaming").item())

    def require_rows(self, read: int) -> None:
        """Raise DataError if the files hold another number of rows, as they state it, than were read."""
        if self.files is None:
            return
        with reading(self):
            stated = self.files.format.rows(self.files)
        if stated is not None and stated != read:
            rows = {"held": counted(stated, "row"), "read": counted(read, "row")}
            raise DataError(problem(Code.ROWS_LOST, self.name, **rows))

    def require_whole(self) -> None:
        """Raise DataError if files are shorter than when they were located."""
        if self.files is not None:
            self.files.require_whole()

    def expected(self) -> int | None:
        """The approximate number of rows; None if unknown without reading them."""
        if self.files is None or self.files.remote:
            return None
        return self.count() if self.files.format.knows_rows else self.files.format.expected_rows(self.files)

    def is_small(self) -> bool:
        """Whether the table is certainly small: in memory, or in little text that is not compressed."""
        files = self.files
        if self.rows is not None or files is None or files.remote or not files.format.is_text:
            return self.rows is not None
        return self.expected() is not None and sum(map(os.path.getsize, files.paths)) <= SMALL

    def distinct(self, column: str, most: int) -> list[Any]:
        """The sorted distinct values of a column, at most `most`; one pass over the column."""
        if self.frame is not None and column in self.frame.columns:
            return list(cluster.distinct(self.frame, column).drop_nulls().sort().head(most))
        with reading(self):
            values = self.scan.select(pl.col(column).unique()).collect(engine="streaming")[column]
        return list(values.drop_nulls().sort().head(most))

    def dtype(self, name: str) -> Any:
        """The type in which a column is read: text in text formats, whatever its values show."""
        return self.types[name] if name in self.types else self.schema[name]

    def number(self, name: str) -> pl.Expr:
        """A column as float64; NaN or null where it is not a number."""
        column, dtype = pl.col(name), self.dtype(name)
        if dtype == pl.String:
            return self.spelling.numbers(column)
        is_number = dtype.is_numeric() or dtype == pl.Boolean
        return column.cast(pl.Float64) if is_number else pl.lit(None, pl.Float64())

    def floats(self, names: Iterable[str]) -> pl.DataFrame:
        """Columns as float64, in memory; NaN or null where they are not numbers."""
        names = list(names)
        for table in (self.with_numbers(names), self):
            with suppress(UnparsedError), reading(table):
                columns = [table.number(name).alias(name) for name in names]
                return table.scan.select(columns).collect(engine="streaming")
        raise AssertionError

    def unnested(self) -> Table:
        """The same table with each field of a struct as a column STRUCT.FIELD.

        A vector of Spark ML, which is a struct too, becomes the list of its values.
        """
        structs = {name: self.dtype(name) for name in self.schema if self.dtype(name) == pl.Struct}
        if not structs:
            return self
        schema = {name: self.schema[name] for name in self.schema if name not in structs}
        for name, dtype in structs.items():
            fields = {each.name: each.dtype for each in dtype.fields}
            if is_vector(dtype):
                schema[name] = pl.List(pl.Float64())
            else:
                schema |= {f"{name}.{field}": field_type for field, field_type in fields.items()}
        table = replace(self, schema=schema, structs=structs)
        return table._scanned(table.without_structs(self.scan))

    def stored(self) -> Table:
        """The same table with each column of an extension type in its storage type."""
        extensions = {
            name: self.dtype(name) for name in self.schema if isinstance(self.dtype(name), pl.BaseExtension)
        }
        if not extensions:
            return self
        scan = self.scan.with_columns(pl.col(name).ext.storage() for name in extensions)
        storage = {name: dtype.ext_storage() for name, dtype in extensions.items()}
        return replace(self, schema={**self.schema, **storage}, extensions=tuple(extensions))._scanned(scan)

    def with_columns(self, columns: pl.DataFrame) -> Table:
        """The same table with further columns of the same length."""
        table = replace(self, schema={**self.schema, **columns.schema})
        if self.rows is not None:
            return table._with_rows(self.rows.hstack(columns))
        return table._scanned(pl.concat([self.scan, columns.lazy()], how="horizontal"))

    def coded(self, names: Iterable[str]) -> Table:
        """The same table with these text columns dictionary-encoded."""
        texts = [name for name in names if self.dtype(name) == pl.String == self.schema[name]]
        codes: dict[str, Any] = dict.fromkeys(texts, pl.Categorical())
        types = {name: codes.get(name, dtype) for name, dtype in self.types.items()}
        table = replace(self, schema={**self.schema, **codes}, types=types)
        return table._scanned(self.scan.with_columns(pl.col(texts).cast(pl.Categorical))) if texts else self

    def _scanned(self, scan: pl.LazyFrame) -> Table:
        """The same table with another scan of the same rows."""
        if self.rows is None:
            return replace(self, scan=scan, shared=None if self.shared is None else Once())
        with reading(self):
            return self._with_rows(scan.collect(engine="in-memory"))

    def _with_rows(self, rows: pl.DataFrame) -> Table:
        """The same table with these rows in memory."""
        return replace(self, scan=rows.lazy(), rows=rows, shared=None if self.shared is None else Once())

    def without(self, names: Collection[str]) -> Table:
        """The same table without some of its columns."""
        return replace(self, schema={name: self.schema[name] for name in self.schema if name not in names})

    def of_rows(self, scan: pl.LazyFrame, is_numbered: bool = True) -> Table:
        """The same table with other rows, which have its columns, or the needed ones."""
        return replace(self, scan=scan, files=None, frame=None, rows=None, is_numbered=is_numbered)

    def rows_of(self, column: str, value: object) -> Table:
        """The rows where a column has this value, without that column; text stays text."""
        return replace(
            self.without((column,)),
            name=f"{self.name} ({column} {value})",
            scan=self.scan.filter(pl.col(column) == pl.lit(value)),
            files=None,
            frame=None,
            rows=None,
            quick=frozenset(),
        )

    def struct_of(self, name: str) -> str:
        """The struct that has a column as a field; empty if there is none."""
        return next((struct for struct in self.structs if name in self.fields(struct)), "")

    def source_columns(self, columns: Iterable[str]) -> tuple[str, ...]:
        """The columns of the source behind these: the same, or structs that have them as fields."""
        return tuple(dict.fromkeys(self.struct_of(name) or name for name in columns))

    def fields(self, name: str) -> tuple[str, ...]:
        """The columns made of the fields of a struct; empty if it is not a struct."""
        dtype = self.structs.get(name)
        if dtype is None or is_vector(dtype):
            return ()
        return tuple(f"{name}.{each.name}" for each in dtype.fields)

    def without_structs(self, scan: pl.LazyFrame) -> pl.LazyFrame:
        """The rows with each field of a struct as a column, as in `unnested`."""
        for name in self.structs:
            column = pl.col(name)
            if fields := self.fields(name):
                scan = scan.with_columns(
                    column.struct.field(each[len(name) + 1 :]).alias(each) for each in fields
                ).drop(name)
            else:
                scan = scan.with_columns(vectors.values(column))
        return scan

    def is_shown_otherwise(self, name: str) -> bool:
        """Whether a column is read as text whose values show another type."""
        return self.types.get(name) == pl.String and self.schema[name] != pl.String

    def with_numbers(self, columns: Iterable[str], texts: Collection[str] = ()) -> Table:
        """The same table with these columns as numbers, or as text for blocks to parse, as `texts` are.

        Raises DataError for columns of other types.
        """
        names = list(columns)
        self._require_numbers([name for name in names if self.types.get(name) != pl.String])
        numbers = dict.fromkeys(self.quick.intersection(names).difference(texts), pl.Float64())
        return self._read_as({**self.types, **numbers}) if numbers else self

    @property
    def parsed(self) -> tuple[str, ...]:
        """The text columns that Polars parses while reading, which fails for some spellings of numbers."""
        return tuple(name for name in self.quick if self.types[name] != pl.String)

    def unparsed(self) -> Table:
        """The same table with all text columns as text."""
        return self._read_as(self._text_types) if self.parsed else self

    @property
    def _text_types(self) -> dict[str, Any]:
        return {**self.types, **dict.fromkeys(self.quick, pl.String())}

    def _read_as(self, types: Mapping[str, Any]) -> Table:
        assert self.files is not None
        return replace(self, types=types).of_files(self.files)

    def of_files(self, files: Files) -> Table:
        """The same table read from other files with the same columns."""
        scan = files.format.scan(files, self.types)
        scan = scan.with_columns(pl.col(name).ext.storage() for name in self.extensions)
        return replace(self, scan=self.without_structs(scan), files=files)

    def _require_numbers(self, names: Iterable[str]) -> None:
        if wrong := [
            problem(Code.WRONG_TYPE, f"{self.name}, column {name}", type=self.schema[name])
            for name in names
            if not _is_number(self.schema[name])
        ]:
            raise DataError(wrong)

    def uneven(self, blank: bool = False) -> list[Problem]:
        """Rows of text files with more or fewer fields than the header: see `Format.uneven`."""
        return [] if self.files is None else self.files.format.uneven(self.files, blank)

    def short_rows(self) -> list[Problem]:
        """Rows of text files that end before the last column, if it has missing values."""
        if self.files is None:
            return []
        last = [name for name in self.schema if name not in self.files.partitions][-1]
        return self.files.format.short_rows(self.files, last)

    def parts(self) -> list[Table]:
        """The table of each file, with text columns as text."""
        if self.files is None or len(self.files.paths) == 1 or self.files.partitions:
            return [self]
        files = [replace(self.files, name=self.files.shown(path), paths=(path,)) for path in self.files.paths]
        return [replace(self, name=each.name, files=each)._read_as(self._text_types) for each in files]

    def not_numbers(self, name: str) -> list[Problem]:
        """The problem of a text column with rows that are not numbers, if there are any."""
        text = self.spelling.stripped(pl.col(name))
        wrong = text.is_not_null() & self.number(name).is_null()
        with reading(self):
            rows = self.scan.select(name).with_row_index("#", 1).filter(wrong).collect(engine="streaming")
        if not rows.height:
            return []
        remedy = remedy_for(rows[name].head(100)) or None
        kind = finding(Code.NOT_A_NUMBER, f"{self.name}, column {name}", remedy=remedy, kind="a number")
        shown = [f"row {row}: {shortened(repr(value))}" for row, value in rows.head(EXAMPLES).iter_rows()]
        return [kind.problem(Tally(rows.height, shown))]


def _is_number(dtype: Any) -> bool:
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return bool(inner.is_numeric()) or inner in (pl.Boolean, pl.Null)


def paths_of(tables: Iterable[Table]) -> list[str]:
    """The local files of tables."""
    files = [table.files for table in tables if table.files is not None and not table.files.remote]
    return [path for each in files for path in each.paths]


def stream(query: pl.LazyFrame, *tables: Table) -> Iterator[pl.DataFrame]:
    """The rows of a query as from `unchecked`, but raises DataError."""
    with reading(*tables):
        yield from unchecked(query, *tables)


def unchecked(query: pl.LazyFrame, *tables: Table) -> Iterator[pl.DataFrame]:
    """The rows of a query over columns of tables in order, batch by batch with back-pressure.

    Tables in memory need neither threads nor copies, and small ones no back-pressure.  Raises the errors of
    Polars.
    """
    if all(table.rows is not None for table in tables):
        return query.collect(engine="in-memory").iter_slices(SLICE)
    if all(table.is_small() for table in tables):
        return query.collect(engine="streaming").iter_slices(SLICE)
    return batches(query)


def side_by_side(
    left: pl.LazyFrame, right: pl.LazyFrame, predictions: Table, targets: Table
) -> Iterator[pl.DataFrame]:
    """The rows of two queries side by side, as from `unchecked`: row i of one next to row i of the other.

    Shared targets in memory are sliced to the batches of the predictions.  Raises ShapeError if one side has
    more rows.
    """
    if not shares_targets(predictions, targets):
        return unchecked(pl.concat([left, right], how="horizontal"), predictions, targets)
    return _stacked(unchecked(left, predictions), right.collect(engine="in-memory"))


def shares_targets(predictions: Table, targets: Table) -> bool:
    """Whether the targets are in memory for several runs, each with its own predictions."""
    return predictions.rows is None and targets.rows is not None and targets.shared is not None


def _stacked(frames: Iterator[pl.DataFrame], rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    done = 0
    for frame in frames:
        matching = rows.slice(done, frame.height)
        done += frame.height
        if matching.height < frame.height:
            break
        yield frame.hstack(matching)
    if done != rows.height:
        raise pl.exceptions.ShapeError("the sides differ in length")


class RereadError(Exception):
    """A stream has to be read again in another way."""


class UnparsedError(RereadError):
    """Text that Polars cannot parse as numbers: it has to be read as text."""


@contextmanager
def reading(*tables: Table) -> Iterator[None]:
    """Turn an error of Polars while reading into a DataError that names file, row and remedy.

    Raises UnparsedError if numbers may have caused it, which are then read as text.
    """
    try:
        yield
    except Errors as error:
        if any(table.parsed for table in tables):
            raise UnparsedError from error
        names = [each.name for each in tables]
        problems = starved(error, names)
        problems = problems or [wrong for each in tables for wrong in diagnose(each.files, each.types)]
        remote = [each.name for each in tables if each.files and each.files.remote]
        # The message of Polars may hold a URL with a password, so it is not chained even in a traceback.
        raise DataError(problems or unreadable(error, names, remote)) from (None if remote else error)
