"""Sums in bins of many rows, most of which are represented by a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.numeric.arrays import Array, np
from losscli.states.gathered import Gathered, merged
from losscli.states.grid import Grid

RATE = 64
"""The number of rows that each row of a sample represents."""


class Sampled(Struct, frozen=True, eq=False):
    """The grid of the rows that are `counted` one by one, and that of a `sample` of the others.

    Both have one column, the number of rows, or three: also their weights and squared weights.  Either is
    None without rows.
    """

    counted: Gathered | None = None
    sample: Gathered | None = None

    @property
    def grids(self) -> dict[str, Grid]:
        """The grids that exist, by the name of their field."""
        both = {"counted": self.counted, "sample": self.sample}
        return {name: rows.grid for name, rows in both.items() if rows is not None}

    @property
    def layout(self) -> tuple[Any, ...]:
        """The layout of the grids: only those of the same layout can be merged."""
        return next((grid.layout for grid in self.grids.values()), ())

    @property
    def rows(self) -> float:
        """The number of rows in both grids, each counted once."""
        return sum(float(grid.sums[0].sum() + grid.outside[0]) for grid in self.grids.values())

    @property
    def total(self) -> Grid:
        """The sums of all rows; with a sample they are estimates, in three columns."""
        if self.sample is None:
            assert self.counted is not None
            return self.counted.grid
        factors = np.array([RATE, RATE, RATE**2], dtype=float)
        grid = self.sample.grid
        sample = replace(grid.weighted, along=grid.along * RATE)
        sample = replace(
            sample,
            sums=np.multiply(sample.sums.T, factors).T,
            outside=sample.outside * factors,
        )
        return sample if self.counted is None else self.counted.grid.merge(sample)

    def merge(self, later: Self) -> Self:
        """The grids of the rows of both, in any order."""
        return type(self)(merged(self.counted, later.counted), merged(self.sample, later.sample))

    def to_arrays(self) -> dict[str, Array]:
        """The arrays of the grids that exist."""
        return {
            f"{name}.{field}": values
            for name, grid in self.grids.items()
            for field, values in grid.to_arrays().items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The grids that `to_arrays` wrote."""

        def fields(name: str) -> Iterator[tuple[str, Array]]:
            for key, values in arrays.items():
                if key.startswith(f"{name}."):
                    yield key.removeprefix(f"{name}."), values

        grids = {name: dict(fields(name)) for name in ("counted", "sample")}
        return cls(**{name: Gathered(Grid.from_arrays(grid)) for name, grid in grids.items() if grid})
