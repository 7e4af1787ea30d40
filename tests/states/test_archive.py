"""The file format of states: what is written is read back to the bit, and anything else is refused."""

from __future__ import annotations

import hashlib
import json
import random
import struct
import zlib

import numpy as np
import pytest

from losscli.errors import DataError
from losscli.states import archive

ARRAYS = {
    "n": np.arange(3),
    "total": np.array([[1.5, -0.0], [np.inf, np.nan]]),
    "holds": np.array([True, False]),
    "codes": np.array([1, 2], dtype=np.uint8),
    "none": np.zeros((0, 4)),
    "one": np.array(7),
}
HEADER = {"plan": {"loss": "mae", "väl": [1, 2.5, None]}}
WHOLE = archive.dump(HEADER, ARRAYS)


def test_header_and_arrays_come_back_to_the_bit():
    header, arrays = archive.load(WHOLE)
    assert header == HEADER
    assert list(arrays) == list(ARRAYS)
    for name, values in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (values.dtype, values.shape)
        assert arrays[name].tobytes() == values.tobytes()
    assert archive.dump(header, arrays) == WHOLE


def test_the_bytes_do_not_depend_on_the_machine():
    big = {name: values.astype(values.dtype.newbyteorder(">")) for name, values in ARRAYS.items()}
    assert archive.dump(HEADER, big) == WHOLE


def resigned(header: object, numbers: bytes = b"", version: int = archive.FORMAT) -> bytes:
    """A file with the right checksum, whatever it holds."""
    packed = zlib.compress(json.dumps(header).encode())
    body = archive.MAGIC + struct.pack("<HQ", version, len(packed)) + packed + zlib.compress(numbers)
    return body + hashlib.sha256(body).digest()


WRONG = {
    "another file": (b"PAR1" + WHOLE, "is not a state of losscli"),
    "nothing": (b"", "is not a state of losscli"),
    "its first bytes": (WHOLE[:30], "cut short"),
    "all but a byte": (WHOLE[:-1], "checksum"),
    "a byte more": (WHOLE + b"\0", "checksum"),
    "a newer format": (resigned({}, version=2), "format 2; this version reads formats up to 1"),
    "no header": (resigned({"arrays": []}), "damaged"),
    "a list": (resigned([1]), "damaged"),
    "a size that is not there": (
        resigned({"header": {}, "arrays": [["a", "<f8", [2]]]}, b"\0" * 8),
        "as long",
    ),
    "more than it says": (resigned({"header": {}, "arrays": [["a", "<f8", [2]]]}, b"\0" * 24), "as long"),
    "a size below zero": (
        resigned({"header": {}, "arrays": [["a", "<f8", [-2, -1]]]}, b"\0" * 16),
        "not one",
    ),
    "an enormous size": (resigned({"header": {}, "arrays": [["a", "<f8", [1 << 62]]]}), "damaged"),
    "objects": (resigned({"header": {}, "arrays": [["a", "|O", [1]]]}, b"\0" * 8), "not one of numbers"),
    "text": (resigned({"header": {}, "arrays": [["a", "<U2", [1]]]}, b"\0" * 8), "not one of numbers"),
    "no type": (resigned({"header": {}, "arrays": [["a", "<q9", [1]]]}, b"\0" * 8), "damaged"),
}


@pytest.mark.parametrize("name", WRONG)
def test_anything_else_is_refused_with_a_reason(name):
    data, reason = WRONG[name]
    with pytest.raises(DataError, match=reason):
        archive.load(data)


def test_no_changed_file_is_accepted():
    draw = random.Random(1)
    for _ in range(20_000):
        changed = bytearray(WHOLE)
        kind = draw.randrange(3)
        at = draw.randrange(len(changed))
        if kind == 0:
            changed[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del changed[at : at + draw.randrange(1, 9)]
        else:
            changed[at:at] = draw.randbytes(draw.randrange(1, 9))
        with pytest.raises(DataError):
            archive.load(bytes(changed))
