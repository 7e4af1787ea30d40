"""Losses of binary classification: y is 1 for the positive class, else 0; p its probability."""

from __future__ import annotations

from losscli.catalog.params import NonNegative, Positive, Unit, UnitBelowOne
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.special import xlogy
from losscli.states.reductions import Reduction
from losscli.tasks.binary import Binary, BinaryLabel


@loss(
    "log_loss",
    "logloss",
    "cross_entropy",
    "log_score",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BinaryCrossentropy",
    "sigmoid_binary_cross_entropy",
    "binary_logloss",
    "cross_entropy_lambda",
    "xentlambda",
    "bce",
    clips=True,
)
def binary_cross_entropy(
    batch: Binary, *, label_smoothing: UnitBelowOne | None = None, pos_weight: Positive | None = None
) -> Array:
    """The negative log-likelihood of the true label; confident errors are penalised without bound.

    l = -(pos_weight y log p + (1 - y) log(1 - p)), with y (1 - s) + s / 2 for y under label smoothing s.
    Unit: nat.

    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x
    """
    return batch.cross_entropy(batch.smoothed(label_smoothing), pos_weight or 1.0)


@loss("focal", "focal_loss", "BinaryFocalCrossentropy", "sigmoid_focal_loss", clips=True)
def binary_focal(batch: Binary, *, gamma: NonNegative = 2.0, alpha: Unit | None = None) -> Array:
    """Cross-entropy that down-weights rows the model gets right, so that hard rows dominate.

    l = a_t (1 - p_t)^gamma BCE, with p_t = y p + (1 - y)(1 - p) and a_t = alpha y + (1 - alpha)(1 - y), or 1
    without alpha.  Unit: nat.

    Lin et al. (2017), arXiv:1708.02002
    """
    y = batch.target
    miss = y * batch.complement + (1.0 - y) * batch.probability
    focused = batch.xp.power(miss, gamma) * batch.cross_entropy(y)
    return focused if alpha is None else (alpha * y + (1.0 - alpha) * (1.0 - y)) * focused


@loss("brier_score", "brier_score_loss", "BrierScore", worst=1.0)
def brier(batch: Binary) -> Array:
    """The squared error of the probability: a proper score that is never infinite.

    l = (p - y)^2.  Unit: 1.

    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    # Written as p (1 - y) - (1 - p) y, the small difference of a confident logit keeps its digits.
    gap = batch.probability * (1.0 - batch.target) - batch.complement * batch.target
    return gap * gap


@loss("zero_one_loss", "error", "error_rate", "binary_error", "ZeroOneLoss", worst=1.0)
def zero_one(batch: BinaryLabel, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The share of wrong labels; a probability at the threshold is negative, with `inclusive` positive.

    l = 1 if the predicted label is not y, else 0.  Unit: 1.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 2.20
    """
    return (batch.predicted(threshold, inclusive) != batch.target).astype(float)


@loss("spherical", best=1.0, worst=0.0, score=True)
def spherical_score(batch: Binary) -> Array:
    """The probability of the true label over the length of the vector of both: a proper score.

    l = p_y / sqrt(p^2 + (1 - p)^2); with soft labels its mean under them.  Unit: 1.

    Gneiting and Raftery (2007), doi:10.1198/016214506000001437
    """
    p, q, y = batch.probability, batch.complement, batch.target
    return (y * p + (1.0 - y) * q) / batch.xp.sqrt(p * p + q * q)


def _d2_log_loss(xp: Namespace, m: Array) -> Array:
    rate = m[..., 1]
    return 1.0 + m[..., 0] / (xlogy(xp, rate, rate) + xlogy(xp, 1.0 - rate, 1.0 - rate))


@loss(
    "d2_log_loss_score",
    best=1.0,
    score=True,
    reduction=Reduction(_d2_log_loss, undefined="the targets hold one class only"),
    clips=True,
)
def d2_log_loss(batch: Binary) -> tuple[Array, Array]:
    """The reduction of the log loss relative to predicting the class frequencies: 1 is perfect.

    1 - log loss / entropy of the frequencies.  Unit: 1.

    McFadden (1974), Conditional logit analysis of qualitative choice behavior
    """
    return batch.cross_entropy(batch.target), batch.target


def _d2_brier(xp: Namespace, m: Array) -> Array:
    rate = m[..., 1]
    return 1.0 - m[..., 0] / (rate * (1.0 - rate) - m[..., 2])


@loss(
    "d2_brier_score",
    best=1.0,
    score=True,
    reduction=Reduction(_d2_brier, undefined="all targets are equal"),
)
def d2_brier(batch: Binary) -> tuple[Array, Array, Array]:
    """The reduction of the Brier score relative to predicting the class frequencies: 1 is perfect.

    1 - Brier score / mean (y - mean y)^2.  Unit: 1.

    Murphy (1973), doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2
    """
    # The third column, zero except for soft labels, corrects mean y (1 - mean y) to the variance.
    return brier(batch), batch.target, batch.target * (1.0 - batch.target)
