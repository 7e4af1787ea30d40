"""Scores of the shifted gamma distribution that is censored at zero, as for amounts of rain."""

from __future__ import annotations

from functools import partial
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.registry import loss
from losscli.losses.crps import crps_gamma, mean_excess
from losscli.losses.log_score import log_score_gamma
from losscli.losses.positive import poisson_score
from losscli.numeric.arrays import Array, Namespace, by_case
from losscli.numeric.quadrature import chunks, doubling, integral
from losscli.numeric.special import log_or_minus_inf, special
from losscli.numeric.tails import integral_from_start, integral_to_end
from losscli.tasks.distribution import Gamma
from losscli.tasks.skewed import CensoredShiftedGamma

PANELS = doubling(6)
SMALL = 0.01
"""The start, in units of 1 / rate, below which the density is steep on a logarithmic scale alone."""


class GammaTail(Struct, frozen=True):
    """The density of the gamma distribution with rate 1 from its median outward."""

    xp: Namespace
    shape: Array
    panels: tuple[float, ...] = doubling(12)

    def of_rows(self, rows: Array | slice) -> Self:
        """The density of some rows."""
        return replace(self, shape=self.shape[rows])

    def unit(self, a: Array) -> Array:
        """The distance in which the density falls by about e (n,), at most a."""
        xp, shape = self.xp, self.shape
        return 1.0 / (xp.abs(1.0 - (shape - 1.0) / a) + xp.sqrt(shape + 1.0) / a)

    def coordinate(self, a: Array, w: Array) -> Array:
        """The distance itself (n,)."""
        return w

    def along(self, a: Array, s: Array) -> tuple[Array, float]:
        """The density relative to that at a, and one, at distances s (k, n) from positions a (n,)."""
        return self.xp.exp((self.shape - 1.0) * self.xp.log1p(s / a) - s), 1.0


@loss("crps_csg0")
def crps_censored_shifted_gamma(batch: CensoredShiftedGamma) -> Array:
    """The CRPS of the gamma distribution moved down by shift and censored at zero.

    l = integral of (F(x) - [y <= x])^2 over x, F(x) = G(x + shift) from zero on, G the gamma distribution
    with shape and rate.  Unit: target.

    Scheuerer and Hamill (2015), doi:10.1175/MWR-D-15-0061.1
    """
    xp, shape, rate = batch.xp, batch.shape, batch.rate
    y, start = xp.maximum(batch.target, 0.0), rate * xp.maximum(batch.shift, 0.0)
    below = special(xp).gammainc(shape, start)
    dry, small = below > 0.5, start < SMALL
    cases = (
        (~dry, _crps_if_wet),
        (dry & ~small, _crps_if_dry),
        (dry & small, _crps_near_zero),
    )
    formulas = ((chosen, partial(formula, xp)) for chosen, formula in cases)
    score = by_case(xp, formulas, shape, start, below, rate * (y + batch.shift), rate * y)
    return score / rate + (y - batch.target)


# In units of 1 / rate: the start, where the probability `below` ends, the place of the target, and the gap
# between the two, which differs from their difference if the start is not positive.


def _crps_if_wet(xp: Namespace, shape: Array, start: Array, below: Array, place: Array, gap: Array) -> Array:
    """The score of the gamma distribution minus the integral of G^2 below the start, which does not count."""
    score = crps_gamma(Gamma(xp, place, shape, xp.ones_like(shape)))
    twice = special(xp).gammainc(2.0 * shape, 2.0 * start)
    moment = (start - shape) * below + 2.0 * start * _density(xp, shape, start)
    return score - (below * moment - mean_excess(xp, shape) * twice)


def _crps_if_dry(xp: Namespace, shape: Array, start: Array, below: Array, place: Array, gap: Array) -> Array:
    """The integrals of G^2 from the start to the target, and of (1 - G)^2 from there on: both positive."""
    tail = GammaTail(xp, shape)
    up_to, beyond = xp.zeros_like(start), xp.zeros_like(start)
    for rows in chunks(xp, xp.arange(len(start))):
        density = _density(xp, shape[rows], place[rows])
        reach = _reach(xp, shape[rows])
        beyond[rows] = density * density * integral_to_end(tail.of_rows(rows), place[rows], reach).second
    for rows in chunks(xp, xp.flatnonzero(gap > 0)):
        density = _density(xp, shape[rows], start[rows])
        mass = integral_from_start(tail.of_rows(rows), start[rows], gap[rows])
        up_to[rows] = below[rows] * below[rows] * gap[rows] + density * (
            2.0 * below[rows] * mass.first + density * mass.second
        )
    return up_to + beyond


def _reach(xp: Namespace, shape: Array) -> Array:
    """A distance in which the density falls by e^40, from the median on."""
    return 40.0 + 9.0 * xp.sqrt(shape)


def _density(xp: Namespace, shape: Array, x: Array) -> Array:
    """The density of the gamma distribution with rate 1 at x > 0, 0 at x = 0."""
    at = xp.where(x > 0, x, 1.0)
    return xp.where(x > 0, shape / at * xp.exp(-poisson_score(xp, shape, at, xp.log(at))), 0.0)


def _crps_near_zero(
    xp: Namespace, shape: Array, start: Array, below: Array, place: Array, gap: Array
) -> Array:
    """The integral of (1 - G)^2 from the start on, and of 1 - 2 (1 - G) up to the target."""
    forever = xp.full_like(start, xp.inf)
    squares = _integral_above(xp, shape, start, forever, 2)
    return gap + squares - 2.0 * _integral_above(xp, shape, start, place, 1)


def _integral_above(xp: Namespace, shape: Array, start: Array, end: Array, power: int) -> Array:
    """The integral of (1 - G)^power from start to end, up to 1 on a logarithmic scale, where it is smooth."""
    gammaincc = special(xp).gammaincc
    turn = xp.maximum(start, 1.0)
    top = xp.minimum(turn, end)

    def near(s: Array, rows: Array) -> Array:
        x = top[rows] * xp.exp(-s)
        return gammaincc(shape[rows], x) ** power * x

    def far(w: Array, rows: Array) -> Array:
        return gammaincc(shape[rows], turn[rows] + w) ** power

    root = xp.sqrt(shape)
    below = integral(xp, near, xp.log(top / start), 1.0 / (1.0 + root), PANELS)
    length = xp.clip(end - turn, 0.0, _reach(xp, shape))
    return below + integral(xp, far, length, (1.0 + root) / 2, PANELS)


@loss("logs_csg0", best=None)
def log_score_censored_shifted_gamma(batch: CensoredShiftedGamma) -> Array:
    """The log score of the gamma distribution moved down by shift and censored at zero.

    l = -log G(shift) at zero, -log g(y + shift) above it, infinite below, with density g and distribution G
    of the gamma distribution.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, y = batch.xp, batch.target

    def at_zero(y: Array, shape: Array, rate: Array, shift: Array) -> Array:
        place = rate * xp.maximum(shift, 0.0)
        dry, wet = special(xp).gammainc(shape, place), special(xp).gammaincc(shape, place)
        return -xp.where(wet < 0.5, xp.log1p(-wet), log_or_minus_inf(xp, dry))

    def above(y: Array, shape: Array, rate: Array, shift: Array) -> Array:
        return log_score_gamma(Gamma(xp, y + shift, shape, rate))

    def below(y: Array, shape: Array, rate: Array, shift: Array) -> Array:
        return xp.full_like(y, xp.inf)

    cases = ((y == 0, at_zero), (y > 0, above), (y < 0, below))
    return by_case(xp, cases, y, batch.shape, batch.rate, batch.shift)
