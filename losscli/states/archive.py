"""The file format of states: a header of plain data, and arrays; no pickle, no code.

    magic, format (uint16), length of the header (uint64), header, arrays, SHA-256 of all that precedes

The header is JSON, and each array is its raw little-endian bytes; header and arrays are compressed.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from losscli.errors import DataError
from losscli.numeric.arrays import Array, np
from losscli.report.saved import MAGIC_OF_STATES as MAGIC

FORMAT = 1
"""The version of the format; it is raised with every change that older readers cannot read."""
_FIXED = struct.Struct("<HQ")
_DIGEST = hashlib.sha256().digest_size
_KINDS = "biuf"
"""The NumPy kinds of numbers that arrays may hold."""
_AGAIN = "write it again with --state"
_LEVEL = 1
"""The level of zlib: higher ones take five times as long and save a tenth."""


def dump(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """The bytes of a header, plain data for JSON, and of arrays by name."""
    layout, raw = list[tuple[str, str, list[int]]](), list[bytes]()
    for name, values in arrays.items():
        plain = np.ascontiguousarray(values)
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        layout.append((name, plain.dtype.str.replace("|", "<"), list(values.shape)))
        raw.append(plain.tobytes())
    text = json.dumps({"header": header, "arrays": layout}, allow_nan=False, separators=(",", ":")).encode()
    packed = zlib.compress(text, _LEVEL)
    size = len(packed)
    content = MAGIC + _FIXED.pack(FORMAT, size) + packed + zlib.compress(b"".join(raw), _LEVEL)
    return content + hashlib.sha256(content).digest()


def load(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header and the arrays in these bytes.

    Raises DataError for other data, a newer format or damage.
    """
    start = len(MAGIC) + _FIXED.size
    if not data.startswith(MAGIC):
        raise DataError("is not a state of losscli", remedy="losscli evaluate ... --state FILE writes one")
    if len(data) < start + _DIGEST:
        raise _damaged("it is cut short")
    version, size = _FIXED.unpack_from(data, len(MAGIC))
    if version > FORMAT:
        what = f"is a state in format {version}; this version reads formats up to {FORMAT}"
        raise DataError(what, remedy="upgrade losscli")
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        raise _damaged("its checksum differs")
    try:
        return _read(body[start : start + size], body[start + size :])
    except (zlib.error, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise _damaged(str(error) or type(error).__name__) from None


def digest_of(data: bytes) -> str:
    """The checksum of the bytes of an archive, which identifies it."""
    return data[-_DIGEST:].hex()


def _read(packed: bytes, numbers: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header and the arrays.  Raises ValueError and others if they contradict each other."""
    parsed = json.loads(zlib.decompress(packed), parse_constant=_refused)
    shapes = [(str(name), np.dtype(kind), tuple(shape)) for name, kind, shape in parsed["arrays"]]
    if any(kind.kind not in _KINDS or min(shape, default=0) < 0 for _, kind, shape in shapes):
        raise ValueError("it holds an array that is not one of numbers")
    sizes = [kind.itemsize * math.prod(shape) for _, kind, shape in shapes]
    unpacking = zlib.decompressobj()
    raw = unpacking.decompress(numbers, sum(sizes) + 1)
    if len(raw) != sum(sizes) or not unpacking.eof:
        raise ValueError("its arrays are not as long as the header says")
    arrays, offset = dict[str, Array](), 0
    for (name, kind, shape), size in zip(shapes, sizes, strict=True):
        values = np.frombuffer(raw, kind, math.prod(shape), offset) if size else np.empty(shape, kind)
        arrays[name] = values.reshape(shape).astype(kind.newbyteorder("="))
        offset += size
    return dict(parsed["header"]), arrays


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _damaged(why: str) -> DataError:
    return DataError(f"is a damaged state: {why}", remedy=_AGAIN)
