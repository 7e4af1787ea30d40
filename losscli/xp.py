"""The array namespace, NumPy or CuPy, and the few special functions that both lack.

Functions here take arrays of either library and return arrays of the same; the caller passes the
namespace.  NumPy itself is imported on first use, so that the catalogue of losses can be listed without.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

Array = Any
"""An array of NumPy or of CuPy."""
Namespace = Any
"""The module `numpy` or `cupy`."""


class _Lazy:
    """A module that is imported when its first attribute is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


__all__ = [
    "Array",
    "Namespace",
    "Runs",
    "binned_sums",
    "factorial_excess",
    "gamma_half_step",
    "log1pmx",
    "log1psq",
    "np",
    "on_device",
    "on_host",
    "pl",
    "run_of",
    "softplus",
    "special",
    "stirling_error",
    "sum_with_product",
    "to_numpy",
    "two_float_log",
    "two_product",
    "two_sum",
    "xlogy",
]

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
else:
    np = _Lazy("numpy")
    pl = _Lazy("polars")


def on_host(xp: Namespace) -> bool:
    """Whether the arrays of a namespace are NumPy's."""
    return bool(xp.__name__ == "numpy")


def on_device(xp: Namespace, array: Array) -> Array:
    """An array of NumPy as float64 on the device.  It travels as it is: float32 in half the time."""
    return xp.asarray(array).astype(float, copy=False)


def to_numpy(array: Array) -> Array:
    """An array of NumPy, copied from the device where it is on one."""
    return array.get() if hasattr(array, "get") else array


def special(xp: Namespace) -> Any:
    """The special functions of a namespace: scipy.special, or CuPy's own, imported on first use."""
    return importlib.import_module("scipy.special" if on_host(xp) else "cupyx.scipy.special")


def run_of(xp: Namespace, starts: Array, n: int) -> Array:
    """The place of the run in which each of n items is, of runs that start at `starts`, the first at 0."""
    marks = xp.zeros(n, dtype=int)
    marks[starts] = 1
    return xp.cumsum(marks) - 1


_WIDEST = 1024
"""Numbers that are reduced at once where runs are reduced in steps: one block of threads."""


class Runs:
    """Rows that stand run after run, none of them empty: what each run adds up to, and its extremes.

    `starts` (runs,), an array of NumPy, are the rows where runs begin, the first at 0.  Arrays are (..., n).
    NumPy has `reduceat` for this.  CuPy has it for sums alone, as differences of running sums, which lose the
    digits of a run after a greater one, and all of one after an infinity; and its sums by index (bincount,
    scatter_add) add in another order in every run.  There the runs are cut into pieces of one width, padded,
    which are reduced side by side, and what is left of them likewise, until each run is one number.
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

    def least(self, values: Array) -> Array:
        """The least value of each run (..., runs); NaN is."""
        return self._reduced("minimum", "min", self.xp.inf, values)

    def greatest(self, values: Array) -> Array:
        """The greatest value of each run (..., runs); NaN is."""
        return self._reduced("maximum", "max", -self.xp.inf, values)

    def per_row(self, values: Array) -> Array:
        """The values (..., runs) of each row's run (..., n)."""
        if on_host(self.xp):
            return np.repeat(values, self.sizes, axis=-1)
        return values.take(self.of_rows, axis=-1)

    def first_hits(self, hit: Array) -> Array:
        """The first row of each run where a condition (k, n) holds (k, runs); it does in every run."""
        xp = self.xp
        if on_host(xp):
            hits = [np.flatnonzero(row) for row in hit]
            return np.stack([at[np.searchsorted(at, self.starts)] for at in hits])
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
        """Of each step the places (pieces, width) of what is reduced, and which of them are no padding."""
        xp, found = self.xp, []
        starts, sizes, pieces = self.starts, self.sizes, -1
        while pieces != len(self.starts):
            # About as wide as a run is long, so that padding is at most as much again.
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


def binned_sums(xp: Namespace, places: Array, columns: Sequence[Array], size: int = 0) -> Array:
    """The sums of k columns (n,) by place (n,), at least `size` of them (k, places), as NumPy's."""
    if on_host(xp):
        return np.stack([np.bincount(places, weights=column, minlength=size) for column in columns])
    sizes = to_numpy(xp.bincount(places, minlength=size))
    present, found = np.flatnonzero(sizes), np.zeros((len(columns), len(sizes)))
    if len(present):
        order = xp.argsort(places, kind="stable")
        runs = Runs(xp, np.cumsum(sizes[present]) - sizes[present], len(places))
        found[:, present] = to_numpy(runs.sums(xp.stack(columns).take(order, axis=1)))
    return found


def xlogy(xp: Namespace, x: Array, y: Array) -> Array:
    """X log y, with 0 log 0 = 0."""
    zero = x == 0
    return xp.where(zero, 0.0, x * xp.log(xp.where(zero, 1.0, y)))


def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + exp x), exact in both tails."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


