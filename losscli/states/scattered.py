"""Moments of many columns, in each of which few rows differ from a constant.

The covariances of thousands of columns would fill gigabytes.  The standard error of a value only needs its
variance along one direction, the gradient, which is that of a sum over the few columns of each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.cached import cached_property
from losscli.numeric.indicators import Indicators
from losscli.numeric.two_float import sum_with_product
from losscli.states.moments import Moments
from losscli.states.sums import mean_of


class Scattered(Struct, frozen=True, eq=False, dict=True):
    """Columns of entries, each of which stands for `counts` (m,) rows of the `cells` (m,).

    n (c,) are the rows of each cell.  `groups` have one column for each class; if `by_class`, the columns of
    one class follow one another, otherwise those of one group.
    """

    n: Array
    cells: Array
    counts: Array
    groups: tuple[Indicators, ...]
    by_class: bool

    @classmethod
    def of(
        cls, n: Array, cells: Array, counts: Array, columns: Sequence[Array | Indicators], by_class: bool
    ) -> Scattered:
        """Those of columns of classes, and of others (m,)."""
        return cls(n, cells, counts.astype(float), tuple(map(_group, columns)), by_class)

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
        return Scattered(n, place[self.cells[kept]], self.counts[kept], tuple(groups), self.by_class)

    @cached_property
    def added(self) -> Array:
        """The sum (c, k) of what rows add to the base of each column."""
        return self._joined([self._sums(group, 1) for group in self.groups])

    @cached_property
    def variances(self) -> Array:
        """The sum of squared deviations (c, k) of each column."""
        squares = self._joined([self._sums(group, 2) for group in self.groups])
        n = self.n[:, None]
        # Of whole numbers: nothing is rounded before the division.
        return (squares * n - self.added**2) / n

    def variance_along(self, direction: Array) -> Array:
        """The sum of squared deviations (c,) of the columns' sum along a direction (c, k)."""
        centre = np.sum(self.added * direction, axis=1) / self.n
        along = -centre[self.cells]
        for group, slopes in zip(self.groups, self._split(direction), strict=True):
            for place, added in group.parts:
                along += slopes[self.cells, place] * added
        return np.bincount(self.cells, self.counts * along**2, len(self.n))

    def moments(self) -> Moments:
        """The moments of all columns, without those that only few columns have."""
        low, high = (self._joined(each) for each in zip(*map(self._extremes, self.groups), strict=True))
        base = self._joined([np.full((1, group.count), group.base) for group in self.groups])
        return _moments(self.n, self.added + self.n[:, None] * base, low, high, None, self)

    def classes(self) -> Moments:
        """The moments of the columns of each class, as cells of all rows, which are in one cell here."""
        whole, k = self.moments(), len(self.groups)
        total, low, high = (each.reshape(-1, k) for each in (whole.total[0, 0], whole.low, whole.high))
        n, added = np.repeat(self.n, len(total)), self.added.reshape(-1, k)
        products = np.empty((len(total), k, k))
        for i, one in enumerate(self.groups):
            for j, other in enumerate(self.groups[: i + 1]):
                products[:, i, j] = products[:, j, i] = self._products(one, other)
        spread = (products * n[:, None, None] - added[:, :, None] * added[:, None, :]) / n[:, None, None]
        return _moments(n, total, low, high, spread, None)

    def _sums(self, group: Indicators, power: int) -> Array:
        """The sum (c, classes) of powers of what rows add."""
        sums = np.zeros(len(self.n) * group.count)
        for place, added in group.parts:
            sums += np.bincount(self._places(group, place), self.counts * added**power, len(sums))
        return sums.reshape(len(self.n), group.count)

    def _products(self, one: Indicators, other: Indicators) -> Array:
        """The sum (classes,) over rows of the product of what they add to the same class in two groups."""
        sums = np.zeros(one.count)
        for place, added in one.parts:
            for other_place, other_added in other.parts:
                product = np.where(place == other_place, self.counts * added * other_added, 0.0)
                sums += np.bincount(place, product, one.count)
        return sums

    def _extremes(self, group: Indicators) -> tuple[Array, Array]:
        """The minimum and the maximum (c, classes) of each column, infinite without rows."""
        shape = len(self.n), group.count
        low, high, rows = np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape)
        for place, added in group.parts:
            at = np.flatnonzero(added)
            places = self._places(group, place)[at]
            np.minimum.at(low.ravel(), places, group.base + added[at])
            np.maximum.at(high.ravel(), places, group.base + added[at])
            rows += np.bincount(places, self.counts[at], rows.size).reshape(shape)
        others = rows < self.n[:, None]
        low[others], high[others] = np.minimum(low, group.base)[others], np.maximum(high, group.base)[others]
        return low, high

    def _places(self, group: Indicators, place: Array) -> Array:
        return self.cells * group.count + place

    def _joined(self, by_group: Sequence[Array]) -> Array:
        """The columns (c, k) from those of each group (c, classes)."""
        if not self.by_class:
            return np.concatenate(by_group, axis=1)
        return np.stack(by_group, axis=2).reshape(len(by_group[0]), -1)

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


def _moments(
    n: Array, total: Array, low: Array, high: Array, spread: Array | None, scattered: Scattered | None
) -> Moments:
    """Moments from sums (c, k) of whole numbers, with their spread or the columns from which it follows."""
    weights = n.astype(float)
    weight, exact = (np.stack([each, np.zeros_like(each)], axis=1) for each in (weights, total))
    with np.errstate(all="ignore"):
        mean = mean_of(exact, weight)
    unknown = np.full(low.shape, -1, dtype=np.int64)
    return Moments(
        n=n,
        weight=weight,
        weight2=weights,
        total=exact,
        drift=sum_with_product(np, total, -weights[:, None], mean),
        spread=spread,
        low=low,
        high=high,
        low_row=unknown,
        high_row=unknown,
        scattered=scattered,
    )
