"""Asymmetric losses, which weight an error by its sign: for quantiles, expectiles and in between."""

from __future__ import annotations

from msgspec.structs import replace

from losscli.catalog.params import OpenUnit, Positive, Unit
from losscli.catalog.registry import loss
from losscli.losses.robust import huber
from losscli.numeric.arrays import Array, Namespace
from losscli.tasks.regression import Regression


@loss("quantile", "quantile_loss", "quantile_score", "mean_pinball_loss", "PinballLoss")
def pinball(batch: Regression, *, alpha: Unit = 0.5) -> Array:
    """Weights errors alpha if too low, 1 - alpha if too high: the best constant is the alpha-quantile.

    l = alpha max(y - prediction, 0) + (1 - alpha) max(prediction - y, 0).  Unit: target.

    Koenker and Bassett (1978), doi:10.2307/1913643
    """
    return tilted(batch.xp, batch.error, alpha)


def tilted(xp: Namespace, error: Array, level: float) -> Array:
    """The pinball loss (n,) of errors (prediction - target) at a quantile level."""
    return xp.maximum(-level * error, (1.0 - level) * error)


@loss("LogLinQuantile", domain="predictions on the logarithmic scale")
def log_linear_quantile(batch: Regression, *, alpha: Unit = 0.5) -> Array:
    """The pinball loss of exp(prediction), for models that predict the logarithm of a quantile.

    l = alpha max(y - q, 0) + (1 - alpha) max(q - y, 0), q = exp(prediction).  Unit: target.

    CatBoost user guide, Objectives and metrics: LogLinQuantile
    """
    return pinball(replace(batch, prediction=batch.xp.exp(batch.prediction)), alpha=alpha)


def _side_weight(batch: Regression, alpha: float) -> Array:
    """Alpha if the prediction is not above the target, else 1 - alpha."""
    return batch.xp.where(batch.error > 0, 1.0 - alpha, alpha)


@loss("asymmetric_least_squares")
def expectile(batch: Regression, *, alpha: Unit = 0.5) -> Array:
    """The pinball loss with squared errors: the best constant is the alpha-expectile.

    l = alpha e^2 if prediction <= y, else (1 - alpha) e^2.  Unit: target^2.

    Newey and Powell (1987), doi:10.2307/1911031
    """
    return _side_weight(batch, alpha) * batch.squared_error


@loss("MQuantileNorm", tail=("delta", "linear"))
def m_quantile_huber(batch: Regression, *, alpha: OpenUnit, delta: Positive = 1.345) -> Array:
    """Huber's loss weighted by side: between quantile (small delta) and expectile (large delta).

    l = alpha huber(e) if prediction <= y, else (1 - alpha) huber(e).  Unit: target^2.

    Breckling and Chambers (1988), doi:10.1093/biomet/75.4.761
    """
    return _side_weight(batch, alpha) * huber(batch, delta=delta)
