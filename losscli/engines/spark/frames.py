"""Frames that Spark moves between tasks: rows are spread over parts, and sent as compressed Arrow.

The JVM sees only bytes, never the values: they need no conversion and keep their types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

import numpy as np
import polars as pl

from losscli.numeric.arrays import Array
from losscli.numeric.hashing import hash_keys

LARGEST = 16 << 20
"""Maximum bytes of the values of a frame per row."""


def spread(frame: pl.DataFrame, keys: pl.DataFrame, parts: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows of each part that has any: rows with equal keys belong to the same part.

    Rows with a missing key match no others, and are spread evenly.
    """
    row_parts = (_hashes(keys) % np.uint64(parts)).astype(np.int64)
    order = np.argsort(row_parts.astype(np.int16 if parts < 1 << 15 else np.int64), kind="stable")
    counts = np.bincount(row_parts, minlength=parts)
    ends, ordered = np.cumsum(counts), frame[order]
    for part in np.flatnonzero(counts).tolist():
        yield part, ordered.slice(int(ends[part] - counts[part]), int(counts[part]))


def _hashes(keys: pl.DataFrame) -> Array:
    """The hash of each row of keys (n,)."""
    hashes: Array = np.zeros(keys.height, dtype=np.uint64)
    for key in keys:
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + hash_keys(_plain(key))
    # The lowest bits of a sum of products are weak.
    hashes ^= hashes >> np.uint64(32)
    missing = keys.select(pl.any_horizontal(pl.all().is_null())).to_series()
    if missing.any():
        at = np.flatnonzero(missing.to_numpy())
        hashes[at] = at.astype(np.uint64)
    return hashes


def _plain(key: pl.Series) -> pl.Series:
    """A key as integers or text."""
    if key.dtype == pl.Binary:
        return key.bin.encode("hex")
    return key.to_physical() if key.dtype.is_temporal() else key


def to_bytes(frame: pl.DataFrame) -> Iterator[bytes]:
    """A frame as bytes, in pieces of bounded size."""
    rows = max(1, frame.height * LARGEST // max(int(frame.estimated_size()), 1))
    for piece in frame.iter_slices(rows):
        buffer = BytesIO()
        piece.write_ipc(buffer, compression="lz4")
        yield buffer.getvalue()


def of_bytes(pieces: Iterable[bytes]) -> pl.DataFrame:
    """The frame from its pieces."""
    return pl.concat([pl.read_ipc(BytesIO(piece)) for piece in pieces], rechunk=False)


def places_of(parts: int) -> list[int]:
    """For each part, a number that Spark sends to a separate partition.

    Spark partitions by a hash, which would send several of the numbers 0 to n - 1 to one partition, and none
    to another.  If that hash changed, partitions would merely be uneven.
    """
    number_of: dict[int, int] = {}
    start = 0
    while len(number_of) < parts:
        numbers = np.arange(start, start + 4 * parts + 64, dtype=np.int32)
        partitions, first = np.unique(_murmur3(numbers) % parts, return_index=True)
        for place, at in zip(partitions.tolist(), first.tolist(), strict=True):
            number_of.setdefault(place, int(numbers[at]))
        start += len(numbers)
    return [number_of[place] for place in range(parts)]


def _murmur3(numbers: Array) -> Array:
    """The hash of Spark for int (n,): MurmurHash3 for 32 bits (Appleby, public domain), seed 42, signed."""
    with np.errstate(over="ignore"):
        mixed = numbers.view(np.uint32) * np.uint32(0xCC9E2D51)
        mixed = _rotated(mixed, 15) * np.uint32(0x1B873593)
        hashes = _rotated(np.uint32(42) ^ mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        hashes ^= np.uint32(4)  # bytes
        hashes ^= hashes >> np.uint32(16)
        hashes *= np.uint32(0x85EBCA6B)
        hashes ^= hashes >> np.uint32(13)
        hashes *= np.uint32(0xC2B2AE35)
        hashes ^= hashes >> np.uint32(16)
    return hashes.view(np.int32).astype(np.int64)


def _rotated(bits: Array, count: int) -> Array:
    return (bits << np.uint32(count)) | (bits >> np.uint32(32 - count))
