"""Load files, and data in memory, as lazily scanned tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

import polars as pl
from msgspec.structs import replace

from losscli.data import cluster, sources
from losscli.data.diagnose import unlike
from losscli.data.formats import memory
from losscli.data.formats import numpy as numpy_files
from losscli.data.formats.base import Files, Scanned
from losscli.data.formats.numpy import Part
from losscli.data.request import Reading
from losscli.data.table import Source, Table, reading
from losscli.errors import DataError, Problem, UsageError, all_of
from losscli.report.findings import Code, problem
from losscli.text import counted


def tables(
    predictions: Source, targets: Source | None, asked: Reading, are_all: bool = False
) -> tuple[Table, Table]:
    """The tables of predictions and targets; the same table twice without targets.

    Raises DataError without data, and UsageError for options that no input needs, if these `are_all` inputs.
    """
    if _is_stdin(predictions) and _is_stdin(targets):
        raise UsageError("standard input can be one side only", remedy="name a file for the other")
    located = all_of(
        lambda: _located(predictions, "predictions", asked),
        *([] if targets is None else [lambda: _located(targets, "targets", asked)]),
    )
    if are_all:
        sources.require_used(asked, [files for _, files in located if files])
    matrix = len(located) == 2 and _is_matrix(located[1])
    opened = all_of(
        partial(_table, located[0], "predictions", matrix),
        *(partial(_table, each, "targets", False) for each in located[1:]),
    )
    return opened[0], opened[-1]


def _is_stdin(source: Source | None) -> bool:
    return isinstance(source, str | Path) and str(source) == sources.STDIN


def with_columns(
    table: Table, other: Table, data: Mapping[str, Sequence[pl.Series]]
) -> tuple[Table, dict[str, tuple[str, ...]]]:
    """A table with the data of options as further columns, and the column names by option.

    A name that `table` or `other` already has is numbered.  Raises UsageError if the table is read from
    files, DataError if a column has another length.
    """
    if not data:
        return table, {}
    if table.files is not None:
        raise UsageError(
            [
                Problem(
                    f"{option}= is an array, and the predictions are {table.name}",
                    remedy=f"write it into the file, and name the column: {option}='COLUMN'",
                )
                for option in data
            ]
        )
    rows = table.count()
    if wrong := [
        numpy_files.invalid(
            f"{option}= has {counted(len(column), 'value')} for {counted(rows, 'row')}",
            table.name,
            "one value per row",
        )
        for option, columns in data.items()
        for column in columns
        if len(column) != rows
    ]:
        raise DataError(wrong)
    taken = {*table.schema, *other.schema}
    named: dict[str, list[pl.Series]] = {}
    for option, columns in data.items():
        for column in columns:
            name = _unused_name(column.name, taken)
            taken.add(name)
            named.setdefault(option, []).append(column.alias(name))
    frame = pl.DataFrame([column for columns in named.values() for column in columns])
    names = {option: tuple(column.name for column in columns) for option, columns in named.items()}
    return table.with_columns(frame), names


def _unused_name(name: str, taken: Collection[str]) -> str:
    numbered = (f"{name}_{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


_Located = tuple[Table | pl.DataFrame | pl.LazyFrame | list[list[Part]] | None, Files | None]
"""A source before it is opened: a table, a frame or arrays in memory, or files."""


def _located(source: Source, role: str, asked: Reading) -> _Located:
    if isinstance(source, Table):
        return source, source.files
    if cluster.is_frame(source):
        return of_frame(source, role), None
    if not isinstance(source, str | Path):
        data = memory.read(source, role)
        return (data if isinstance(data, pl.DataFrame | pl.LazyFrame) else [[Part(None, data)]]), None
    files = sources.locate(source, asked)
    with reading(Table(files.name, pl.LazyFrame(), {}, files)):
        return None, files.format.hold(files, asked)


def of_frame(frame: Any, name: str) -> Table:
    """A Spark DataFrame as a table.  Raises DataError if it has no rows."""
    scan_and_schema = cluster.opened(frame)
    if scan_and_schema is None:
        raise DataError(problem(Code.EMPTY_TABLE, name))
    return Table(name, *scan_and_schema, frame=frame, is_numbered=False)


def _is_matrix(located: _Located) -> bool:
    data, files = located
    arrays = data if isinstance(data, list) else files.arrays if files else ()
    return bool(arrays) and numpy_files.is_matrix(arrays[0])


def _table(located: _Located, role: str, flat: bool) -> Table:
    table, has_rows = _opened(*located, role, flat)
    table = table.stored().unnested()
    if not has_rows and (has_rows is not None or table.is_empty()):
        raise DataError(problem(Code.EMPTY_TABLE, table.name))
    return table


def _with_spelling(files: Files, opened: Scanned) -> Files:
    """The files with the spelling that their numbers show, and a note if it has another decimal sign."""
    if files.format.is_text and opened.spelling.decimal != files.spelling.decimal:
        files = files.noted("decimal point")
    return replace(files, spelling=opened.spelling)


def _opened(data: Any, files: Files | None, role: str, flat: bool) -> tuple[Table, bool | None]:
    """A source as a table, and whether it has rows; None if that is unknown."""
    if isinstance(data, Table):
        return data, True
    if files is None:
        if isinstance(data, list):
            data = numpy_files.frame(data[0][0], role, role, flat)
        if not isinstance(data, pl.DataFrame):
            return Table(role, data, data.collect_schema()), None
        return Table(role, data.lazy(), data.schema, rows=data), data.height > 0
    files = replace(files, role=role, flat=flat)
    source = Table(files.name, pl.LazyFrame(), {}, files)
    if problems := unlike(files):
        raise DataError(problems)
    with reading(source):
        opened = files.format.open(files)
    table = replace(
        source,
        scan=opened.scan,
        schema=opened.schema,
        types=opened.types,
        quick=opened.quick,
        spelling=opened.spelling,
        files=_with_spelling(files, opened),
        repeated=opened.repeated,
        folders=tuple(files.partitions),
    )
    return table, opened.has_rows
