"""Top: the rows with the highest scores in each cell."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.numeric.arrays import Array, to_numpy
from losscli.report.findings import Code, note
from losscli.states.base import Estimate, Estimates
from losscli.states.cells import Cells
from losscli.states.reductions import BoundReduction

MOST = 10
"""Default maximum number of rows kept per cell."""


class Top(Struct, frozen=True, eq=False):
    """The rows with the highest `score` (m,) in each cell, at most `most` of them, described by `frame`.

    `codes` (m,) are their cells, ascending; within a cell, scores descend, and ties are in row order.  `n`
    and `weights` (c,) cover all rows, including those not kept.
    """

    n: Array
    weights: Array
    codes: Array
    score: Array
    frame: pl.DataFrame
    most: int = MOST

    @classmethod
    def of(
        cls,
        cells: Cells,
        columns: Sequence[Array],
        interval: bool = True,
        frame: pl.DataFrame | None = None,
        most: int = MOST,
    ) -> Top:
        """The rows of a block with the highest values in the first column; NaN ranks highest.

        The rows of `frame` describe those of the block; by default it holds their numbers, from 1.
        """
        score = to_numpy(columns[0])
        order = None if cells.order is None else to_numpy(cells.order)
        score = np.where(np.isnan(score), np.inf, score)
        score = score if order is None else score[order]
        codes = np.repeat(cells.present, cells.sizes)
        best = _best(codes, score, most)
        if frame is None:
            described = pl.DataFrame({"row": to_numpy(cells.numbers(cells.xp.asarray(best))) + 1})
        else:
            described = frame[best if order is None else order[best]]
        n, weights = np.zeros(cells.count, dtype=np.int64), np.zeros(cells.count)
        n[cells.present] = cells.sizes
        if len(cells.present):
            weights[cells.present] = to_numpy(cells.weight_sums[0]).sum(axis=1)
        return cls(n, weights, codes[best], score[best], described, most)

    @classmethod
    def stack(cls, parts: Sequence[Top]) -> Top:
        """The cells of all parts, one part after the other."""
        stacked, *others = parts
        for part in others:
            stacked = stacked.merge(part, len(stacked.n) + np.arange(len(part.n)))
        return stacked

    def merge(self, later: Top, places: Array | None = None) -> Top:
        """The top rows of both; cell i of `later` is cell places[i], by default cell i."""
        at = np.arange(len(later.n)) if places is None else places
        cells = max(len(self.n), int(at.max(initial=-1)) + 1)
        n, weights = np.zeros(cells, dtype=np.int64), np.zeros(cells)
        for part, target in ((self, np.arange(len(self.n))), (later, at)):
            n[target] += part.n
            weights[target] += part.weights
        codes = np.concatenate([self.codes, at[later.codes]])
        score = np.concatenate([self.score, later.score])
        best = _best(codes, score, self.most)
        # Columns may differ in type between parts of different formats: keys are text in CSV files.
        frames = [part.frame for part in (self, later) if part.frame.height] or [self.frame]
        frame = pl.concat(frames, how="vertical_relaxed")[best]
        return Top(n, weights, codes[best], score[best], frame, self.most)

    def select(self, cells: slice | Array) -> Top:
        """The top rows of some cells."""
        chosen = np.arange(len(self.n))[cells]
        rows = [np.flatnonzero(self.codes == cell) for cell in chosen.tolist()]
        at = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
        codes = np.repeat(np.arange(len(chosen)), [len(each) for each in rows])
        return Top(self.n[cells], self.weights[cells], codes, self.score[at], self.frame[at], self.most)

    def output(self, index: int, outputs: int) -> Top:
        """The state itself: all outputs share the rows."""
        return self

    def estimates(self, bound: BoundReduction, level: float | None) -> Estimates:
        """The highest score of each cell, without an interval."""
        firsts = np.searchsorted(self.codes, np.arange(len(self.n))).tolist()
        return Estimates.of(
            [
                Estimate(None, notes=(note(Code.NO_ROWS),)) if not n else _estimate(float(self.score[first]))
                for first, n in zip(firsts, self.n.tolist(), strict=True)
            ]
        )

    def to_arrays(self) -> dict[str, Array]:
        """The fields by name, the frame as the bytes of an Arrow file."""
        file = io.BytesIO()
        self.frame.write_ipc(file)
        return {
            "n": self.n,
            "weights": self.weights,
            "codes": self.codes,
            "score": self.score,
            "frame": np.frombuffer(file.getvalue(), dtype=np.uint8),
            "most": np.array(self.most),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Top:
        """The state that `to_arrays` wrote."""
        frame = pl.read_ipc(io.BytesIO(arrays["frame"].tobytes()))
        return cls(**{**arrays, "frame": frame, "most": int(arrays["most"])})


def _best(codes: Array, score: Array, most: int) -> Array:
    """The indices of the highest scores of each cell, cell by cell and highest first."""
    candidates = np.arange(len(score))
    if len(score) > most and codes[0] == codes[-1] and (codes == codes[0]).all():
        smallest = np.partition(score, len(score) - most)[len(score) - most]
        candidates = np.flatnonzero(score >= smallest)
    order = candidates[np.lexsort((-score[candidates], codes[candidates]))]
    ordered = codes[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[rank < most]


def _estimate(value: float) -> Estimate:
    if not math.isfinite(value):
        return Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason="not finite"),))
    return Estimate(value, notes=(note(Code.MAXIMUM, place=""),))
