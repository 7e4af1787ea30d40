"""Scores of distributions of positive numbers whose logarithm is logistic or of a Laplace distribution."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.losses.log_score import log_score_laplace, log_score_logistic
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.stretched import Tails, crps_stretched
from losscli.tasks.distribution import Laplace, Logistic
from losscli.tasks.skewed import LogLaplace, LogLogistic


def _logistic_above(xp: Namespace, w: Array) -> Array:
    x = xp.exp(-w)
    return x / (1.0 + x)


def _logistic_excess(xp: Namespace, w: Array) -> Array:
    x = xp.exp(-w)
    return x * x / (1.0 + x)


LOGISTIC = Tails(lambda xp, w: -w - xp.log1p(xp.exp(-w)), _logistic_above, _logistic_excess)


@loss(domain="sigmalog below 1")
def crps_loglogistic(batch: LogLogistic) -> Array:
    """The CRPS of the log-logistic distribution.

    l = integral of (F(x) - [y <= x])^2 over x, F(x) = 1 / (1 + exp(-v)), v = (log x - mulog) / sigmalog.
    Unit: target.

    Taillardat et al. (2016), doi:10.1175/MWR-D-15-0260.1
    """
    xp = batch.xp
    sigma = xp.where(batch.sigmalog < 1, batch.sigmalog, xp.nan)
    median, v = xp.exp(batch.mulog), (batch.log_target - batch.mulog) / sigma
    score = crps_stretched(xp, v, xp.zeros_like(v), sigma, LOGISTIC)
    return xp.abs(batch.from_median(batch.mulog)) + median * sigma * score


@loss("logs_loglogistic", best=None)
def log_score_loglogistic(batch: LogLogistic) -> Array:
    """The log score of the log-logistic distribution; infinite for targets of zero and below.

    l = log y + the log score of the logistic distribution at log y.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    log_y = batch.log_target
    score = log_score_logistic(Logistic(batch.xp, log_y, batch.mulog, batch.sigmalog))
    return batch.xp.where(batch.target > 0, log_y + score, batch.xp.inf)


@loss(domain="scalelog below 1")
def crps_loglaplace(batch: LogLaplace) -> Array:
    """The CRPS of the log-Laplace distribution.

    l = |y - m| + m s (1 / (4 - s^2) - (1 - exp(-(1 - s) z)) / (1 - s)) with the median m and s = scalelog,
    for z = (log y - log m) / s >= 0; for z < 0 the last fraction is (1 - exp((1 + s) z)) / (1 + s).
    Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp = batch.xp
    s = xp.where(batch.scalelog < 1, batch.scalelog, xp.nan)
    z = (batch.log_target - batch.locationlog) / s
    left = xp.where(z < 0, 1.0 + s, 1.0 - s)
    to_target = -xp.expm1(-left * xp.abs(z)) / left
    spread = 1.0 / (4.0 - s * s)
    return xp.abs(batch.from_median(batch.locationlog)) + xp.exp(batch.locationlog) * s * (spread - to_target)


@loss("logs_loglaplace", best=None)
def log_score_loglaplace(batch: LogLaplace) -> Array:
    """The log score of the log-Laplace distribution; infinite for targets of zero and below.

    l = log y + the log score of the Laplace distribution at log y.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    log_y = batch.log_target
    score = log_score_laplace(Laplace(batch.xp, log_y, batch.locationlog, batch.scalelog))
    return batch.xp.where(batch.target > 0, log_y + score, batch.xp.inf)
