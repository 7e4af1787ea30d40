"""Losses of ensembles: M members x, and the target y."""

from __future__ import annotations

import math
from typing import Literal

from losscli.catalog.params import Extended, Positive
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.vectors import length
from losscli.tasks.ensemble import Ensemble, MultivariateEnsemble, WeightedEnsemble

Estimator = Literal["qd", "nrg", "int", "fair", "pwm"]
UNBIASED = ("fair", "pwm")
Kernel = Literal["qd", "nrg", "int", "fair", "pwm", "akr", "akr_circperm"]


def _crps(xp: Namespace, ordered: Array, y: Array, estimator: str) -> Array:
    """The CRPS of sorted members (n, M) of equal weight."""
    size = ordered.shape[1]
    return _crps_at(xp, ordered, y, xp.arange(1, size) / size, size - 1 if estimator in UNBIASED else None)


def _crps_at(
    xp: Namespace, ordered: Array, y: Array, level: Array, unbiased: Array | int | None = None
) -> Array:
    """The CRPS of sorted members (n, M): the integral of (F - [y <= x])^2 over the gaps between them.

    F is the level (M - 1,) or (n, M - 1) in a gap.  All terms are positive.  An unbiased estimator subtracts
    the spread of the members divided by `unbiased`.
    """
    low, high, at = ordered[:, :-1], ordered[:, 1:], y[:, None]
    below = xp.minimum(high, at) - xp.minimum(low, at)
    above = xp.maximum(high, at) - xp.maximum(low, at)
    outside = xp.maximum(ordered[:, 0] - y, 0.0) + xp.maximum(y - ordered[:, -1], 0.0)
    biased = outside + xp.sum(below * level * level + above * (1.0 - level) * (1.0 - level), axis=1)
    if unbiased is None:
        return biased
    return biased - xp.sum((high - low) * level * (1.0 - level), axis=1) / unbiased


TWO = "two members or more where it is unbiased"


@loss("ContinuousRankedProbabilityScore", "crps", domain=TWO)
def crps_ensemble(batch: Ensemble, *, estimator: Kernel = "qd") -> Array:
    """The CRPS of the ensemble's distribution; fair and pwm estimate that of its underlying distribution.

    l = mean |x - y| - mean |x - x'| / 2 (qd, nrg, int: the same number); for fair and pwm the mean of
    |x - x'| is over pairs of different members, for akr over each and the one before it, for
    akr_circperm over each and the one half a round on.  Unit: target.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437; Ferro (2014), doi:10.1002/qj.2270
    """
    if not estimator.startswith("akr"):
        return _crps(batch.xp, batch.ordered, batch.target, estimator)
    xp, x = batch.xp, batch.members
    shift = 1 if estimator == "akr" else 1 + (batch.size - 1) // 2
    pairs = xp.mean(xp.abs(x - xp.roll(x, shift, axis=1)), axis=1)
    return xp.mean(xp.abs(x - batch.target[:, None]), axis=1) - pairs / 2


@loss(increasing=("a", "b"), domain=TWO)
def twcrps_ensemble(
    batch: Ensemble, *, a: Extended = -math.inf, b: Extended = math.inf, estimator: Estimator = "qd"
) -> Array:
    """The threshold-weighted CRPS: only values between a and b count.

    The CRPS of members and target clipped to [a, b].  Unit: target.

    Gneiting and Ranjan (2011), doi:10.1198/jbes.2010.08110
    """
    xp = batch.xp
    ordered, y = (xp.minimum(xp.maximum(x, a), b) for x in (batch.ordered, batch.target))
    return _crps(xp, ordered, y, estimator)


@loss(increasing=("a", "b"), domain="a member between a and b where the target is there")
def owcrps_ensemble(batch: Ensemble, *, a: Extended = -math.inf, b: Extended = math.inf) -> Array:
    """The outcome-weighted CRPS: of rows with targets between a and b, given that they are there.

    The CRPS of the members between a and b, 0 for targets elsewhere.  Unit: target.

    Holzmann and Klar (2017), doi:10.1214/16-AOAS988; Allen et al. (2023), doi:10.1137/22M1532184
    """
    xp = batch.xp
    counts = (batch.ordered >= a) & (batch.ordered <= b)
    below = xp.cumsum(counts, axis=1)
    inside, some = (batch.target >= a) & (batch.target <= b), below[:, -1] > 0
    level = below[:, :-1] / xp.where(some, below[:, -1], 1)[:, None]
    # Outside the members between a and b the level is 0 or 1, as for the target.
    ordered = xp.minimum(xp.maximum(batch.ordered, a), b)
    score = _crps_at(xp, ordered, batch.target, level)
    return xp.where(inside, xp.where(some, score, xp.inf), 0.0)


