"""Losses of quantile forecasts and of forecast intervals."""

from __future__ import annotations

from losscli.catalog.params import OpenUnit
from losscli.catalog.registry import loss
from losscli.losses.asymmetric import tilted
from losscli.numeric.arrays import Array
from losscli.tasks.quantile import CentralQuantile, Interval, Quantile


@loss("MultiQuantile", "mean_quantile_loss", "pinball", "quantile_loss")
def multi_quantile(batch: Quantile) -> Array:
    """The pinball loss of each quantile level, and its mean over the levels.

    l = a max(y - q, 0) + (1 - a) max(q - y, 0), mean over the levels a.  Unit: target.

    Koenker and Bassett (1978), doi:10.2307/1913643
    """
    return tilted(batch.xp, batch.error, batch.level)


@loss("crps_quantile", "crps")
def quantile_crps(batch: Quantile) -> Array:
    """An approximation of the CRPS from quantiles, which improves with the number of levels.

    l = 2 (a max(y - q, 0) + (1 - a) max(q - y, 0)), mean over the levels a.  Unit: target.

    Laio and Tamea (2007), doi:10.5194/hess-11-1267-2007
    """
    return 2.0 * multi_quantile(batch)


@loss("WIS")
def weighted_interval_score(batch: CentralQuantile) -> Array:
    """The weighted sum of the interval scores of all central intervals and the error of the median.

    (|y - median| / 2 + sum (a / 2) interval_score_a) / (K + 1/2), K intervals of levels 1 - a; which is
    the mean over the levels of twice the pinball loss.  Unit: target.

    Bracher et al. (2021), doi:10.1371/journal.pcbi.1008618
    """
    return quantile_crps(batch)


@loss("winkler_score", "winkler")
def interval_score(batch: Interval, *, alpha: OpenUnit) -> Array:
    """The width of the central 1 - alpha interval, plus a penalty for targets outside it.

    l = (upper - lower) + (2 / alpha) (max(lower - y, 0) + max(y - upper, 0)).  Unit: target.

    Winkler (1972), doi:10.1080/01621459.1972.10481224
    """
    xp, y = batch.xp, batch.target
    outside = xp.maximum(batch.lower - y, 0.0) + xp.maximum(y - batch.upper, 0.0)
    return (batch.upper - batch.lower) + 2.0 * outside / alpha


@loss("coverage", "picp", best=1.0, worst=0.0, score=True)
def interval_coverage(batch: Interval) -> Array:
    """The share of targets that lie within their interval, bounds included.

    l = 1 if lower <= y <= upper, else 0.  Unit: 1.

    A larger share is better only up to the nominal level: interval_score also judges the width.

    Gneiting, Balabdaoui and Raftery (2007), doi:10.1111/j.1467-9868.2007.00587.x
    """
    inside = (batch.lower <= batch.target) & (batch.target <= batch.upper)
    return batch.xp.where(inside, 1.0, 0.0)


@loss("sharpness", "mpiw", best=0.0)
def interval_width(batch: Interval) -> Array:
    """The mean width of the intervals: at equal coverage, narrower intervals are better.

    l = upper - lower.  Unit: target.

    Gneiting, Balabdaoui and Raftery (2007), doi:10.1111/j.1467-9868.2007.00587.x
    """
    return batch.upper - batch.lower
