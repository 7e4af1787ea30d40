"""Scores of distributions of extremes and of waiting times.

In terms of z = (y - location) / scale and v = log(1 + shape z) / shape, which is z for shape 0, all formulas
are smooth in the shape.
"""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.stretched import Tails, crps_stretched
from losscli.tasks.skewed import (
    ExponentialWithMass,
    GeneralizedExtremeValue,
    GeneralizedPareto,
    GeneralizedParetoWithMass,
    ShiftedExponential,
)

SHAPE = "shape below 1"


def _gumbel_excess(xp: Namespace, w: Array) -> Array:
    x = xp.exp(-w)
    return x + xp.expm1(-x)


GUMBEL = Tails(
    lambda xp, w: -xp.exp(w),
    lambda xp, w: -xp.expm1(-xp.exp(-w)),
    _gumbel_excess,
)


@loss(domain=SHAPE)
def crps_gev(batch: GeneralizedExtremeValue) -> Array:
    """The CRPS of the generalized extreme value distribution.

    l = integral of (F(x) - [y <= x])^2 over x, F(x) = exp(-exp(-v)), v = log(1 + shape z) / shape at x, where
    the shape is 0 v = z.  Unit: target.

    Friederichs and Thorarinsdottir (2012), doi:10.1002/env.2176
    """
    xp = batch.xp
    stretch = xp.where(batch.shape < 1, batch.shape, xp.nan)
    return batch.scale * crps_stretched(xp, batch.unstretched, xp.abs(batch.z), stretch, GUMBEL)


@loss("logs_gev", best=None)
def log_score_gev(batch: GeneralizedExtremeValue) -> Array:
    """The log score of the generalized extreme value distribution; infinite outside its range.

    l = log scale + (1 + shape) v + exp(-v), v = log(1 + shape z) / shape, where the shape is 0 v = z.
    Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, v = batch.xp, batch.unstretched
    outside = (batch.stretch < -1) | ((batch.stretch == -1) & (batch.shape > 0))
    score = xp.log(batch.scale) + _product(xp, 1.0 + batch.shape, v) + xp.exp(-xp.maximum(v, -700.0))
    return xp.where(outside, xp.inf, score)


def _product(xp: Namespace, factor: Array, v: Array) -> Array:
    """The product, 0 where the factor is 0."""
    return xp.where(factor == 0, 0.0, factor * xp.where(factor == 0, 0.0, v))


def _crps_pareto(xp: Namespace, z: Array, v: Array, shape: Array | float, mass: Array | float) -> Array:
    """The CRPS in units of the scale: (1 - mass) exp(-v) is the probability beyond z."""
    rest, left = 1.0 - mass, 1.0 - shape
    below = -xp.expm1(-left * xp.maximum(v, 0.0)) / left
    return xp.abs(z) - rest * (2.0 * below - rest / (2.0 - shape))


@loss(domain=SHAPE)
def crps_gpd(batch: GeneralizedPareto) -> Array:
    """The CRPS of the generalized Pareto distribution.

    l = scale (|z| - 2 (1 - (1 - F)^(1 - shape)) / (1 - shape) + 1 / (2 - shape)), F the distribution at y.
    Unit: target.

    Friederichs and Thorarinsdottir (2012), doi:10.1002/env.2176
    """
    shape = batch.xp.where(batch.shape < 1, batch.shape, batch.xp.nan)
    return batch.scale * _crps_pareto(batch.xp, batch.z, batch.unstretched, shape, 0.0)


@loss(domain=SHAPE)
def crps_gpd_with_mass(batch: GeneralizedParetoWithMass) -> Array:
    """The CRPS of the generalized Pareto distribution with a probability at its location.

    l = scale (|z| - 2 (1 - mass) (1 - (1 - F)^(1 - shape)) / (1 - shape) + (1 - mass)^2 / (2 - shape)), F the
    distribution without the mass at y.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    shape = batch.xp.where(batch.shape < 1, batch.shape, batch.xp.nan)
    return batch.scale * _crps_pareto(batch.xp, batch.z, batch.unstretched, shape, batch.mass)


@loss("crps_exponential2")
def crps_shifted_exponential(batch: ShiftedExponential) -> Array:
    """The CRPS of the exponential distribution that starts at its location.

    l = scale (|z| - 2 F(y) + 1/2), F(y) = 1 - exp(-z) from the location on.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return batch.scale * _crps_pareto(batch.xp, batch.z, batch.z, 0.0, 0.0)


@loss("crps_exponentialM")
def crps_exponential_with_mass(batch: ExponentialWithMass) -> Array:
    """The CRPS of the exponential distribution with a probability at its location.

    l = scale (|z| - 2 (1 - mass) F + (1 - mass)^2 / 2), F = 1 - exp(-z) from the location on.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return batch.scale * _crps_pareto(batch.xp, batch.z, batch.z, 0.0, batch.mass)


def _log_score_pareto(
    xp: Namespace, z: Array, v: Array, shape: Array | float, mass: Array | float, scale: Array
) -> Array:
    """Minus the logarithm of the density above the location, or of the mass at it."""
    score = xp.log(scale) + _product(xp, 1.0 + shape + xp.zeros_like(v), v)
    outside = (z < 0) | (shape * z < -1)
    rest = 1.0 - mass + xp.zeros_like(v)
    score = xp.where(rest > 0, score - xp.log(xp.where(rest > 0, rest, 1.0)), xp.inf)
    at_mass = (z == 0) & (mass > 0)
    score = xp.where(at_mass, -xp.log(xp.where(at_mass, mass, 1.0)), score)
    return xp.where(outside, xp.inf, score)


@loss("logs_gpd", best=None)
def log_score_gpd(batch: GeneralizedPareto) -> Array:
    """The log score of the generalized Pareto distribution; infinite outside its range.

    l = log scale + (1 + shape) v, v = log(1 + shape z) / shape, where the shape is 0 v = z.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score_pareto(batch.xp, batch.z, batch.unstretched, batch.shape, 0.0, batch.scale)


@loss(best=None)
def log_score_gpd_with_mass(batch: GeneralizedParetoWithMass) -> Array:
    """The log score of the generalized Pareto distribution with a probability at its location.

    l = -log mass at the location, log scale + (1 + shape) v - log(1 - mass) above it, infinite below, v =
    log(1 + shape z) / shape.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score_pareto(batch.xp, batch.z, batch.unstretched, batch.shape, batch.mass, batch.scale)


@loss("log_score_exponential2", "logs_exponential2", best=None)
def log_score_shifted_exponential(batch: ShiftedExponential) -> Array:
    """The log score of the exponential distribution that starts at its location; infinite below.

    l = z + log scale.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score_pareto(batch.xp, batch.z, batch.z, 0.0, 0.0, batch.scale)


@loss("log_score_exponentialM", best=None)
def log_score_exponential_with_mass(batch: ExponentialWithMass) -> Array:
    """The log score of the exponential distribution with a probability at its location; infinite below.

    l = -log mass at the location, z + log scale - log(1 - mass) above it.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score_pareto(batch.xp, batch.z, batch.z, 0.0, batch.mass, batch.scale)
