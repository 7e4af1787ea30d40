"""Scores and errors relative to the variance of the targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from losscli.catalog.params import Count, Real
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction, ratio
from losscli.tasks.regression import Pilot, Regression

EQUAL = "all targets are equal"


def _relative(xp: Namespace, m: Array, pilot: Pilot) -> Array:
    unit = pilot.error_unit / pilot.target_unit
    return m[..., 0] / (m[..., 2] - m[..., 1] * m[..., 1]) * unit * unit


def _root_relative(xp: Namespace, m: Array, pilot: Pilot) -> Array:
    return xp.sqrt(m[..., 0] / (m[..., 2] - m[..., 1] * m[..., 1])) * (pilot.error_unit / pilot.target_unit)


Average = Literal["uniform", "variance"]
"""The mean over outputs, plain or weighted by the variance of their targets."""


def _explained(
    xp: Namespace,
    unexplained: Array,
    total: Array,
    pilots: Sequence[Pilot],
    force_finite: bool,
    average: str,
) -> Array:
    """The explained share (...) of the squares (..., outputs); for equal targets NaN, or 0 or 1 if forced."""
    if average == "variance":
        unit = max(max(pilot.error_unit, pilot.target_unit) for pilot in pilots)
        errors = xp.asarray([(pilot.error_unit / unit) ** 2 for pilot in pilots])
        targets = xp.asarray([(pilot.target_unit / unit) ** 2 for pilot in pilots])
        # An output with equal targets has no weight.
        numerator = xp.where(total == 0, 0.0, unexplained * errors)
        parts = [(xp.sum(numerator, axis=-1), xp.sum(total * targets, axis=-1), 1.0)]
    else:
        units = [pilot.error_unit / pilot.target_unit for pilot in pilots]
        parts = [(unexplained[..., i], total[..., i], unit) for i, unit in enumerate(units)]
    scores = [1.0 - numerator / denominator * unit * unit for numerator, denominator, unit in parts]
    if force_finite:
        scores = [
            xp.where(denominator == 0, xp.where(numerator == 0, 1.0, 0.0), score)
            for score, (numerator, denominator, _) in zip(scores, parts, strict=True)
        ]
    return sum(scores) / len(scores)


def _r2(xp: Namespace, m: Array, pilots: Sequence[Pilot], force_finite: bool, average: str) -> Array:
    return _explained(xp, m[..., 0], m[..., 2] - m[..., 1] * m[..., 1], pilots, force_finite, average)


@loss(
    "R2",
    "r2_score",
    "r_squared",
    "coefficient_of_determination",
    "NSE",
    "nash_sutcliffe_efficiency",
    best=1.0,
    score=True,
    reduction=Reduction(_r2, joint=True, undefined=EQUAL),
)
def r2(
    batch: Regression, *, force_finite: bool = False, average: Average = "uniform"
) -> tuple[Array, Array, Array]:
    """The share of the targets' variance that predictions explain: 1 is perfect, 0 as good as the mean.

    1 - sum e^2 / sum (y - mean y)^2; not defined if all targets are equal, or with force_finite 1 if
    predictions equal them, else 0.  Unit: 1.

    Of several outputs the mean, or by average that weighted by the variance of their targets.

    Wright (1921), Correlation and causation, J. Agric. Res. 20
    """
    return batch.squared_error_in_units, batch.target_in_units, batch.target_in_units**2


def _adjusted(xp: Namespace, m: Array, weight: float, pilot: Pilot, predictors: int) -> Array:
    free = weight - predictors - 1.0
    return 1.0 - _relative(xp, m, pilot) * ((weight - 1.0) / free if free > 0 else xp.nan)


@loss(
    "adj_r2",
    "r2_adjusted",
    best=1.0,
    score=True,
    reduction=Reduction(
        _adjusted, undefined="all targets are equal, or no row is left beyond the predictors"
    ),
)
def adjusted_r2(batch: Regression, *, predictors: Count) -> tuple[Array, Array, Array]:
    """R2 minus the share that the predictors, fitted to the same rows, explain by chance.

    1 - (1 - R2) (n - 1) / (n - predictors - 1), with n rows, or the sum of their weights.  Unit: 1.

    Wherry (1931), doi:10.1214/aoms/1177732951
    """
    return r2(batch)


@loss("rse", reduction=Reduction(_relative, undefined=EQUAL))
def relative_squared_error(batch: Regression) -> tuple[Array, Array, Array]:
    """The share of the targets' variance that predictions leave unexplained: 1 - R2.

    sum e^2 / sum (y - mean y)^2.  Unit: 1.

    Witten and Frank (2005), Data Mining, table 5.8
    """
    return r2(batch)


@loss("rrse", reduction=Reduction(_root_relative, undefined=EQUAL))
def root_relative_squared_error(batch: Regression) -> tuple[Array, Array, Array]:
    """The root mean squared error divided by the targets' standard deviation.

    sqrt(sum e^2 / sum (y - mean y)^2).  Unit: 1.

    Witten and Frank (2005), Data Mining, table 5.8
    """
    return r2(batch)


def _explained_variance(
    xp: Namespace, m: Array, pilots: Sequence[Pilot], force_finite: bool, average: str
) -> Array:
    unexplained, total = m[..., 1] - m[..., 0] * m[..., 0], m[..., 3] - m[..., 2] * m[..., 2]
    return _explained(xp, unexplained, total, pilots, force_finite, average)


@loss(
    "explained_variance_score",
    best=1.0,
    score=True,
    reduction=Reduction(_explained_variance, joint=True, undefined=EQUAL),
)
def explained_variance(
    batch: Regression, *, force_finite: bool = False, average: Average = "uniform"
) -> tuple[Array, Array, Array, Array]:
    """R2 without the bias: adding a constant to all predictions changes nothing.

    1 - var(e) / var(y); not defined if all targets are equal, or with force_finite 1 if errors are too,
    else 0.  Unit: 1.

    Of several outputs the mean, or by average that weighted by the variance of their targets.

    scikit-learn user guide, Explained variance score
    """
    e, y = batch.error_in_units, batch.target_in_units
    return e, e * e, y, y * y


def _joint_columns(batch: Regression) -> tuple[Array, ...]:
    """The centred error e and target y with e^2, y^2 and e y, all in the same unit."""
    unit = batch.pilot.joint_unit
    e = batch.error_in_units * (batch.pilot.error_unit / unit)
    y = batch.target_in_units * (batch.pilot.target_unit / unit)
    return e, y, e * e, y * y, e * y


def _covariances(m: Array) -> tuple[Array, Array, Array]:
    """The variances of error and target, and their covariance."""
    e, y, e2, y2, ey = (m[..., i] for i in range(5))
    return e2 - e * e, y2 - y * y, ey - e * y


def _pearson(xp: Namespace, m: Array) -> Array:
    # As prediction = y + e: perfect predictions have exactly 1.
    error, target, joint = _covariances(m)
    return (target + joint) / xp.sqrt(target * (target + 2.0 * joint + error))


@loss(
    "pearson_corrcoef",
    "pearsonr",
    best=1.0,
    score=True,
    reduction=Reduction(_pearson, undefined="all targets or all predictions are equal"),
    worst=-1.0,
)
def pearson_correlation(batch: Regression) -> tuple[Array, ...]:
    """How close predictions are to an increasing linear function of the targets; bias and scale are ignored.

    cov(prediction, y) / sqrt(var(prediction) var(y)).  Unit: 1.

    Pearson (1895), doi:10.1098/rspl.1895.0041
    """
    return _joint_columns(batch)


def _disagreement(xp: Namespace, m: Array, pilot: Pilot, bias_weight: float) -> Array:
    # 2 cov(p, y) = var(p) + var(y) - var(e): perfect predictions have exactly 1.
    error, target, joint = _covariances(m)
    bias = m[..., 0] + pilot.error_centre / pilot.joint_unit
    lost = bias_weight * bias * bias
    return 1.0 - (error + lost) / (2.0 * (target + joint) + error + lost)


def _concordance(xp: Namespace, m: Array, pilot: Pilot) -> Array:
    return _disagreement(xp, m, pilot, 1.0)


def _concordance_sample(xp: Namespace, m: Array, pilot: Pilot, weight: float) -> Array:
    return _disagreement(xp, m, pilot, 1.0 - 1.0 / weight if weight > 1.0 else xp.nan)


@loss(
    "concordance_corrcoef",
    "ccc",
    best=1.0,
    score=True,
    reduction=Reduction(_concordance_sample, undefined="all targets and predictions are equal, or one row"),
    worst=-1.0,
)
def concordance_correlation(batch: Regression) -> tuple[Array, ...]:
    """The agreement of predictions with targets, from -1 to 1, with sample variances.

    2 cov(prediction, y) / (var(prediction) + var(y) + (mean prediction - mean y)^2).  Unit: 1.

    Lin (1989), doi:10.2307/2532051; sample variances as in TorchMetrics
    """
    return _joint_columns(batch)


@loss(
    best=1.0,
    score=True,
    reduction=Reduction(_concordance, undefined="all targets and predictions are equal"),
    worst=-1.0,
)
def concordance_correlation_population(batch: Regression) -> tuple[Array, ...]:
    """The agreement of predictions with targets, from -1 to 1, with population variances.

    2 cov(prediction, y) / (var(prediction) + var(y) + (mean prediction - mean y)^2).  Unit: 1.

    Lin (1989), doi:10.2307/2532051
    """
    return _joint_columns(batch)


def _kling_gupta(xp: Namespace, m: Array, pilot: Pilot, spread: str) -> Array:
    # As prediction = y + e: perfect predictions have exactly 1.
    error, target, joint = _covariances(m)
    predicted = xp.maximum(target + 2.0 * joint + error, 0.0)
    correlation = (target + joint) / xp.sqrt(target * predicted)
    mean = m[..., 1] + pilot.centre / pilot.joint_unit
    bias = (m[..., 0] + pilot.error_centre / pilot.joint_unit) / mean
    variability = xp.sqrt(predicted / target)
    if spread == "variation":
        variability = variability / (1.0 + bias)
    return 1.0 - xp.sqrt((correlation - 1.0) ** 2 + (variability - 1.0) ** 2 + bias**2)


@loss(
    "KGE",
    best=1.0,
    score=True,
    reduction=Reduction(_kling_gupta, undefined="all targets or predictions are equal, or their mean is 0"),
)
def kling_gupta_efficiency(
    batch: Regression, *, spread: Literal["deviation", "variation"] = "deviation"
) -> tuple[Array, ...]:
    """How close the correlation and the ratios of spreads and of means come to one: 1 is perfect.

    1 - sqrt((r - 1)^2 + (a - 1)^2 + (b - 1)^2), with the correlation r, the ratio a of the standard
    deviations of prediction and target, and the ratio b of their means.  Unit: 1.

    With spread=variation, as in the version of 2012, a is the ratio of the coefficients of variation.

    Gupta et al. (2009), doi:10.1016/j.jhydrol.2009.08.003
    """
    return _joint_columns(batch)


@loss(
    "CSI",
    "threat_score",
    best=1.0,
    score=True,
    reduction=Reduction(ratio.function, undefined="no target or prediction reaches the threshold"),
    worst=0.0,
)
def critical_success_index(batch: Regression, *, threshold: Real) -> tuple[Array, Array]:
    """Of the rows where prediction or target reaches the threshold, the share where both do.

    hits / (hits + misses + false alarms).  Unit: 1.

    Gilbert (1884), Finley's tornado predictions, American Meteorological Journal 1
    """
    predicted, observed = batch.prediction >= threshold, batch.target >= threshold
    return (predicted & observed) * 1.0, (predicted | observed) * 1.0
