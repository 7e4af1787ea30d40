"""Lengths and angles of vectors without overflow."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, np


def length(xp: Namespace, x: Array) -> Array:
    """The Euclidean lengths (...) of vectors (..., dimensions), even if squares overflow or underflow."""
    x, exponent = _balanced(xp, x)
    return xp.ldexp(xp.sqrt(xp.sum(x * x, axis=-1)), exponent)


def unit(xp: Namespace, x: Array) -> Array:
    """Vectors (n, dimensions) divided by their lengths; NaN for vectors of zeros."""
    x, _ = _balanced(xp, x)
    return x / xp.sqrt(xp.sum(x * x, axis=1))[:, None]


def matrix_root(xp: Namespace, matrix: Sequence[Sequence[float]]) -> Array:
    """The lower triangular L with L L' = a positive definite matrix."""
    return xp.asarray(np.linalg.cholesky(np.array(matrix)))


def norm(xp: Namespace, x: Array, p: float) -> Array:
    """(sum |x|^p)^(1/p) (...) of vectors (..., dimensions), even if powers overflow or underflow."""
    if p == 2.0:
        return length(xp, x)
    size = xp.abs(x)
    largest = xp.max(size, axis=-1)
    scale = xp.where(largest > 0, largest, 1.0)
    return scale * xp.sum((size / scale[..., None]) ** p, axis=-1) ** (1.0 / p)


def _balanced(xp: Namespace, x: Array) -> tuple[Array, Array | int]:
    """Vectors divided by powers of two, and the exponents (...), if squares would overflow or underflow.

    Division by a power of two is exact; if no vector needs it, they are returned unchanged.
    """
    largest = xp.max(xp.abs(x), axis=-1)
    if not bool(xp.any((largest > 1e100) | ((largest > 0) & (largest < 1e-100)))):
        return x, 0
    _, exponent = xp.frexp(largest)
    return xp.ldexp(x, -exponent[..., None]), exponent


class Angle(Struct, frozen=True, eq=False):
    """The cosine of the angle between vectors (n,), and 1 - cosine, accurate also near one.

    Both are NaN if a vector is zero.
    """

    cosine: Array
    distance: Array


def angle(xp: Namespace, a: Array, b: Array) -> Angle:
    """The angle between vectors a and b (n, dimensions).

    1 - cos = sin^2 / (1 + cos), and sin |b| is the length of the component of b - a orthogonal to a; for
    nearly equal vectors that difference is exact.  A power of two first scales b to about the length of a.
    """
    (a, _), (b, _) = _balanced(xp, a), _balanced(xp, b)
    a_squared = xp.sum(a * a, axis=1)
    factor = xp.exp2(xp.rint(xp.log2(a_squared / xp.sum(b * b, axis=1)) / 2))
    if bool(xp.any(factor != 1.0)):
        b = b * factor[:, None]
    b_squared = xp.sum(b * b, axis=1)
    cosine = xp.sum(a * b, axis=1) / (xp.sqrt(a_squared) * xp.sqrt(b_squared))
    difference = b - a
    orthogonal = difference - (xp.sum(a * difference, axis=1) / a_squared)[:, None] * a
    squared_sine = xp.sum(orthogonal * orthogonal, axis=1) / b_squared
    return Angle(cosine, xp.where(cosine > 0.5, squared_sine / (1.0 + cosine), 1.0 - cosine))
