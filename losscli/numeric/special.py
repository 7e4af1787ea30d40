"""Special functions that NumPy and CuPy lack or compute inaccurately."""

from __future__ import annotations

import importlib
import math
from functools import cache
from typing import Any

from losscli.numeric.arrays import Array, Namespace, np, on_host
from losscli.numeric.interpolation import Interpolant, interpolant

HALF_LOG_2PI = math.log(2.0 * math.pi) / 2
NEGLIGIBLE = 1e-50
"""In the place of zero, to interpolate up to infinity."""


def special(xp: Namespace) -> Any:
    """The special functions of a namespace: scipy.special, or CuPy's own, imported on first use."""
    return importlib.import_module("scipy.special" if on_host(xp) else "cupyx.scipy.special")


def xlogy(xp: Namespace, x: Array, y: Array) -> Array:
    """The product x log y, with 0 log 0 = 0."""
    zero = x == 0
    return xp.where(zero, 0.0, x * xp.log(xp.where(zero, 1.0, y)))


def log_or_minus_inf(xp: Namespace, x: Array) -> Array:
    """The logarithm of numbers >= 0, minus infinity at zero."""
    some = x > 0
    return xp.where(some, xp.log(xp.where(some, x, 1.0)), -xp.inf)


def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + exp x), exact in both tails."""
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


_LN2 = (0.6931471805598903, 5.497923018708371e-14)
"""log 2 in two parts; the first has trailing zeros, so that its product with any exponent is exact."""


def log_minus(xp: Namespace, x: Array, y: Array) -> Array:
    """log(x) - y without rounding log(x) first; x >= 0, minus infinity for 0."""
    mantissa, exponent = xp.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa, exponent = xp.where(low, 2.0 * mantissa, mantissa), xp.where(low, exponent - 1, exponent)
    zero = x == 0
    log = xp.log(xp.where(zero, 1.0, mantissa)) + exponent * _LN2[1]
    return xp.where(zero, -xp.inf, (exponent * _LN2[0] - y) + log)


def log1mexp(xp: Namespace, x: Array) -> Array:
    """log(1 - exp(-x)) for x >= 0, exact near 0 and in the tail."""
    near = x < 0.6931471805599453
    return xp.where(
        near, xp.log(-xp.expm1(-xp.where(near, x, 1.0))), xp.log1p(-xp.exp(-xp.where(near, 1.0, x)))
    )


def log1pmx(xp: Namespace, x: Array) -> Array:
    """log(1 + x) - x, without cancellation near 0; x >= -1.

    With Tricomi's substitution r = x / (2 + x), log(1 + x) = 2 atanh r, so that
    log(1 + x) - x = -x r + 2 r (atanh r / r - 1), used for |r| < 0.5.
    """
    r = x / (2.0 + x)
    small = xp.abs(r) < 0.5
    r = xp.where(small, r, 0.0)
    near = r * (2.0 * _atanh_excess(r * r) - x)
    return near if bool(small.all()) else xp.where(small, near, xp.log1p(xp.where(small, 0.0, x)) - x)


def _atanh_excess(square: Array) -> Array:
    """The function atanh r / r - 1 of r^2 <= 1/4."""
    return square * _atanh_series()(8.0 * square - 1.0)


@cache
def _atanh_series() -> Interpolant:
    """1/3 + q/5 + q^2/7 + ... of 8 q - 1, for q <= 1/4; a higher degree changes no digit."""

    def series(t: Array) -> Array:
        return sum((1.0 / (2 * k + 3) * ((1.0 + t) / 8) ** k for k in range(30, -1, -1)), 0.0 * t)

    return interpolant(series, 13)


def stirling_error(xp: Namespace, x: Array) -> Array:
    """The difference log x! - (x log x - x + log(2 pi x) / 2) for x >= 1: about 1 / (12 x)."""
    return _stirling()(2.0 / x - 1.0) / x


@cache
def _stirling() -> Interpolant:
    """The Stirling error times x, of 2 / x - 1; a higher degree changes no digit."""

    def scaled(t: Array) -> Array:
        x = 2.0 / np.maximum(1.0 + t, NEGLIGIBLE)
        return x * _stirling_by_steps(x)

    return interpolant(scaled, 26)


_STIRLING = (
    (-3617, 122400), (1, 156), (-691, 360360), (1, 1188), (-1, 1680), (1, 1260), (-1, 360), (1, 12),
)  # fmt: skip
"""The coefficients of the series, last first: Bernoulli numbers B_2k / (2k (2k - 1))."""


def _stirling_by_steps(x: Array) -> Array:
    """The Stirling error by its asymptotic series at x + 10, and the difference up to there: all positive.

    The error at x minus that at x + 1 is (x + 1/2) log(1 + 1/x) - 1 = atanh r / r - 1 with r = 1 / (2 x + 1).
    """
    steps = sum(_atanh_excess((2.0 * (x + i) + 1.0) ** -2) for i in reversed(range(10)))
    square, series = (x + 10.0) ** -2, 0.0
    for numerator, denominator in _STIRLING:
        series = series * square + numerator / denominator
    return series / (x + 10.0) + steps


def log1psq(xp: Namespace, x: Array) -> Array:
    """log(1 + x^2), also where x^2 overflows."""
    return xp.where(xp.abs(x) < 1e8, xp.log1p(x * x), 2.0 * xp.log(xp.maximum(xp.abs(x), 1.0)))


def factorial_excess(xp: Namespace, x: Array) -> Array:
    """log(x!) - x log x + x, which grows like log(2 pi x) / 2 without large terms; x >= 0."""
    above = xp.maximum(x, 1.0)
    excess = HALF_LOG_2PI + xp.log(above) / 2 + stirling_error(xp, above)
    few = xp.flatnonzero(x < 1.0)
    excess[few] = special(xp).gammaln(x[few] + 1.0) - xlogy(xp, x[few], x[few]) + x[few]
    return excess


def gamma_half_step(xp: Namespace, x: Array) -> Array:
    """gamma(x + 1/2) / (gamma(x) sqrt x), which tends to one; x > 0."""
    ratio = _half_step()(2.0 / xp.maximum(x, 1.0) - 1.0)
    few = xp.flatnonzero(x < 1.0)
    gamma, below = special(xp).gamma, x[few]
    ratio[few] = gamma(below + 0.5) * xp.sqrt(below) / gamma(below + 1.0)
    return ratio


@cache
def _half_step() -> Interpolant:
    """The ratio above of 2 / x - 1, for x >= 1; a higher degree changes no digit."""

    def ratio(t: Array) -> Array:
        x = 2.0 / np.maximum(1.0 + t, NEGLIGIBLE)
        change = _stirling_by_steps(x + 0.5) - _stirling_by_steps(x)
        # log(1 + h / x) x - h = x (log(1 + v) - v) with v = h / x, for h = 1/2.
        return np.exp(x * log1pmx(np, 0.5 / x) + change)

    return interpolant(ratio, 23)
