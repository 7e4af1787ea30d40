"""Bins of floating-point numbers: those that agree in all but their lowest binary digits.

The bits of a float64, read as a whole number, have the order of the numbers once those of negative ones are
reversed.  Without its lowest k bits such a key is that of a bin, whose width is at most 2^(k - 52) of its
numbers: a bin needs neither the range of the numbers nor their distribution.
"""

from __future__ import annotations

from losscli.numeric.arrays import Array, np

KEY_BITS = 64
_MAGNITUDE = (1 << 63) - 1


def _reversed(bits: Array) -> Array:
    """The bits of negative numbers in the reverse order, and back."""
    return bits ^ (bits >> 63 & _MAGNITUDE)


_LEAST, _GREATEST = (int(_reversed(np.array(end).view(np.int64))) for end in (-np.inf, np.inf))


def keys_of(values: Array) -> Array:
    """The keys (n,), as int64, of numbers (n,) in the same order, of which none is NaN; -0.0 is 0.0."""
    return _reversed((values.astype(np.float64, copy=False) + 0.0).view(np.int64))


def ends_of(keys: Array, coarse: int) -> tuple[Array, Array]:
    """The smallest and the largest number (n,) of bins of keys (n,) that differ in `coarse` bits at most."""
    mask = (1 << coarse) - 1
    ends = np.maximum(keys & ~mask, _LEAST), np.minimum(keys | mask, _GREATEST)
    low, high = (_reversed(each).view(np.float64) for each in ends)
    return low, high


def digits_apart(keys: Array) -> Array:
    """The number of the highest bit (n,), from 1, in which each key differs from the one before it, else 0.

    The first key differs from nothing in all bits.
    """
    differing = (keys ^ np.concatenate([~keys[:1], keys[:-1]])).view(np.uint64)
    upper = differing >> np.uint64(32)
    # Exact, as neither half has more bits than a float holds.
    _, high = np.frexp(upper.astype(np.float64))
    _, low = np.frexp((differing & np.uint64(0xFFFFFFFF)).astype(np.float64))
    return np.where(upper > 0, high + 32, low)
