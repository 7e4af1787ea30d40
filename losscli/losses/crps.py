"""The continuous ranked probability score of distributions, in closed form.

CRPS = E|X - y| - E|X - X'| / 2.  For most distributions E|X - y| = (y - mean) (2 F(y) - 1) + an edge term
with the density at y, which avoids cancellation if the distribution is narrow compared with its mean.
"""

from __future__ import annotations

import math
from functools import partial

from losscli.catalog.registry import loss
from losscli.losses.log_score import binomial_score, negbinom_score
from losscli.losses.positive import poisson_score
from losscli.numeric.arrays import Array, Namespace, by_case
from losscli.numeric.quadrature import chunks
from losscli.numeric.special import factorial_excess, gamma_half_step, log1psq, special
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

SQRT2, SQRT_PI = math.sqrt(2.0), math.sqrt(math.pi)


@loss("crps")
def crps_normal(batch: Normal) -> Array:
    """The CRPS of the normal distribution.

    l = sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt pi), z = (y - mu) / sigma.  Unit: target.

    Gneiting et al. (2005), doi:10.1175/MWR2904.1
    """
    xp, z = batch.xp, batch.xp.abs(batch.z)
    edge = math.sqrt(2.0 / math.pi) * xp.exp(-z * z / 2)
    return xp.abs(batch.error) * special(xp).erf(z / SQRT2) + batch.sigma * (edge - 1.0 / SQRT_PI)


@loss()
def crps_lognormal(batch: LogNormal) -> Array:
    """The CRPS of the log-normal distribution.

    l = y (2 Phi(z) - 1) - 2 m (Phi(z - s) + Phi(s / sqrt 2) - 1), m the mean, s = sigmalog,
    z = (log y - mulog) / s.  Unit: target.

    Baran and Lerch (2015), doi:10.1002/qj.2521
    """
    xp, erf, z, sigma = batch.xp, special(batch.xp).erf, batch.of_log.z, batch.sigmalog
    mean = xp.exp(batch.mulog + sigma * sigma / 2)
    balance = erf((z - sigma) / SQRT2) + erf(sigma / 2)
    return batch.target * erf(z / SQRT2) - mean * balance


@loss()
def crps_logistic(batch: Logistic) -> Array:
    """The CRPS of the logistic distribution.

    l = sigma (|z| + 2 log(1 + exp(-|z|)) - 1), z = (y - mu) / sigma.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp = batch.xp
    edge = 2.0 * xp.log1p(xp.exp(-xp.abs(batch.z)))
    return xp.abs(batch.error) + batch.sigma * (edge - 1.0)


@loss()
def crps_laplace(batch: Laplace) -> Array:
    """The CRPS of the Laplace distribution.

    l = |y - location| + scale (exp(-|z|) - 3/4), z = (y - location) / scale.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp = batch.xp
    return xp.abs(batch.error) + batch.scale * (xp.exp(-xp.abs(batch.z)) - 0.75)


@loss("crps_t", domain="df above 1")
def crps_student_t(batch: StudentT) -> Array:
    """The CRPS of Student's t distribution.

    l = scale (z (2 F(z) - 1) + 2 f(z) (df + z^2) / (df - 1)
    - 2 sqrt(df) B(1/2, df - 1/2) / ((df - 1) B(1/2, df/2)^2)), z = (y - location) / scale.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp = batch.xp
    df = xp.where(batch.df > 1, batch.df, xp.nan)
    ratio = batch.z / xp.sqrt(df)
    share = ratio / xp.hypot(1.0, ratio)
    inner = special(xp).betainc(0.5, df / 2, share * share)
    half = gamma_half_step(xp, df / 2)
    edge = math.sqrt(2.0 / math.pi) * half * xp.exp(-(df - 1.0) / 2 * log1psq(xp, ratio))
    spread = half * half * xp.sqrt(df / (df - 0.5)) / (SQRT_PI * gamma_half_step(xp, df - 0.5))
    return xp.abs(batch.error) * inner + batch.scale * (df / (df - 1.0)) * (edge - spread)


@loss()
def crps_exponential(batch: Exponential) -> Array:
    """The CRPS of the exponential distribution.

    l = |y| - 2 F(y) / rate + 1 / (2 rate), F(y) = 1 - exp(-rate y) from zero on.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp, y, rate = batch.xp, batch.target, batch.rate
    below = -xp.expm1(-rate * xp.maximum(y, 0.0))
    return xp.abs(y) + (0.5 - 2.0 * below) / rate


