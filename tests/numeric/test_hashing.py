"""Hashes of keys: frozen values, one hash for one key of any type, and no two for different keys."""

from __future__ import annotations

import re
from datetime import date
from hashlib import blake2b

import numpy as np
import polars as pl
import pytest

from losscli.numeric.hashing import hash_keys, hash_rows


def hashes(values, dtype=None):
    return hash_keys(pl.Series(values, dtype=dtype)).tolist()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (0, 0x9CA066F1A4AB2EEA),
        (1, 0xE5FDC025E13EEED5),
        (-1, 0x25B775FAECA8F520),
        (2**62, 0x1F43B10D494CA68F),
        ("", 0x25DAA68A98466B07),
        ("a", 0x3ABD10847834B05C),
        ("user-17", 0x21EE53F610F996AB),
        ("12345678", 0xC07AAFBD7188E526),
        ("123456789", 0x781E82BBFF6E8F64),
        ("x" * 64, 0x09289899685A5E8F),
        ("x" * 65, 0x36C9C5DF1F7285C0),
        ("Zürich", 0x08D579A7FA387470),
        (0.5, 0x4DDF5514E652A5A3),
        (-1e300, 0x1DF4F61A52ABFCB4),
        (True, 0x66ABBF285A6DACB7),
        (date(2024, 2, 29), 0x21C90EB5DE53D7EC),
    ],
    ids=lambda value: str(value)[:20],
)
def test_no_version_changes_a_hash(key, expected):
    """Saved states hold hashes: these values must never change."""
    assert hashes([key]) == [expected]


@pytest.mark.parametrize(
    "dtype", [pl.Int8, pl.Int64, pl.UInt32, pl.UInt64, pl.Int128, pl.Float32, pl.Float64, pl.String]
)
def test_a_whole_number_has_one_hash_whatever_its_type(dtype):
    numbers = pl.Series([0, 1, 7, 100])
    assert hash_keys(numbers.cast(dtype)).tolist() == hash_keys(numbers).tolist()


def test_text_is_another_key_than_the_number_it_does_not_spell_exactly():
    assert len(set(hashes(["7", "07", "+7", "7.0", " 7", "7\0"]))) == 6
    assert hashes(["7"]) == hashes([7])


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["b", "ü", "a"])])
def test_categories_are_hashed_as_their_text(dtype):
    text = ["a", "b", "ü", "a"]
    assert hashes(text, dtype) == hashes(text)


def test_a_hash_does_not_depend_on_the_other_rows():
    text = ["a", "x" * 70, "Zürich", "12", "user-1234567890", ""]
    assert hashes(text) == [each for one in text for each in hashes([one])]
    assert hashes([]) == hashes([], pl.String) == []


MASK = (1 << 64) - 1


def mixed(bits):
    """The finalizer of MurmurHash3, on one Python integer."""
    bits = (bits ^ (bits >> 33)) * 0xFF51AFD7ED558CCD & MASK
    bits = (bits ^ (bits >> 33)) * 0xC4CEB9FE1A85EC53 & MASK
    return bits ^ (bits >> 33)


def reference(text):
    """The hash of one text, as its specification reads."""
    if re.fullmatch("0|-?[1-9][0-9]*", text) and -(2**63) <= int(text) < 2**63:
        return mixed((int(text) + 0x9E3779B97F4A7C15) & MASK)
    data = text.encode()
    if len(data) > 64 or not text.isascii():
        return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
    found = mixed(len(data) ^ 0x8CB92BA72F3D8DD7)
    for start in range(0, len(data), 8):
        found = mixed(found ^ int.from_bytes(data[start : start + 8], "little"))
    return found


ASCII = ["".join(chr(33 + (7 * i + size) % 90) for i in range(size)) for size in range(67)]
OTHERS = [
    "é" * 3,
    "x" * 70 + "ß",
    "日本",
    "7",
    "-12",
    "07",
    "-0",
    "-",
    str(2**63 - 1),
    str(2**63),
    "a\0",
    "\0",
]


@pytest.mark.parametrize(
    "texts",
    [
        ASCII[:65],
        ASCII,
        ["", ""],
        ["", "12", "", "x"],
        [*ASCII[::-1], *OTHERS, *ASCII],
        OTHERS,
        ["5", None, "0"],
    ],
    ids=["short", "ascii", "empty", "empty and numbers", "mixed", "others", "null"],
)
def test_hashes_of_text_are_those_of_the_specification(texts):
    assert hashes(texts) == [reference(text or "") for text in texts]


@pytest.mark.parametrize(
    "keys",
    [
        pl.Series(np.arange(-100_000, 100_000)),
        pl.Series([f"user-{i}" for i in range(200_000)]),
        pl.Series(np.arange(200_000) + 0.5),
    ],
    ids=["numbers", "text", "fractions"],
)
def test_hashes_of_different_keys_differ_and_are_spread(keys):
    found = hash_keys(keys)
    assert len(np.unique(found)) == len(keys)
    for shift in (0, 24, 56):
        counts = np.bincount((found >> np.uint64(shift)).astype(np.uint8), minlength=256)
        assert ((counts - len(keys) / 256) ** 2).sum() * 256 / len(keys) < 400  # chi-squared, 255 degrees


def test_rows_of_several_columns_have_hashes_of_their_own():
    one, two = (pl.Series(values) for values in ([1, 1, 2, 2, 1], ["a", "b", "a", "b", "a"]))
    found = hash_rows([one, two]).tolist()
    assert len(set(found)) == 4
    assert found[0] == found[4]
    assert found != hash_rows([two, one]).tolist()
    assert hash_rows([one]).tolist() == hash_keys(one).tolist()
