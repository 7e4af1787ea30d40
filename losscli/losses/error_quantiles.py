"""Quantiles of errors: the error that half of the rows, or 95 % of them, stay below."""

from __future__ import annotations

from losscli.catalog.params import OpenUnit
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.ranking import Ties
from losscli.states.order import Order, Sample, Settled, order_of_quantile, quantile_of
from losscli.states.reductions import Reduction
from losscli.tasks.regression import Regression

_MEDIAN = order_of_quantile(0.5)


@loss("medae", "mdae", "medianabs", "MedianAbsoluteError", order=_MEDIAN)
def median_absolute_error(batch: Regression) -> Array:
    """The absolute error that half of the rows stay below: outliers do not matter.

    median |e|; of an even number of rows the mean of the two in the middle.  Unit: target.

    Hampel (1974), The influence curve and its role in robust estimation, doi:10.2307/2285666
    """
    return batch.abs_error


@loss("medianbias", signed=True, order=_MEDIAN)
def median_bias_error(batch: Regression) -> Array:
    """The error in the middle: positive if more than half of the predictions are too high.

    median e, with e = prediction - target.  Unit: target.

    Brown (1947), On small-sample estimation, Annals of Mathematical Statistics 18, 582-585
    """
    return batch.error


def _quantile(sample: Sample, q: float) -> Settled:
    return quantile_of(sample, q)


@loss("quantile_of_absolute_errors", order=Order(_quantile, binned=True))
def quantile_absolute_error(batch: Regression, *, q: OpenUnit = 0.95) -> Array:
    """The absolute error that a share q of the rows stays below: with 0.95 all but the worst twentieth.

    The q-quantile of |e|; where it lies between two rows, their mean.  Unit: target.

    Hyndman and Fan (1996), Sample quantiles in statistical packages, definition 2, doi:10.2307/2684934
    """
    return batch.abs_error


def _quartiles(sample: Sample) -> list[Settled]:
    return [quantile_of(sample, share, nearest=True) for share in (0.75, 0.25)]


def _interquartile(sample: Sample) -> Settled:
    upper, lower = _quartiles(sample)
    (high,), (low,) = upper.means, lower.means
    return Settled((high - low,), (upper.columns[0] - lower.columns[0],))


def _limits_of_interquartile(low: Sample, high: Sample) -> tuple[float, float]:
    upper, lower = ([quartile.means[0] for quartile in _quartiles(sample)] for sample in (high, low))
    return lower[0] - upper[1], upper[0] - lower[1]


@loss("iqr", order=Order(_interquartile, binned=True, limits=_limits_of_interquartile))
def error_iqr(batch: Regression) -> Array:
    """The width of the middle half of the errors: a spread that outliers and a bias do not change.

    The third quartile of e less the first, each that of the nearest row.  Unit: target.

    Tukey (1977), Exploratory Data Analysis
    """
    return batch.error


def _explained(xp: Namespace, m: Array) -> Array:
    return 1.0 - m[..., 0] / m[..., 1]


_EQUAL = "all targets are equal"
_EXPLAINED = Reduction(_explained, undefined=_EQUAL)


def _against_quantile(sample: Sample, alpha: float = 0.5) -> Settled:
    """Twice the pinball losses of the predictions and of the constant that minimizes them."""
    cost, target = sample.columns
    constant = Ties.of(target, sample.weight).quantile(alpha)
    # At its minimum the loss is stationary in the constant, so the constant adds no noise.
    over = sample.xp.maximum(constant - target, 0.0)
    under = sample.xp.maximum(target - constant, 0.0)
    return Settled.of_columns(sample, (cost, 2.0 * (alpha * under + (1.0 - alpha) * over)))


@loss(
    "d2_absolute_error_score",
    best=1.0,
    score=True,
    reduction=_EXPLAINED,
    order=Order(lambda sample: _against_quantile(sample), undefined=_EQUAL),
)
def d2_absolute_error(batch: Regression) -> tuple[Array, Array]:
    """The share of the absolute deviation from the median that predictions explain: 1 is perfect.

    1 - sum |e| / sum |y - median y|; not defined if all targets are equal.  Unit: 1.

    Hastie, Tibshirani, Wainwright (2015), Statistical Learning with Sparsity, eq. 3.11
    """
    return batch.abs_error, batch.target


@loss(
    "d2_pinball_score",
    best=1.0,
    score=True,
    reduction=_EXPLAINED,
    order=Order(_against_quantile, undefined=_EQUAL),
)
def d2_pinball(batch: Regression, *, alpha: OpenUnit = 0.5) -> tuple[Array, Array]:
    """The share of the pinball loss of a constant quantile that predictions explain: 1 is perfect.

    1 - sum pinball(y, p) / sum pinball(y, the alpha-quantile of y); not defined if all targets are equal.
    Unit: 1.

    Koenker, Machado (1999), doi:10.2307/2669943
    """
    xp, e = batch.xp, batch.error
    return 2.0 * (alpha * xp.maximum(-e, 0.0) + (1.0 - alpha) * xp.maximum(e, 0.0)), batch.target