@loss(increasing=("a", "b"), domain=TWO)
def vrcrps_ensemble(
    batch: Ensemble, *, a: Extended = -math.inf, b: Extended = math.inf, estimator: Estimator = "qd"
) -> Array:
    """The vertically re-scaled CRPS: all values outside [a, b] count as equal.

    The CRPS of members and target, with 0 in the place of those that are not in [a, b].  Unit: target.

    Allen et al. (2023), doi:10.1137/22M1532184
    """
    xp = batch.xp
    x, y = (xp.where((x >= a) & (x <= b), x, 0.0) for x in (batch.ordered, batch.target))
    return _crps(xp, xp.sort(x, axis=1), y, estimator)


@loss(domain="weights of more than one member where it is unbiased")
def crps_weighted_ensemble(batch: WeightedEnsemble, *, estimator: Literal["nrg", "fair"] = "nrg") -> Array:
    """The CRPS of an ensemble whose members have weights.

    l = sum w |x - y| - sum sum w w' |x - x'| / 2; for fair the double sum is over pairs of different members
    and divided by 1 - sum w^2.  Unit: target.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437
    """
    xp = batch.xp
    order = xp.argsort(batch.members, axis=1)
    ordered = xp.take_along_axis(batch.members, order, axis=1)
    weights = xp.take_along_axis(batch.weights, order, axis=1)
    below = xp.cumsum(weights, axis=1)
    level = below[:, :-1] / below[:, -1:]
    if estimator == "nrg":
        return _crps_at(xp, ordered, batch.target, level)
    squares = xp.sum(weights * weights, axis=1) / (below[:, -1] * below[:, -1])
    unbiased = (1.0 - squares) / squares
    return _crps_at(xp, ordered, batch.target, level, xp.where(unbiased > 0, unbiased, xp.nan))


@loss("dssuv_ensemble", "dawid_sebastiani", best=None, domain="members that differ")
def dawid_sebastiani_ensemble(batch: Ensemble, *, bias: bool = False) -> Array:
    """The log score of a normal distribution with the ensemble's mean and deviation, without constants.

    l = ((y - m) / s)^2 + 2 log s; the variance s^2 divides by M - 1, with `bias` by M.  Unit: nat.

    Dawid and Sebastiani (1999), doi:10.1214/aos/1018031101
    """
    deviation = batch.deviation(bias)
    z = batch.error / deviation
    return z * z + 2.0 * batch.xp.log(deviation)


@loss("ess", domain="three members or more")
def error_spread_score(batch: Ensemble) -> Array:
    """The mismatch between the squared error and that expected from the ensemble's spread and skewness.

    l = (s^2 - e^2 - e s g)^2, e = m - y, with the members' deviation s (over M - 1) and
    g = sum ((x - m) / s)^3 / ((M - 1) (M - 2)).  Unit: target^4.

    Christensen et al. (2015), doi:10.1002/qj.2375, with the g of scoringrules
    """
    xp, e, s = batch.xp, batch.error, batch.deviation(bias=False)
    z = batch.centred / xp.where(s == 0, 1.0, s)[:, None]
    pairs = (batch.size - 1) * (batch.size - 2)
    skewness = xp.sum(z * z * z, axis=1) / (pairs or xp.nan)
    gap = s * s - e * e - e * s * skewness
    return gap * gap


@loss("es_ensemble", domain=TWO)
def energy_score(batch: MultivariateEnsemble, *, estimator: Literal["nrg", "fair"] = "nrg") -> Array:
    """The CRPS of vectors, with Euclidean distances.

    l = mean |x - y| - mean |x - x'| / 2; for fair the mean of |x - x'| is over pairs of different members.
    Unit: target.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437
    """
    xp, x, size = batch.xp, batch.members, batch.size
    pairs = sum(xp.sum(length(xp, x[:, step:] - x[:, : size - step]), axis=1) for step in range(1, size)) / (
        size * (size if estimator == "nrg" else size - 1) or xp.nan
    )
    return xp.mean(length(xp, x - batch.target[:, None, :]), axis=1) - pairs


@loss("vs_ensemble", domain=TWO)
def variogram_score(
    batch: MultivariateEnsemble, *, p: Positive = 0.5, estimator: Literal["nrg", "fair"] = "nrg"
) -> Array:
    """The mismatch between the differences of dimensions in the target and in the ensemble.

    l = sum over dimensions i and j of (|y_i - y_j|^p - mean |x_i - x_j|^p)^2; fair takes away what M
    members add to it.  Unit: target^(2p).

    Scheuerer and Hamill (2015), doi:10.1175/MWR-D-14-00269.1
    """
    xp, x, y, size = batch.xp, batch.members, batch.target, batch.size
    total = xp.zeros(len(y))
    for step in range(1, y.shape[1]):
        forecast = xp.abs(x[:, :, step:] - x[:, :, :-step]) ** p
        mean = xp.mean(forecast, axis=1)
        total += xp.sum((xp.abs(y[:, step:] - y[:, :-step]) ** p - mean) ** 2, axis=1)
        if estimator == "fair":
            total -= xp.sum((forecast - mean[:, None, :]) ** 2, axis=(1, 2)) / (size * (size - 1))
    return 2.0 * total
