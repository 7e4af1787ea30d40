"""Hashes of keys that are the same in every version, on every platform and in every file format.

Whole numbers go through the finalizer of MurmurHash3 (Appleby, public domain), text through the same
finalizer word by word.  Long text, and text beyond ASCII, is hashed by BLAKE2b.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import polars as pl

from losscli.numeric.arrays import Array

VERSION = 1
"""The version of the hash, which rises when a key gets another one: saved clusters then merge no more."""
WORD = 8
"""Bytes that are hashed at a time."""
LONG = 64
"""Maximum length in bytes of text that is hashed word by word; each further word is a pass over all keys."""
_NUMBER, _FRACTION, _TEXT = np.array(
    [0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7], dtype=np.uint64
)
"""What starts the hash of each kind of key."""
_CACHED = 1 << 15
"""Numbers that are hashed at once, so that intermediate results stay in the cache."""
_EXACT = 2.0**53
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], dtype=np.uint64)
"""The mask of the first bytes of a word, by their number."""


def hash_keys(keys: pl.Series) -> Array:
    """A hash of 64 bits of each key (n,), unsigned.

    A whole number has one hash whatever its type: 7 as an integer, 7.0, and the text "7", but not "07".
    """
    dtype = keys.dtype
    if dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
        return _of_integers(keys.fill_null(0).cast(pl.Int64).to_numpy())
    if dtype in (pl.Float32, pl.Float64):
        return _of_floats(keys.fill_null(0.0).cast(pl.Float64).to_numpy())
    return _of_text(keys.cast(pl.String).fill_null(""))


def hash_rows(columns: Sequence[pl.Series]) -> Array:
    """A hash of 64 bits of each row (n,) of one column or more, unsigned; of one column, that of its keys."""
    first, *others = map(hash_keys, columns)
    for more in others:
        first = _mixed(first ^ _FRACTION) ^ more
    return first


def sum_of_hashes(numbers: Array) -> int:
    """The sum of the hashes of float64 numbers, of any shape and in any order; 0.0 and -0.0 are one number.

    A hash mixes the bits as the finalizer of MurmurHash3 begins to do.
    """
    numbers, total = numbers.ravel(order="K"), 0
    held = np.empty(min(_CACHED, len(numbers)))
    shifted = np.empty(len(held), dtype=np.uint64)
    for first in range(0, len(numbers), _CACHED):
        part = numbers[first : first + _CACHED]
        bits = np.add(part, 0.0, out=held[: len(part)]).view(np.uint64)
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
    """Bits (n,) spread over all 64, in place."""
    bits ^= bits >> np.uint64(33)
    bits *= np.uint64(0xFF51AFD7ED558CCD)
    bits ^= bits >> np.uint64(33)
    bits *= np.uint64(0xC4CEB9FE1A85EC53)
    bits ^= bits >> np.uint64(33)
    return bits


def _of_integers(numbers: Array) -> Array:
    return _mixed(numbers.astype(np.int64).view(np.uint64) + _NUMBER)


def _of_floats(numbers: Array) -> Array:
    whole = (np.abs(numbers) <= _EXACT) & (numbers == np.floor(numbers))
    hashes = _mixed(numbers.view(np.uint64) ^ _FRACTION)
    hashes[whole] = _of_integers(numbers[whole])
    return hashes


def _of_text(text: pl.Series) -> Array:
    length, joined = text.str.len_bytes(), _joined(text)
    if joined.isascii() and length.to_numpy().max(initial=0) <= LONG:
        return _of_short(text, length.to_numpy(), joined)
    is_short = (length <= LONG) & (length == text.str.len_chars())
    short, at = text.filter(is_short), is_short.to_numpy()
    hashes = np.empty(len(text), dtype=np.uint64)
    hashes[at] = _of_short(short, length.filter(is_short).to_numpy(), _joined(short))
    hashes[~at] = _of_long(text.filter(~is_short))
    return hashes


def _joined(text: pl.Series) -> str:
    return str(text.str.join("").item())


def _of_short(text: pl.Series, length: Array, joined: str) -> Array:
    """The hashes of ASCII texts of at most LONG bytes, given their lengths (n,) and all of them joined."""
    left = length.astype(np.int64)
    starts = np.cumsum(left) - left
    data = joined.encode("ascii") + bytes(LONG)
    first_bytes = np.frombuffer(data, dtype=np.uint8)[starts]
    # Overlapping words: element i holds the bytes i to i + 7.
    words: Array = np.ndarray(len(data) - WORD + 1, dtype="<u8", buffer=data, strides=(1,))
    hashes = _mixed(left.view(np.uint64) ^ _TEXT)
    for _ in range(0, int(left.max(initial=0)), WORD):
        word = words[starts] & _MASKS[np.clip(left, 0, WORD)]
        # A text that has ended keeps its hash: longer texts in the column must not change it.
        np.copyto(hashes, _mixed(word ^ hashes), where=left > 0)
        starts += WORD
        left -= WORD
    # Parsing numbers costs as much as hashing, so only texts that begin like one are parsed.
    numeric = np.flatnonzero((first_bytes == ord("-")) | (first_bytes - ord("0") <= 9))
    if len(numeric):
        written = text[numeric]
        numbers = written.cast(pl.Int64, strict=False)
        whole = (numbers.cast(pl.String) == written).fill_null(False).to_numpy()
        hashes[numeric[whole]] = _of_integers(numbers.fill_null(0).to_numpy()[whole])
    return hashes


def _of_long(text: pl.Series) -> Array:
    """The hashes of texts that are long or not ASCII."""
    digests = {each: blake2b(each.encode(), digest_size=WORD).digest() for each in text.unique()}
    return np.frombuffer(b"".join(map(digests.__getitem__, text)), dtype="<u8")
