"""Losses of regression on counts and positive amounts: unit deviances of exponential families."""

from __future__ import annotations

import math

from losscli.losses.registry import loss
from losscli.params import Power
from losscli.tasks.regression import Regression
from losscli.xp import Array, Namespace, log1pmx


def _gap(xp: Namespace, a: Array, b: Array) -> Array:
    """T - 1 - log t with t = a / b, both positive: zero at a = b, without cancellation near it."""
    relative = (a - b) / b
    near = xp.abs(relative) < 0.4
    t = xp.where(near, 1.0, a / b)
    return xp.where(near, -log1pmx(xp, xp.where(near, relative, 0.0)), t - 1.0 - xp.log(t))


def _poisson(xp: Namespace, y: Array, mean: Array) -> Array:
    valid = (mean > 0) & (y >= 0)
    zero = y == 0
    deviance = 2.0 * y * _gap(xp, mean, xp.where(zero, mean, y))
    return xp.where(valid, xp.where(zero, 2.0 * mean, deviance), xp.nan)


def _gamma(xp: Namespace, y: Array, mean: Array) -> Array:
    return xp.where((mean > 0) & (y > 0), 2.0 * _gap(xp, y, mean), xp.nan)


@loss("poisson_deviance", domain="predictions above 0, targets at least 0")
def mean_poisson_deviance(batch: Regression) -> Array:
    """Twice the log-likelihood lost against a perfect rate: for counts.

    l = 2 (y log(y / mean) - y + mean).  Unit: target.

    McCullagh and Nelder (1989), Generalized Linear Models, table 2.1
    """
    return _poisson(batch.xp, batch.target, batch.prediction)


@loss("gamma_deviance", "gamma-deviance", domain="predictions and targets above 0")
def mean_gamma_deviance(batch: Regression) -> Array:
    """Errors relative to the prediction, whatever the scale: for positive amounts.

    l = 2 (log(mean / y) + y / mean - 1).  Unit: 1.

    McCullagh and Nelder (1989), Generalized Linear Models, table 2.1
    """
    return _gamma(batch.xp, batch.target, batch.prediction)


@loss(
    "tweedie_deviance",
    "tweedie_deviance_score",
    domain="predictions above 0 and targets at least 0 (above 0 from power 2 on; any targets up to power 0)",
)
def mean_tweedie_deviance(batch: Regression, *, power: Power = 0.0) -> Array:
    """Deviance of the family whose variance is mean^power: 0 squared error, 1 Poisson, 2 gamma.

    l = 2 (y^(2-p) / ((1-p)(2-p)) - y mean^(1-p) / (1-p) + mean^(2-p) / (2-p)).  Unit: target^(2-p).

    Jorgensen (1987), doi:10.1111/j.2517-6161.1987.tb01685.x
    """
    xp, y, mean = batch.xp, batch.target, batch.prediction
    if power == 0:
        return batch.squared_error
    if power == 1:
        return _poisson(xp, y, mean)
    if power == 2:
        return _gamma(xp, y, mean)
    valid = (mean > 0) & ((y > 0) if power > 2 else (y >= 0) if power > 0 else (y == y))
    safe_mean = xp.where(valid, mean, 1.0)
    return xp.where(valid, 2.0 * _half_tweedie(xp, xp.where(valid, y, 1.0), safe_mean, power), xp.nan)


def _half_tweedie(xp: Namespace, y: Array, mean: Array, power: float) -> Array:
    """With a = 1 - p, b = 2 - p and differences of powers d_c = (y^c - mean^c) / c.

    (y d_a - mean^b r) / b or, nearer to p = 2, (d_b - mean^b r) / a, where r = (y - mean) / mean: neither
    cancels away from y = mean.  Near it the series mean^b sum_k s^k / k! (1 + b + ... + b^(k-2)) in
    s = log(y / mean) does not.  A target of zero or below has no powers: they count as zero.
    """
    a, b = 1.0 - power, 2.0 - power
    c = a if abs(a) <= abs(b) else b
    positive = y > 0
    own = xp.where(positive, y, mean)
    relative = (y - mean) / mean
    close = xp.abs(relative) < 0.4
    s = xp.where(close, xp.log1p(xp.where(close, relative, 0.0)), xp.log(own / mean))
    mean_b, mean_c = xp.power(mean, b), xp.power(mean, c)
    grown = xp.where(xp.abs(c * s) < 1.0, mean_c * xp.expm1(c * s), xp.power(own, c) - mean_c)
    difference = xp.where(positive, grown, -mean_c) / c
    far = (y * difference - mean_b * relative) / b if c == a else (difference - mean_b * relative) / a
    near = positive & (xp.abs(s) * max(1.0, abs(b)) < 1.0)
    s = xp.where(near, s, 0.0)
    series = xp.zeros_like(s)
    for k in range(21, 1, -1):
        series = series * s + sum(b**i for i in range(k - 1)) / math.factorial(k)
    return xp.where(near, mean_b * (series * s * s), far)
