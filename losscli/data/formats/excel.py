"""Excel workbooks: the first sheet, whose cells are typed; text cells are read as in text formats."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from losscli.data.dialect import SAMPLE, Dialect, header_shows
from losscli.data.formats.base import Files, Format, Scanned, read_errors
from losscli.data.formats.text import shown
from losscli.data.limits import require_memory
from losscli.data.redaction import reason
from losscli.errors import DataError, UsageError, all_of
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem

if TYPE_CHECKING:
    from losscli.data.request import Reading

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
"""The exceptions for zip archives that are damaged, encrypted, or compressed by other methods."""


class Workbook(Format, frozen=True):
    """Workbooks, which are read into memory: a sheet has at most a million rows."""

    def hold(self, files: Files, asked: Reading) -> Files:
        """The files with the tables of their first sheets.  Raises DataError or UsageError."""
        try:
            reader = import_module("fastexcel")
        except ModuleNotFoundError:
            remedy = "pip install 'losscli[excel]', or save the sheet as .csv"
            raise UsageError(f"{files.name}: Excel files need the package fastexcel", remedy=remedy) from None
        names = [files.shown(path) for path in files.paths]
        sheets = all_of(
            *(
                lambda path=path, name=name: _sheet(reader, path, name, asked)
                for path, name in zip(files.paths, names, strict=True)
            )
        )
        return replace(files, sheets=tuple(sheets), dialect=sheets[0].dialect)

    def open(self, files: Files) -> Scanned:
        """The table, with the types that text values show."""
        schema = dict(self.scan(files).collect_schema())
        texts = {name: pl.String() for name, dtype in schema.items() if dtype == pl.String}
        scanned = shown(self, files, texts)
        repeated = Counter(files.sheets[0].header)
        return replace(
            scanned,
            schema=schema | dict(scanned.schema),
            quick=frozenset(),
            repeated=tuple(name for name, count in repeated.items() if count > 1),
        )

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The tables of the files, in order, with the columns of their key=value folders."""
        frames = (
            sheet.frame.with_columns(pl.lit(text[i]).alias(name) for name, text in files.partitions.items())
            for i, sheet in enumerate(files.sheets)
        )
        table: pl.DataFrame = pl.concat(frames)
        return table.lazy()

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The columns of one file with their types."""
        return dict(files.sheets[files.paths.index(path)].frame.schema)


class Sheet(NamedTuple):
    """The table of a sheet, its dialect, and the names in its header, with duplicates."""

    frame: pl.DataFrame
    dialect: Dialect
    header: tuple[str, ...]


def _sheet(reader: Any, path: str, name: str, asked: Reading) -> Sheet:
    """The first sheet of a workbook.  Raises DataError."""
    try:
        _require_checksums(path, asked.max_memory, name)
        sheets = reader.read_excel(path).sheet_names
        head = pl.read_excel(
            path,
            has_header=False,
            infer_schema_length=0,
            read_options={"n_rows": SAMPLE},
            raise_if_empty=False,
        )
        rows = [[value or "" for value in row] for row in head.iter_rows()]
        shows = header_shows(rows) if rows else None
        if shows is False and asked.header is None:
            raise DataError(problem(Code.NO_HEADER, name, examples=[f"row 1: {', '.join(rows[0])[:80]}"]))
        has_header = asked.header is not False or bool(shows)
        frame = pl.read_excel(
            path,
            has_header=has_header,
            infer_schema_length=None,
            raise_if_empty=False,
            drop_empty_rows=False,
        )
    except (*read_errors(), *ZIP_ERRORS, reader.FastExcelError) as error:
        kind = "Excel file"
        raise DataError(problem(Code.DAMAGED_FILE, name, kind=kind, reason=reason(error))) from None
    if not rows:
        raise DataError(problem(Code.EMPTY_FILE, name))
    frame = _without_blank_end(frame)
    notes = (f"sheet {sheets[0]!r}, the first of {len(sheets)}",) if len(sheets) > 1 else ()
    dialect = Dialect(has_header=has_header, notes=notes)
    if not has_header:
        return Sheet(frame.rename(dict(zip(frame.columns, dialect.names(rows[0]), strict=True))), dialect, ())
    return Sheet(frame, dialect, tuple(rows[0]))


def _require_checksums(path: str, max_memory: int, name: str) -> None:
    """Raise ValueError if a part of a workbook has a wrong checksum, which readers notice only at its end.

    Raises DataError for parts that hold far more bytes than their size, and more than `max_memory`.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        uncompressed, size = (
            sum(each.file_size for each in entries),
            sum(each.compress_size for each in entries),
        )
        require_memory(uncompressed, size, max_memory, name)
        if damaged := archive.testzip():
            raise ValueError(f"the checksum of {damaged} is another one")


def _without_blank_end(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows up to the last one with a value; blank rows before it count, as in text."""
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null()).arg_true()).to_series()
    return frame.head(filled[-1] + 1 if len(filled) else 0)


FORMATS = (Workbook("xlsx", (".xlsx", ".xlsm"), is_remote=False, is_text=True, is_zip=True),)
