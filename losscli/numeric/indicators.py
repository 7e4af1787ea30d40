"""Columns of classes: one for each class, in which most rows have the same number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np


class Indicators(Struct, frozen=True, eq=False):
    """One column for each of `count` classes, in which rows have the number `base` but at a few classes.

    Each of the `parts` is a class (n,) for each row, and what the row adds to `base` there (n,): whole
    numbers if rows are counted.  A row adds at most once to a class, apart from zeros.
    """

    count: int
    parts: tuple[tuple[Array, Array], ...]
    base: float = 0.0

    def __sub__(self, other: Indicators) -> Indicators:
        """The difference of the columns, in arrays of NumPy."""
        parts = [*self.parts]
        for place, added in other.parts:
            left = -added
            for own, (own_place, own_added) in enumerate(self.parts):
                # A row adds once to a class, in which both differ from their base.
                both = (own_place == place) & (own_added != 0)
                parts[own] = own_place, parts[own][1] + np.where(both, left, 0.0)
                left = np.where(both, 0.0, left)
            parts.append((place, left))
        return Indicators(self.count, tuple(parts), self.base - other.base)

    def columns(self, xp: Namespace) -> Iterator[Array]:
        """The column (n,) of each class."""
        (place, added), *others = self.parts
        for own in range(self.count):
            column = xp.where(place == own, self.base + added, self.base)
            for other_place, other_added in others:
                column += xp.where(other_place == own, other_added, 0.0)
            yield column


def one_per_row(xp: Namespace, place: Array, count: int) -> Indicators:
    """The columns of classes in which each row has a one at its place (n,)."""
    return Indicators(count, ((place, xp.ones(len(place))),))


def width(columns: Sequence[Array | Indicators]) -> int:
    """The number of columns in full."""
    return sum(each.count if isinstance(each, Indicators) else 1 for each in columns)


def in_full(xp: Namespace, columns: Sequence[Array | Indicators]) -> tuple[Array, ...]:
    """The columns (n,), those of classes one after the other."""
    found = list[Array]()
    for column in columns:
        found += column.columns(xp) if isinstance(column, Indicators) else [column]
    return tuple(found)
