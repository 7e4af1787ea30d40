"""Log scores of ensembles: their members as kernels of a density, or as a normal distribution."""

from __future__ import annotations

import math

from losscli.catalog.params import Extended, Positive
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.special import special
from losscli.tasks.ensemble import Ensemble, MultivariateEnsemble

HALF_LOG_2PI = math.log(2.0 * math.pi) / 2
DIFFER = "members that differ, also between their quartiles"


def _bandwidth(batch: Ensemble, given: float | None) -> Array:
    """The standard deviation of the kernels (n, 1), NaN if the rule of thumb gives zero."""
    xp = batch.xp
    if given is not None:
        return xp.full((len(batch.target), 1), given)
    spread = xp.minimum(batch.deviation(bias=False), batch.interquartile_range / 1.34)
    width = 1.06 * spread * batch.size**-0.2
    return xp.where(width > 0, width, xp.nan)[:, None]


def _log_mean(xp: Namespace, logs: Array) -> Array:
    """The logarithm of the mean (n,) of numbers given by their logarithms (n, k)."""
    top = xp.max(logs, axis=1)
    safe = xp.where(top > -xp.inf, top, 0.0)
    mean = xp.mean(xp.exp(logs - safe[:, None]), axis=1)
    return xp.where(top > -xp.inf, safe + xp.log(xp.where(mean > 0, mean, 1.0)), top)


def _density(batch: Ensemble, width: Array) -> Array:
    z = (batch.target[:, None] - batch.members) / width
    return HALF_LOG_2PI + batch.xp.log(width[:, 0]) - _log_mean(batch.xp, -z * z / 2)


@loss("logs_ensemble", "log_score", best=None, domain=DIFFER)
def log_score_ensemble(batch: Ensemble, *, bandwidth: Positive | None = None) -> Array:
    """The log score of a density of normal kernels at the members.

    l = -log mean phi((y - x) / h) / h, phi the standard normal density, h the bandwidth, by default
    Silverman's: h = 1.06 min(s, IQR / 1.34) M^(-1/5).  Unit: nat.

    Silverman (1986), Density Estimation for Statistics and Data Analysis, section 3.4
    """
    return _density(batch, _bandwidth(batch, bandwidth))


@loss("clogs_ensemble", best=None, increasing=("a", "b"), domain=DIFFER)
def censored_log_score_ensemble(
    batch: Ensemble,
    *,
    a: Extended = -math.inf,
    b: Extended = math.inf,
    cens: bool = True,
    bandwidth: Positive | None = None,
) -> Array:
    """The log score of a density of normal kernels at the members, of which only values from a to b count.

    l = log_score_ensemble for targets between a and b, for others -log P, P the probability outside; without
    `cens` given that the target is inside: log_score_ensemble + log(1 - P), and 0 for others.  Unit: nat.

    Diks et al. (2011), doi:10.1016/j.jeconom.2011.04.001
    """
    xp, log_ndtr = batch.xp, special(batch.xp).log_ndtr
    width = _bandwidth(batch, bandwidth)
    low, high = (a - batch.members) / width, (b - batch.members) / width
    inside = (batch.target > a) & (batch.target < b)
    score = _density(batch, width)
    if cens:
        return xp.where(inside, score, -_log_mean(xp, xp.logaddexp(log_ndtr(low), log_ndtr(-high))))
    # The difference is accurate in the tail on the side of the interval.
    right = low > 0
    near, far = log_ndtr(xp.where(right, -low, high)), log_ndtr(xp.where(right, -high, low))
    between = near + xp.log1p(-xp.exp(far - near))
    given = xp.where(score < xp.inf, score + _log_mean(xp, between), score)
    return xp.where(inside, given, xp.where(score == score, 0.0, score))


@loss("dssmv_ensemble", best=None, domain="more members than dimensions, none in a plane")
def dawid_sebastiani_multivariate(batch: MultivariateEnsemble, *, bias: bool = False) -> Array:
    """The log score of a multivariate normal distribution with the ensemble's moments, without constants.

    l = (y - m)' S^-1 (y - m) + log det S; the covariances S divide by M - 1, with `bias` by M.  Unit: nat.

    Dawid and Sebastiani (1999), doi:10.1214/aos/1018031101
    """
    xp, size = batch.xp, batch.size
    error = xp.mean(batch.target[:, None, :] - batch.members, axis=1)
    count = float(size if bias else size - 1)
    squares, logs = xp.zeros(len(error)), xp.zeros(len(error))
    # S = R'R / count with R from a QR decomposition of the centred members, more accurate than squaring them.
    basis: list[tuple[Array, Array]] = []
    for d in range(error.shape[1]):
        residual, scaled = batch.centred[:, :, d], error[:, d]
        total_length = xp.sqrt(xp.sum(residual * residual, axis=1))
        for direction, coordinate in basis:
            along = xp.sum(direction * residual, axis=1)
            residual, scaled = residual - along[:, None] * direction, scaled - along * coordinate
        remaining_length = xp.sqrt(xp.sum(residual * residual, axis=1))
        remaining_length = xp.where(remaining_length > 1e-13 * total_length, remaining_length, xp.nan)
        scaled = scaled / remaining_length
        basis.append((residual / remaining_length[:, None], scaled))
        squares, logs = squares + scaled * scaled, logs + xp.log(remaining_length)
    dimensions = error.shape[1]
    return count * squares + (2.0 * logs - dimensions * math.log(count or math.nan))
