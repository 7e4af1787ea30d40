"""Losses of regression: e = prediction - target."""

from __future__ import annotations

from losscli.finish import Finish, largest, ratio, root
from losscli.losses.registry import loss
from losscli.params import Positive, Unit
from losscli.tasks.regression import Regression
from losscli.xp import Array, Namespace


@loss("mse", "l2", "squared_error", "MSELoss", "MeanSquaredError")
def mean_squared_error(batch: Regression) -> Array:
    """Large errors count most: the loss whose best constant is the mean.

    l = e^2.  Unit: target^2.

    Gauss (1809), Theoria motus corporum coelestium
    """
    return batch.squared_error


@loss("rmse", "RootMeanSquaredError", finish=root)
def root_mean_squared_error(batch: Regression) -> Array:
    """The mean squared error brought back to the unit of the target.

    sqrt(mean e^2); of several outputs, the mean of each one's.  Unit: target.

    Gauss (1809), Theoria motus corporum coelestium
    """
    return batch.squared_error


@loss("l2_loss", "HalfSquaredError", "least_squares", "LeastSquares")
def half_squared_error(batch: Regression) -> Array:
    """Half the squared error, whose derivative is the error itself.

    l = e^2 / 2.  Unit: target^2.

    Bishop (2006), Pattern Recognition and Machine Learning, eq. 1.2
    """
    return batch.squared_error / 2


@loss("mae", "l1", "L1Loss", "meanabs", "AbsoluteError", "absolute_error")
def mean_absolute_error(batch: Regression) -> Array:
    """Every unit of error counts the same: the loss whose best constant is the median.

    l = |e|.  Unit: target.

    Laplace (1774), Memoire sur la probabilite des causes par les evenemens
    """
    return batch.abs_error


@loss("huber_loss", "HuberLoss", "HuberT")
def huber(batch: Regression, *, delta: Positive = 1.0) -> Array:
    """Quadratic near zero, linear in the tails: robust to outliers.

    l = e^2 / 2 if |e| <= delta, else delta (|e| - delta / 2).  Unit: target^2.

    Huber (1964), doi:10.1214/aoms/1177703732
    """
    inner = batch.xp.minimum(batch.abs_error, delta)
    return inner * inner / 2 + delta * (batch.abs_error - inner)


@loss("SmoothL1Loss")
def smooth_l1(batch: Regression, *, beta: Positive = 1.0) -> Array:
    """Huber's loss over its delta: the slope of the tails is one whatever beta is.

    l = e^2 / (2 beta) if |e| < beta, else |e| - beta / 2.  Unit: target.

    Girshick (2015), Fast R-CNN, arXiv:1504.08083
    """
    inner = batch.xp.minimum(batch.abs_error, beta)
    return inner * (inner / beta) / 2 + (batch.abs_error - inner)


@loss("soft_l1", "charbonnier", "mphe", "reg:pseudohubererror")
def pseudo_huber(batch: Regression, *, delta: Positive = 1.0) -> Array:
    """Huber's loss with all derivatives: quadratic near zero, then linear.

    l = delta^2 (sqrt(1 + (e / delta)^2) - 1).  Unit: target^2.

    Charbonnier et al. (1994), doi:10.1109/ICIP.1994.413553
    """
    # The ratio is at most one: nothing cancels for small errors or overflows for large.
    size = batch.abs_error
    return delta * size * (size / (delta + batch.xp.hypot(size, delta)))


@loss("logcosh", "LogCosh", "log_cosh_error")
def log_cosh(batch: Regression) -> Array:
    """Like Huber's loss and smooth: half the squared error near zero, then |e| - log 2.

    l = log cosh e.  Unit: target.

    Green (1990), doi:10.1109/42.52985
    """
    xp, size = batch.xp, batch.abs_error
    # For small errors log cosh e = log1p(2 sinh^2(e / 2)), which keeps the digits that |e| - log 2 loses.
    half = xp.sinh(xp.minimum(size, 1.0) / 2)
    far = (size - 0.6931471805599453) + xp.log1p(xp.exp(-2.0 * size))
    return xp.where(size < 1.0, xp.log1p(2.0 * half * half), far)


@loss("maxabs", finish=largest)
def max_error(batch: Regression) -> Array:
    """The worst row.

    max |e|.  Unit: target.

    Chebyshev (1854), Theorie des mecanismes connus sous le nom de parallelogrammes
    """
    return batch.abs_error


@loss("bias", "ME", "mean_error", best=0.0)
def mean_bias_error(batch: Regression) -> Array:
    """How far predictions lie above (or, negative, below) the targets on average.

    l = prediction - target.  Unit: target.

    Willmott and Matsuura (2005), doi:10.3354/cr030079
    """
    return batch.error


