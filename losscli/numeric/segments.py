"""Reductions by segment: sums and extremes of runs and bins."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.numeric.arrays import Array, Namespace, np, on_host, to_numpy
from losscli.numeric.cached import cached_property
from losscli.numeric.two_float import two_sum


def run_of(xp: Namespace, starts: Array, n: int) -> Array:
    """The run of each of n items, for runs that begin at `starts`, the first at 0."""
    marks = xp.zeros(n, dtype=int)
    marks[starts] = 1
    return xp.cumsum(marks) - 1


NARROW = 1 << 20
"""The range of whole numbers up to which they are counted rather than sorted."""


def compressed(codes: Array) -> tuple[Array, Array]:
    """Whole numbers >= 0 as positions among those that occur, and the latter sorted."""
    if int(codes.max(initial=0)) >= 4 * NARROW:
        present, places = np.unique(codes, return_inverse=True)
        return places, present
    present = np.flatnonzero(np.bincount(codes)) if len(codes) else np.empty(0, dtype=np.int64)
    if len(present) and len(present) == int(present[-1]) + 1:
        return codes, present
    table = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int64)
    table[present] = np.arange(len(present))
    return table[codes], present


_DIGIT = 16
"""The bits of the widest numbers that NumPy sorts by radix."""


def stable_order(xp: Namespace, codes: Array, count: int) -> Array:
    """The order (n,) that sorts codes (n,) from 0 to count - 1, and keeps that of equal codes."""
    if not on_host(xp):
        return xp.argsort(codes, kind="stable")
    # By radix: NumPy sorts wide numbers with SIMD, which on some processors takes five times as long.
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    for shift in range(_DIGIT, (count - 1).bit_length(), _DIGIT):
        digits = (codes >> shift).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order


_WIDEST = 1024
"""Maximum number of values that one step reduces at once: one block of threads."""


class Runs:
    """Rows in consecutive, non-empty runs: the sum of each run, and its extremes.

    `starts` (runs,), an array of NumPy, are the first rows of the runs; the first is 0.  Arrays are (..., n).
    NumPy has `reduceat` for this.  CuPy has it for sums only, as differences of running sums, which lose the
    digits of a run after a larger one, and everything after an infinity; and its sums by index (bincount,
    scatter_add) add in a different order each time.  There, runs are cut into padded pieces of one width,
    which are reduced side by side, and so are the results, until each run is one number.
    """

    def __init__(self, xp: Namespace, starts: Array, n: int) -> None:
        self.xp, self.starts, self.n = xp, starts, n
        self.sizes: Array = np.diff(starts, append=n)

    @cached_property
    def first(self) -> Array:
        """The starts, on the device."""
        return self.xp.asarray(self.starts)

    @cached_property
    def of_rows(self) -> Array:
        """The place of each row's run (n,)."""
        return run_of(self.xp, self.first, self.n)

    def sums(self, values: Array) -> Array:
        """The sum of each run (..., runs)."""
        return self._reduced("add", "sum", 0, values)

    def minima(self, values: Array) -> Array:
        """The smallest value of each run (..., runs); NaN if it holds a NaN."""
        return self._reduced("minimum", "min", self.xp.inf, values)

    def maxima(self, values: Array) -> Array:
        """The largest value of each run (..., runs); NaN if it holds a NaN."""
        return self._reduced("maximum", "max", -self.xp.inf, values)

    def per_row(self, values: Array) -> Array:
        """The values (..., runs) of each row's run (..., n)."""
        if on_host(self.xp):
            return np.repeat(values, self.sizes, axis=-1)
        return values.take(self.of_rows, axis=-1)

    def first_hits(self, hit: Array) -> Array:
        """The first row (k, runs) of each run in which a condition (k, n) holds; every run must have one."""
        xp = self.xp
        if on_host(xp):
            hits = [np.flatnonzero(row) for row in hit]
            once = len(self.starts)
            return np.stack([at if len(at) == once else at[np.searchsorted(at, self.starts)] for at in hits])
        return self._reduced("minimum", "min", self.n, xp.where(hit, xp.arange(self.n), self.n))

    def _reduced(self, ufunc: str, method: str, neutral: float, values: Array) -> Array:
        xp = self.xp
        if on_host(xp):
            return getattr(np, ufunc).reduceat(values, self.starts, axis=-1)
        for places, inside in self._steps:
            values = getattr(xp.where(inside, values.take(places, axis=-1), neutral), method)(axis=-1)
        return values

    @cached_property
    def _steps(self) -> list[tuple[Array, Array]]:
        """For each step the indices (pieces, width) of what is reduced, and which of them are not padding."""
        xp, found = self.xp, []
        starts, sizes, pieces = self.starts, self.sizes, -1
        while pieces != len(self.starts):
            # About as wide as a run is long, so that padding at most doubles the work.
            width = min(_WIDEST, 1 << max(3, (int(sizes.sum()) // max(1, len(sizes))).bit_length()))
            counts = -(-sizes // width)
            run = np.repeat(np.arange(len(sizes)), counts)
            firsts = np.cumsum(counts) - counts
            before = (np.arange(len(run)) - firsts[run]) * width
            left = xp.asarray(sizes[run] - before)[:, None]
            step = xp.arange(width)
            found.append(
                (xp.asarray(starts[run] + before)[:, None] + xp.where(step < left, step, 0), step < left)
            )
            starts, sizes, pieces = firsts, counts, len(run)
        return found


def two_float_sums(places: Array, values: Array, size: int) -> Array:
    """The sums of values (n,) by place (n,), as two floats (size, 2), in arrays of NumPy.

    As `Cells.two_float_sums` they are split at a common binary digit, above which nothing is rounded.
    """
    above = float(np.abs(values).max(initial=0.0)) * 2.0 * max(len(values), 1)
    grid = np.ldexp(1.0, np.frexp(above)[1])
    part = values + grid - grid if np.isfinite(grid) else values
    sums = (np.bincount(places, each, size) for each in (part, values - part))
    return np.stack(two_sum(*sums), axis=1)


def binned_sums(xp: Namespace, places: Array, columns: Sequence[Array | None], size: int = 0) -> Array:
    """The sums of k columns (n,), None for ones, by bin (n,), for at least `size` bins: NumPy's (k, bins)."""
    if on_host(xp):
        # Of ones, and without bins, bincount returns integers.
        return np.stack([np.bincount(places, column, size) for column in columns], dtype=float)
    sizes = to_numpy(xp.bincount(places, minlength=size))
    present, found = np.flatnonzero(sizes), np.tile(sizes.astype(float), (len(columns), 1))
    values = [column for column in columns if column is not None]
    if values and len(present):
        order = xp.argsort(places, kind="stable")
        runs = Runs(xp, np.cumsum(sizes[present]) - sizes[present], len(places))
        summed = np.flatnonzero([column is not None for column in columns])
        found[np.ix_(summed, present)] = to_numpy(runs.sums(xp.stack(values).take(order, axis=1)))
    return found
