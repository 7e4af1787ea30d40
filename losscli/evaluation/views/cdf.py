"""Distribution functions at the target, for the PIT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from losscli.numeric.arrays import Array
from losscli.numeric.softmax import expit
from losscli.numeric.special import special
from losscli.tasks.base import Batch
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

Function = Callable[[Any, Array], Array]


def _normal(batch: Normal, y: Array) -> Array:
    return special(batch.xp).ndtr((y - batch.mu) / batch.sigma)


def _logistic(batch: Logistic, y: Array) -> Array:
    return expit(batch.xp, (y - batch.mu) / batch.sigma)


def _laplace(batch: Laplace, y: Array) -> Array:
    xp, z = batch.xp, (y - batch.location) / batch.scale
    tail = 0.5 * xp.exp(-xp.abs(z))
    return xp.where(z < 0, tail, 1.0 - tail)


def _student_t(batch: StudentT, y: Array) -> Array:
    xp, z = batch.xp, (y - batch.location) / batch.scale
    tail = 0.5 * special(xp).betainc(batch.df / 2, 0.5, batch.df / (batch.df + z * z))
    return xp.where(z < 0, tail, 1.0 - tail)


def _lognormal(batch: LogNormal, y: Array) -> Array:
    return _normal(batch.of_log, batch.of_log.target)


def _exponential(batch: Exponential, y: Array) -> Array:
    return -batch.xp.expm1(-batch.rate * batch.xp.maximum(y, 0.0))


def _gamma(batch: Gamma, y: Array) -> Array:
    return special(batch.xp).gammainc(batch.shape, batch.rate * batch.xp.maximum(y, 0.0))


def _beta(batch: Beta, y: Array) -> Array:
    return special(batch.xp).betainc(batch.a, batch.b, batch.xp.clip(y, 0.0, 1.0))


def _uniform(batch: Uniform, y: Array) -> Array:
    return batch.xp.clip((y - batch.min) / (batch.max - batch.min), 0.0, 1.0)


def _poisson(batch: Poisson, y: Array) -> Array:
    xp = batch.xp
    return xp.where(y < 0, 0.0, special(xp).gammaincc(xp.maximum(y, 0.0) + 1.0, batch.mean))


def _binomial(batch: Binomial, y: Array) -> Array:
    xp = batch.xp
    inside = (y >= 0) & (y < batch.n)
    count = xp.where(inside, y, 0.0)
    found = special(xp).betainc(xp.maximum(batch.n - count, 1.0), count + 1.0, 1.0 - batch.prob)
    return xp.where(inside, found, xp.where(y < 0, 0.0, 1.0))


def _negative_binomial(batch: NegativeBinomial, y: Array) -> Array:
    xp = batch.xp
    return xp.where(y < 0, 0.0, special(xp).betainc(batch.n, xp.maximum(y, 0.0) + 1.0, batch.prob))


_CONTINUOUS: Mapping[type[Batch], Function] = {
    Normal: _normal,
    Logistic: _logistic,
    Laplace: _laplace,
    StudentT: _student_t,
    LogNormal: _lognormal,
    Exponential: _exponential,
    Gamma: _gamma,
    Beta: _beta,
    Uniform: _uniform,
}
_DISCRETE: Mapping[type[Batch], Function] = {
    Poisson: _poisson,
    Binomial: _binomial,
    NegativeBinomial: _negative_binomial,
}


def at_target(batch: Any) -> tuple[Array, Array] | None:
    """The probability of less than the target and of at most the target (n,); None if there is no formula."""
    kind = type(batch)
    if (function := _CONTINUOUS.get(kind)) is not None:
        found = function(batch, batch.target)
        return found, found
    if (function := _DISCRETE.get(kind)) is not None:
        count = batch.xp.floor(batch.target)
        return function(batch, count - 1.0), function(batch, count)
    return None
