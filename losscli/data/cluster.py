"""Spark DataFrames as tables that can be planned locally; does not import PySpark.

Rows are collected as Arrow written by tasks, so that the types here are those that tasks see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source


def is_frame(source: object) -> bool:
    """Whether a source is a Spark DataFrame, classic or of Spark Connect."""
    return type(source).__module__.startswith("pyspark.sql") and hasattr(source, "mapInArrow")


def chosen(frame: Any, columns: Sequence[str]) -> Any:
    """Some columns of a DataFrame under neutral names: Spark reads a dot in a name as access to a field."""
    renamed = frame.toDF(*(f"c{place}" for place in range(len(frame.columns))))
    return renamed.select(*(f"c{frame.columns.index(name)}" for name in columns))


def read(batches: Iterable[Any], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The Arrow batches that a task receives, as frames with these columns."""
    for batch in batches:
        frame = pl.DataFrame(pl.from_arrow(batch))
        frame.columns = list(columns)
        yield frame


def collected(frame: Any) -> pl.DataFrame | None:
    """All rows of a DataFrame, with its columns; None without rows."""
    columns = list(frame.columns)
    rows = chosen(frame, columns).mapInArrow(_packed, "data binary").collect()
    frames = [pl.read_ipc(BytesIO(row[0])) for row in rows]
    if not frames:
        return None
    table = pl.concat(frames)
    table.columns = columns
    return table


def _packed(batches: Iterable[Any]) -> Iterator[Any]:
    import pyarrow as pa

    for batch in batches:
        buffer = BytesIO()
        pl.DataFrame(pl.from_arrow(batch)).write_ipc(buffer, compression="lz4")
        yield pa.RecordBatch.from_arrays([pa.array([buffer.getvalue()], pa.binary())], names=["data"])


def opened(frame: Any) -> tuple[pl.LazyFrame, dict[str, Any]] | None:
    """The rows of a DataFrame as a lazy frame, which collects what a query needs, and its schema.

    None if it has no rows.
    """
    first = collected(frame.limit(1))
    if first is None:
        return None
    schema = first.schema

    def rows(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        names = list(schema) if columns is None else columns
        selected = chosen(frame, names).toDF(*names)
        result = collected(selected if most is None else selected.limit(most))
        result = first.select(names).clear() if result is None else result
        yield result if predicate is None else result.filter(predicate)

    return register_io_source(rows, schema=schema), dict(schema)


def distinct(frame: Any, column: str) -> pl.Series:
    """The distinct values of a column."""
    values = collected(chosen(frame, [column]).distinct())
    return pl.Series() if values is None else values.to_series()
