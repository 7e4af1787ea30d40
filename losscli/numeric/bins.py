"""Bins of floating-point numbers: those that agree in all but their lowest binary digits.

The bits of a float64, read as an integer, sort like the numbers if those of negative numbers are reversed.
Such a key without its lowest k bits identifies a bin, whose width is at most 2^(k - 52) relative to its
numbers: bins require neither the range of the numbers nor their distribution.
"""

from __future__ import annotations

from losscli.numeric.arrays import Array, np

KEY_BITS = 64
_MAGNITUDE = (1 << 63) - 1


def _reversed(bits: Array) -> Array:
    """The bits with the order of negative numbers reversed; its own inverse."""
    return bits ^ (bits >> 63 & _MAGNITUDE)


_MIN_KEY, _MAX_KEY = (int(_reversed(np.array(end).view(np.int64))) for end in (-np.inf, np.inf))


def keys_of(values: Array) -> Array:
    """The int64 keys (n,) of numbers (n,), in the same order; no number may be NaN, and -0.0 equals 0.0."""
    return _reversed((values.astype(np.float64, copy=False) + 0.0).view(np.int64))


def ends_of(keys: Array, coarse: int) -> tuple[Array, Array]:
    """The smallest and largest number (n,) in the bins of keys (n,), without their `coarse` lowest bits."""
    mask = (1 << coarse) - 1
    ends = np.maximum(keys & ~mask, _MIN_KEY), np.minimum(keys | mask, _MAX_KEY)
    low, high = (_reversed(each).view(np.float64) for each in ends)
    return low, high


def digits_apart(keys: Array) -> Array:
    """The highest bit (n,), from 1, in which each key differs from the one before it; 0 for equal keys.

    The first key counts as different in all bits.
    """
    differing = (keys ^ np.concatenate([~keys[:1], keys[:-1]])).view(np.uint64)
    upper = differing >> np.uint64(32)
    # Exact, as neither half has more bits than a float holds.
    _, high = np.frexp(upper.astype(np.float64))
    _, low = np.frexp((differing & np.uint64(0xFFFFFFFF)).astype(np.float64))
    return np.where(upper > 0, high + 32, low)
