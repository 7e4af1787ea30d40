"""Scores of the shifted gamma distribution that is censored at zero, as for amounts of rain."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.losses.crps import crps_gamma
from losscli.losses.log_score import log_score_gamma
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.quadrature import integral
from losscli.numeric.special import special
from losscli.tasks.distribution import Gamma
from losscli.tasks.skewed import CensoredShiftedGamma

PANELS = 6


@loss("crps_csg0")
def crps_censored_shifted_gamma(batch: CensoredShiftedGamma) -> Array:
    """The CRPS of the gamma distribution moved down by shift and censored at zero.

    l = integral of (F(x) - [y <= x])^2 over x, F(x) = G(x + shift) from zero on, G the gamma distribution
    with shape and rate.  Unit: target.

    Scheuerer and Hamill (2015), doi:10.1175/MWR-D-15-0061.1
    """
    xp, shape, rate = batch.xp, batch.shape, batch.rate
    y, start = xp.maximum(batch.target, 0.0), rate * xp.maximum(batch.shift, 0.0)
    place, forever = rate * (y + batch.shift), xp.full_like(y, xp.inf)
    # The score of the gamma distribution, minus the part below the start, which does not count ...
    score = rate * crps_gamma(Gamma(xp, y + batch.shift, shape, rate))
    score = score - _integral_below(xp, "gammainc", shape, start, forever, 2)
    dry = special(xp).gammainc(shape, start) > 0.5
    if bool(xp.any(dry)):
        # ... or, if that part dominates, the part above the start: S^2, and 1 - 2 S up to the target.
        first = xp.where(dry, start, 1.0)
        above = _integral_above(xp, shape, first, forever, 2) - 2.0 * _integral_above(
            xp, shape, first, xp.maximum(place, first), 1
        )
        score = xp.where(dry, place - start + above, score)
    return score / rate + (y - batch.target)


def _integral_below(xp: Namespace, name: str, shape: Array, top: Array, length: Array, power: int) -> Array:
    """The integral of a power of G, or of 1 - G, from top exp(-length) to the top.

    On a logarithmic scale the integrand is smooth also near zero.
    """
    probability = getattr(special(xp), name)

    def f(s: Array, rows: Array) -> Array:
        x = top[rows] * xp.exp(-s)
        return probability(shape[rows], x) ** power * x

    return integral(xp, f, length, 1.0 / (1.0 + xp.sqrt(shape)), PANELS)


def _integral_above(xp: Namespace, shape: Array, start: Array, end: Array, power: int) -> Array:
    """The integral of a power of 1 - G from start to end."""
    turn = xp.maximum(start, 1.0)
    low = xp.minimum(turn, end)
    near = _integral_below(xp, "gammaincc", shape, low, xp.log(low / start), power)

    def f(w: Array, rows: Array) -> Array:
        return special(xp).gammaincc(shape[rows], turn[rows] + w) ** power

    return near + integral(xp, f, xp.maximum(end - turn, 0.0), (1.0 + xp.sqrt(shape)) / 2, PANELS)


@loss("logs_csg0", best=None)
def log_score_censored_shifted_gamma(batch: CensoredShiftedGamma) -> Array:
    """The log score of the gamma distribution moved down by shift and censored at zero.

    l = -log G(shift) at zero, -log g(y + shift) above it, infinite below, with density g and distribution G
    of the gamma distribution.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, y = batch.xp, batch.target
    moved = Gamma(xp, xp.where(y > 0, y + batch.shift, 1.0), batch.shape, batch.rate)
    place = batch.rate * xp.maximum(batch.shift, 0.0)
    dry, wet = special(xp).gammainc(batch.shape, place), special(xp).gammaincc(batch.shape, place)
    log_dry = xp.where(
        wet < 0.5, xp.log1p(-xp.where(wet < 0.5, wet, 0.0)), xp.log(xp.where(dry > 0, dry, 1.0))
    )
    at_zero = xp.where(dry > 0, -log_dry, xp.inf)
    return xp.where(y > 0, log_score_gamma(moved), xp.where(y == 0, at_zero, xp.inf))
