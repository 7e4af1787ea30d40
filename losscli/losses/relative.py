"""Relative losses: errors relative to the size or spread of the targets, and errors of logarithms."""

from __future__ import annotations

import math
from typing import Literal

from msgspec.structs import replace

from losscli.catalog.loss import Replacement
from losscli.catalog.params import NonNegative, Real
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction, ratio, root
from losscli.tasks.regression import Pilot, Regression

_TINY = Replacement(
    "raises |target| to epsilon={epsilon}",
    lambda batch, params: batch.abs_target < params["epsilon"],
)
_FLOOR = Replacement(
    "raises numbers to floor={floor}",
    lambda batch, params: batch.xp.minimum(batch.prediction, batch.target) < _lower_bound(params["floor"]),
)


def _lower_bound(floor: float | None) -> float:
    return -math.inf if floor is None else floor


@loss("mape", "MeanAbsolutePercentageError", replaces=_TINY, infinite_at_zero="epsilon")
def mean_absolute_percentage_error(
    batch: Regression, *, epsilon: NonNegative = 2.220446049250313e-16, percent: bool = False
) -> Array:
    """The error as a fraction or percentage of the target; a target of zero counts as epsilon.

    l = |e| / max(|y|, epsilon), times 100 if percent; infinite at y = 0 if epsilon is 0.  Unit: 1.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    fraction = batch.abs_error / batch.xp.maximum(batch.abs_target, epsilon)
    return 100.0 * fraction if percent else fraction


@loss("mpe", signed=True, replaces=_TINY, infinite_at_zero="epsilon")
def mean_percentage_error(
    batch: Regression, *, epsilon: NonNegative = 2.220446049250313e-16, percent: bool = False
) -> Array:
    """The error with its sign as a fraction or percentage of the target: above 0 if predictions are too high.

    l = e / max(|y|, epsilon), times 100 if percent; infinite at y = 0 if epsilon is 0.  Unit: 1.

    Libraries that subtract in the opposite order give the opposite sign.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    fraction = batch.error / batch.xp.maximum(batch.abs_target, epsilon)
    return 100.0 * fraction if percent else fraction


@loss("rmspe", reduction=root, replaces=_TINY, infinite_at_zero="epsilon")
def root_mean_squared_percentage_error(
    batch: Regression, *, epsilon: NonNegative = 2.220446049250313e-16
) -> Array:
    """The root of the mean squared error as a fraction of the target; a target of zero counts as epsilon.

    sqrt(mean (e / max(|y|, epsilon))^2); infinite at y = 0 if epsilon is 0.  Unit: 1.

    Shcherbakov et al. (2013), A survey of forecast error measures, World Applied Sciences Journal 24
    """
    return mean_absolute_percentage_error(batch, epsilon=epsilon) ** 2


@loss(
    "smape",
    domain="targets and predictions that are not both 0, or with both_zero=zero any",
    remedy="-l smape:both_zero=zero counts 0 / 0 as 0",
    replaces=Replacement(
        "counts 0 / 0 as 0",
        lambda batch, params: (batch.target == 0) & (batch.prediction == 0) & (params["both_zero"] == "zero"),
    ),
)
def symmetric_mean_absolute_percentage_error(
    batch: Regression, *, both_zero: Literal["zero", "undefined"] = "zero"
) -> Array:
    """The error relative to the mean size of target and prediction, from 0 to 2.

    l = 2 |e| / (|y| + |prediction|); if both are 0 it is 0, or not defined, by both_zero.  Unit: 1.

    Makridakis (1993), doi:10.1016/0169-2070(93)90079-3
    """
    xp = batch.xp
    size = batch.abs_target + xp.abs(batch.prediction)
    return 2.0 * batch.abs_error / (xp.where(size == 0, 1.0, size) if both_zero == "zero" else size)


@loss("wmape", "wape", reduction=ratio)
def weighted_mean_absolute_percentage_error(batch: Regression) -> tuple[Array, Array]:
    """The sum of the absolute errors over that of the targets: no row is divided by a small number.

    sum |e| / sum |y|.  Unit: 1.

    Kolassa and Schuetz (2007), Advantages of the MAD/mean ratio over the MAPE, Foresight 6
    """
    return batch.abs_error, batch.abs_target