@loss()
def crps_gamma(batch: Gamma) -> Array:
    """The CRPS of the gamma distribution.

    l = y (2 F(y; shape) - 1) - mean (2 F(y; shape + 1) - 1) - 1 / (rate B(1/2, shape)).  Unit: target.

    Moeller and Scheuerer (2015), doi:10.1002/qj.2507
    """
    xp, shape, rate = batch.xp, batch.shape, batch.rate
    mean, scaled = shape / rate, rate * xp.maximum(batch.target, 0.0)
    balance = 2.0 * special(xp).gammainc(shape, scaled) - 1.0
    edge = 2.0 * shape * xp.exp(-poisson_score(xp, shape, scaled, xp.log(scaled)))
    return (batch.target - mean) * balance + (edge - mean_excess(xp, shape)) / rate


def mean_excess(xp: Namespace, shape: Array) -> Array:
    """E|X - X'| / 2 of the gamma distribution with rate 1."""
    return gamma_half_step(xp, shape) * xp.sqrt(shape) / SQRT_PI


@loss()
def crps_beta(batch: Beta) -> Array:
    """The CRPS of the beta distribution.

    l = y (2 F(y; a, b) - 1) - mean (2 F(y; a + 1, b) - 1) - 2 B(2 a, 2 b) mean / (a B(a, b)^2).
    Unit: target.

    Taillardat et al. (2016), doi:10.1175/MWR-D-15-0260.1
    """
    xp, a, b = batch.xp, batch.a, batch.b
    y, mean, other = xp.clip(batch.target, 0.0, 1.0), a / (a + b), b / (a + b)
    balance = 2.0 * special(xp).betainc(a, b, y) - 1.0
    edge = 2.0 * mean * other * xp.exp(-binomial_score(xp, a, b, y))
    twice, once = (
        factorial_excess(xp, k * a) + factorial_excess(xp, k * b) - factorial_excess(xp, k * (a + b))
        for k in (2.0, 1.0)
    )
    return (batch.target - mean) * balance + edge - mean * other * xp.exp(twice - 2.0 * once)