@loss("mape", "MeanAbsolutePercentageError")
def mean_absolute_percentage_error(batch: Regression, *, epsilon: Positive = 2.220446049250313e-16) -> Array:
    """The error as a fraction of the target (not per cent); a target of zero counts as epsilon.

    l = |e| / max(|y|, epsilon).  Unit: 1.

    Hyndman and Koehler (2006), doi:10.1016/j.ijforecast.2006.03.001
    """
    return batch.abs_error / batch.xp.maximum(batch.xp.abs(batch.target), epsilon)


@loss("smape")
def symmetric_mean_absolute_percentage_error(batch: Regression) -> Array:
    """The error as a fraction of the mean size of target and prediction: from 0 to 2; 0 where both are 0.

    l = 2 |e| / (|y| + |prediction|).  Unit: 1.

    Makridakis (1993), doi:10.1016/0169-2070(93)90079-3
    """
    xp = batch.xp
    size = xp.abs(batch.target) + xp.abs(batch.prediction)
    return 2.0 * batch.abs_error / xp.where(size == 0, 1.0, size)


@loss("wmape", "wape", finish=ratio)
def weighted_mean_absolute_percentage_error(batch: Regression) -> tuple[Array, Array]:
    """The sum of the errors over the sum of the targets: no row is divided by a small number.

    sum |e| / sum |y|.  Unit: 1.

    Kolassa and Schuetz (2007), Advantages of the MAD/mean ratio over the MAPE, Foresight 6
    """
    return batch.abs_error, batch.xp.abs(batch.target)


def _log_error(batch: Regression) -> Array:
    """|log(1 + prediction) - log(1 + target)|, without cancellation where both are near."""
    xp = batch.xp
    low = xp.minimum(batch.prediction, batch.target)
    # Outside the domain log1p makes NaN of the row, which the report names.
    return xp.log1p(batch.abs_error / (1.0 + xp.where(low > -1.0, low, xp.nan)))


@loss("msle", "MeanSquaredLogarithmicError", domain="targets and predictions above -1")
def mean_squared_log_error(batch: Regression) -> Array:
    """The squared error of log(1 + x): ratios count, not differences.

    l = (log(1 + prediction) - log(1 + y))^2.  Unit: 1.

    scikit-learn user guide, Mean squared logarithmic error
    """
    error = _log_error(batch)
    return error * error


@loss("rmsle", finish=root, domain="targets and predictions above -1")
def root_mean_squared_log_error(batch: Regression) -> Array:
    """The root of the mean squared log error: about the relative error, where it is small.

    sqrt(mean (log(1 + prediction) - log(1 + y))^2).  Unit: 1.

    scikit-learn user guide, Mean squared logarithmic error
    """
    error = _log_error(batch)
    return error * error


def _r2(xp: Namespace, m: Array) -> Array:
    return 1.0 - m[..., 0] / (m[..., 2] - m[..., 1] * m[..., 1])


@loss(
    "R2",
    "r2_score",
    "coefficient_of_determination",
    best=1.0,
    score=True,
    finish=Finish(_r2, undefined="all targets are equal"),
)
def r2(batch: Regression) -> tuple[Array, Array, Array]:
    """The share of the targets' variance that predictions explain: 1 is perfect, 0 is their mean.

    1 - sum e^2 / sum (y - mean y)^2.  Unit: 1.

    Wright (1921), Correlation and causation, J. Agric. Res. 20
    """
    return batch.squared_error, batch.centred_target, batch.centred_target * batch.centred_target


def _explained_variance(xp: Namespace, m: Array) -> Array:
    return 1.0 - (m[..., 1] - m[..., 0] * m[..., 0]) / (m[..., 3] - m[..., 2] * m[..., 2])


@loss(
    "explained_variance_score",
    best=1.0,
    score=True,
    finish=Finish(_explained_variance, undefined="all targets are equal"),
)
def explained_variance(batch: Regression) -> tuple[Array, Array, Array, Array]:
    """Like R2 without the bias: a constant added to all predictions changes nothing.

    1 - var(e) / var(y).  Unit: 1.

    scikit-learn user guide, Explained variance score
    """
    e, y = batch.centred_error, batch.centred_target
    return e, e * e, y, y * y


@loss("quantile", "quantile_loss", "quantile_score", "mean_pinball_loss", "PinballLoss")
def pinball(batch: Regression, *, alpha: Unit = 0.5) -> Array:
    """The loss whose best constant is the alpha-quantile: too low costs alpha, too high 1 - alpha.

    l = alpha max(y - prediction, 0) + (1 - alpha) max(prediction - y, 0).  Unit: target.

    Koenker and Bassett (1978), doi:10.2307/1913643
    """
    return batch.xp.maximum(-alpha * batch.error, (1.0 - alpha) * batch.error)
