"""Errors of forecasts relative to those of a naive forecast, over the history of a series or row by row.

With --scale-by, s is the scale of the series of a row: the mean absolute error of the naive forecast over the
history, or its root mean square.  With --naive, r is the error of the naive forecast of a row.
"""

from __future__ import annotations

from losscli.catalog.params import OpenUnit
from losscli.catalog.registry import loss
from losscli.losses.quantile import interval_score
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction, ratio, root_ratio
from losscli.tasks.quantile import ScaledInterval
from losscli.tasks.regression import Benchmarked, Scaled


@loss("mase", reduction=ratio)
def mean_absolute_scaled_error(batch: Scaled) -> tuple[Array, Array]:
    """The absolute error relative to that of a naive forecast: below 1 it is better than that.

    mean |e| / s with --scale-by, sum |e| / sum |r| with --naive.  Unit: 1.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    return batch.abs_error / batch.scale, batch.xp.abs(batch.naive_error)


@loss("rmsse", reduction=root_ratio)
def root_mean_squared_scaled_error(batch: Scaled) -> tuple[Array, Array]:
    """The root mean squared error relative to that of a naive forecast: below 1 it is better than that.

    sqrt(mean (e / s)^2) with --scale-by, sqrt(sum e^2 / sum r^2) with --naive.  Unit: 1.

    Makridakis, Spiliotis and Assimakopoulos (2022), doi:10.1016/j.ijforecast.2021.11.013
    """
    return (batch.error / batch.scale) ** 2, batch.naive_error**2


@loss("msis", reduction=ratio)
def mean_scaled_interval_score(batch: ScaledInterval, *, alpha: OpenUnit) -> tuple[Array, Array]:
    """The interval score relative to the absolute error of a naive forecast.

    mean S / s with --scale-by, sum S / sum |r| with --naive, for S = (upper - lower) +
    (2 / alpha) (max(lower - y, 0) + max(y - upper, 0)).  Unit: 1.

    Makridakis, Spiliotis and Assimakopoulos (2020), doi:10.1016/j.ijforecast.2019.04.014
    """
    return interval_score(batch, alpha=alpha) / batch.scale, batch.xp.abs(batch.naive_error)


EXACT = "rows whose naive forecast is not exact"


@loss("mrae", domain=EXACT)
def mean_relative_absolute_error(batch: Benchmarked) -> Array:
    """The mean over rows of the absolute error relative to that of a naive forecast.

    l = |e| / |r|.  Unit: 1.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    return (batch.abs_error / batch.scale) / batch.xp.abs(batch.naive_error)


def _geometric(xp: Namespace, m: Array) -> Array:
    return xp.exp(m[..., 0])


@loss("gmrae", domain="rows on which neither forecast is exact", reduction=Reduction(_geometric))
def geometric_mean_relative_absolute_error(batch: Benchmarked) -> Array:
    """The geometric mean over rows of the absolute error relative to that of a naive forecast.

    exp(mean log(|e| / |r|)).  Unit: 1.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    xp, error, naive_error = batch.xp, batch.abs_error / batch.scale, batch.xp.abs(batch.naive_error)
    ratio = error / naive_error
    # Near one the difference is exact; far from it the ratio may overflow or underflow.
    near, beyond = (ratio > 0.5) & (ratio < 2.0), (ratio == 0) | (ratio == xp.inf)
    log = xp.where(beyond, xp.log(error) - xp.log(naive_error), xp.log(xp.where(beyond, 1.0, ratio)))
    return xp.where(near, xp.log1p((error - naive_error) / naive_error), log)
