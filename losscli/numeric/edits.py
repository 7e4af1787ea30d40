"""Edit distances of many pairs of sequences at once: insertions, deletions and substitutions."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from losscli.numeric.arrays import Array, np

CELLS = 1 << 16
"""Cells of a table row computed at once for a batch of pairs, so that they stay in the CPU cache."""


class Edits(Struct, frozen=True, eq=False):
    """For each pair (n,), the minimum edits, and the maximum matches of an alignment with so few edits."""

    edits: Array
    matches: Array


class Sequences(Struct, frozen=True, eq=False):
    """Concatenated sequences of integers, and the length of each (n,)."""

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
        """Some of the sequences as padded columns (length of the longest, k)."""
        lengths = self.lengths[places]
        starts = (np.cumsum(self.lengths) - self.lengths)[places]
        step = np.arange(lengths.max(initial=0))[:, None]
        inside = step < lengths
        columns = np.full(inside.shape, padding, dtype=self.codes.dtype)
        columns[inside] = self.codes[(starts + step)[inside]]
        return columns


def edits(a: Sequences, b: Sequences) -> Edits:
    """The edits that turn each sequence of `a` into that of `b` (n,)."""
    fewest = np.zeros(len(a.lengths), dtype=np.int64)
    changed = np.zeros(len(a.lengths), dtype=np.int64)
    for places in _batches(a.lengths, b.lengths):
        fewest[places], changed[places] = _table(a, b, places)
    return Edits(fewest, a.lengths - changed)


def _batches(a: Array, b: Array) -> Iterator[Array]:
    """The indices of pairs of similar length, in batches whose table rows stay in the CPU cache."""
    order = np.argsort(a + b, kind="stable")
    batch = np.cumsum(b[order] + 1) // CELLS
    return iter(np.split(order, np.flatnonzero(np.diff(batch)) + 1)) if len(order) else iter(())


def _table(a: Sequences, b: Sequences, places: Array) -> tuple[Array, Array]:
    """The minimum edits of pairs, and the minimum deletions and substitutions among these.

    Row i of the table has the costs of turning the first i elements of `a` into the first j of `b`.  An edit
    costs `unit`, and a deletion or substitution one more, which breaks ties between equally few edits.
    """
    a_ends, b_ends = a.lengths[places], b.lengths[places]
    unit = int(a_ends.max()) + 1
    a_elements, b_elements = a.padded(places, -1), b.padded(places, -2)
    # Half the bytes, half the time.
    is_small = unit * (unit + len(b_elements) + 2) < np.iinfo(np.int32).max
    inserted = unit * np.arange(len(b_elements) + 1, dtype=np.int32 if is_small else np.int64)[:, None]
    # A row of the table is an array (j, pairs): operations along j run over all pairs at once.
    costs: Array = np.repeat(inserted, len(places), axis=1)
    diagonal: Array = np.empty_like(costs[1:])
    totals = inserted[b_ends, 0]
    for i, element in enumerate(a_elements):
        np.not_equal(element, b_elements, out=diagonal)
        diagonal *= unit + 1
        diagonal += costs[:-1]
        costs += unit + 1
        np.minimum(costs[1:], diagonal, out=costs[1:])
        # Insertions: the minimum over earlier costs plus the cost of the insertions since.
        costs -= inserted
        np.minimum.accumulate(costs, axis=0, out=costs)
        costs += inserted
        finished = np.flatnonzero(a_ends == i + 1)
        totals[finished] = costs[b_ends[finished], finished]
    return totals // unit, totals % unit
