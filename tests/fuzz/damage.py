"""Ways to damage bytes."""

from __future__ import annotations

import random

NUMBERS = [0, 1, 2, 7, 127, 128, 255, 1 << 15, (1 << 16) - 1, 1 << 31, (1 << 32) - 1, 1 << 62, (1 << 64) - 1]
"""Numbers at which arithmetic on lengths and offsets goes wrong."""
ENDS = 400
"""Bytes at each end of a file in which headers and footers are."""


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one to four faults."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(FAULTS)(bytearray(data), rng)
    return data


def _place(data: bytearray, rng: random.Random) -> int:
    """A place, as often as not near an end."""
    size = max(len(data), 1)
    near = min(ENDS, size)
    return rng.choice((rng.randrange(size), rng.randrange(near), size - 1 - rng.randrange(near)))


def _flip(data: bytearray, rng: random.Random) -> bytes:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(data)


def _set(data: bytearray, rng: random.Random) -> bytes:
    if data:
        data[_place(data, rng)] = rng.choice((0, 1, 10, 13, 34, 44, 127, 128, 254, 255, rng.randrange(256)))
    return bytes(data)


def _number(data: bytearray, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((2, 4, 8))
    number = rng.choice(NUMBERS) % (1 << 8 * size)
    return bytes(data[:at] + number.to_bytes(size, rng.choice(("little", "big"))) + data[at + size :])


def _cut(data: bytearray, rng: random.Random) -> bytes:
    return bytes(data[: _place(data, rng)])


def _cut_start(data: bytearray, rng: random.Random) -> bytes:
    return bytes(data[_place(data, rng) :])


def _remove(data: bytearray, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return bytes(data[:at] + data[at + rng.choice((1, 2, 8, 64)) :])


def _insert(data: bytearray, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return bytes(data[:at] + rng.randbytes(rng.choice((1, 2, 8, 64))) + data[at:])


def _repeat(data: bytearray, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((1, 4, 16, 200))
    return bytes(data[: at + size] + data[at:])


def _zero(data: bytearray, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((4, 16, 200))
    return bytes(data[:at] + bytes(len(data[at : at + size])) + data[at + size :])


def _swap(data: bytearray, rng: random.Random) -> bytes:
    one, other = sorted((_place(data, rng), _place(data, rng)))
    return bytes(data[:one] + data[other:] + data[one:other])


FAULTS = (
    _flip,
    _flip,
    _set,
    _set,
    _number,
    _number,
    _cut,
    _cut_start,
    _remove,
    _insert,
    _repeat,
    _zero,
    _swap,
)
