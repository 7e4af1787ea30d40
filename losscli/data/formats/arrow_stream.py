"""Arrow streams: a schema, then record batches, which Polars can read but not scan."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, BinaryIO

from losscli.data.formats.base import Files, Format
from losscli.data.formats.columnar import damaged
from losscli.data.formats.frames import lazy
from losscli.errors import Problem
from losscli.numeric.arrays import pl

CONTINUES = b"\xff\xff\xff\xff"
"""The first bytes of every message of an Arrow stream."""
SCHEMA, DICTIONARY, RECORDS = 1, 2, 3
"""The types of messages: schemas, dictionary batches and record batches."""


class ArrowStream(Format, frozen=True):
    """Local files, read one record batch at a time."""

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The scan of the files, whose columns are typed."""
        return lazy(lambda place: stream_frames(files.paths[place]), files, stream_schema(files.paths[0]))

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The columns of one file, from the first message."""
        return stream_schema(path)

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """The problems of incomplete or damaged files."""
        return damaged(files, self.bare_noun, stream_frames)


def stream_schema(path: str) -> dict[str, Any]:
    """The columns of an Arrow stream with their types.  Raises ValueError for other files."""
    head = next((head for head, _ in _messages(path)), b"")
    return dict(pl.read_ipc_stream(BytesIO(head)).schema)


def stream_frames(path: str) -> Iterator[pl.DataFrame]:
    """The record batches of an Arrow stream, one at a time.  Raises ValueError if it ends early."""
    for head, rows in _messages(path):
        if rows:
            yield pl.read_ipc_stream(BytesIO(head + rows))


def _messages(path: str) -> Iterator[tuple[bytes, bytes]]:
    """The schema and dictionaries so far, once without rows and then with each record batch.

    A message is CONTINUES, the length of the metadata, the metadata, and a body whose length they state; a
    message without metadata has to end the stream (Arrow Columnar Format 1.5, Encapsulated message format).
    """
    head = b""
    with open(path, "rb") as file:
        while mark := file.read(8):
            length = int.from_bytes(mark[4:], "little")
            if len(mark) < 8 or mark[:4] != CONTINUES:
                raise ValueError("no Arrow message at the expected position")
            if not length:
                if file.read(1):
                    raise ValueError("more follows the end of the stream")
                return
            metadata = _read(file, length)
            kind, size = _type_and_size(metadata)
            message = mark + metadata + _read(file, size)
            if kind not in ((DICTIONARY, RECORDS) if head else (SCHEMA,)):
                raise ValueError("a message has another type than is expected")
            if kind == RECORDS:
                yield head, message
                continue
            head += message
            if kind == SCHEMA:
                yield head, b""
    # A killed writer may leave whole batches: only the missing end shows that others are missing.
    raise ValueError("ends before its end is marked")


def _read(file: BinaryIO, size: int) -> bytes:
    """The next `size` bytes; allocates no memory if the file is shorter, but raises ValueError."""
    if size > os.fstat(file.fileno()).st_size - file.tell():
        raise ValueError("ends within a message")
    return file.read(size)


def _type_and_size(metadata: bytes) -> tuple[int, int]:
    """The type of a message and the length of its body: fields 1 and 3 of a flatbuffer's root table.

    Raises ValueError for invalid metadata.
    """

    def number(at: int, size: int, signed: bool = False) -> int:
        if not 0 <= at <= len(metadata) - size:
            raise ValueError("the metadata of a message are damaged")
        return int.from_bytes(metadata[at : at + size], "little", signed=signed)

    def field(place: int, size: int) -> int:
        # A field beyond the end of the offsets, or at offset 0, is absent and has its default.
        at = 4 + 2 * place
        offset = number(offsets + at, 2) if at < number(offsets, 2) else 0
        return number(root + offset, size) if offset else 0

    root = number(0, 4)
    offsets = root - number(root, 4, signed=True)
    return field(1, 1), field(3, 8)


ARROW_STREAM = ArrowStream(
    "ipc_stream",
    (".arrows",),
    CONTINUES,
    "an Arrow stream",
    "name it .arrows",
    is_option=False,
    is_remote=False,
)
FORMATS = (ARROW_STREAM,)
