"""Losses of counts and positive amounts: deviances and likelihoods of exponential families."""

from __future__ import annotations

import math

from msgspec.structs import replace

from losscli.catalog.params import BetweenOneAndTwo, NonNegative, Power
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.softmax import kl_div
from losscli.numeric.special import factorial_excess, log1pmx
from losscli.numeric.two_float import sum_with_product, two_float_log
from losscli.states.reductions import Reduction
from losscli.tasks.regression import Pilot, Regression


def _log_gap(xp: Namespace, a: Array, b: Array) -> Array:
    """T - 1 - log t with t = a / b, both positive; zero at a = b, without cancellation near it."""
    relative, ratio = (a - b) / b, a / b
    near = xp.abs(relative) < 0.4
    far = ratio - 1.0 - xp.log(xp.where(near, 1.0, ratio))
    return xp.where(near, -log1pmx(xp, xp.where(near, relative, 0.0)), far)


def _poisson(xp: Namespace, y: Array, mean: Array) -> Array:
    return xp.where((mean > 0) & (y >= 0), 2.0 * kl_div(xp, y, mean, xp.log(mean), mean - y), xp.nan)


def _gamma(xp: Namespace, y: Array, mean: Array) -> Array:
    return xp.where((mean > 0) & (y > 0), 2.0 * _log_gap(xp, y, mean), xp.nan)


def _tweedie(xp: Namespace, y: Array, mean: Array, power: float) -> Array:
    if power == 0:
        return (y - mean) * (y - mean)
    if power == 1:
        return _poisson(xp, y, mean)
    if power == 2:
        return _gamma(xp, y, mean)
    valid = (mean > 0) & ((y > 0) if power > 2 else (y >= 0) if power > 0 else (y == y))
    safe_mean = xp.where(valid, mean, 1.0)
    return xp.where(valid, 2.0 * _half_tweedie(xp, xp.where(valid, y, 1.0), safe_mean, power), xp.nan)


@loss("poisson_deviance", domain="predictions above 0, targets at least 0")
def mean_poisson_deviance(batch: Regression) -> Array:
    """Twice the log-likelihood lost compared with a perfect rate, for counts.

    l = 2 (y log(y / mean) - y + mean).  Unit: target.

    McCullagh and Nelder (1989), Generalized Linear Models, table 2.1
    """
    return _poisson(batch.xp, batch.target, batch.prediction)


@loss("gamma_deviance", "gamma-deviance", domain="predictions and targets above 0")
def mean_gamma_deviance(batch: Regression) -> Array:
    """Errors relative to the prediction, independent of scale, for positive amounts.

    l = 2 (log(mean / y) + y / mean - 1).  Unit: 1.

    McCullagh and Nelder (1989), Generalized Linear Models, table 2.1
    """
    return _gamma(batch.xp, batch.target, batch.prediction)


TWEEDIE = "predictions above 0 and targets at least 0 (above 0 from power 2 on; any targets up to power 0)"


@loss("tweedie_deviance", "tweedie_deviance_score", domain=TWEEDIE)
def mean_tweedie_deviance(batch: Regression, *, power: Power = 0.0) -> Array:
    """The deviance of the family whose variance is mean^power: 0 squared error, 1 Poisson, 2 gamma.

    l = 2 (y^(2-p) / ((1-p)(2-p)) - y mean^(1-p) / (1-p) + mean^(2-p) / (2-p)).  Unit: target^(2-p).

    Jorgensen (1987), doi:10.1111/j.2517-6161.1987.tb01685.x
    """
    return _tweedie(batch.xp, batch.target, batch.prediction, power)


