"""Distribution functions at the target, for the probability integral transform (PIT)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from losscli.losses.bounded import censored, given, probability_up_to, truncated
from losscli.losses.draws import hypergeometric_up_to
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.softmax import expit
from losscli.numeric.special import special
from losscli.tasks.bounded import Bounded
from losscli.tasks.distribution import (
    Beta,
    Binomial,
    Exponential,
    Gamma,
    Laplace,
    Logistic,
    LogNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    Uniform,
)
from losscli.tasks.mixture import NormalMixture
from losscli.tasks.skewed import (
    CensoredShiftedGamma,
    ExponentialWithMass,
    GeneralizedExtremeValue,
    GeneralizedPareto,
    GeneralizedParetoWithMass,
    LogLaplace,
    LogLogistic,
    ShiftedExponential,
    TwoPiece,
    TwoPieceExponential,
    TwoPieceNormal,
)

Pair = tuple[Array, Array]
"""The probabilities of values below the target, and at or below the target (n,)."""
Function = Callable[[Any], Pair]

SQRT2 = math.sqrt(2.0)
LOWEST = -700.0
"""The exponent at which a double exponential saturates at zero or one."""


# Densities


def _continuous(function: Callable[[Any], Array]) -> Function:
    """Both probabilities of a distribution with a density."""

    def pair(batch: Any) -> Pair:
        probability = function(batch)
        return probability, probability

    return pair


def _normal(batch: Normal) -> Array:
    return special(batch.xp).ndtr(batch.z)


def _logistic(batch: Logistic) -> Array:
    return expit(batch.xp, batch.z)


def _laplace(batch: Laplace) -> Array:
    return _two_exponentials(batch.xp, batch.z)


def _two_exponentials(xp: Namespace, z: Array) -> Array:
    tail = 0.5 * xp.exp(-xp.abs(z))
    return xp.where(z < 0, tail, 1.0 - tail)


def _student_t(batch: StudentT) -> Array:
    xp, z = batch.xp, batch.z
    tail = 0.5 * special(xp).betainc(batch.df / 2, 0.5, batch.df / (batch.df + z * z))
    return xp.where(z < 0, tail, 1.0 - tail)


def _lognormal(batch: LogNormal) -> Array:
    return _normal(batch.of_log)


def _loglogistic(batch: LogLogistic) -> Array:
    return expit(batch.xp, (batch.log_target - batch.mulog) / batch.sigmalog)


def _loglaplace(batch: LogLaplace) -> Array:
    return _two_exponentials(batch.xp, (batch.log_target - batch.locationlog) / batch.scalelog)


def _exponential(batch: Exponential) -> Array:
    return -batch.xp.expm1(-batch.rate * batch.xp.maximum(batch.target, 0.0))


def _shifted_exponential(batch: ShiftedExponential) -> Array:
    return -batch.xp.expm1(-batch.xp.maximum(batch.z, 0.0))


def _gamma(batch: Gamma) -> Array:
    return special(batch.xp).gammainc(batch.shape, batch.rate * batch.xp.maximum(batch.target, 0.0))


def _beta(batch: Beta) -> Array:
    return special(batch.xp).betainc(batch.a, batch.b, batch.xp.clip(batch.target, 0.0, 1.0))


def _uniform(batch: Uniform) -> Array:
    return batch.xp.clip((batch.target - batch.min) / (batch.max - batch.min), 0.0, 1.0)


def _gev(batch: GeneralizedExtremeValue) -> Array:
    xp = batch.xp
    return xp.exp(-xp.exp(-xp.maximum(batch.unstretched, LOWEST)))


def _gpd(batch: GeneralizedPareto) -> Array:
    return -batch.xp.expm1(-batch.xp.maximum(batch.unstretched, 0.0))


def _two_pieces(batch: TwoPiece, tail: Array) -> Array:
    """The probability from twice the tail of the symmetric density beyond the target, on the same side."""
    beyond = batch.scale / (batch.scale1 + batch.scale2) * tail
    return batch.xp.where(batch.error < 0, beyond, 1.0 - beyond)


def _two_piece_normal(batch: TwoPieceNormal) -> Array:
    return _two_pieces(batch, special(batch.xp).erfc(batch.distance / SQRT2))


def _two_piece_exponential(batch: TwoPieceExponential) -> Array:
    return _two_pieces(batch, batch.xp.exp(-batch.distance))


def _mixture_normal(batch: NormalMixture) -> Array:
    z = (batch.target[:, None] - batch.means) / batch.deviations
    return (batch.weights * special(batch.xp).ndtr(z)).sum(axis=1) / batch.weights.sum(axis=1)


# Densities and masses


def _from_mass(function: Callable[[Any], Array]) -> Function:
    """Both probabilities of a distribution with a point mass at the location, where its density starts."""

    def pair(batch: GeneralizedParetoWithMass | ExponentialWithMass) -> Pair:
        xp, error = batch.xp, batch.error
        upto = batch.mass + (1.0 - batch.mass) * function(batch)
        return xp.where(error > 0, upto, 0.0), xp.where(error >= 0, upto, 0.0)

    return pair


def _censored_shifted_gamma(batch: CensoredShiftedGamma) -> Pair:
    xp, y = batch.xp, batch.target
    place = batch.rate * xp.maximum(y + batch.shift, 0.0)
    upto = special(xp).gammainc(batch.shape, place)
    return xp.where(y > 0, upto, 0.0), xp.where(y >= 0, upto, 0.0)


def _bounded(masses: Callable[[Any, Array], Any]) -> Function:
    """Both probabilities of a density between bounds with point masses."""

    def pair(batch: Bounded) -> Pair:
        xp, y, upto = batch.xp, batch.target, probability_up_to(batch, masses)
        inside, above = xp.where(y > batch.lower, upto, 0.0), xp.where(y >= batch.lower, upto, 0.0)
        return xp.where(y > batch.upper, 1.0, inside), xp.where(y >= batch.upper, 1.0, above)

    return pair


# Counts


def _counts(function: Callable[[Any, Array], Array]) -> Function:
    """Both probabilities of a distribution of counts."""

    def pair(batch: Any) -> Pair:
        count = batch.xp.floor(batch.target)
        return function(batch, count - 1.0), function(batch, count)

    return pair


def _poisson(batch: Poisson, y: Array) -> Array:
    xp = batch.xp
    return xp.where(y < 0, 0.0, special(xp).gammaincc(xp.maximum(y, 0.0) + 1.0, batch.mean))


def _binomial(batch: Binomial, y: Array) -> Array:
    xp = batch.xp
    inside = (y >= 0) & (y < batch.n)
    count = xp.where(inside, y, 0.0)
    probability = special(xp).betainc(xp.maximum(batch.n - count, 1.0), count + 1.0, 1.0 - batch.prob)
    return xp.where(inside, probability, xp.where(y < 0, 0.0, 1.0))


def _negative_binomial(batch: NegativeBinomial, y: Array) -> Array:
    xp = batch.xp
    return xp.where(y < 0, 0.0, special(xp).betainc(batch.n, xp.maximum(y, 0.0) + 1.0, batch.prob))


FUNCTIONS: Mapping[str, Function] = {
    "normal": _continuous(_normal),
    "logistic": _continuous(_logistic),
    "laplace": _continuous(_laplace),
    "student_t": _continuous(_student_t),
    "lognormal": _continuous(_lognormal),
    "loglogistic": _continuous(_loglogistic),
    "loglaplace": _continuous(_loglaplace),
    "exponential": _continuous(_exponential),
    "shifted_exponential": _continuous(_shifted_exponential),
    "gamma": _continuous(_gamma),
    "beta": _continuous(_beta),
    "uniform": _continuous(_uniform),
    "gev": _continuous(_gev),
    "gpd": _continuous(_gpd),
    "two_piece_normal": _continuous(_two_piece_normal),
    "two_piece_exponential": _continuous(_two_piece_exponential),
    "mixture_normal": _continuous(_mixture_normal),
    "gpd_with_mass": _from_mass(_gpd),
    "exponential_with_mass": _from_mass(_shifted_exponential),
    "censored_shifted_gamma": _censored_shifted_gamma,
    **{f"truncated_{name}": _bounded(truncated) for name in ("normal", "logistic", "student_t")},
    **{f"censored_{name}": _bounded(censored) for name in ("normal", "logistic", "student_t")},
    **{f"bounded_{name}": _bounded(given) for name in ("normal", "logistic", "student_t")},
    "poisson": _counts(_poisson),
    "binomial": _counts(_binomial),
    "negbinom": _counts(_negative_binomial),
    "hypergeometric": _counts(hypergeometric_up_to),
}
"""The function of each distribution, by its name in the losses."""
