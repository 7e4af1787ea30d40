"""A table that can be scanned, and the errors of reading it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data.batches import batches
from losscli.data.diagnose import Errors, diagnose, unreadable
from losscli.data.formats.base import Files
from losscli.errors import DataError, Problem
from losscli.report.findings import Code, problem

Source = Any
"""A path, a pattern, a folder, a URL or "-"; or data in memory: see `formats.memory.read`."""


class Table(Struct, frozen=True, eq=False):
    """A table that can be scanned: its name in messages, its lazy frame, and the files behind it.

    `repeated` are the names that several columns of a text file share.
    """

    name: str
    scan: pl.LazyFrame
    schema: Mapping[str, Any]
    files: Files | None = None
    repeated: tuple[str, ...] = ()

    @property
    def separator(self) -> str | None:
        """The separator of text files, else None."""
        return self.files.separator if self.files else None

    def is_file_of(self, other: Table) -> bool:
        """Whether both tables are read from the same local files."""
        if self.files is None or other.files is None or self.files.remote or other.files.remote:
            return False
        mine, theirs = (sorted(map(os.path.realpath, files.paths)) for files in (self.files, other.files))
        return mine == theirs

    def is_empty(self) -> bool:
        """Whether there are no rows; reads only the beginning of one column."""
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
        """About how many rows there are, if that is known without reading them."""
        if self.files is None or self.files.remote:
            return None
        return self.count() if self.files.format.knows_rows else self.files.format.expected_rows(self.files)

    def distinct(self, column: str, most: int) -> list[Any]:
        """The sorted distinct values of a column, at most `most`; one pass over the column."""
        with reading(self):
            values = self.scan.select(pl.col(column).unique()).collect(engine="streaming")[column]
        return list(values.drop_nulls().sort().head(most))

    def with_types(self, types: Mapping[str, Any]) -> Table:
        """The table with these columns of text files read as these types, whatever the first rows hold."""
        untyped = self.files is not None and self.files.format.is_untyped
        return self._with_types(types) if untyped else self

    def _with_types(self, types: Mapping[str, Any]) -> Table:
        assert self.files is not None
        schema = {**self.schema, **types}
        return replace(self, scan=self.files.format.scan(self.files, schema), schema=schema)

    def with_numbers(self, columns: Iterable[str]) -> Table:
        """The same table with these columns as numbers.  Raises DataError for other types."""
        names = list(columns)
        form = None if self.files is None else self.files.format
        if form is None or not form.is_untyped:
            self._require_numbers(names)
        types = {} if form is None else form.as_numbers(self.schema, names)
        return self._with_types(types) if types else self

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
        """Rows of text files that end before the last column, if that has missing values."""
        if self.files is None:
            return []
        last = [name for name in self.schema if name not in self.files.partitions][-1]
        return self.files.format.short_rows(self.files, last)

    def not_numbers(self, columns: Collection[str] | None = None) -> list[Problem]:
        """Numeric columns of text files, of these or of all, that hold text in some rows."""
        return [] if self.files is None else self.files.format.not_numbers(self.files, self.schema, columns)


def _is_number(dtype: Any) -> bool:
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return bool(inner.is_numeric()) or inner in (pl.Boolean, pl.Null)


def stream(query: pl.LazyFrame, *tables: Table) -> Iterator[pl.DataFrame]:
    """The rows of a query in order, batch by batch with back-pressure.  Raises DataError."""
    with reading(*tables):
        yield from batches(query)


@contextmanager
def reading(*tables: Table) -> Iterator[None]:
    """Turn an error of Polars while it reads into a DataError that names file, row and remedy."""
    try:
        yield
    except Errors as error:
        found = [wrong for each in tables for wrong in diagnose(each.files, each.schema)]
        remote = [each.name for each in tables if each.files and each.files.remote]
        # The message of Polars may hold a URL with a password, so it is hidden even with a traceback.
        raise DataError(found or unreadable(error, [each.name for each in tables], remote)) from (
            None if remote else error
        )
