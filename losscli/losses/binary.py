"""Losses of binary classification: y is 1 for the positive class, else 0; p its probability."""

from __future__ import annotations

from typing import Literal

from losscli.finish import Finish
from losscli.losses.registry import loss
from losscli.params import Count, NonNegative, Positive, Unit, UnitBelowOne
from losscli.tasks.binary import Binary, BinaryLabel, BinaryScore
from losscli.xp import Array, Namespace, xlogy


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
    "bce",
)
def binary_cross_entropy(
    batch: Binary, *, label_smoothing: UnitBelowOne | None = None, pos_weight: Positive | None = None
) -> Array:
    """The surprise of the true label, in nats; a confident error costs without bound.

    l = -(pos_weight y log p + (1 - y) log(1 - p)), with y (1 - s) + s / 2 for y under label smoothing s.
    Unit: nat.

    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x
    """
    return batch.cross_entropy(batch.smoothed(label_smoothing), pos_weight or 1.0)


@loss("focal", "focal_loss", "BinaryFocalCrossentropy", "sigmoid_focal_loss")
def binary_focal(batch: Binary, *, gamma: NonNegative = 2.0, alpha: Unit | None = None) -> Array:
    """Cross-entropy that fades where the model is already right, so that hard rows count.

    l = a_t (1 - p_t)^gamma BCE, with p_t = y p + (1 - y)(1 - p) and a_t = alpha y + (1 - alpha)(1 - y), or 1
    without alpha.  Unit: nat.

    Lin et al. (2017), arXiv:1708.02002
    """
    y = batch.target
    miss = y * batch.complement + (1.0 - y) * batch.probability
    focused = batch.xp.power(miss, gamma) * batch.cross_entropy(y)
    return focused if alpha is None else (alpha * y + (1.0 - alpha) * (1.0 - y)) * focused


@loss("hinge_loss", "HingeLoss")
def hinge(batch: BinaryScore) -> Array:
    """The loss of support vector machines: zero beyond a margin of one, then linear.

    l = max(0, 1 - y s), with y = -1 or 1 and the score s.  Unit: score.

    Cortes and Vapnik (1995), doi:10.1007/BF00994018
    """
    return batch.xp.maximum(1.0 - batch.margin, 0.0)


@loss("SquaredHinge")
def squared_hinge(batch: BinaryScore) -> Array:
    """The square of the hinge: smooth where the margin is reached.

    l = max(0, 1 - y s)^2, with y = -1 or 1 and the score s.  Unit: score^2.

    Lee and Mangasarian (2001), doi:10.1023/A:1011215321374
    """
    short = batch.xp.maximum(1.0 - batch.margin, 0.0)
    return short * short


@loss("brier_score", "brier_score_loss", "BrierScore")
def brier(batch: Binary) -> Array:
    """The squared error of the probability: proper, and never infinite.

    l = (p - y)^2.  Unit: 1.

    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    # As p (1 - y) - (1 - p) y the small difference of a confident logit keeps its digits.
    gap = batch.probability * (1.0 - batch.target) - batch.complement * batch.target
    return gap * gap


@loss("zero_one_loss", "error", "error_rate", "binary_error", "ZeroOneLoss")
def zero_one(batch: BinaryLabel, *, threshold: Unit = 0.5) -> Array:
    """The share of rows whose label is wrong; a probability at the threshold counts as the negative class.

    l = 1 if the predicted label is not y, else 0.  Unit: 1.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 2.20
    """
    return batch.xp.where(batch.predicted(threshold) == batch.target, 0.0, 1.0)


def _balanced(xp: Namespace, m: Array) -> Array:
    return (m[..., 0] / m[..., 2] + m[..., 1] / (1.0 - m[..., 2])) / 2


@loss("BalancedErrorRate", "ber", finish=Finish(_balanced, undefined="it needs rows of both classes"))
def balanced_error(batch: BinaryLabel, *, threshold: Unit = 0.5) -> tuple[Array, Array, Array]:
    """The mean of the error rates of the two classes: a rare class counts as much as a common one.

    (FN / P + FP / N) / 2.  Unit: 1.

    Brodersen et al. (2010), doi:10.1109/ICPR.2010.764
    """
    guess, y = batch.predicted(threshold), batch.target
    return y * (1.0 - guess), (1.0 - y) * guess, y


def _f1(xp: Namespace, m: Array) -> Array:
    wrong = m[..., 1] + m[..., 2]
    return wrong / (2.0 * m[..., 0] + wrong)


@loss(finish=Finish(_f1, undefined="no row is positive, in truth or by prediction"))
def f1_error(batch: BinaryLabel, *, threshold: Unit = 0.5) -> tuple[Array, Array, Array]:
    """One minus the F1 score: misses and false alarms of the positive class against its hits.

    1 - 2 TP / (2 TP + FP + FN).  Unit: 1.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    guess, y = batch.predicted(threshold), batch.target
    return guess * y, guess * (1.0 - y), (1.0 - guess) * y


def _calibration(xp: Namespace, m: Array, norm: str) -> Array:
    bins = m.shape[-1] // 2
    gap, share = xp.abs(m[..., :bins]), m[..., bins:]
    # An empty bin has no gap; under the gradient's steps its share may leave zero.
    ratio = xp.where(share > 0, gap / xp.where(share > 0, share, 1.0), 0.0)
    if norm == "l1":
        return xp.sum(gap, axis=-1)
    return xp.max(ratio, axis=-1) if norm == "max" else xp.sqrt(xp.sum(ratio * gap, axis=-1))


@loss("ece", "expected_calibration_error", "binary_calibration_error", finish=Finish(_calibration))
def calibration_error(
    batch: Binary, *, n_bins: Count = 15, norm: Literal["l1", "l2", "max"] = "l1"
) -> tuple[Array, ...]:
    """How far probabilities are from frequencies, over bins of equal width.

    sum_b share_b |frequency_b - mean p_b| (l1), the root of the mean square (l2), or the greatest gap (max).
    Unit: 1.

    Naeini et al. (2015), doi:10.1609/aaai.v29i1.9602
    """
    xp, p = batch.xp, batch.probability
    place = xp.searchsorted(xp.linspace(0.0, 1.0, n_bins + 1), p, side="right") - 1
    place = xp.minimum(place, n_bins - 1)
    inside = [place == b for b in range(n_bins)]
    gaps = [xp.where(here, p - batch.target, 0.0) for here in inside]
    return (*gaps, *(xp.where(here, 1.0, 0.0) for here in inside))


def _d2_log_loss(xp: Namespace, m: Array) -> Array:
    rate = m[..., 1]
    return 1.0 + m[..., 0] / (xlogy(xp, rate, rate) + xlogy(xp, 1.0 - rate, 1.0 - rate))


@loss(
    "d2_log_loss_score",
    best=1.0,
    score=True,
    finish=Finish(_d2_log_loss, undefined="the targets hold one class only"),
)
def d2_log_loss(batch: Binary) -> tuple[Array, Array]:
    """The share of the log loss of the class frequencies that predictions remove: 1 is perfect.

    1 - log loss / entropy of the frequencies.  Unit: 1.

    McFadden (1974), Conditional logit analysis of qualitative choice behavior
    """
    return batch.cross_entropy(batch.target), batch.target
