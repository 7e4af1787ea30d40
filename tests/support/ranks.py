"""A trial state: all values of each cell, from which a loss takes an exact median."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from losscli.custom import Regression, loss
from losscli.numeric.arrays import Array, to_numpy
from losscli.report.findings import Note
from losscli.states.base import Estimate, Estimates
from losscli.states.cells import Cells
from losscli.states.reductions import BoundReduction


class Ranks(Struct, frozen=True, eq=False):
    """The values (m, k) and weights (m,) of rows, whose cells are `codes` (m,) of so many."""

    values: Array
    weight: Array
    codes: Array
    cells: int

    @classmethod
    def of(cls, cells: Cells, columns: Sequence[Array], interval: bool = True) -> Ranks:
        values = np.stack([to_numpy(column) for column in columns], axis=1)
        values = values if cells.order is None else values[cells.order]
        weight = np.ones(len(values)) if cells.weight is None else to_numpy(cells.weight)
        return cls(values, weight, np.repeat(cells.present, cells.sizes), cells.count)

    @classmethod
    def stack(cls, parts: Sequence[Ranks]) -> Ranks:
        whole, *others = parts
        for part in others:
            whole = whole.merge(part, whole.cells + np.arange(part.cells))
        return whole

    @property
    def n(self) -> Array:
        return np.bincount(self.codes, minlength=self.cells)

    @property
    def weights(self) -> Array:
        return np.bincount(self.codes, weights=self.weight, minlength=self.cells)

    def merge(self, later: Ranks, places: Array | None = None) -> Ranks:
        at = np.arange(later.cells) if places is None else places
        return Ranks(
            np.concatenate([self.values, later.values]),
            np.concatenate([self.weight, later.weight]),
            np.concatenate([self.codes, at[later.codes]]),
            max(self.cells, int(at.max(initial=-1)) + 1),
        )

    def select(self, cells: slice | Array) -> Ranks:
        chosen = np.arange(self.cells)[cells].tolist()
        parts = [np.flatnonzero(self.codes == cell) for cell in chosen]
        at = np.concatenate([np.zeros(0, dtype=int), *parts])
        codes = np.repeat(np.arange(len(chosen)), [len(part) for part in parts])
        return Ranks(self.values[at], self.weight[at], codes, len(chosen))

    def output(self, index: int, outputs: int) -> Ranks:
        return Ranks(self.values[:, index : index + 1], self.weight, self.codes, self.cells)

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        return Estimates.of([self._median(self.codes == cell) for cell in range(self.cells)])

    def _median(self, rows: Array) -> Estimate:
        """The mean over outputs of the lower weighted medians."""
        if not rows.any():
            return Estimate(None, notes=(Note("", "no rows"),))
        medians = []
        for values in self.values[rows].T:
            order = np.argsort(values, kind="stable")
            reached = np.cumsum(self.weight[rows][order])
            medians.append(values[order][np.searchsorted(reached, reached[-1] / 2)])
        return Estimate(float(np.mean(medians)))

    def to_arrays(self) -> dict[str, Array]:
        return {
            "values": self.values,
            "weight": self.weight,
            "codes": self.codes,
            "cells": np.array(self.cells),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Ranks:
        return cls(**{**arrays, "cells": int(arrays["cells"])})


@loss(state=Ranks)
def median_error(batch: Regression) -> Array:
    return batch.xp.abs(batch.error)