def _half_tweedie(xp: Namespace, y: Array, mean: Array, power: float) -> Array:
    """Half the Tweedie deviance, without cancellation.

    With a = 1 - p, b = 2 - p, r = (y - mean) / mean and differences of powers d_c = (y^c - mean^c) / c, it is
    (y d_a - mean^b r) / b or, closer to p = 2, (d_b - mean^b r) / a; neither cancels away from y = mean.
    Near y = mean it is the series mean^b sum_k s^k / k! (1 + b + ... + b^(k-2)) in s = log(y / mean).  Powers
    of targets <= 0 are undefined and count as zero.
    """
    a, b = 1.0 - power, 2.0 - power
    c = a if abs(a) <= abs(b) else b
    positive = y > 0
    base = xp.where(positive, y, mean)
    relative = (y - mean) / mean
    close = xp.abs(relative) < 0.4
    s = xp.where(close, xp.log1p(xp.where(close, relative, 0.0)), xp.log(base / mean))
    mean_b, mean_c = xp.power(mean, b), xp.power(mean, c)
    grown = xp.where(xp.abs(c * s) < 1.0, mean_c * xp.expm1(c * s), xp.power(base, c) - mean_c)
    difference = xp.where(positive, grown, -mean_c) / c
    far = (y * difference - mean_b * relative) / b if c == a else (difference - mean_b * relative) / a
    near = positive & (xp.abs(s) * max(1.0, abs(b)) < 1.0)
    s = xp.where(near, s, 0.0)
    series = xp.zeros_like(s)
    for k in range(21, 1, -1):
        series = series * s + sum(b**i for i in range(k - 1)) / math.factorial(k)
    return xp.where(near, mean_b * (series * s * s), far)


def _reference(pilot: Pilot, power: float) -> float:
    """A constant prediction near the mean of the targets for which the deviance is defined."""
    return pilot.centre if power == 0 or pilot.centre > 0 else pilot.target_size


def _d2(xp: Namespace, m: Array, pilot: Pilot, power: float) -> Array:
    # The mean deviance from a constant c is that from the mean of y plus the deviance of that mean from c.
    # For squared errors (power 0) the constant is zero, relative to which the mean of y is accurate.
    mean = (pilot.centre if power else 0.0) + pilot.target_unit * m[..., 2]
    constant = xp.full_like(mean, _reference(pilot, power) if power else 0.0)
    return 1.0 - m[..., 0] / (m[..., 1] - _tweedie(xp, mean, constant, power))


@loss(
    "d2_tweedie_score",
    best=1.0,
    score=True,
    reduction=Reduction(_d2, undefined="all targets are equal"),
    domain=TWEEDIE,
)
def d2_tweedie(batch: Regression, *, power: Power = 0.0) -> tuple[Array, Array, Array]:
    """The share of the targets' deviance that predictions explain: 1 is perfect, 0 as good as the mean.

    1 - sum deviance(y, prediction) / sum deviance(y, mean y).  Unit: 1.

    Hastie, Tibshirani and Wainwright (2015), Statistical Learning with Sparsity, eq. 3.11
    """
    xp, y = batch.xp, batch.target
    constant = xp.full_like(y, _reference(batch.pilot, power))
    cost = mean_tweedie_deviance(batch, power=power)
    return cost, _tweedie(xp, y, constant, power), batch.target_in_units


def _with_epsilon(batch: Regression, log_input: bool, epsilon: float) -> tuple[Regression, float]:
    """The batch with epsilon added to its rates, and the amount added."""
    added = 0.0 if log_input else epsilon
    return (replace(batch, prediction=batch.prediction + added) if added else batch), added


def _poisson_nll(batch: Regression, log_input: bool, epsilon: float) -> Array:
    """The difference mean - y log(mean + epsilon), without cancellation."""
    xp, y, mean = batch.xp, batch.target, batch.prediction
    if log_input:
        return xp.where(y >= 0, sum_with_product(xp, xp.exp(mean), -y, mean), xp.nan)
    rate = mean + epsilon
    log, rest = two_float_log(xp, xp.where(rate > 0, rate, 1.0))
    above = sum_with_product(xp, mean, -y, log) - y * rest
    at_zero = xp.where(y == 0, 0.0, xp.inf)
    return xp.where((mean >= 0) & (y >= 0), xp.where(rate == 0, at_zero, above), xp.nan)


def _stirling_nll(batch: Regression, log_input: bool) -> Array:
    """Half the deviance, which does not cancel, plus log(2 pi y) / 2 for y > 0."""
    xp, y, mean = batch.xp, batch.target, batch.prediction
    log_y = xp.log(xp.where(y > 0, y, 1.0))
    if log_input:
        rate = xp.exp(mean)
        half = kl_div(xp, y, rate, mean, rate - y)
    else:
        half = xp.where(mean >= 0, kl_div(xp, y, mean, xp.log(mean), mean - y), xp.nan)
    return xp.where(y > 0, half + (log_y + math.log(2.0 * math.pi)) / 2, half)


