"""Scores of distributions between two bounds: truncated, censored, or with any probabilities at the bounds.

All have the same form: a density between the bounds, and a mass at each bound.  A truncated distribution has
no masses; in a censored one, each mass is the probability beyond the bound.  Probabilities are computed
relative to the density at the centre and outward from it, which avoids underflow and cancellation for all
bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.special import log_or_minus_inf
from losscli.numeric.tails import Mass, mass_from_start, mass_to_end, probability
from losscli.tasks.bounded import (
    Bounded,
    BoundedLogistic,
    BoundedLogisticWithMass,
    BoundedNormal,
    BoundedNormalWithMass,
    BoundedStudentT,
    BoundedStudentTWithMass,
)

_Batch = TypeVar("_Batch", bound=Bounded)
_WithMass = BoundedNormalWithMass | BoundedLogisticWithMass | BoundedStudentTWithMass


class Masses(Struct, frozen=True):
    """The probabilities at the lower and the upper bound, the density at the centre, and their logs (n,)."""

    lower: Array
    upper: Array
    density: Array
    logs: tuple[Array, Array, Array]


def given(batch: _WithMass, total: Array) -> Masses:
    """The masses in the forecast; NaN if they exceed one."""
    return _normalized(batch, total, batch.lmass, batch.umass)


def truncated(batch: Bounded, total: Array) -> Masses:
    """Masses of zero."""
    none = batch.xp.zeros_like(total)
    return _normalized(batch, total, none, none)


def _normalized(batch: Bounded, total: Array, lower: Array, upper: Array) -> Masses:
    xp = batch.xp
    inside = 1.0 - lower - upper
    density = xp.where(inside >= 0, inside, xp.nan) / total
    logs = [log_or_minus_inf(xp, mass) for mass in (lower, upper, density)]
    return Masses(lower, upper, density, (logs[0], logs[1], logs[2]))


def censored(batch: Bounded, total: Array) -> Masses:
    """The mass at each bound is the probability beyond it."""
    xp, tail, start = batch.xp, batch.tail, batch.start
    density, log_density = tail.density(start), tail.log_density(start)
    masses, logs = [], []
    for reach, distance in zip(batch.reaches, batch.bounds, strict=True):
        # A bound on the opposite side of the location is the centre, and more than half lies beyond it.
        is_opposite = distance < 0
        fall, mills = tail.fall(start, reach), tail.mills(start + reach)
        beyond = density * xp.exp(-fall) * mills
        masses.append(xp.where(is_opposite, 1.0 - beyond, beyond))
        logs.append(
            xp.where(is_opposite, xp.log1p(-beyond), log_density - fall + log_or_minus_inf(xp, mills))
        )
    return Masses(masses[0], masses[1], density, (logs[0], logs[1], log_density))


def _crps(batch: _Batch, masses_of: Callable[[_Batch, Array], Masses]) -> Array:
    """The integral of F^2 from the lower bound to the target, plus that of (1 - F)^2 to the upper bound.

    The range is split at the target and the centre into three intervals.  In each, the integrand is the
    square of a constant k plus a probability m that grows from one end.  In the outer intervals k is the mass
    of the bound; between centre and target it is the probability on the other side of the centre.
    """
    batch = batch.widened
    xp = batch.xp
    parts = _parts(batch, masses_of)
    masses, across, between, ratio = parts.masses, parts.across, parts.between, parts.density_ratio
    near, far = batch.on_sides(masses.lower, masses.upper)
    density = masses.density
    # In units of the scale, the lengths over which the constants are integrated may be infinite.
    _, opposite_side = batch.on_sides(batch.centre - batch.lower, batch.upper - batch.centre)
    own_side, _ = batch.on_sides(batch.nearest - batch.lower, batch.upper - batch.nearest)
    pieces = (
        (near, density * ratio, parts.beyond, own_side),
        (far, density, across, opposite_side),
        (far + density * across.total, density, between, xp.abs(batch.nearest - batch.centre)),
    )
    constant = sum(xp.where(k == 0, 0.0, k * k * length) for k, _, _, length in pieces)
    varying = sum(
        xp.where(scale == 0, 0.0, scale * (2.0 * k * m.first + scale * m.second)) for k, scale, m, _ in pieces
    )
    return batch.scale * varying + constant + xp.abs(batch.target - batch.nearest)


class _Parts(Struct, frozen=True):
    """The masses at the bounds, and the probabilities of three parts of the density.

    The parts are `across` the centre from the target, `between` the centre and the target, and `beyond` the
    target.  The last is relative to the density at the target, which is the density at the centre times
    `density_ratio` (n,).
    """

    masses: Masses
    across: Mass
    between: Mass
    beyond: Mass
    density_ratio: Array


def _parts(batch: _Batch, masses_of: Callable[[_Batch, Array], Masses]) -> _Parts:
    tail, start, distance = batch.tail, batch.start, batch.distance
    _, opposite = batch.on_sides(*batch.reaches)
    across = mass_to_end(tail, start, opposite)
    between = mass_from_start(tail, start, distance)
    beyond, ratio = mass_to_end(tail, start + distance, batch.rest), batch.xp.exp(-tail.fall(start, distance))
    masses = masses_of(batch, across.total + between.total + ratio * beyond.total)
    return _Parts(masses, across, between, beyond, ratio)


def probability_up_to(batch: _Batch, masses_of: Callable[[_Batch, Array], Masses]) -> Array:
    """The distribution function at the target (n,) between the bounds, without the upper mass."""
    batch = batch.widened
    parts = _parts(batch, masses_of)
    right = parts.across.total + parts.between.total
    inside = batch.xp.where(batch.is_right, right, parts.density_ratio * parts.beyond.total)
    return parts.masses.lower + parts.masses.density * inside


def _log_score(batch: _Batch, masses_of: Callable[[_Batch, Array], Masses]) -> Array:
    """Minus the logarithm of the density between the bounds, or of the mass at a bound with a mass."""
    xp = batch.xp
    total = sum(probability(batch.tail, batch.start, reach) for reach in batch.reaches)
    lower, upper, density = masses_of(batch, total).logs
    score = batch.tail.fall(batch.start, batch.distance) - density + xp.log(batch.scale)
    score = xp.where((batch.target == batch.lower) & (lower > -xp.inf), -lower, score)
    score = xp.where((batch.target == batch.upper) & (upper > -xp.inf), -upper, score)
    return xp.where(batch.inside, score, xp.inf)


def _with_mean(batch: BoundedStudentT, score: Array) -> Array:
    """The score, NaN where the distribution has no mean."""
    xp = batch.xp
    bounded = (batch.lower > -xp.inf) & (batch.upper < xp.inf)
    return xp.where((batch.df > 1) | bounded, score, xp.nan)


MASS = "lmass and umass that are at most one together"
DF = "df above 1, or two finite bounds"


@loss("crps_tnormal")
def crps_truncated_normal(batch: BoundedNormal) -> Array:
    """The CRPS of the normal distribution truncated to [lower, upper].

    l = integral of (F(x) - [y <= x])^2 over x, F = (G - G(lower)) / (G(upper) - G(lower)) between the
    bounds, G the distribution without them.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, truncated)


