"""Sums of row columns by integer, where few distinct integers occur, such as pairs of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np, to_numpy
from losscli.numeric.segments import binned_sums, compressed


class Counts(Struct, frozen=True, eq=False):
    """The distinct numbers (m,), ascending, and the sums of k columns for each (k, m)."""

    numbers: Array
    sums: Array

    @classmethod
    def of(cls, xp: Namespace, numbers: Array, columns: Sequence[Array | None]) -> Self:
        """The counts of whole numbers (n,) from 0 up; a column (n,) may be None for the number of rows."""
        places, present = compressed(to_numpy(numbers))
        places, size = xp.asarray(places), len(present)
        return cls(present, binned_sums(xp, places, columns, size))

    @property
    def layout(self) -> int:
        """The number of columns: only counts of one layout merge."""
        return len(self.sums)

    def merge(self, later: Self) -> Self:
        """The counts of the rows of both."""
        numbers, places = np.unique(np.concatenate([self.numbers, later.numbers]), return_inverse=True)
        sums = np.zeros((len(self.sums), len(numbers)))
        for part, at in (
            (self.sums, places[: len(self.numbers)]),
            (later.sums, places[len(self.numbers) :]),
        ):
            sums[:, at] += part
        return type(self)(numbers, sums)

    def to_arrays(self) -> dict[str, Array]:
        """The fields by name."""
        return {"numbers": self.numbers, "sums": self.sums}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The counts that `to_arrays` wrote."""
        return cls(arrays["numbers"], arrays["sums"])