def poisson_score(xp: Namespace, count: Array, rate: Array, log_rate: Array) -> Array:
    """log(count!) - count log rate + rate, for any count >= 0, as two terms that do not cancel.

    Loader (2000), Fast and accurate computation of binomial probabilities
    """
    return factorial_excess(xp, count) + kl_div(xp, count, rate, log_rate, rate - count)


RATES = "predictions and targets at least 0 (with log_input any predictions)"


@loss("PoissonNLLLoss", "poisson", "HalfPoissonLoss", "poisson-nloglik", best=None, domain=RATES)
def poisson_nll(
    batch: Regression, *, log_input: bool = False, full: bool = False, epsilon: NonNegative = 0.0
) -> Array:
    """The negative log-likelihood of counts; `full` adds log y!, which does not depend on predictions.

    l = mean - y log(mean + epsilon) [+ log y! if full]; if log_input mean = exp(prediction), and nothing is
    added under the logarithm.  Unit: nat.

    McCullagh and Nelder (1989), Generalized Linear Models, section 6.2
    """
    if not full:
        return _poisson_nll(batch, log_input, epsilon)
    batch, added = _with_epsilon(batch, log_input, epsilon)
    xp, y, mean = batch.xp, batch.target, batch.prediction
    rate, log_rate = (xp.exp(mean), mean) if log_input else (mean, xp.log(mean))
    valid = (y >= 0) & (rate >= 0)
    return xp.where(valid, poisson_score(xp, xp.where(valid, y, 0.0), rate, log_rate) - added, xp.nan)


@loss(best=None, domain=RATES)
def poisson_nll_stirling(batch: Regression, *, log_input: bool = False, epsilon: NonNegative = 0.0) -> Array:
    """The negative log-likelihood of counts with Stirling's approximation of log y! above 1: torch's `full`.

    l = mean - y log(mean + epsilon) + (y log y - y + log(2 pi y) / 2 if y > 1); if log_input
    mean = exp(prediction), and nothing is added under the logarithm.  Unit: nat.

    PyTorch user guide, PoissonNLLLoss
    """
    raised, added = _with_epsilon(batch, log_input, epsilon)
    above = _stirling_nll(raised, log_input) - added
    return batch.xp.where(batch.target > 1.0, above, _poisson_nll(batch, log_input, epsilon))


@loss("gamma", "gamma-nloglik", "HalfGammaLoss", best=None, domain="predictions and targets above 0")
def gamma_nll(batch: Regression) -> Array:
    """The negative log-likelihood of the exponential distribution (gamma of shape 1), for positive amounts.

    l = y / mean + log(mean).  Unit: nat.

    McCullagh and Nelder (1989), Generalized Linear Models, section 8.2
    """
    xp, y, mean = batch.xp, batch.target, batch.prediction
    valid = (mean > 0) & (y > 0)
    mean = xp.where(valid, mean, 1.0)
    log, rest = two_float_log(xp, mean)
    ratio = y / mean
    # The rounding error of the ratio matters, since the ratio and the logarithm may nearly cancel.
    remainder = sum_with_product(xp, y, -ratio, mean) / mean
    value = sum_with_product(xp, ratio, 1.0, log) + (rest + xp.where(xp.isfinite(remainder), remainder, 0.0))
    return xp.where(valid, value, xp.nan)


@loss(
    "tweedie",
    "tweedie-nloglik",
    "HalfTweedieLoss",
    best=None,
    domain="predictions above 0, targets at least 0",
)
def tweedie_nll(batch: Regression, *, power: BetweenOneAndTwo = 1.5) -> Array:
    """The negative quasi-log-likelihood of amounts that are often zero, like insurance claims.

    l = mean^(2-p) / (2-p) - y mean^(1-p) / (1-p).  Unit: target^(2-p).

    Jorgensen (1987), doi:10.1111/j.2517-6161.1987.tb01685.x
    """
    xp, y, mean = batch.xp, batch.target, batch.prediction
    valid = (mean > 0) & (y >= 0)
    mean = xp.where(valid, mean, 1.0)
    # As mean^(2-p) (1 / (2-p) + (y / mean) / (p-1)): both terms are positive.
    value = xp.power(mean, 2.0 - power) * (1.0 / (2.0 - power) + y / mean / (power - 1.0))
    return xp.where(valid, value, xp.nan)
