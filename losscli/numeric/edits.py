"""Edit distances of many pairs of sequences at once: insertions, deletions and substitutions."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from losscli.numeric.arrays import Array, np

CELLS = 1 << 16
"""Cells of a row of the table that are computed at once, for all pairs of a batch: they stay in the cache."""


class Edits(Struct, frozen=True, eq=False):
    """Of each pair (n,) the fewest edits, and the most equal elements that an alignment with so few has."""

    edits: Array
    matches: Array


class Sequences(Struct, frozen=True, eq=False):
    """Sequences of whole numbers, one after another, and the length of each (n,)."""

    codes: Array
    lengths: Array

    def halves(self) -> tuple[Sequences, Sequences]:
        """The first half of the sequences, and the second."""
        half = len(self.lengths) // 2
        at = int(self.lengths[:half].sum())
        return Sequences(self.codes[:at], self.lengths[:half]), Sequences(
            self.codes[at:], self.lengths[half:]
        )

    def padded(self, places: Array, padding: int) -> Array:
        """Some of the sequences, one a column (length of the longest, k)."""
        lengths = self.lengths[places]
        starts = (np.cumsum(self.lengths) - self.lengths)[places]
        step = np.arange(lengths.max(initial=0))[:, None]
        inside = step < lengths
        found = np.full(inside.shape, padding, dtype=self.codes.dtype)
        found[inside] = self.codes[(starts + step)[inside]]
        return found


def edits(a: Sequences, b: Sequences) -> Edits:
    """The edits that turn each sequence of `a` into that of `b` (n,)."""
    fewest = np.zeros(len(a.lengths), dtype=np.int64)
    changed = np.zeros(len(a.lengths), dtype=np.int64)
    for places in _alike(a.lengths, b.lengths):
        fewest[places], changed[places] = _table(a, b, places)
    return Edits(fewest, a.lengths - changed)


def _alike(a: Array, b: Array) -> Iterator[Array]:
    """The places of pairs of similar length, few enough for one row of their tables to stay in the cache."""
    order = np.argsort(a + b, kind="stable")
    batch = np.cumsum(b[order] + 1) // CELLS
    return iter(np.split(order, np.flatnonzero(np.diff(batch)) + 1)) if len(order) else iter(())


def _table(a: Sequences, b: Sequences, places: Array) -> tuple[Array, Array]:
    """The fewest edits of pairs, and how many of these delete or substitute; of equally few edits, fewest.

    Row i of the table has the costs of turning the first i elements of `a` into the first j of `b`.  An edit
    costs `unit`, and one that deletes or substitutes one more, which decides between equally few edits.
    """
    ends, wanted = a.lengths[places], b.lengths[places]
    unit = int(ends.max()) + 1
    own, other = a.padded(places, -1), b.padded(places, -2)
    # Half the bytes take half the time.
    small = unit * (unit + len(other) + 2) < np.iinfo(np.int32).max
    inserted = unit * np.arange(len(other) + 1, dtype=np.int32 if small else np.int64)[:, None]
    # A row of the table is an array (j, pairs): what runs along j runs over all pairs at once.
    costs: Array = np.repeat(inserted, len(places), axis=1)
    diagonal: Array = np.empty_like(costs[1:])
    found = inserted[wanted, 0]
    for i, element in enumerate(own):
        np.not_equal(element, other, out=diagonal)
        diagonal *= unit + 1
        diagonal += costs[:-1]
        costs += unit + 1
        np.minimum(costs[1:], diagonal, out=costs[1:])
        # Insertions: the least of any earlier cost plus what the insertions since then cost.
        costs -= inserted
        np.minimum.accumulate(costs, axis=0, out=costs)
        costs += inserted
        done = np.flatnonzero(ends == i + 1)
        found[done] = costs[wanted[done], done]
    return found // unit, found % unit
