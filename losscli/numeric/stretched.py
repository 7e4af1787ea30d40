"""The CRPS of a variable that is a smooth function of one with a standard distribution."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from msgspec import Struct

from losscli.numeric.arrays import Array, Namespace, by_case, np
from losscli.numeric.interpolation import Interpolant, interpolant
from losscli.numeric.quadrature import doubling, integral

PANELS = doubling(6)
DEGREE = 30
"""The degree of the polynomial for the spread; a higher one changes no digit."""


class Tails(Struct, frozen=True):
    """A distribution F by functions of distances w >= 0 from 0, where F(-w) falls by e in a unit or less."""

    log_below: Callable[[Namespace, Array], Array]
    """log F(-w)"""
    above: Callable[[Namespace, Array], Array]
    """1 - F(w)"""
    excess: Callable[[Namespace, Array], Array]
    """exp(-w) - (1 - F(w)), which falls like exp(-2 w)"""

    def spread(self, xp: Namespace, stretch: Array) -> Array:
        """The integral of F^2 below 0 and of (1 - F)^2 above it (n,), over x with dx = exp(stretch v) dv."""
        interpolated = xp.abs(stretch) <= 1.0
        cases = ((interpolated, _spread(self)), (~interpolated, partial(self._integrated_spread, xp)))
        return by_case(xp, cases, stretch)

    def _integrated_spread(self, xp: Namespace, stretch: Array) -> Array:
        def below(w: Array, rows: Array) -> Array:
            return xp.exp(2.0 * self.log_below(xp, w) - stretch[rows] * w)

        def above(w: Array, rows: Array) -> Array:
            return self.above(xp, w) ** 2 * xp.exp(stretch[rows] * w)

        forever, unit = xp.full_like(stretch, xp.inf), xp.full_like(stretch, 0.25)
        return sum(integral(xp, f, forever, unit, doubling(7)) for f in (below, above))

    def to_target(self, xp: Namespace, v: Array, stretch: Array) -> Array:
        """The integral over x of the tail between 0 and v (n,): of 1 - F above 0, of F below."""

        def excess(w: Array, rows: Array) -> Array:
            return self.excess(xp, w) * xp.exp(stretch[rows] * w)

        def below(w: Array, rows: Array) -> Array:
            return xp.exp(self.log_below(xp, w) - stretch[rows] * w)

        upward, downward = xp.where(v >= 0, v, 0.0), xp.where(v >= 0, 0.0, -v)
        unit, left = xp.full_like(v, 0.5), 1.0 - stretch
        exponential = -xp.expm1(-left * upward) / left
        more = integral(xp, below, downward, unit, PANELS)
        less = integral(xp, excess, upward, unit, PANELS)
        return exponential + (more - less)


@cache
def _spread(tails: Tails) -> Interpolant:
    """The spread of a stretch in [-1, 1], a smooth function up to 2."""
    return interpolant(partial(tails._integrated_spread, np), DEGREE)


def crps_stretched(xp: Namespace, v: Array, distance: Array, stretch: Array, tails: Tails) -> Array:
    """The CRPS (n,) of a variable x with dx = exp(stretch v) dv.

    For a target at v = 0 it is the spread.  For a target at v, with the given distance in x, it is larger by
    the distance minus twice the integral of the tail.
    """
    return distance + (tails.spread(xp, stretch) - 2.0 * tails.to_target(xp, v, stretch))
