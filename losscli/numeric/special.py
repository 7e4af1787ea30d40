"""Special functions that NumPy and CuPy lack or compute inaccurately."""

from __future__ import annotations

import importlib
from typing import Any

from losscli.numeric.arrays import Array, Namespace, on_host


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


_STIRLING = (
    (-3617, 122400), (1, 156), (-691, 360360), (1, 1188), (-1, 1680), (1, 1260), (-1, 360), (1, 12),
)  # fmt: skip
"""The coefficients of the series, last first: Bernoulli numbers B_2k / (2k (2k - 1))."""


def stirling_error(xp: Namespace, x: Array) -> Array:
    """The difference log x! - (x log x - x + log(2 pi x) / 2) for x > 0: about 1 / (12 x).

    Uses the asymptotic series from 10 on; below, steps from x to x + 1 until there.
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
    return xp.where(xp.abs(x) < 1e8, xp.log1p(x * x), 2.0 * xp.log(xp.maximum(xp.abs(x), 1.0)))


def factorial_excess(xp: Namespace, x: Array) -> Array:
    """log(x!) - x log x + x, which grows like log(2 pi x) / 2 without large terms; x >= 0."""
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
