"""Sums of weighted columns, the input of inference.

All arrays have a leading axis of cells (one overall, or one per class or slice).  Sums are kept as two
floats, a value and its rounding error, so that a billion rows agree with math.fsum to a few ulp; second
moments are centred, because sums of x^2 lose every digit at x near 1e9.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

from msgspec import Struct
from msgspec.structs import asdict, astuple, replace

from losscli.numeric.arrays import Array, np
from losscli.numeric.cached import cached_property
from losscli.states.cells import triples
from losscli.states.draws import kept_replicates

MAX_SKEW = 6
"""Maximum number of columns whose third moments are kept."""


class Spread(Protocol):
    """The second moments of so many columns that their products are not kept."""

    def __getitem__(self, cells: slice | Array) -> Spread:
        """Those of some cells."""

    @property
    def variances(self) -> Array:
        """The sum of squared deviations (c, k) of each column."""

    def variance_along(self, direction: Array) -> Array:
        """The sum of squared deviations (c,) of the columns' sum along a direction (c, k)."""


def _no_thirds(cells: int, k: int) -> dict[str, Array]:
    return {
        "weight3": np.zeros(cells),
        "drift3": np.zeros((cells, k)),
        "spread3": np.zeros((cells, k, k)),
        "third": np.zeros((cells, triples(k).shape[1])),
    }