@loss()
def crps_uniform(batch: Uniform) -> Array:
    """The CRPS of the uniform distribution.

    l = |y - x| + (max - min) (u^2 - u + 1/3), x the nearest number in the range, u where it stands in it.
    Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp, y, width = batch.xp, batch.target, batch.max - batch.min
    nearest = xp.minimum(xp.maximum(y, batch.min), batch.max)
    off_centre = (nearest - batch.min) / width - 0.5
    return xp.abs(y - nearest) + width * (off_centre * off_centre + 1.0 / 12.0)


@loss()
def crps_poisson(batch: Poisson) -> Array:
    """The CRPS of the Poisson distribution.

    l = (y - m) (2 F(y) - 1) + 2 m f(y) - m exp(-2 m) (I0(2 m) + I1(2 m)), m the mean.  Unit: target.

    Wei and Held (2014), doi:10.1007/s11749-014-0380-8
    """
    xp, y, mean = batch.xp, batch.floor, batch.mean
    balance = batch.reached(2.0 * special(xp).gammaincc(y + 1.0, mean) - 1.0, -1.0)
    edge = batch.reached(2.0 * mean * xp.exp(-poisson_score(xp, y, mean, xp.log(mean))), 0.0)
    spread = mean * (special(xp).i0e(2.0 * mean) + special(xp).i1e(2.0 * mean))
    return (batch.target - mean) * balance + (edge - spread)


@loss()
def crps_binomial(batch: Binomial) -> Array:
    """The CRPS of the binomial distribution.

    l = sum over k of (F(k) - [y <= k])^2.  Unit: target.

    Jordan et al. (2019), doi:10.18637/jss.v090.i12
    """
    xp, n, prob = batch.xp, batch.n, batch.prob
    y, mean = xp.minimum(batch.floor, n), n * prob
    above = special(xp).betainc(y + 1.0, xp.maximum(n - y, 0.5), prob)
    balance = batch.reached(1.0 - 2.0 * xp.where(y < n, above, 0.0), -1.0)
    edge = batch.reached(2.0 * prob * (n - y) * xp.exp(-binomial_score(xp, y, n - y, prob)), 0.0)
    share = 4.0 * prob * (1.0 - prob)
    spread = n * share / math.pi * _mean_power(xp, n, share)
    return (batch.target - mean) * balance + (edge - spread)


@loss()
def crps_negbinom(batch: NegativeBinomial) -> Array:
    """The CRPS of the negative binomial distribution.

    l = sum over k of (F(k) - [y <= k])^2.  Unit: target.

    Wei and Held (2014), doi:10.1007/s11749-014-0380-8
    """
    xp, y, n, prob = batch.xp, batch.floor, batch.n, batch.prob
    other, mean = 1.0 - prob, n * (1.0 - prob) / prob
    balance = batch.reached(2.0 * special(xp).betainc(n, y + 1.0, prob) - 1.0, -1.0)
    edge = batch.reached(2.0 * other / prob * (n + y) * xp.exp(-negbinom_score(xp, y, n, prob)), 0.0)
    cases = ((n >= 1.0, partial(_negbinom_spread, xp)), (n < 1.0, partial(_dispersed_spread, xp)))
    return (batch.target - mean) * balance + (edge - by_case(xp, cases, n, prob))


# The spread is E|X - X'| / 2 of two independent counts with the characteristic function phi: the integral of
# (1 - |phi|^2) / (4 pi sin(t / 2)^2) over t in (0, pi), by parts that of -(|phi|^2)' cot(t / 2) / (2 pi).


def _negbinom_spread(xp: Namespace, n: Array, prob: Array) -> Array:
    """The spread by parts, where tan(t / 2) = tan(s) prob / (2 - prob) gives the form of the binomial one."""
    other, rest = 1.0 - prob, 2.0 - prob
    share = 4.0 * other / (rest * rest)
    return n * 4.0 * other / (prob * rest * math.pi) * _mean_power(xp, n, share)


STEP, LAST = 0.11, 38
"""Step and number of steps of the integration below; a finer or longer grid gives the same float64 result."""


def _mean_power(xp: Namespace, n: Array, share: Array) -> Array:
    """The integral of cos(s)^2 (1 - share sin(s)^2)^(n - 1) over s in (0, pi / 2); share <= 1.

    n is at least 1, or 0, for which the result is not used.  With sin s = tanh u it is that of
    cosh(u)^-3 (1 - share tanh(u)^2)^(n - 1) over u > 0, and with u = sinh(w) / sqrt(2 + n share) the
    trapezoidal rule converges double-exponentially, whatever n is (Takahasi and Mori 1974).
    """
    total = xp.empty_like(share)
    for rows in chunks(xp, xp.arange(len(share))):
        own, power = share[rows], n[rows] - 1.0
        unit = 1.0 / xp.sqrt(2.0 + n[rows] * own)
        part = 0.5 * xp.ones_like(own)
        for step in range(1, LAST + 1):
            u = math.sinh(step * STEP) * unit
            base = xp.log1p(-xp.minimum(own * xp.tanh(u) ** 2, BELOW_ONE))
            part += math.cosh(step * STEP) * xp.exp(power * base) / xp.cosh(u) ** 3
        total[rows] = STEP * unit * part
    return total


BELOW_ONE = 1.0 - 2.0**-53
FINE_STEP, END = 0.06, 4.4
"""Step and end of the integration below; a finer or longer grid gives the same result in float64."""


def _dispersed_spread(xp: Namespace, n: Array, prob: Array) -> Array:
    """The spread of the negative binomial distribution for any n.

    With tan(t / 2) = exp(v) it is the integral of (1 - |phi|^2) exp(-v) / (2 pi) over all v, and with
    v = -log(4 variance) / 2 + sinh(w) the trapezoidal rule converges double-exponentially.
    """
    dispersion = 4.0 * (1.0 - prob) / prob / prob
    variance = n * dispersion / 4
    scale = 2.0 * xp.sqrt(xp.where(variance > 0, variance, 1.0))
    total = xp.zeros_like(scale)
    last = int(END / FINE_STEP)
    for step in range(-last, last + 1):
        moved = math.sinh(step * FINE_STEP)
        share = 1.0 / (1.0 + math.exp(-2.0 * moved) * scale * scale)
        square = xp.expm1(-n * xp.log1p(dispersion * share))
        total -= math.cosh(step * FINE_STEP) * math.exp(-moved) * square
    return xp.where(variance > 0, scale * total * (FINE_STEP / (2.0 * math.pi)), 0.0)
