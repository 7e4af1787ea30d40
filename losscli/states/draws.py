"""Draws: sums of columns in the replicates of a bootstrap, each row counted as often as it is drawn."""

from __future__ import annotations

from msgspec import Struct

from losscli.numeric import poisson
from losscli.numeric.arrays import Array, Namespace, on_host, to_numpy
from losscli.numeric.cached import cached_property

MAX_DRAWS = 1 << 22
"""Maximum number of sums of one loss in all cells and replicates; beyond it, a note replaces the interval."""
_TILE = 64
"""Rows whose counts are converted at a time, so that they stay in the CPU cache."""


class Counts(Struct, frozen=True, eq=False, dict=True):
    """How often each row of a block is drawn: made once for all losses, models and cells of the block.

    `keys` (n,) come from `Resampling.keys`.
    """

    xp: Namespace
    keys: Array
    replicates: int

    @cached_property
    def of_rows(self) -> Array:
        """The counts (n, replicates)."""
        return poisson.counts(self.xp, self.xp.asarray(self.keys), self.replicates)


class Draws(Struct, frozen=True, eq=False):
    """The counts of the rows at `places` (m,) of a block; None for all rows."""

    counts: Counts
    places: Array | None = None

    @property
    def keys(self) -> Array:
        """The keys of the rows (m,), in host memory."""
        return self.counts.keys if self.places is None else self.counts.keys[to_numpy(self.places)]

    def at(self, places: Array) -> Draws:
        """The counts of some of these rows."""
        return Draws(self.counts, places if self.places is None else self.places[places])

    def sums(self, columns: Array, starts: Array, sizes: Array) -> Array:
        """The sums of columns (k, m) over runs of rows in each replicate: (runs, k, replicates)."""
        xp, counts = self.counts.xp, self.counts.of_rows
        sums = xp.zeros((len(starts), len(columns), self.counts.replicates))
        for run, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
            width = _TILE if on_host(xp) else size
            for first in range(start, start + size, width):
                rows = slice(first, min(first + width, start + size))
                drawn = counts[rows if self.places is None else self.places[rows]].astype(float)
                # Not by BLAS, whose threads would compete with ours.
                sums[run] += xp.einsum("kn,nb->kb", columns[:, rows], drawn)
        return sums


def kept_replicates(cells: int, columns: int, replicates: int) -> int:
    """The number of replicates whose sums are kept: all, or 0 if the sums are too many."""
    return replicates if cells * (1 + columns) * replicates <= MAX_DRAWS else 0