class Sums(Struct, frozen=True, eq=False, dict=True):
    """The weighted sums and the extremes of k columns in c cells.

    n (c,) rows of positive weight; weight (c, 2) = sum w as two floats; weight2 (c,) = sum w^2;
    total (c, 2, k) = sum w x as two floats; drift (c, k) = sum w^2 (x - m), for unit weights the rounding of
    m; spread (c, k, k) = sum w^2 (x - m)(x - m)', None if not kept; low, high (c, k) the extremes,
    and low_row, high_row (c, k) the rows where they first occur (-1 in an empty cell).

    For at most MAX_SKEW columns, `third` (c, t) = sum w^3 (x - m)_i (x - m)_j (x - m)_l for the t triples of
    `triples`; weight3 (c,) = sum w^3, drift3 (c, k) = sum w^3 (x - m) and spread3 (c, k, k) = sum w^3 (x - m)
    (x - m)' serve to move it to another centre.  They are None if not kept.

    If rows are resampled, draws (c, 1 + k, replicates) are sum w and sum w (x - m) over the rows drawn in
    each replicate; there are no replicates if the sums would be too many.

    With clusters, the spread and third moments are those of cluster totals, `units` (c,) is the number of
    clusters, `units2` (c,) the sum of their squared weights, `largest` (c, k) the maximum contribution of one
    cluster to the diagonal of the spread, and `binary` (c,) whether the rows hold only 0 and 1.  For a loss
    of order, `exact` (c, k) are the means without the rounding of their sums, and `ends` (c, 2) the ends of
    its interval, NaN if it is that of a mean; `error` (c,) bounds the error of an approximate value.  These
    are computed after the last merge, as is `scattered`: the second moments of columns without a spread.
    """

    n: Array
    weight: Array
    weight2: Array
    total: Array
    drift: Array
    spread: Array | None
    low: Array
    high: Array
    low_row: Array
    high_row: Array
    weight3: Array | None = None
    drift3: Array | None = None
    spread3: Array | None = None
    third: Array | None = None
    draws: Array | None = None
    units: Array | None = None
    largest: Array | None = None
    units2: Array | None = None
    binary: Array | None = None
    exact: Array | None = None
    ends: Array | None = None
    error: Array | None = None
    scattered: Spread | None = None

    @classmethod
    def empty(cls, cells: int, k: int, spread: bool = True, replicates: int | None = None) -> Self:
        """The sums of no rows, with `replicates` if rows are resampled."""
        return cls(
            n=np.zeros(cells, dtype=np.int64),
            weight=np.zeros((cells, 2)),
            weight2=np.zeros(cells),
            total=np.zeros((cells, 2, k)),
            drift=np.zeros((cells, k)),
            spread=np.zeros((cells, k, k)) if spread else None,
            low=np.full((cells, k), math.inf),
            high=np.full((cells, k), -math.inf),
            low_row=np.full((cells, k), -1, dtype=np.int64),
            high_row=np.full((cells, k), -1, dtype=np.int64),
            draws=None
            if replicates is None
            else np.zeros((cells, 1 + k, kept_replicates(cells, k, replicates))),
            **(_no_thirds(cells, k) if spread and k <= MAX_SKEW else {}),
        )

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """The cells of all parts, one part after the other; fields that share arrays share the result."""
        fields = {tuple(map(id, values)): values for values in zip(*map(astuple, parts), strict=True)}
        stacked: dict[tuple[int, ...], Any] = {
            same: None if values[0] is None else np.concatenate(values) for same, values in fields.items()
        }
        return cls(*(stacked[tuple(map(id, values))] for values in zip(*map(astuple, parts), strict=True)))

    @property
    def weights(self) -> Array:
        """The sum of the weights in each cell (c,)."""
        return self.weight.sum(axis=1)

    @property
    def replicates(self) -> int | None:
        """The number of replicates; None if rows are not resampled, 0 if the sums would be too many."""
        return None if self.draws is None else int(self.draws.shape[2])

    @property
    def has_variance(self) -> bool:
        """Whether second moments are kept."""
        return self.spread is not None or self.scattered is not None

    @cached_property
    def variances(self) -> Array:
        """The sum of squared deviations (c, k) of each column."""
        if self.scattered is not None:
            return self.scattered.variances
        assert self.spread is not None
        return np.diagonal(self.spread, axis1=1, axis2=2)

    @cached_property
    def mean(self) -> Array:
        """The weighted means (c, k); NaN in a cell without weight."""
        if self.exact is not None:
            return self.exact
        with np.errstate(all="ignore"):
            return mean_of(self.total, self.weight)

    def select(self, cells: slice | Array) -> Self:
        """The sums of some cells."""
        return self.each(lambda name, values: values[cells])

    def each(self, f: Callable[[str, Array], Array]) -> Self:
        """The sums with a function of the name and the values of each array.

        Fields that share an array, as some do without weights, share the result.
        """
        arrays, results = self.to_arrays(), dict[int, Array]()
        for name, values in arrays.items():
            if id(values) not in results:
                results[id(values)] = f(name, values)
        return self.from_arrays({name: results[id(values)] for name, values in arrays.items()})

    def cell(self, index: int) -> Self:
        """The sums of one cell, with a cell axis of length 1."""
        return self.select(slice(index, index + 1))

    def columns(self, first: int, last: int) -> Self:
        """The sums of columns first:last only."""
        pick = slice(first, last)
        third, draws = self.third, self.draws
        if draws is not None:
            draws = np.concatenate([draws[:, :1], draws[:, 1 + first : 1 + last]], axis=1)
        if third is not None:
            i, _, m = triples(self.drift.shape[1])
            third = third[:, (i >= first) & (m < last)]
        return replace(
            self,
            total=self.total[:, :, pick],
            drift=self.drift[:, pick],
            spread=None if self.spread is None else self.spread[:, pick, pick],
            low=self.low[:, pick],
            high=self.high[:, pick],
            low_row=self.low_row[:, pick],
            high_row=self.high_row[:, pick],
            drift3=None if self.drift3 is None else self.drift3[:, pick],
            spread3=None if self.spread3 is None else self.spread3[:, pick, pick],
            third=third,
            draws=draws,
            largest=None if self.largest is None else self.largest[:, pick],
            exact=None if self.exact is None else self.exact[:, pick],
        )

    def output(self, index: int, outputs: int) -> Self:
        """The sums of one of several outputs."""
        k = self.drift.shape[1] // outputs
        return self.columns(index * k, (index + 1) * k)

    def to_arrays(self) -> dict[str, Array]:
        """The fields that are not None, by name."""
        return {name: values for name, values in asdict(self).items() if values is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The sums that `to_arrays` wrote."""
        return cls(**{"spread": None, **arrays})


def mean_of(total: Array, weight: Array) -> Array:
    """The means (c, k) from two-float sums (c, 2, k) and (c, 2), whose values are rounded sums."""
    # If the sum of weights overflows, the mean is NaN: dividing by infinity alone would give zero.
    rounded = weight[:, :1]
    return total[:, 0] / rounded * (rounded / rounded)


def total_weights(weights: Array, unit: float) -> Array:
    """Sums of weights (c,) in their own unit, capped at the largest float."""
    with np.errstate(over="ignore"):
        return np.minimum(weights * unit, sys.float_info.max)
