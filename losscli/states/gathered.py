"""Sums in bins of rows that come a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from typing import Any, Self, TypeVar

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np, to_numpy
from losscli.numeric.cached import cached_property
from losscli.states.grid import Axis, Grid

AT_ONCE = 1 << 17
"""The number of rows from which those that wait are put into bins."""


_Part = TypeVar("_Part", Grid, "Gathered")


class Unbinned(Struct, frozen=True, eq=False):
    """Rows that are in no bin yet: what `Grid.of` takes of them."""

    axes: Sequence[Axis | int]
    places: Sequence[Array]
    columns: Sequence[Array | None]
    along: Sequence[Array] = ()

    def grid(self, xp: Namespace) -> Grid:
        """The grid of the rows."""
        return Grid.of(xp, self.axes, self.places, self.columns, self.along)

    def on_host(self) -> Unbinned:
        """The rows in arrays of NumPy."""
        columns = [None if each is None else to_numpy(each) for each in self.columns]
        return Unbinned(self.axes, [*map(to_numpy, self.places)], columns, [*map(to_numpy, self.along)])

    def has_numbers(self) -> list[bool]:
        """For each column whether it has numbers, rather than counts rows."""
        return [each is not None for each in self.columns]


class Gathered(Struct, frozen=True, eq=False, dict=True):
    """The grid of some rows, of which `waiting` ones are not in its bins yet.

    Bins of two axes are many: they take as long to make and to merge for the rows of one block of a sample as
    for those of ten.
    """

    binned: Grid | None = None
    waiting: tuple[Unbinned, ...] = ()

    @classmethod
    def of(cls, xp: Namespace, rows: Unbinned) -> Self:
        """The grid of some rows: many are put in bins, and few wait for others."""
        return cls(rows.grid(xp)) if len(rows.places[0]) >= AT_ONCE else cls(waiting=(rows.on_host(),))

    @cached_property
    def grid(self) -> Grid:
        """The grid of all rows."""
        # Soft labels are parts of rows, also in a block between two of whole rows.
        new = [_binned(list(own)) for _, own in groupby(self.waiting, Unbinned.has_numbers)]
        return reduce(Grid.merge, new if self.binned is None else [self.binned, *new])

    def merge(self, later: Self) -> Self:
        """The grid of the rows of both; those that wait are put into bins once they are many."""
        found = type(self)(merged(self.binned, later.binned), self.waiting + later.waiting)
        many = sum(len(each.places[0]) for each in found.waiting) >= AT_ONCE
        return type(self)(found.grid) if many else found


def merged(a: _Part | None, b: _Part | None) -> _Part | None:
    """The rows of both, each of which may be None for no rows."""
    return (a or b) if a is None or b is None else a.merge(b)


def _binned(rows: Sequence[Unbinned]) -> Grid:
    """The grid of rows with the same columns."""

    def joined(parts: Sequence[Sequence[Array | None]]) -> Any:
        return [None if own[0] is None else np.concatenate(own) for own in zip(*parts, strict=True)]

    places, columns, along = (
        joined([getattr(each, name) for each in rows]) for name in ("places", "columns", "along")
    )
    return Unbinned(rows[0].axes, places, columns, along).grid(np)
