"""Smooth functions of one variable, replaced by a polynomial that has all their digits."""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec import Struct

from losscli.numeric.arrays import Array, np


class Interpolant(Struct, frozen=True):
    """A polynomial for arguments in [-1, 1], by its coefficients, those of the highest powers first."""

    coefficients: tuple[float, ...]

    def __call__(self, t: Array) -> Array:
        """The values (...) at arguments t (...)."""
        highest, *others = self.coefficients
        value = 0.0 * t + highest
        for coefficient in others:
            value *= t
            value += coefficient
        return value


def interpolant(f: Callable[[Array], Array], degree: int) -> Interpolant:
    """The polynomial that equals f at Chebyshev points of [-1, 1], which avoid oscillations between them.

    f takes and returns arrays (n,).  Its Chebyshev series has to converge well faster than (1 + sqrt 2)^-k,
    or the powers of t cancel.  The ends are among the points, since errors are largest next to them.
    """
    k = np.arange(degree + 1)
    values = f(np.cos(math.pi * k / degree))
    # The angles, multiples of pi / degree, are reduced exactly: large ones would have rounding errors.
    cosines = np.cos(math.pi * (np.outer(k, k) % (2 * degree)) / degree)
    ends = np.where((k == 0) | (k == degree), 0.5, 1.0)
    series = 2.0 / degree * ends * (cosines * ends * values).sum(axis=1)
    return Interpolant(tuple(map(float, np.polynomial.chebyshev.cheb2poly(series)[::-1])))
