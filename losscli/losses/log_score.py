"""Log scores of distributions: minus the logarithm of the density, or of the probability of a count."""

from __future__ import annotations

import math

from msgspec.structs import replace

from losscli.catalog.loss import Replacement
from losscli.catalog.params import NonNegative
from losscli.catalog.registry import loss
from losscli.losses.positive import poisson_score
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.softmax import kl_div
from losscli.numeric.special import factorial_excess, gamma_half_step, log1psq
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

COUNTS = "targets that are counts: whole numbers from 0"
HALF_LOG_2PI = math.log(2.0 * math.pi) / 2


@loss(
    "GaussianNLLLoss",
    "RMSEWithUncertainty",
    "gaussian_nll_loss",
    best=None,
    replaces=Replacement(
        "raises the variance to min_variance={min_variance}",
        lambda batch, params: batch.sigma < math.sqrt(params["min_variance"]),
    ),
)
def gaussian_nll(batch: Normal, *, full: bool = False, min_variance: NonNegative = 0.0) -> Array:
    """The log score of the normal distribution without its constant, which `full` adds.

    l = log sigma + z^2 / 2 (+ log(2 pi) / 2), z = (y - mu) / sigma, where sigma^2 is at least min_variance.
    Unit: nat.

    Nix and Weigend (1994), doi:10.1109/ICNN.1994.374138
    """
    if min_variance:
        batch = replace(batch, sigma=batch.xp.maximum(batch.sigma, math.sqrt(min_variance)))
    score = batch.xp.log(batch.sigma) + batch.z * batch.z / 2
    return score + HALF_LOG_2PI if full else score


@loss("logs_normal", "log_score", best=None)
def log_score_normal(batch: Normal) -> Array:
    """The log score of the normal distribution.

    l = log sigma + z^2 / 2 + log(2 pi) / 2, z = (y - mu) / sigma.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return gaussian_nll(batch, full=True)


@loss("logs_lognormal", best=None)
def log_score_lognormal(batch: LogNormal) -> Array:
    """The log score of the log-normal distribution; infinite for targets of zero and below.

    l = log y + the log score of the normal distribution at log y.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp = batch.xp
    return xp.where(batch.target > 0, batch.of_log.target + log_score_normal(batch.of_log), xp.inf)


@loss("logs_logistic", best=None)
def log_score_logistic(batch: Logistic) -> Array:
    """The log score of the logistic distribution.

    l = |z| + 2 log(1 + exp(-|z|)) + log sigma, z = (y - mu) / sigma.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, size = batch.xp, batch.xp.abs(batch.z)
    return size + 2.0 * xp.log1p(xp.exp(-size)) + xp.log(batch.sigma)


@loss("logs_laplace", best=None)
def log_score_laplace(batch: Laplace) -> Array:
    """The log score of the Laplace distribution.

    l = |y - location| / scale + log(2 scale).  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return batch.xp.abs(batch.z) + batch.xp.log(2.0 * batch.scale)


@loss("logs_t", best=None)
def log_score_student_t(batch: StudentT) -> Array:
    """The log score of Student's t distribution.

    l = (df + 1) / 2 log(1 + z^2 / df) + log(scale sqrt(df) B(1/2, df/2)), z = (y - location) / scale.
    Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, df = batch.xp, batch.df
    constant = HALF_LOG_2PI - xp.log(gamma_half_step(xp, df / 2))
    return (df + 1.0) / 2 * log1psq(xp, batch.z / xp.sqrt(df)) + (xp.log(batch.scale) + constant)


@loss("logs_exponential", best=None)
def log_score_exponential(batch: Exponential) -> Array:
    """The log score of the exponential distribution; infinite for targets below zero.

    l = rate y - log rate.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, y = batch.xp, batch.target
    return xp.where(y >= 0, batch.rate * y - xp.log(batch.rate), xp.inf)


