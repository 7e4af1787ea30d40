"""Excel workbooks: the first sheet, whose cells have types; text is read as in text formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from losscli.data.dialect import SAMPLE, Dialect, header_shows
from losscli.data.formats.base import Files, Format, Scanned, read_errors
from losscli.data.formats.text import shown
from losscli.data.redaction import reason
from losscli.errors import DataError, UsageError, all_of
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem

if TYPE_CHECKING:
    from losscli.data.request import Reading


class Workbook(Format, frozen=True):
    """Workbooks, which are read into memory: a sheet has a million rows at most."""

    def hold(self, files: Files, asked: Reading) -> Files:
        """The files with the tables of their first sheets.  Raises DataError or UsageError."""
        try:
            reader = import_module("fastexcel")
        except ModuleNotFoundError:
            remedy = "pip install 'losscli[excel]', or save the sheet as .csv"
            raise UsageError(f"{files.name}: Excel files need the package fastexcel", remedy=remedy) from None
        names = [files.shown(path) for path in files.paths]
        held = all_of(
            *(
                lambda path=path, name=name: _sheet(reader, path, name, asked)
                for path, name in zip(files.paths, names, strict=True)
            )
        )
        return replace(files, sheets=tuple(held), dialect=held[0].dialect)

    def open(self, files: Files) -> Scanned:
        """The table, with the types that the values of text show."""
        schema = dict(self.scan(files).collect_schema())
        texts = {name: pl.String() for name, dtype in schema.items() if dtype == pl.String}
        found = shown(self, files, texts)
        repeated = Counter(files.sheets[0].header)
        return replace(
            found,
            schema=schema | dict(found.schema),
            quick=frozenset(),
            repeated=tuple(name for name, count in repeated.items() if count > 1),
        )

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The tables of the files, in order, with the columns of their key=value folders."""
        frames = (
            each.frame.with_columns(pl.lit(text[i]).alias(name) for name, text in files.partitions.items())
            for i, each in enumerate(files.sheets)
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
        frame = pl.read_excel(path, has_header=has_header, infer_schema_length=None, raise_if_empty=False)
    except (*read_errors(), reader.FastExcelError) as error:
        kind = "Excel file"
        raise DataError(problem(Code.DAMAGED_FILE, name, kind=kind, reason=reason(error))) from None
    if not rows:
        raise DataError(problem(Code.EMPTY_FILE, name))
    notes = (f"sheet {sheets[0]!r}, the first of {len(sheets)}",) if len(sheets) > 1 else ()
    dialect = Dialect(has_header=has_header, notes=notes)
    if not has_header:
        return Sheet(frame.rename(dict(zip(frame.columns, dialect.names(rows[0]), strict=True))), dialect, ())
    return Sheet(frame, dialect, tuple(rows[0]))


FORMATS = (Workbook("xlsx", (".xlsx", ".xlsm"), is_remote=False, is_text=True, is_zip=True),)
