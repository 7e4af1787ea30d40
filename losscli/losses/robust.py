"""Robust losses of the error: quadratic near zero, and growing more slowly or bounded elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable

from losscli.catalog.params import AtLeastOne, NonNegative, Positive
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.special import log1pmx
from losscli.tasks.regression import Regression


@loss("huber_loss", "HuberLoss", "HuberT", tail=("delta", "linear"))
def huber(batch: Regression, *, delta: Positive = 1.0) -> Array:
    """Quadratic near zero, linear in the tails: robust to outliers.

    l = e^2 / 2 if |e| <= delta, else delta (|e| - delta / 2).  Unit: target^2.

    Huber (1964), doi:10.1214/aoms/1177703732
    """
    inner = batch.xp.minimum(batch.abs_error, delta)
    return inner * (batch.abs_error - 0.5 * inner)


@loss("SmoothL1Loss", tail=("beta", "linear"))
def smooth_l1(batch: Regression, *, beta: Positive = 1.0) -> Array:
    """Huber's loss divided by its delta: the slope of the tails is one for every beta.

    l = e^2 / (2 beta) if |e| < beta, else |e| - beta / 2.  Unit: target.

    Girshick (2015), Fast R-CNN, arXiv:1504.08083
    """
    inner = batch.xp.minimum(batch.abs_error, beta)
    return 0.5 * inner * (inner / beta) + (batch.abs_error - inner)


@loss("soft_l1", "charbonnier", "mphe", "reg:pseudohubererror")
def pseudo_huber(batch: Regression, *, delta: Positive = 1.0) -> Array:
    """A smooth form of Huber's loss: quadratic near zero, linear in the tails.

    l = delta^2 (sqrt(1 + (e / delta)^2) - 1).  Unit: target^2.

    Charbonnier et al. (1994), doi:10.1109/ICIP.1994.413553
    """
    # Beyond 1e150 the last ratio is one, and the square would overflow.  NumPy's hypot is ten times slower.
    ratio = batch.xp.minimum(batch.abs_error / delta, 1e150)
    return delta * batch.abs_error * (ratio / (1.0 + batch.xp.sqrt(1.0 + ratio * ratio)))


@loss("logcosh", "LogCosh", "log_cosh_error")
def log_cosh(batch: Regression) -> Array:
    """A smooth loss similar to Huber's: half the squared error near zero, |e| - log 2 in the tails.

    l = log cosh e.  Unit: target.

    Green (1990), doi:10.1109/42.52985
    """
    xp, size = batch.xp, batch.abs_error
    # With t = exp(-|e|), cosh e = (1 + t^2) / 2t = 1 + (1 - t)^2 / 2t, which is accurate for small errors.
    below = xp.expm1(-size)
    t, small = 1.0 + below, size < 1.0
    far = xp.where(small, 0.0, size - 0.6931471805599453)
    return far + xp.log1p(xp.where(small, below * below / (2.0 * t), t * t))


@loss("FairLoss")
def fair(batch: Regression, *, c: Positive = 1.0) -> Array:
    """Quadratic near zero; in the tails the slope slowly approaches c.

    l = c^2 (|e| / c - log(1 + |e| / c)).  Unit: target^2.

    Fair (1974), On the robust estimation of econometric models, Annals of Economic and Social Measurement 3
    """
    xp, size = batch.xp, batch.abs_error
    ratio = size / c
    near = -c * (c * log1pmx(xp, xp.minimum(ratio, 1.0)))
    far = c * (size - c * xp.log1p(xp.minimum(ratio, _LARGEST)))
    return xp.where(ratio < 1e-17, 0.5 * size * size, xp.where(ratio < 1.0, near, far))


_LARGEST = 1.7976931348623157e308


def _of_square(batch: Regression, delta: float, bend: Callable[[Array], Array]) -> Array:
    """delta^2 / 2 bend(|e| / delta), where bend(x) is x^2 (1 + O(x^2)) near zero."""
    size = batch.abs_error
    ratio = size / delta
    return batch.xp.where(ratio < 1e-8, 0.5 * size * size, delta * (delta / 2 * bend(ratio)))


def _lorentzian(batch: Regression, delta: float) -> Array:
    xp = batch.xp

    def bend(ratio: Array) -> Array:
        far = xp.where(xp.isinf(ratio), xp.log(batch.abs_error) - math.log(delta), xp.log(ratio))
        return xp.where(ratio > 1e10, 2.0 * far, xp.log1p(ratio * ratio))

    return _of_square(batch, delta, bend)


@loss("lorentzian")
def cauchy(batch: Regression, *, delta: Positive = 1.0) -> Array:
    """Quadratic near zero, logarithmic in the tails: the likelihood of Cauchy-distributed errors.

    l = delta^2 / 2 log(1 + (e / delta)^2).  Unit: target^2.

    Black and Anandan (1996), doi:10.1006/cviu.1996.0006
    """
    return _lorentzian(batch, delta)


@loss("StudentT")
def student_t(batch: Regression, *, c: Positive = 2.3849, df: Positive = 4.0) -> Array:
    """The likelihood of errors that follow Student's t distribution with df degrees of freedom, rescaled.

    l = c^2 df / 2 log(1 + (e / c)^2 / df).  Unit: target^2.

    Lange, Little and Taylor (1989), doi:10.2307/2290063
    """
    # The product of two tiny parameters must not underflow to zero.
    return _lorentzian(batch, max(c * math.sqrt(df), 5e-324))


@loss("least_squares_arctan")
def arctan(batch: Regression, *, delta: Positive = 1.0) -> Array:
    """Quadratic near zero, bounded by pi / 4 delta^2.

    l = delta^2 / 2 arctan((e / delta)^2).  Unit: target^2.

    SciPy user guide, optimize.least_squares
    """
    return _of_square(batch, delta, lambda ratio: batch.xp.arctan(ratio * ratio))


@loss("RamsayE")
def ramsay_e(batch: Regression, *, a: Positive = 0.3) -> Array:
    """Quadratic near zero, bounded by 1 / a^2.

    l = (1 - exp(-a |e|) (1 + a |e|)) / a^2.  Unit: target^2.

    Ramsay (1977), A comparative study of several robust estimates of slope, intercept, and scale, JASA 72
    """
    xp, size = batch.xp, batch.abs_error
    # The value is constant beyond 1000.  Below 2 the difference cancels; exp(-x) (x^2 / 2! + ...) does not.
    x = xp.minimum(a * size, 1000.0)
    small = xp.minimum(x, 2.0)
    series = xp.zeros_like(x)
    for k in range(27, 1, -1):
        series = series * small + 1.0 / math.factorial(k)
    return xp.where(x < 2.0, size * xp.exp(-small) * series * size, (1.0 - xp.exp(-x) * (1.0 + x)) / a / a)


@loss("AndrewWave", "andrews_sine")
def andrew_wave(batch: Regression, *, a: Positive = 1.339) -> Array:
    """Quadratic near zero, a cosine wave up to a pi and constant beyond, bounded by 2 a^2.

    l = a^2 (1 - cos(e / a)) if |e| <= a pi, else 2 a^2.  Unit: target^2.

    Andrews (1974), doi:10.1080/00401706.1974.10489233
    """
    xp = batch.xp
    # 1 - cos x = 2 sin^2(x / 2), without cancellation.
    half_wave = a * xp.sin(xp.minimum(batch.abs_error / a, math.pi) / 2)
    return 2.0 * half_wave * half_wave


@loss("TrimmedMean", "talwar", tail=("c", "constant"))
def truncated_quadratic(batch: Regression, *, c: Positive = 2.0) -> Array:
    """Half the squared error up to c, constant beyond.

    l = min(|e|, c)^2 / 2.  Unit: target^2.

    Hinich and Talwar (1975), A simple method for robust regression, JASA 70
    """
    inner = batch.xp.minimum(batch.abs_error, c)
    return 0.5 * inner * inner


@loss("Hampel17A", increasing=("a", "b", "c"), tail=("c", "constant"))
def hampel(batch: Regression, *, a: Positive = 2.0, b: Positive = 4.0, c: Positive = 8.0) -> Array:
    """Quadratic up to a, linear up to b, then flattening until it is constant from c on; a < b < c.

    l' = |e| up to a, a up to b, a (c - |e|) / (c - b) up to c, then 0.  Unit: target^2.

    Hampel (1974), doi:10.2307/2285666
    """
    xp, size = batch.xp, batch.abs_error
    inner, middle, outer = xp.minimum(size, a), xp.clip(size, a, b) - a, xp.clip(size, b, c) - b
    return 0.5 * inner * inner + a * (middle + outer * (1.0 - outer / (2.0 * (c - b))))


@loss("TukeyBiweight", "bisquare", tail=("c", "constant"))
def tukey_biweight(batch: Regression, *, c: Positive = 4.685) -> Array:
    """Quadratic near zero, constant from c on, bounded by c^2 / 6.

    l = c^2 / 6 (1 - (1 - (min(|e|, c) / c)^2)^3).  Unit: target^2.

    Beaton and Tukey (1974), doi:10.1080/00401706.1974.10489171
    """
    inner = batch.xp.minimum(batch.abs_error, c)
    square = (inner / c) ** 2
    return inner * inner / 6 * (3.0 - square * (3.0 - square))


@loss("TukeyQuartic", tail=("c", "constant"))
def tukey_quartic(batch: Regression, *, c: Positive = 3.61752, k: AtLeastOne = 4.0) -> Array:
    """Tukey's biweight (k = 2) with another exponent: constant from c on.

    l = u^2 / 2 (1 - 4 x^k / (k + 2) + x^(2k) / (k + 1)), u = min(|e|, c), x = u / c.  Unit: target^2.

    statsmodels user guide, norms.TukeyQuartic
    """
    inner = batch.xp.minimum(batch.abs_error, c)
    # As a polynomial in q = 1 - x^k all terms are positive, so nothing cancels.
    q = 1.0 - batch.xp.power(inner / c, k)
    return 0.5 * inner * inner * ((k * k + q * (2.0 * k + (k + 2.0) * q)) / ((k + 1.0) * (k + 2.0)))


@loss("svr", "EpsilonInsensitive", tail=("eps", "above zero"))
def epsilon_insensitive(batch: Regression, *, eps: NonNegative = 0.1) -> Array:
    """Zero for errors up to eps, then linear in the excess.

    l = max(|e| - eps, 0).  Unit: target.

    Vapnik (1995), The Nature of Statistical Learning Theory
    """
    return batch.xp.maximum(batch.abs_error - eps, 0.0)


@loss("SquaredEpsilonInsensitive", tail=("eps", "above zero"))
def squared_epsilon_insensitive(batch: Regression, *, eps: NonNegative = 0.1) -> Array:
    """Zero for errors up to eps, then quadratic in the excess.

    l = max(|e| - eps, 0)^2.  Unit: target^2.

    Vapnik (1995), The Nature of Statistical Learning Theory
    """
    excess = epsilon_insensitive(batch, eps=eps)
    return excess * excess
