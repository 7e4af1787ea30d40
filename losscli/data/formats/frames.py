"""Lazy frames from iterators of frames, for formats that Polars cannot scan itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from losscli.data.formats.base import Files
from losscli.data.redaction import reason
from losscli.numeric.arrays import pl


def _without_panics(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same frames.  Raises ValueError instead of a panic, whose traceback Polars would print."""
    try:
        yield from frames
    except pl.exceptions.PanicException as error:
        raise ValueError(reason(error)) from None


def lazy(
    frames: Callable[[int], Iterable[pl.DataFrame]], files: Files, schema: Mapping[str, Any]
) -> pl.LazyFrame:
    """The rows `frames(i)` of each file i, with the columns of its key=value folders."""
    from polars.io.plugins import register_io_source  # loads Polars

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        for place in range(len(files.paths)):
            partitions = [
                pl.lit(values[place], values.dtype).alias(name) for name, values in files.partitions.items()
            ]
            for frame in _without_panics(frames(place)):
                rows = (frame if limit is None else frame.head(limit)).with_columns(partitions)
                limit = None if limit is None else limit - rows.height
                rows = rows if columns is None else rows.select(columns)
                yield rows if predicate is None else rows.filter(predicate)
                if limit == 0:
                    return

    types = {name: values.dtype for name, values in files.partitions.items()}
    return register_io_source(source, schema={**schema, **types})
