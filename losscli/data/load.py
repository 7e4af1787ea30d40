"""Files, frames and arrays to lazily scanned tables."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from msgspec.structs import replace

from losscli.data import sniff, sources
from losscli.data.diagnose import MISSING, unlike
from losscli.data.formats import numpy as numpy_files
from losscli.data.formats.numpy import Part
from losscli.data.request import Reading
from losscli.data.sources import Files
from losscli.data.table import INFER_ROWS, Source, Table, _scan, reading
from losscli.errors import DataError, Problem, UsageError, all_of


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
    matrix = len(found) == 2 and isinstance(found[1][0], list) and numpy_files.is_matrix(found[1][0][0])
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
        return [[Part(None, numpy_files.in_memory(source, role))]], None
    files = sources.locate(source, asked)
    return (numpy_files.mapped(files) if files.format in sources.ARRAYS else None), files


def _table(found: _Found, role: str, flat: bool) -> Table:
    opened = _opened(*found, role, flat)
    if opened.is_empty():
        raise DataError(Problem("no rows, only a header", opened.name, "write rows"))
    return opened


def _opened(data: Any, files: Files | None, role: str, flat: bool) -> Table:
    if files is None:
        if isinstance(data, list):
            data = numpy_files.frame(data[0][0], role, role, flat)
        return Table(role, data.lazy(), data.collect_schema())
    if data is not None:
        scan = numpy_files.scan(data, files, role, flat)
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
            header = Counter(sniff.header(files.paths[0], separator))
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