def log1pmx(xp: Namespace, x: Array) -> Array:
    """log(1 + x) - x, without cancellation near 0; x >= -1.

    The series of Tricomi's substitution r = x / (2 + x): log(1 + x) = 2 atanh r, so that
    log(1 + x) - x = -x r + 2 r (r^2 / 3 + r^4 / 5 + ...), used for |r| < 0.5.
    """
    r = x / (2.0 + x)
    small = xp.abs(r) < 0.5
    r = xp.where(small, r, 0.0)
    square = r * r
    series = xp.zeros_like(r)
    for odd in range(53, 1, -2):
        series = (series + 1.0 / odd) * square
    return xp.where(small, r * (2.0 * series - x), xp.log1p(xp.where(small, 0.0, x)) - x)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum and its rounding error.  Knuth (1969), The Art of Computer Programming 2, 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """The product and its rounding error.  Dekker (1971), doi:10.1007/BF01397083."""
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _upper_half(a: Array) -> Array:
    shifted = 134217729.0 * a  # 2^27 + 1
    return shifted - (shifted - a)


def sum_with_product(xp: Namespace, a: Array, b: Array, c: Array) -> Array:
    """A + b c, rounded once or twice however much of it cancels."""
    product, product_error = two_product(b, c)
    total, error = two_sum(a, product)
    error = error + product_error
    # Where a step overflows, the plain sum has lost nothing that counts.
    return total + xp.where(xp.isfinite(error), error, 0.0)


_STEPS = 128


@cache
def _log_table() -> tuple[list[float], list[float]]:
    """log(i / 128) for i = 0..192 as two floats; below 90 it is not used."""
    from decimal import Decimal, localcontext  # which most runs do not need

    with localcontext() as context:
        context.prec = 50
        logs = [(Decimal(max(i, 1)) / _STEPS).ln() for i in range(193)]
        high = [float(log) for log in logs]
        return high, [float(log - Decimal(h)) for log, h in zip(logs, high, strict=True)]


def two_float_log(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """Log x of x > 0 as two floats, which add up to it within some 1e-20 and a part in 1e16 of the second.

    With x = 2^k c (1 + f), where c = i / 128 is near: k log 2 and log c are known to more digits, f has its
    remainder, and log(1 + f) - f is so small that its rounding does not count.
    Tang (1990), doi:10.1145/98267.98294
    """
    fraction, exponent = xp.frexp(x)
    low = fraction < 0.7071067811865476  # so that near 1, where log x is small, k and log c are zero
    fraction, exponent = xp.where(low, 2.0 * fraction, fraction), exponent - low
    step = xp.rint(fraction * _STEPS)
    near = step / _STEPS
    high_table, low_table = (xp.asarray(column) for column in _log_table())
    index = step.astype(int)
    f = (fraction - near) / near
    product, product_error = two_product(f, near)
    remainder = ((fraction - near - product) - product_error) / near
    # The upper part of log 2 has so few digits that its product with an exponent is exact.
    upper, lower = 0.693147180369123816490, 1.90821492927058770002e-10
    total, error = two_sum(exponent * upper, high_table[index])
    total, more = two_sum(total, exponent * lower)
    total, most = two_sum(total, f)
    return two_sum(total, error + more + most + low_table[index] + (remainder + log1pmx(xp, f)))


_STIRLING = (
    (-3617, 122400), (1, 156), (-691, 360360), (1, 1188), (-1, 1680), (1, 1260), (-1, 360), (1, 12),
)  # fmt: skip
"""The series' coefficients, last first: Bernoulli numbers B_2k over 2k (2k - 1)."""


def stirling_error(xp: Namespace, x: Array) -> Array:
    """Log x! - (x log x - x + log(2 pi x) / 2) for x > 0: about 1 / (12 x).

    From 10 on the asymptotic series; below, as often as needed, with x + 1 instead of x.
    """
    total = xp.zeros_like(x)
    while bool(xp.any(below := x < 10.0)):
        total = total + xp.where(below, (x + 0.5) * xp.log1p(1.0 / x) - 1.0, 0.0)
        x = xp.where(below, x + 1.0, x)
    square = 1.0 / (x * x)
    series = xp.zeros_like(x)
    for numerator, denominator in _STIRLING:
        series = series * square + numerator / denominator
    return total + series / x


def log1psq(xp: Namespace, x: Array) -> Array:
    """log(1 + x^2), also where x^2 overflows."""
    return xp.where(xp.abs(x) < 1e8, xp.log1p(x * x), 2.0 * xp.log(xp.abs(x)))


def factorial_excess(xp: Namespace, x: Array) -> Array:
    """log(x!) - x log x + x, which grows like log(2 pi x) / 2 and has no large terms; x from 0 up."""
    below, above = xp.minimum(x, 1.0), xp.maximum(x, 1.0)
    return xp.where(
        x < 1.0,
        special(xp).gammaln(below + 1.0) - xlogy(xp, below, below) + below,
        0.9189385332046727 + xp.log(above) / 2 + stirling_error(xp, above),
    )


def gamma_half_step(xp: Namespace, x: Array) -> Array:
    """gamma(x + 1/2) / (gamma(x) sqrt x), which tends to one; x > 0."""
    gamma, below, above = special(xp).gamma, xp.minimum(x, 6.0), xp.maximum(x, 6.0)
    log = above * xp.log1p(0.5 / above) - 0.5 + stirling_error(xp, above + 0.5) - stirling_error(xp, above)
    return xp.where(x < 6.0, gamma(below + 0.5) * xp.sqrt(below) / gamma(below + 1.0), xp.exp(log))
