"""Sums in bins, for rows that arrive a few at a time."""

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
"""The number of waiting rows from which they are binned."""


_Part = TypeVar("_Part", Grid, "Gathered")


class Unbinned(Struct, frozen=True, eq=False):
    """Rows not binned yet, as the arguments of `Grid.of`."""

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
        """For each column, whether it has numbers or only counts rows."""
        return [each is not None for each in self.columns]


class Gathered(Struct, frozen=True, eq=False, dict=True):
    """The grid of some rows; the `waiting` ones are not binned yet.

    Two axes have so many bins that making and merging the grid takes as long for one sampled block as for
    ten.
    """

    binned: Grid | None = None
    waiting: tuple[Unbinned, ...] = ()

    @classmethod
    def of(cls, xp: Namespace, rows: Unbinned) -> Self:
        """The grid of some rows: many are binned at once, few wait for others."""
        return cls(rows.grid(xp)) if len(rows.places[0]) >= AT_ONCE else cls(waiting=(rows.on_host(),))

    @cached_property
    def grid(self) -> Grid:
        """The grid of all rows."""
        # A block of soft labels has more columns than its neighbours, whose rows only count.
        new = [_binned(list(alike)) for _, alike in groupby(self.waiting, Unbinned.has_numbers)]
        return reduce(Grid.merge, new if self.binned is None else [self.binned, *new])

    def merge(self, later: Self) -> Self:
        """The grid of the rows of both; waiting rows are binned once they are many."""
        both = type(self)(merged(self.binned, later.binned), self.waiting + later.waiting)
        many = sum(len(each.places[0]) for each in both.waiting) >= AT_ONCE
        return type(self)(both.grid) if many else both


def merged(a: _Part | None, b: _Part | None) -> _Part | None:
    """The rows of both; either may be None for no rows."""
    return (a or b) if a is None or b is None else a.merge(b)


def _binned(rows: Sequence[Unbinned]) -> Grid:
    """The grid of rows with the same columns."""

    def joined(parts: Sequence[Sequence[Array | None]]) -> Any:
        return [None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)]

    places, columns, along = (
        joined([getattr(each, name) for each in rows]) for name in ("places", "columns", "along")
    )
    return Unbinned(rows[0].axes, places, columns, along).grid(np)
