"""Hashes of keys that are the same in every version, on every platform and in every format of files.

Whole numbers go through the finalizer of MurmurHash3 (Appleby, public domain), text through the same
finalizer word by word.  Long text, and text beyond ASCII, is hashed by BLAKE2b.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import polars as pl

from losscli.numeric.arrays import Array

WORD = 8
"""Bytes that are hashed at a time."""
LONG = 64
"""Bytes of text beyond which a hash by word would hold too much at once."""
_NUMBER, _FRACTION, _TEXT = np.array(
    [0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7], dtype=np.uint64
)
"""What starts the hash of each kind of key."""
_EXACT = 2.0**53


def hash_keys(keys: pl.Series) -> Array:
    """A hash of 64 bits of each key (n,), unsigned.

    A whole number has one hash whatever its type: 7 as an integer, 7.0, and the text "7", but not "07".
    """
    dtype = keys.dtype
    if dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
        return _of_integers(keys.fill_null(0).cast(pl.Int64).to_numpy())
    if dtype in (pl.Float32, pl.Float64):
        return _of_floats(keys.fill_null(0.0).cast(pl.Float64).to_numpy())
    text = keys.cast(pl.String).fill_null("")
    hashes = _of_text(text)
    numbers = text.cast(pl.Int64, strict=False)
    whole = (numbers.cast(pl.String) == text).fill_null(False).to_numpy()
    if whole.any():
        hashes[whole] = _of_integers(numbers.fill_null(0).to_numpy()[whole])
    return hashes


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
    length = text.str.len_bytes()
    short = (length <= LONG) & (length == text.str.len_chars())
    if short.all():
        return _of_words(text, length.to_numpy())
    hashes = np.empty(len(text), dtype=np.uint64)
    hashes[short.to_numpy()] = _of_words(text.filter(short), length.filter(short).to_numpy())
    others = text.filter(~short)
    digests = {each: blake2b(each.encode(), digest_size=WORD).digest() for each in others.unique()}
    hashes[~short.to_numpy()] = np.frombuffer(b"".join(map(digests.__getitem__, others)), dtype="<u8")
    return hashes


def _of_words(text: pl.Series, length: Array) -> Array:
    """The hashes of short ASCII text, whose lengths (n,) are known."""
    hashes = _mixed(length.astype(np.uint64) ^ _TEXT)
    width = -(-int(length.max(initial=0)) // WORD) * WORD
    if width:
        padded = text.str.pad_end(width, "\0").str.join("").item()
        words = np.frombuffer(padded.encode("ascii"), dtype="<u8").reshape(len(text), -1)
        for place, word in enumerate(words.T):
            # A word of padding is none: a hash must not depend on the length of other texts.
            hashes = np.where(length > place * WORD, _mixed(hashes ^ word), hashes)
    return hashes