@loss("logs_gamma", best=None)
def log_score_gamma(batch: Gamma) -> Array:
    """The log score of the gamma distribution; infinite for targets below zero.

    l = log gamma(shape) - shape log rate - (shape - 1) log y + rate y.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, y, shape, rate = batch.xp, batch.target, batch.shape, batch.rate
    inside = xp.where(y > 0, y, 1.0)
    mean = rate * inside
    score = poisson_score(xp, shape, mean, xp.log(mean)) + xp.log(inside) - xp.log(shape)
    return xp.where(y > 0, score, xp.where(y == 0, _at_end(xp, shape, rate), xp.inf))


@loss("logs_beta", best=None)
def log_score_beta(batch: Beta) -> Array:
    """The log score of the beta distribution; infinite for targets outside [0, 1].

    l = log B(a, b) - (a - 1) log y - (b - 1) log(1 - y).  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, y, a, b = batch.xp, batch.target, batch.a, batch.b
    between = (y > 0) & (y < 1)
    inside = xp.where(between, y, 0.5)
    ends = xp.log(inside) + xp.log1p(-inside)
    score = binomial_score(xp, a, b, inside) + ends - (xp.log(a) + xp.log(b / (a + b)))
    at_end = xp.where(y == 0, _at_end(xp, a, b), xp.where(y == 1, _at_end(xp, b, a), xp.inf))
    return xp.where(between, score, at_end)


def _at_end(xp: Namespace, power: Array, density: Array) -> Array:
    """The score at an end of the range, where the density behaves like density x^(power - 1)."""
    return xp.where(power < 1, -xp.inf, xp.where(power == 1, -xp.log(density), xp.inf))


@loss("logs_uniform", best=None)
def log_score_uniform(batch: Uniform) -> Array:
    """The log score of the uniform distribution; infinite outside the range.

    l = log(max - min).  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, y = batch.xp, batch.target
    return xp.where((y >= batch.min) & (y <= batch.max), xp.log(batch.max - batch.min), xp.inf)


@loss("logs_poisson", best=None, domain=COUNTS)
def log_score_poisson(batch: Poisson) -> Array:
    """The log score of the Poisson distribution.

    l = log y! - y log mean + mean.  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return poisson_score(batch.xp, batch.count, batch.mean, batch.xp.log(batch.mean))


def binomial_score(xp: Namespace, hits: Array, misses: Array, prob: Array) -> Array:
    """-log(C(n, hits) prob^hits (1 - prob)^misses), n = hits + misses, for any numbers >= 0 (Loader 2000)."""
    n = hits + misses
    rate, other = n * prob, n * (1.0 - prob)
    gap = misses * prob - hits * (1.0 - prob)
    return (
        factorial_excess(xp, hits)
        + factorial_excess(xp, misses)
        - factorial_excess(xp, n)
        + kl_div(xp, hits, rate, xp.log(rate), gap)
        + kl_div(xp, misses, other, xp.log(other), -gap)
    )


@loss("logs_binomial", best=None, domain=COUNTS)
def log_score_binomial(batch: Binomial) -> Array:
    """The log score of the binomial distribution; infinite for targets above n.

    l = -log(C(n, y) prob^y (1 - prob)^(n - y)).  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    xp, misses = batch.xp, batch.n - batch.count
    score = binomial_score(xp, batch.count, xp.maximum(misses, 0.0), batch.prob)
    return xp.where(misses < 0, xp.inf, score)


@loss("logs_negbinom", best=None, domain=COUNTS)
def log_score_negbinom(batch: NegativeBinomial) -> Array:
    """The log score of the negative binomial distribution.

    l = -log(gamma(n + y) / (gamma(n) y!) prob^n (1 - prob)^y).  Unit: nat.

    Good (1952), Rational decisions, J. R. Stat. Soc. B 14
    """
    return negbinom_score(batch.xp, batch.count, batch.n, batch.prob)


def negbinom_score(xp: Namespace, count: Array, n: Array, prob: Array) -> Array:
    """-log of the probability of `count` failures before n successes."""
    return xp.log1p(count / n) + binomial_score(xp, n, count, prob)
