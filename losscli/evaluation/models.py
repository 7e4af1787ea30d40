"""The models of a comparison or a leaderboard: one file each, or columns or rows of one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import polars as pl
from msgspec import Struct

from losscli import engines
from losscli.data import load
from losscli.data.labels import label_text
from losscli.data.table import Source, Table, reading
from losscli.errors import DataError, Problem, UsageError
from losscli.plan.options import OPTIONS
from losscli.plan.resolve import reading_of
from losscli.text import counted, enumerated, near, readable, without_credentials

MAX_MODELS = 10_000
"""Maximum number of models in one file."""


class Model(Struct, frozen=True, eq=False):
    """A model: its name, its predictions, and the options that apply to it alone."""

    name: str
    source: Source
    options: Mapping[str, Any] = {}


def models_of(predictions: Sequence[Source], options: Mapping[str, Any]) -> list[Model]:
    """The models of files: each file is one, unless --model-column names several in one file."""
    names, column = options.get("names") or (), options.get("model_column")
    if column is None:
        return [Model(*pair) for pair in zip(names_of(predictions, names), predictions, strict=True)]
    if len(predictions) != 1:
        raise UsageError(
            f"--model-column {column} names the models in one file, and {len(predictions)} were given"
        )
    table = load.tables(predictions[0], None, reading_of(options))[0]
    rows = _by_column(table, OPTIONS["model_column"].read(column))
    return [Model(*pair) for pair in zip(_model_names(list(rows), names), rows.values(), strict=True)]


def models_in(source: Source, options: Mapping[str, Any]) -> list[Model]:
    """The models whose predictions are the columns -p of one file; a single model if -p names at most one."""
    columns = OPTIONS["pred"].read(options.get("pred") or ())
    if len(columns) < 2:
        return models_of([source], options)
    opened = engines.source_of(source, options.get("engine"))
    table = load.tables(opened, None, reading_of(options))[0]
    if unknown := [name for name in columns if name not in table.schema and not table.fields(name)]:
        raise UsageError(
            f"{table.name} has no column {unknown[0]!r} (-p).{near(unknown[0], table.schema)}",
            remedy=f"its columns: {enumerated(table.schema)}",
        )
    fields = {name: {*(table.fields(name) or (name,))} for name in columns}
    all_fields = set[str]().union(*fields.values())
    titles = _model_names(columns, options.get("names") or ())
    return [
        Model(title, table.without(all_fields - fields[name]), {"pred": [name]})
        for title, name in zip(titles, columns, strict=True)
    ]


def _by_column(table: Table, column: str) -> dict[str, Table]:
    """The rows of each model, in the order in which the models appear."""
    if column not in table.schema:
        raise UsageError(
            f"{table.name} has no column {column!r} (--model-column).{near(column, table.schema)}",
            remedy=f"its columns: {enumerated(table.schema)}",
        )
    with reading(table):
        query = table.scan.select(pl.col(column).unique(maintain_order=True).head(MAX_MODELS + 1))
        values = query.collect(engine="streaming").to_series()
        counts = pl.col(column).null_count().alias("without"), pl.col(column).len().alias("rows")
        without, rows = table.scan.select(counts).collect(engine="streaming").row(0)
    table.require_rows(rows)
    if without:
        place = f"{table.name}, column {column}"
        raise DataError(Problem(f"{counted(without, 'row')} without a model", place, "name it in every row"))
    if len(values) > MAX_MODELS:
        raise UsageError(f"--model-column {column} names more than {MAX_MODELS} models")
    return {label_text(value): table.rows_of(column, value) for value in values}


def names_of(predictions: Sequence[Source], names: Sequence[str]) -> tuple[str, ...]:
    """The names of the models: as given, or the shortest distinct ends of their paths."""
    if names:
        return _model_names(predictions, names)
    paths = [
        readable(without_credentials(str(source)))
        if isinstance(source, str | PurePath)
        else f"model {number}"
        for number, source in enumerate(predictions, 1)
    ]
    if repeated := [path for path, count in Counter(paths).items() if count > 1]:
        raise UsageError(
            f"{', '.join(repeated)} is given twice", remedy="a model is compared with another one"
        )
    parts = [PurePath(path).parts for path in paths]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        short = ["/".join(path_parts[-depth:]) for path_parts in parts]
        if len(set(short)) == len(short):
            return tuple(short)
    return tuple(paths)


def _model_names(models: Sequence[Any], names: Sequence[str]) -> tuple[str, ...]:
    """The names given by the user, or else those of the models."""
    if names and (len(names) != len(models) or len(set(names)) < len(names)):
        raise UsageError(f"{len(models)} models need as many different names")
    if repeated := [
        str(each) for each, count in Counter(map(str, models)).items() if count > 1 and not names
    ]:
        raise UsageError(
            f"{', '.join(repeated)} is given twice", remedy="a model is compared with another one"
        )
    return tuple(names or models)