@loss("logs_tnormal", "log_score_tnormal", best=None)
def log_score_truncated_normal(batch: BoundedNormal) -> Array:
    """The log score of the normal distribution truncated to [lower, upper]; infinite outside.

    l = -log(g(y) / (G(upper) - G(lower))), g and G the density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, truncated)


@loss("crps_tlogistic")
def crps_truncated_logistic(batch: BoundedLogistic) -> Array:
    """The CRPS of the logistic distribution truncated to [lower, upper].

    l = integral of (F(x) - [y <= x])^2 over x, F = (G - G(lower)) / (G(upper) - G(lower)) between the
    bounds, G the distribution without them.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, truncated)


@loss("logs_tlogistic", "log_score_tlogistic", best=None)
def log_score_truncated_logistic(batch: BoundedLogistic) -> Array:
    """The log score of the logistic distribution truncated to [lower, upper]; infinite outside.

    l = -log(g(y) / (G(upper) - G(lower))), g and G the density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, truncated)


@loss("crps_tt", domain=DF)
def crps_truncated_student_t(batch: BoundedStudentT) -> Array:
    """The CRPS of Student's t distribution truncated to [lower, upper].

    l = integral of (F(x) - [y <= x])^2 over x, F = (G - G(lower)) / (G(upper) - G(lower)) between the
    bounds, G the distribution without them.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _with_mean(batch, _crps(batch, truncated))


@loss("logs_tt", "log_score_tt", best=None)
def log_score_truncated_student_t(batch: BoundedStudentT) -> Array:
    """The log score of Student's t distribution truncated to [lower, upper]; infinite outside.

    l = -log(g(y) / (G(upper) - G(lower))), g and G the density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, truncated)


@loss("crps_cnormal")
def crps_censored_normal(batch: BoundedNormal) -> Array:
    """The CRPS of the normal distribution censored at lower and upper.

    l = integral of (F(x) - [y <= x])^2 over x, F the distribution without bounds between them, 0
    below lower, 1 from upper on.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, censored)