def _log_error(batch: Regression) -> Array:
    """|log(1 + prediction) - log(1 + target)|, without cancellation if both are close.

    With s = 1 + the smaller of the two it is log1p(|e| / s), with the rounding errors of e and s corrected to
    first order.
    """
    xp, error = batch.xp, batch.error
    low = xp.minimum(batch.prediction, batch.target)
    # Outside the domain log1p gives NaN, and the report names the row.
    shifted = 1.0 + xp.where(low > -1.0, low, xp.nan)
    shift_lost = xp.where(low > 1.0, 1.0 - (shifted - low), low - (shifted - 1.0))
    part = error - batch.prediction
    error_lost = (batch.prediction - (error - part)) - (batch.target + part)
    ratio = error / shifted
    return xp.log1p(xp.abs(ratio + (error_lost - ratio * shift_lost) / shifted))


ABOVE_MINUS_ONE = "targets and predictions above -1"


@loss(
    "msle",
    "MeanSquaredLogarithmicError",
    domain=ABOVE_MINUS_ONE,
    remedy="-l msle:floor=0 raises numbers below 0 to 0",
    replaces=_FLOOR,
)
def mean_squared_log_error(batch: Regression, *, floor: Real | None = None) -> Array:
    """The squared error of log(1 + x): ratios matter, not differences.

    l = (log(1 + prediction) - log(1 + y))^2, where numbers below floor count as floor.  Unit: 1.

    scikit-learn user guide, Mean squared logarithmic error
    """
    if floor is not None:
        raised = (batch.xp.maximum(side, floor) for side in (batch.prediction, batch.target))
        batch = replace(batch, **dict(zip(("prediction", "target"), raised, strict=True)))
    error = _log_error(batch)
    return error * error


@loss(
    "rmsle",
    reduction=root,
    domain=ABOVE_MINUS_ONE,
    remedy="-l rmsle:floor=0 raises numbers below 0 to 0",
    replaces=_FLOOR,
)
def root_mean_squared_log_error(batch: Regression, *, floor: Real | None = None) -> Array:
    """The square root of the mean squared log error: close to the relative error if that is small.

    sqrt(mean (log(1 + prediction) - log(1 + y))^2), where numbers below floor count as floor.  Unit: 1.

    scikit-learn user guide, Mean squared logarithmic error
    """
    return mean_squared_log_error(batch, floor=floor)


def _normalized(
    xp: Namespace, m: Array, weight: float, low: Array, high: Array, pilot: Pilot, normalization: str
) -> Array:
    if normalization == "mean":
        size = m[..., 1]
    elif normalization == "range":
        size = high[1] - low[1]
    else:
        size = xp.sqrt(m[..., 2] - m[..., 1] * m[..., 1] if normalization == "std" else weight * m[..., 1])
    return xp.sqrt(m[..., 0]) / size * (pilot.error_unit / pilot.target_unit)


@loss(
    "nrmse",
    "normalized_root_mean_squared_error",
    reduction=Reduction(_normalized, undefined="the size of the targets is zero"),
)
def normalized_rmse(
    batch: Regression, *, normalization: Literal["mean", "range", "std", "l2"] = "mean"
) -> tuple[Array, ...]:
    """The root mean squared error divided by the targets' mean, range, standard deviation or l2 norm.

    sqrt(mean e^2) / size, size = mean y, max y - min y, sqrt(mean (y - mean y)^2) or sqrt(sum y^2).  Unit: 1.

    Intervals treat the range of the targets as fixed.

    TorchMetrics user guide, Normalized Root Mean Squared Error
    """
    unit = batch.pilot.target_unit
    if normalization == "std":
        return batch.squared_error_in_units, batch.target_in_units, batch.target_in_units**2
    y = batch.target / unit
    return batch.squared_error_in_units, y * y if normalization == "l2" else y
