"""Losses of multiclass classification: K classes, p_c the probability of class c, y the true class."""

from __future__ import annotations

from losscli.finish import Finish
from losscli.losses.registry import loss
from losscli.params import Count, NonNegative, Positive, UnitBelowOne
from losscli.tasks.multiclass import Multiclass, MulticlassLabel, MulticlassScore
from losscli.xp import Array, Namespace, xlogy


@loss(
    "log_loss",
    "logloss",
    "cross_entropy",
    "CrossEntropyLoss",
    "NLLLoss",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "softmax_cross_entropy",
    "mlogloss",
    "multi_logloss",
    "cce",
)
def categorical_cross_entropy(batch: Multiclass, *, label_smoothing: UnitBelowOne | None = None) -> Array:
    """The surprise of the true class, in nats; a perfect model has 0, a uniform one log K.

    l = -sum_c t_c log p_c, where t is the true class, or the target distribution; t (1 - s) + s / K under
    label smoothing s.  Unit: nat.

    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x
    """
    if not label_smoothing:
        return -batch.log_prob_true
    return -batch.smoothed(batch.log_prob, label_smoothing)


@loss("focal", "focal_loss", "CategoricalFocalCrossentropy")
def categorical_focal(
    batch: Multiclass,
    *,
    alpha: Positive = 0.25,
    gamma: NonNegative = 2.0,
    label_smoothing: UnitBelowOne | None = None,
) -> Array:
    """Cross-entropy that fades where the model is already right; alpha scales all classes alike.

    l = -alpha sum_c t_c (1 - p_c)^gamma log p_c.  Unit: nat.

    Lin et al. (2017), arXiv:1708.02002
    """
    focused = batch.xp.power(batch.complement, gamma) * batch.log_prob
    return -alpha * batch.smoothed(focused, label_smoothing)


@loss("hinge", "hinge_loss", "crammer_singer", "multiclass_hinge_loss")
def multiclass_hinge(batch: MulticlassScore) -> Array:
    """The margin of the true class over the best of the others, short of one.

    l = max(0, 1 + max_{c != y} s_c - s_y).  Unit: score.

    Crammer and Singer (2001), J. Mach. Learn. Res. 2
    """
    return batch.xp.maximum(batch.best_other - batch.true_score + 1.0, 0.0)


@loss("brier", "brier_score", "brier_score_loss")
def multiclass_brier(batch: Multiclass, *, scale_by_half: bool = False) -> Array:
    """The squared distance of the probabilities from the target: from 0 to 2, or to 1 scaled by half.

    l = sum_c (p_c - t_c)^2.  Unit: 1.

    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    # Of the true class the complement has the digits that p - 1 loses.
    gap = batch.xp.where(batch.target == 1, batch.complement, batch.probability - batch.target)
    distance = batch.xp.sum(gap * gap, axis=1)
    return distance / 2 if scale_by_half else distance


@loss("zero_one", "zero_one_loss", "error", "error_rate", "merror", "multi_error", "ZeroOneLoss")
def multiclass_zero_one(batch: MulticlassLabel) -> Array:
    """The share of rows whose class is wrong; of equal scores the first class is the guess.

    l = 1 if argmax_c p_c is not y, else 0.  Unit: 1.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 2.20
    """
    return batch.xp.where(batch.predicted == batch.code, 0.0, 1.0)


@loss("top_k", "multi_error_top_k")
def top_k_error(batch: MulticlassScore, *, k: Count = 2) -> Array:
    """The share of rows whose true class is not among the k best; of equal scores the first class is better.

    l = 1 if at least k classes rank before y, else 0.  Unit: 1.

    Russakovsky et al. (2015), doi:10.1007/s11263-015-0816-y
    """
    xp, true = batch.xp, batch.true_score[:, None]
    earlier = xp.arange(batch.score.shape[1]) < batch.code[:, None]
    before = (batch.score > true) | ((batch.score == true) & earlier)
    return xp.where(xp.sum(before, axis=1) >= k, 1.0, 0.0)


def _d2_log_loss(xp: Namespace, m: Array) -> Array:
    rates = m[..., 1:]
    return 1.0 + m[..., 0] / xp.sum(xlogy(xp, rates, rates), axis=-1)


@loss(
    "d2_log_loss",
    "d2_log_loss_score",
    best=1.0,
    score=True,
    finish=Finish(_d2_log_loss, undefined="the targets hold one class only"),
)
def d2_log_loss_multiclass(batch: Multiclass) -> tuple[Array, ...]:
    """The share of the log loss of the class frequencies that predictions remove: 1 is perfect.

    1 - log loss / entropy of the frequencies.  Unit: 1.

    McFadden (1974), Conditional logit analysis of qualitative choice behavior
    """
    return (-batch.log_prob_true, *(batch.target[:, c] for c in range(batch.classes)))
