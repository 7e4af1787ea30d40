"""Lazy tables of what Polars cannot scan itself: frame after frame, made as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from losscli.data.sources import Files

CONTINUES = b"\xff\xff\xff\xff"
"""What every message of an Arrow stream begins with."""
RECORDS = 3
"""The type of message that holds rows; the others are the schema and dictionaries."""


def lazy(
    frames: Callable[[int], Iterable[pl.DataFrame]], files: Files, schema: Mapping[str, Any]
) -> pl.LazyFrame:
    """The rows of all files, of which `frames(i)` gives the i-th one's, with the columns of its folders."""

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        for place in range(len(files.paths)):
            own = [
                pl.lit(values[place], values.dtype).alias(name) for name, values in files.partitions.items()
            ]
            for frame in frames(place):
                made = (frame if most is None else frame.head(most)).with_columns(own)
                most = None if most is None else most - made.height
                made = made if columns is None else made.select(columns)
                yield made if predicate is None else made.filter(predicate)
                if most == 0:
                    return

    types = {name: values.dtype for name, values in files.partitions.items()}
    return register_io_source(source, schema={**schema, **types})


def stream_schema(path: str) -> dict[str, Any]:
    """The columns of an Arrow stream with their types.  Raises ValueError where it is none."""
    head = next((head for head, _ in _messages(path)), b"")
    return dict(pl.read_ipc_stream(BytesIO(head)).schema)


def stream_frames(path: str) -> Iterator[pl.DataFrame]:
    """The record batches of an Arrow stream, one at a time.  Raises ValueError where it ends early."""
    for head, rows in _messages(path):
        if rows:
            yield pl.read_ipc_stream(BytesIO(head + rows))


def _messages(path: str) -> Iterator[tuple[bytes, bytes]]:
    """The schema and dictionaries so far, and the rows of each record batch; first no rows.

    A message is CONTINUES, the length of its metadata, these, and the body whose length they hold; one
    without metadata ends the stream (Arrow Columnar Format 1.5, Encapsulated message format).
    """
    head = b""
    with open(path, "rb") as file:
        while mark := file.read(8):
            length = int.from_bytes(mark[4:], "little")
            if len(mark) < 8 or mark[:4] != CONTINUES:
                raise ValueError("no Arrow message where one should begin")
            if not length:
                return
            metadata = file.read(length)
            kind, size = _type_and_size(metadata)
            message = mark + metadata + file.read(size)
            if len(message) < 8 + length + size:
                raise ValueError("it ends within a message")
            if kind == RECORDS:
                yield head, message
            elif head:
                head += message
            else:
                head = message
                yield head, b""


def _type_and_size(metadata: bytes) -> tuple[int, int]:
    """The type of a message and the length of its body: fields 1 and 3 of a flatbuffer's root table."""

    def number(at: int, size: int, signed: bool = False) -> int:
        return int.from_bytes(metadata[at : at + size], "little", signed=signed)

    root = number(0, 4)
    fields = root - number(root, 4, signed=True)
    kind, size = (number(fields + 4 + 2 * field, 2) for field in (1, 3))
    # A field at 0 is left out, and has its default.
    return number(root + kind, 1) if kind else 0, number(root + size, 8) if size else 0
