"""Losses of the error e = prediction - target in the unit of the target or a power of it."""

from __future__ import annotations

from losscli.catalog.params import AtLeastOne, NonNegative
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction, largest
from losscli.tasks.regression import Pilot, Regression


def _root_of_sum(xp: Namespace, m: Array, pilots: tuple[Pilot, ...]) -> Array:
    unit = max(pilot.error_unit for pilot in pilots)
    return unit * xp.sqrt(sum(m[..., i, 0] * (p.error_unit / unit) ** 2 for i, p in enumerate(pilots)))


def _root(xp: Namespace, m: Array, pilots: tuple[Pilot, ...], pooled: bool) -> Array:
    if pooled:
        return _root_of_sum(xp, m / len(pilots), pilots)
    parts = [xp.sqrt(m[..., i, 0]) * pilot.error_unit for i, pilot in enumerate(pilots)]
    return sum(parts) / len(parts)


def _variance(xp: Namespace, m: Array) -> Array:
    return xp.maximum(m[..., 1] - m[..., 0] * m[..., 0], 0.0)


def _error_variance(xp: Namespace, m: Array, pilot: Pilot) -> Array:
    return _variance(xp, m) * pilot.error_unit * pilot.error_unit


def _error_std(xp: Namespace, m: Array, pilot: Pilot) -> Array:
    return xp.sqrt(_variance(xp, m)) * pilot.error_unit


def _distance(xp: Namespace, m: Array, weight: float, pilot: Pilot, p: float) -> Array:
    return pilot.error_size * xp.power(weight * m[..., 0], 1.0 / p)


BEYOND = "beyond the largest float"


@loss("mse", "l2", "squared_error", "MSELoss", "MeanSquaredError")
def mean_squared_error(batch: Regression) -> Array:
    """Large errors count most: the constant prediction that minimises it is the mean.

    l = e^2.  Unit: target^2.

    Gauss (1809), Theoria motus corporum coelestium
    """
    return batch.squared_error


@loss("rmse", "RootMeanSquaredError", reduction=Reduction(_root, additive=True, joint=True, undefined=BEYOND))
def root_mean_squared_error(batch: Regression, *, pooled: bool = False) -> Array:
    """The square root of the mean squared error, in the unit of the target.

    sqrt(mean e^2); for several outputs the mean of their values, or if pooled the root of the mean over all.
    Unit: target.

    Gauss (1809), Theoria motus corporum coelestium
    """
    return batch.squared_error_in_units


@loss("MultiRMSE", reduction=Reduction(_root_of_sum, additive=True, joint=True, undefined=BEYOND))
def multi_rmse(batch: Regression) -> Array:
    """The square root of the mean squared error vector length, over all outputs together.

    sqrt(mean sum_outputs e^2).  Unit: target.

    CatBoost user guide, Objectives and metrics: MultiRMSE
    """
    return batch.squared_error_in_units


@loss("l2_loss", "HalfSquaredError", "least_squares", "LeastSquares")
def half_squared_error(batch: Regression) -> Array:
    """Half the squared error: its derivative is the error.

    l = e^2 / 2.  Unit: target^2.

    Bishop (2006), Pattern Recognition and Machine Learning, eq. 1.2
    """
    return 0.5 * batch.squared_error


@loss("mae", "l1", "L1Loss", "meanabs", "AbsoluteError", "absolute_error")
def mean_absolute_error(batch: Regression) -> Array:
    """Every unit of error counts the same: the constant prediction that minimises it is the median.

    l = |e|.  Unit: target.

    Laplace (1774), Memoire sur la probabilite des causes par les evenemens
    """
    return batch.abs_error


@loss("maxabs", reduction=largest)
def max_error(batch: Regression) -> Array:
    """The largest absolute error of any row.

    max |e|.  Unit: target.

    Chebyshev (1854), Theorie des mecanismes connus sous le nom de parallelogrammes
    """
    return batch.abs_error


@loss("mean_power_error")
def lq(batch: Regression, *, q: AtLeastOne) -> Array:
    """The q-th power of the absolute error: 1 is absolute, 2 is squared; larger q weights large errors more.

    l = |e|^q.  Unit: target^q.

    Rice and White (1964), Norms for smoothing and estimation, SIAM Review 6
    """
    return batch.xp.power(batch.abs_error, q)


@loss("minkowski", reduction=Reduction(_distance, undefined=BEYOND))
def minkowski_distance(batch: Regression, *, p: AtLeastOne) -> Array:
    """The p-norm of the errors of all rows: it grows with their number; weight w counts a row w times.

    (sum |e|^p)^(1/p).  Unit: target.

    Minkowski (1896), Geometrie der Zahlen
    """
    # In units of the largest error: no power of it overflows.
    return batch.xp.power(batch.abs_error / batch.pilot.error_size, p)


def _exp(xp: Namespace, m: Array) -> Array:
    return xp.exp(m[..., 0])


@loss("gmae", "grmse", domain="errors that are not 0", reduction=Reduction(_exp, undefined=BEYOND))
def geometric_mean_absolute_error(batch: Regression) -> Array:
    """The geometric mean of the absolute errors, in which a single large error has little weight.

    exp(mean log |e|), which is also the geometric root mean squared error.  Unit: target.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    return batch.xp.log(batch.abs_error)


@loss("bias", "ME", "mean_error", signed=True)
def mean_bias_error(batch: Regression) -> Array:
    """The mean error: positive if predictions are too high on average, negative if too low.

    l = prediction - target.  Unit: target.

    Willmott and Matsuura (2005), doi:10.3354/cr030079
    """
    return batch.error


@loss("vare", reduction=Reduction(_error_variance, undefined=BEYOND))
def error_variance(batch: Regression) -> tuple[Array, Array]:
    """The mean squared error without the bias: the population variance of the errors.

    mean (e - mean e)^2.  Unit: target^2.

    statsmodels user guide, eval_measures.vare
    """
    return batch.error_in_units, batch.error_in_units**2


@loss("stde", reduction=Reduction(_error_std, undefined=BEYOND))
def error_std(batch: Regression) -> tuple[Array, Array]:
    """The root mean squared error without the bias: the population standard deviation of the errors.

    sqrt(mean (e - mean e)^2).  Unit: target.

    statsmodels user guide, eval_measures.stde
    """
    return error_variance(batch)


@loss("NumErrors", worst=1.0)
def num_errors(batch: Regression, *, greater_than: NonNegative) -> Array:
    """The share of rows whose absolute error exceeds a threshold.

    l = 1 if |e| > greater_than, else 0.  Unit: 1.

    CatBoost user guide, Objectives and metrics: NumErrors
    """
    return batch.xp.where(batch.abs_error > greater_than, 1.0, 0.0)