@loss("logs_cnormal", "log_score_cnormal", best=None)
def log_score_censored_normal(batch: BoundedNormal) -> Array:
    """The log score of the normal distribution censored at lower and upper; infinite outside.

    l = -log g(y) between the bounds, -log G(lower) at lower, -log(1 - G(upper)) at upper, g and G the
    density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, censored)


@loss("crps_clogistic")
def crps_censored_logistic(batch: BoundedLogistic) -> Array:
    """The CRPS of the logistic distribution censored at lower and upper.

    l = integral of (F(x) - [y <= x])^2 over x, F the distribution without bounds between them, 0
    below lower, 1 from upper on.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, censored)


@loss("logs_clogistic", "log_score_clogistic", best=None)
def log_score_censored_logistic(batch: BoundedLogistic) -> Array:
    """The log score of the logistic distribution censored at lower and upper; infinite outside.

    l = -log g(y) between the bounds, -log G(lower) at lower, -log(1 - G(upper)) at upper, g and G the
    density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, censored)


@loss("crps_ct", domain=DF)
def crps_censored_student_t(batch: BoundedStudentT) -> Array:
    """The CRPS of Student's t distribution censored at lower and upper.

    l = integral of (F(x) - [y <= x])^2 over x, F the distribution without bounds between them, 0
    below lower, 1 from upper on.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _with_mean(batch, _crps(batch, censored))


@loss("logs_ct", "log_score_ct", best=None)
def log_score_censored_student_t(batch: BoundedStudentT) -> Array:
    """The log score of Student's t distribution censored at lower and upper; infinite outside.

    l = -log g(y) between the bounds, -log G(lower) at lower, -log(1 - G(upper)) at upper, g and G the
    density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, censored)


@loss("crps_gtcnormal", domain=MASS)
def crps_bounded_normal(batch: BoundedNormalWithMass) -> Array:
    """The CRPS of the normal density between lower and upper, which have masses.

    l = integral of (F(x) - [y <= x])^2 over x, F = lmass + (1 - lmass - umass) (G - G(lower)) /
    (G(upper) - G(lower)) between the bounds, G the distribution without them.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, given)


@loss("logs_gtcnormal", "log_score_gtcnormal", best=None, domain=MASS)
def log_score_bounded_normal(batch: BoundedNormalWithMass) -> Array:
    """The log score of the normal density between lower and upper, which have masses.

    l = -log((1 - lmass - umass) g(y) / (G(upper) - G(lower))) between the bounds, -log lmass at lower,
    -log umass at upper, g and G the density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, given)


@loss("crps_gtclogistic", domain=MASS)
def crps_bounded_logistic(batch: BoundedLogisticWithMass) -> Array:
    """The CRPS of the logistic density between lower and upper, which have masses.

    l = integral of (F(x) - [y <= x])^2 over x, F = lmass + (1 - lmass - umass) (G - G(lower)) /
    (G(upper) - G(lower)) between the bounds, G the distribution without them.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _crps(batch, given)


@loss("logs_gtclogistic", "log_score_gtclogistic", best=None, domain=MASS)
def log_score_bounded_logistic(batch: BoundedLogisticWithMass) -> Array:
    """The log score of the logistic density between lower and upper, which have masses.

    l = -log((1 - lmass - umass) g(y) / (G(upper) - G(lower))) between the bounds, -log lmass at lower,
    -log umass at upper, g and G the density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, given)


@loss("crps_gtct", domain=MASS + " and " + DF)
def crps_bounded_student_t(batch: BoundedStudentTWithMass) -> Array:
    """The CRPS of Student's t density between lower and upper, which have masses.

    l = integral of (F(x) - [y <= x])^2 over x, F = lmass + (1 - lmass - umass) (G - G(lower)) /
    (G(upper) - G(lower)) between the bounds, G the distribution without them.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    return _with_mean(batch, _crps(batch, given))


@loss("logs_gtct", "log_score_gtct", best=None, domain=MASS)
def log_score_bounded_student_t(batch: BoundedStudentTWithMass) -> Array:
    """The log score of Student's t density between lower and upper, which have masses.

    l = -log((1 - lmass - umass) g(y) / (G(upper) - G(lower))) between the bounds, -log lmass at lower,
    -log umass at upper, g and G the density and distribution without bounds.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return _log_score(batch, given)
