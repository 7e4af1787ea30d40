"""Counts of the Poisson bootstrap: how often each unit, a row or a cluster, is drawn in each replicate.

A count depends only on the seed, the unit and the replicate, not on blocks, threads, models or cells.  So
parts of a file can be resampled separately, and two models on the same rows have the same counts.  Chamandy,
Muralidharan, Najmi, Naidu (2012), Estimating uncertainty for massive data streams, Google.
"""

from __future__ import annotations

from itertools import accumulate

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np, on_host

PER_WORD = 4
"""Number of counts from one word of 64 random bits."""
_SHARES = (24109, 24110, 12055, 4017, 1005, 201, 34, 4, 1)
"""How many of the 65,536 16-bit numbers map to each of the counts 0 to 8.

They differ from the Poisson distribution with mean one by at most 1.3, chosen so that mean and variance are
exactly one and the third and fourth moments accurate to 1e-5: the moments that a bootstrap relies on.
"""
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_TILE = 64
"""Units whose words are computed at once, so that they stay in the CPU cache."""


class Resampling(Struct, frozen=True):
    """The replicates of a bootstrap: their number, and the seed of their counts."""

    replicates: int
    seed: int = 0

    def keys(self, units: Array) -> Array:
        """The unsigned 64-bit keys (n,) of the counts of units (n,), which are distinct integers."""
        start = np.array([self.seed % (1 << 64)], dtype=np.uint64)
        numbers: Array = np.asarray(units).astype(np.uint64)
        return _mixed(_mixed(numbers + np.uint64(_STEP)) ^ _mixed(start))


def counts(xp: Namespace, keys: Array, replicates: int) -> Array:
    """How often the units of these keys (n,) are drawn in each replicate: uint8 (n, replicates)."""
    words = xp.arange(1, -(-replicates // PER_WORD) + 1, dtype=np.uint64) * np.uint64(_STEP)
    width = _TILE if on_host(xp) else max(len(keys), 1)
    tiles = (keys[first : first + width, None] + words for first in range(0, len(keys), width))
    drawn = xp.empty((len(keys), replicates), dtype=np.uint8)
    for place, tile in enumerate(tiles):
        drawn[place * width : (place + 1) * width] = _counted(tile)[:, :replicates]
    return drawn


def some_counts(keys: Array, word: int) -> Array:
    """The `counts` in the replicates of one word: uint8 (n, PER_WORD), in host memory."""
    return _counted(keys[:, None] + np.uint64((word + 1) * _STEP % (1 << 64)))


def _counted(bits: Array) -> Array:
    """The counts (n, PER_WORD w) of words (n, w) not mixed yet, which are overwritten."""
    numbers = _mixed(bits).view(np.uint16)
    first_threshold, *thresholds = list(accumulate(_SHARES))[:-1]
    drawn: Array = (numbers >= np.uint16(first_threshold)).view(np.uint8)
    for threshold in thresholds:
        drawn += (numbers >= np.uint16(threshold)).view(np.uint8)
    return drawn


def _mixed(bits: Array) -> Array:
    """Words mixed over all 64 bits, in place.

    Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators, doi:10.1145/2714064.2660195
    """
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(_FIRST)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(_SECOND)
    bits ^= bits >> np.uint64(31)
    return bits
