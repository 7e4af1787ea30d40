"""Moments of many columns, in each of which few rows differ from a constant.

The covariances of thousands of columns would fill gigabytes.  The standard error of a value only needs its
variance along one direction, the gradient, which is that of a sum over the few columns of each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.cached import cached_property
from losscli.numeric.indicators import Indicators
from losscli.numeric.segments import two_float_sums
from losscli.numeric.two_float import two_sum
from losscli.states.moments import Moments, two_float_add
from losscli.states.sums import mean_of


class Scattered(Struct, frozen=True, eq=False, dict=True):
    """Columns of entries, each of which stands for rows of the `cells` (m,).

    `sums` (4, m) are those of the weights of the rows, as two floats, and of their squares and third powers;
    n (c,) are the rows of each cell.  `groups` have one column for each class; if `by_class`, the columns of
    one class follow one another, otherwise those of one group.
    """

    n: Array
    cells: Array
    sums: Array
    groups: tuple[Indicators, ...]
    by_class: bool

    @classmethod
    def of(
        cls, n: Array, cells: Array, sums: Array, columns: Sequence[Array | Indicators], by_class: bool
    ) -> Scattered:
        """Those of columns of classes, and of others (m,)."""
        return cls(n, cells, sums, tuple(map(_group, columns)), by_class)

    def __getitem__(self, cells: slice | Array) -> Scattered:
        """The columns in some cells."""
        n = self.n[cells]
        place = np.full(len(self.n), -1)
        place[cells] = np.arange(len(n))
        kept = place[self.cells] >= 0
        groups = (
            replace(group, parts=tuple((at[kept], added[kept]) for at, added in group.parts))
            for group in self.groups
        )
        return Scattered(n, place[self.cells[kept]], self.sums[:, kept], tuple(groups), self.by_class)

    @cached_property
    def weight(self) -> Array:
        """The sum of the weights (c, 2) in each cell, as two floats."""
        return self._weighted(self.cells, 1.0, len(self.n))

    @cached_property
    def squares(self) -> Array:
        """The sum of the squared weights (c,) in each cell."""
        return np.bincount(self.cells, self.sums[2], len(self.n))

    @cached_property
    def total(self) -> Array:
        """The weighted sum of each column (c, 2, k), as two floats."""
        added = self._joined([self._totals(group) for group in self.groups])
        return two_float_add(self.weight[:, :, None] * self.base, added)

    @cached_property
    def base(self) -> Array:
        """The base (1, k) of each column."""
        return self._joined([np.full((1, group.count), group.base) for group in self.groups])

    @cached_property
    def shift(self) -> Array:
        """The mean (c, k) of each column minus its base."""
        with np.errstate(all="ignore"):
            return mean_of(self.total, self.weight) - self.base

    @cached_property
    def variances(self) -> Array:
        """The sum of squared deviations (c, k) of each column."""
        parts = zip(self.groups, self._split(self.shift), strict=True)
        return self._joined([self._deviations(*part) for part in parts])

    def variance_along(self, direction: Array) -> Array:
        """The sum of squared deviations (c,) of the columns' sum along a direction (c, k)."""
        along = -np.sum(self.shift * direction, axis=1)[self.cells]
        for group, slopes in zip(self.groups, self._split(direction), strict=True):
            for place, added in group.parts:
                along += slopes[self.cells, place] * added
        return np.bincount(self.cells, self.sums[2] * along**2, len(self.n))

    @cached_property
    def drift(self) -> Array:
        """The sum of deviations (c, k) of each column, with squared weights."""
        return (
            self._joined([self._squared(group) for group in self.groups]) - self.shift * self.squares[:, None]
        )

    def moments(self) -> Moments:
        """The moments of all columns, without those that only few columns have."""
        low, high = (self._joined(each) for each in zip(*map(self._extremes, self.groups), strict=True))
        unknown = np.full(low.shape, -1, dtype=np.int64)
        return Moments(
            n=self.n,
            weight=self.weight,
            weight2=self.squares,
            total=self.total,
            drift=self.drift,
            spread=None,
            low=low,
            high=high,
            low_row=unknown,
            high_row=unknown,
            scattered=self,
        )

    def classes(self) -> Moments:
        """The moments of the columns of each class, as cells of all rows, which are in one cell here."""
        k, whole = len(self.groups), self.moments()
        classes = whole.drift.shape[1] // k
        shift, drift, low, high, rows = (
            each.reshape(classes, k)
            for each in (self.shift, whole.drift, whole.low, whole.high, whole.low_row)
        )
        n, weight, squares = (
            np.repeat(each, classes, axis=0) for each in (whole.n, whole.weight, whole.weight2)
        )
        # With A = drift + shift sum w^2, the spread is the sum of products minus shift A' and A shift', plus
        # (sum w^2) shift shift'.
        crossed = shift[:, :, None] * (drift + shift * squares[:, None] / 2)[:, None, :]
        return replace(
            whole,
            n=n,
            weight=weight,
            weight2=squares,
            total=whole.total.reshape(2, classes, k).swapaxes(0, 1),
            drift=drift,
            spread=self._products() - crossed - crossed.swapaxes(1, 2),
            low=low,
            high=high,
            low_row=rows,
            high_row=rows,
            scattered=None,
        )

    def _weighted(self, places: Array, values: Array | float, size: int) -> Array:
        """The weighted sum of values (m,) by place (m,), as two floats (size, 2)."""
        weight, rest = self.sums[:2] * values
        sums = two_float_sums(places, weight, size)
        return np.stack(two_sum(sums[:, 0], sums[:, 1] + np.bincount(places, rest, size)), axis=1)

    def _totals(self, group: Indicators) -> Array:
        """The weighted sum (c, 2, classes) of what rows add."""
        size = len(self.n) * group.count
        parts = [self._weighted(self._places(group, place), added, size) for place, added in group.parts]
        sums = reduce(two_float_add, parts)
        return sums.reshape(len(self.n), group.count, 2).swapaxes(1, 2)

    def _squared(self, group: Indicators) -> Array:
        """The sum (c, classes) of what rows add, with squared weights."""
        sums = np.zeros(len(self.n) * group.count)
        for place, added in group.parts:
            sums += np.bincount(self._places(group, place), self.sums[2] * added, len(sums))
        return sums.reshape(len(self.n), group.count)

    def _deviations(self, group: Indicators, shift: Array) -> Array:
        """The sum of squared deviations (c, classes), given the `shift` (c, classes) of the columns."""
        others = np.repeat(self.squares, group.count)
        sums, centre = np.zeros(len(others)), shift.ravel()
        for place, added in group.parts:
            at = np.flatnonzero(added)
            places, squares = self._places(group, place)[at], self.sums[2][at]
            sums += np.bincount(places, squares * (added[at] - centre[places]) ** 2, len(sums))
            others -= np.bincount(places, squares, len(sums))
        return (sums + others * centre**2).reshape(shift.shape)

    def _products(self) -> Array:
        """The sums (classes, k, k) over rows of the product of what they add to a class in two groups."""
        k, count = len(self.groups), self.groups[0].count
        sums = np.zeros((k, k, count))
        for i, j in product(range(k), repeat=2):
            for (place, added), (other_place, other) in product(self.groups[i].parts, self.groups[j].parts):
                both = np.where(place == other_place, self.sums[2] * added * other, 0.0)
                sums[i, j] += np.bincount(place, both, count)
        return np.moveaxis(sums, 2, 0)

    def _extremes(self, group: Indicators) -> tuple[Array, Array]:
        """The minimum and the maximum (c, classes) of each column, infinite without rows."""
        shape = len(self.n), group.count
        low, high, others = np.full(shape, np.inf), np.full(shape, -np.inf), np.repeat(self.rows, group.count)
        for place, added in group.parts:
            at = np.flatnonzero(added)
            places = self._places(group, place)[at]
            np.minimum.at(low.ravel(), places, group.base + added[at])
            np.maximum.at(high.ravel(), places, group.base + added[at])
            others -= np.bincount(places, minlength=len(others))
        some = (others > 0).reshape(shape)
        low[some], high[some] = np.minimum(low, group.base)[some], np.maximum(high, group.base)[some]
        return low, high

    @cached_property
    def rows(self) -> Array:
        """The number of entries (c,) in each cell."""
        return np.bincount(self.cells, minlength=len(self.n))

    def _places(self, group: Indicators, place: Array) -> Array:
        return self.cells * group.count + place

    def _joined(self, by_group: Sequence[Array]) -> Array:
        """The columns (c, ..., k) from those of each group (c, ..., classes)."""
        if not self.by_class:
            return np.concatenate(by_group, axis=-1)
        return np.stack(by_group, axis=-1).reshape(*by_group[0].shape[:-1], -1)

    def _split(self, columns: Array) -> Iterator[Array]:
        """The columns of each group (c, classes) from all (c, k)."""
        if self.by_class:
            yield from np.moveaxis(columns.reshape(len(columns), -1, len(self.groups)), 2, 0)
        else:
            yield from np.split(columns, np.cumsum([group.count for group in self.groups])[:-1], axis=1)


def _group(column: Array | Indicators) -> Indicators:
    """The columns of classes; any other column is one of a single class."""
    if isinstance(column, Indicators):
        return column
    return Indicators(1, ((np.zeros(len(column), dtype=np.int64), column),))
