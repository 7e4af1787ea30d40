"""Hashes of keys that are the same in every version, on every platform and in every file format.

Integers go through the finalizer of MurmurHash3 (Appleby, public domain), text through the same finalizer
word by word.  Long or non-ASCII text is hashed by BLAKE2b.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import polars as pl

from losscli.numeric.arrays import Array

VERSION = 1
"""The version of the hash, raised when any hash changes: older saved clusters then cannot be merged."""
WORD = 8
"""Bytes hashed at a time."""
LONG = 64
"""Maximum length in bytes of text hashed word by word, as each word is a pass over all keys."""
_NUMBER, _FRACTION, _TEXT = np.array(
    [0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7], dtype=np.uint64
)
"""The start of the hash of each kind of key."""
_CACHED = 1 << 17
"""Numbers hashed at once: few enough for the cache, and enough that threads do not wait for each other."""
_EXACT = 2.0**53
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], dtype=np.uint64)
"""The mask of the first bytes of a word, by their number."""


def hash_keys(keys: pl.Series) -> Array:
    """An unsigned 64-bit hash of each key (n,).

    Whole numbers have the same hash in any type: 7 as an integer, 7.0, and the text "7", but not "07".
    """
    dtype = keys.dtype
    if dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
        return _hash_integers(keys.fill_null(0).cast(pl.Int64).to_numpy())
    if dtype in (pl.Float32, pl.Float64):
        return _hash_floats(keys.fill_null(0.0).cast(pl.Float64).to_numpy())
    return _hash_text(keys.cast(pl.String).fill_null(""))


def hash_rows(columns: Sequence[pl.Series]) -> Array:
    """An unsigned 64-bit hash of each row (n,) of one or more columns; for one column, that of its keys."""
    combined, *others = map(hash_keys, columns)
    for hashes in others:
        combined = _mixed(combined ^ _FRACTION) ^ hashes
    return combined


def sum_of_hashes(numbers: Array) -> int:
    """The sum of the hashes of float64 numbers of any shape, in any order; 0.0 and -0.0 are equal.

    A hash mixes the bits by the first steps of the finalizer of MurmurHash3.
    """
    numbers, total = numbers.ravel(order="K"), 0
    buffer = np.empty(min(_CACHED, len(numbers)))
    shifted = np.empty(len(buffer), dtype=np.uint64)
    for first in range(0, len(numbers), _CACHED):
        part = numbers[first : first + _CACHED]
        bits = np.add(part, 0.0, out=buffer[: len(part)]).view(np.uint64)
        high = shifted[: len(part)]
        bits ^= np.right_shift(bits, np.uint64(33), out=high)
        bits *= np.uint64(0xFF51AFD7ED558CCD)
        bits ^= np.right_shift(bits, np.uint64(33), out=high)
        total += int(bits.sum())
    return total


@lru_cache(maxsize=1 << 12)
def hash_of(number: float) -> int:
    """The hash of one number, as `sum_of_hashes` adds it up."""
    return sum_of_hashes(np.array([number]))


def _mixed(bits: Array) -> Array:
    """Bits (n,) mixed over all 64, in place."""
    bits ^= bits >> np.uint64(33)
    bits *= np.uint64(0xFF51AFD7ED558CCD)
    bits ^= bits >> np.uint64(33)
    bits *= np.uint64(0xC4CEB9FE1A85EC53)
    bits ^= bits >> np.uint64(33)
    return bits


def _hash_integers(numbers: Array) -> Array:
    return _mixed(numbers.astype(np.int64).view(np.uint64) + _NUMBER)


def _hash_floats(numbers: Array) -> Array:
    is_whole = (np.abs(numbers) <= _EXACT) & (numbers == np.floor(numbers))
    hashes = _mixed(numbers.view(np.uint64) ^ _FRACTION)
    hashes[is_whole] = _hash_integers(numbers[is_whole])
    return hashes


def _hash_text(text: pl.Series) -> Array:
    length, joined = text.str.len_bytes(), _joined(text)
    if joined.isascii() and length.to_numpy().max(initial=0) <= LONG:
        return _hash_short(text, length.to_numpy(), joined)
    is_short = (length <= LONG) & (length == text.str.len_chars())
    short, at = text.filter(is_short), is_short.to_numpy()
    hashes = np.empty(len(text), dtype=np.uint64)
    hashes[at] = _hash_short(short, length.filter(is_short).to_numpy(), _joined(short))
    hashes[~at] = _hash_long(text.filter(~is_short))
    return hashes


def _joined(text: pl.Series) -> str:
    return str(text.str.join("").item())


def _hash_short(text: pl.Series, length: Array, joined: str) -> Array:
    """The hashes of ASCII texts of at most LONG bytes, given their lengths (n,) and all of them joined."""
    remaining = length.astype(np.int64)
    starts = np.cumsum(remaining) - remaining
    data = joined.encode("ascii") + bytes(LONG)
    first_bytes = np.frombuffer(data, dtype=np.uint8)[starts]
    # Overlapping words: element i holds the bytes i to i + 7.
    words: Array = np.ndarray(len(data) - WORD + 1, dtype="<u8", buffer=data, strides=(1,))
    hashes = _mixed(remaining.view(np.uint64) ^ _TEXT)
    for _ in range(0, int(remaining.max(initial=0)), WORD):
        word = words[starts] & _MASKS[np.clip(remaining, 0, WORD)]
        # A text that has ended keeps its hash: longer texts in the column must not change it.
        np.copyto(hashes, _mixed(word ^ hashes), where=remaining > 0)
        starts += WORD
        remaining -= WORD
    # Parsing numbers costs as much as hashing, so only texts that begin like a number are parsed.
    numeric = np.flatnonzero((first_bytes == ord("-")) | (first_bytes - ord("0") <= 9))
    if len(numeric):
        written = text[numeric]
        numbers = written.cast(pl.Int64, strict=False)
        is_whole = (numbers.cast(pl.String) == written).fill_null(False).to_numpy()
        hashes[numeric[is_whole]] = _hash_integers(numbers.fill_null(0).to_numpy()[is_whole])
    return hashes


def _hash_long(text: pl.Series) -> Array:
    """The hashes of texts that are long or not ASCII."""
    digests = {each: blake2b(each.encode(), digest_size=WORD).digest() for each in text.unique()}
    return np.frombuffer(b"".join(map(digests.__getitem__, text)), dtype="<u8")
