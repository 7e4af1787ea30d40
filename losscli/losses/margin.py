"""Losses of scores against a margin: y = -1 or 1 with a score s, or the true class y with scores s_c."""

from __future__ import annotations

from typing import Literal

from losscli.catalog.params import OneOrTwo, Real
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.softmax import expit
from losscli.numeric.special import softplus
from losscli.numeric.two_float import sum_of_three
from losscli.states.reductions import ratio
from losscli.tasks.binary import BinaryScore, BinarySoftScore
from losscli.tasks.classes import Multiclass, MulticlassScore


@loss("hinge_loss", "HingeLoss")
def hinge(batch: BinaryScore) -> Array:
    """The loss of support vector machines: zero beyond a margin of one, then linear.

    l = max(0, 1 - y s), with y = -1 or 1 and the score s.  Unit: score.

    Cortes and Vapnik (1995), doi:10.1007/BF00994018
    """
    return batch.xp.maximum(1.0 - batch.margin, 0.0)


@loss("SquaredHinge")
def squared_hinge(batch: BinaryScore) -> Array:
    """The square of the hinge: smooth at the margin.

    l = max(0, 1 - y s)^2, with y = -1 or 1 and the score s.  Unit: score^2.

    Lee and Mangasarian (2001), doi:10.1023/A:1011215321374
    """
    short = batch.xp.maximum(1.0 - batch.margin, 0.0)
    return short * short


@loss("binary_hinge_loss", best=None, worst=4.0)
def hinge_sigmoid(batch: BinaryScore, *, squared: bool = False) -> Array:
    """The hinge of the sigmoid of the score, which is never zero: 1 at best for negatives.

    l = 1 - y sigmoid(s), with y = -1 or 1 and the score s, or its square.  Unit: 1.

    TorchMetrics user guide, BinaryHingeLoss
    """
    xp = batch.xp
    short = expit(xp, -batch.margin) + xp.where(batch.sign > 0, 0.0, 1.0)
    return short * short if squared else short


@loss("ModifiedHuber")
def modified_huber(batch: BinaryScore) -> Array:
    """The squared hinge with a linear tail for badly wrong rows: robust to outliers.

    l = max(0, 1 - y s)^2 if y s >= -1, else -4 y s.  Unit: score^2.

    Zhang (2004), doi:10.1145/1015330.1015332
    """
    return batch.xp.where(batch.margin >= -1.0, squared_hinge(batch), -4.0 * batch.margin)


@loss("perceptron_loss")
def perceptron(batch: BinaryScore) -> Array:
    """How far the score is on the wrong side; zero on the right side.

    l = max(0, -y s), with y = -1 or 1 and the score s.  Unit: score.

    Rosenblatt (1958), doi:10.1037/h0042519
    """
    return batch.xp.maximum(-batch.margin, 0.0)


@loss("SoftMarginLoss", "logistic_loss")
def soft_margin(batch: BinaryScore) -> Array:
    """The logistic loss: a smooth hinge, equal to the cross-entropy of the score as a logit.

    l = log(1 + exp(-y s)), with y = -1 or 1 and the score s.  Unit: nat.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 10.18
    """
    return softplus(batch.xp, -batch.margin)


def _scaled_exp(xp: Namespace, scale: Array, x: Array) -> Array:
    # Two factors, since exp(x) alone may overflow.
    root = xp.exp(x / 2.0)
    return xp.where(scale == 0, 0.0, scale * root * root)


@loss("ExponentialLoss")
def exponential(batch: BinarySoftScore) -> Array:
    """The loss of AdaBoost: exponential in how wrong the score is.

    l = y exp(-s) + (1 - y) exp(s), with y in [0, 1] and the score s.  Unit: 1.

    Friedman et al. (2000), doi:10.1214/aos/1016218223
    """
    xp, y, s = batch.xp, batch.target, batch.score
    return _scaled_exp(xp, y, -s) + _scaled_exp(xp, 1.0 - y, s)


@loss("sparsemax_loss")
def sparsemax_binary(batch: BinaryScore) -> Array:
    """A smooth hinge: zero for margins above one, linear below minus one.

    l = 0 if y s >= 1, -y s if y s <= -1, else (1 - y s)^2 / 4.  Unit: score.

    Martins and Astudillo (2016), arXiv:1602.02068
    """
    return batch.xp.where(batch.margin <= -1.0, -batch.margin, squared_hinge(batch) / 4.0)


@loss("hinge", "hinge_loss", "crammer_singer", "multiclass_hinge_loss")
def multiclass_hinge(batch: MulticlassScore) -> Array:
    """By how much the margin of the true class over the best other class falls short of one.

    l = max(0, 1 + max_{c != y} s_c - s_y).  Unit: score.

    Crammer and Singer (2001), J. Mach. Learn. Res. 2
    """
    xp = batch.xp
    return xp.maximum(sum_of_three(xp, batch.best_other, -batch.true_score, 1.0), 0.0)


@loss("CategoricalHinge")
def categorical_hinge(batch: MulticlassScore) -> Array:
    """The multiclass hinge, where the best other score counts as at least zero.

    l = max(0, 1 + max(0, max_{c != y} s_c) - s_y).  Unit: score.

    Keras API, CategoricalHinge (2015)
    """
    xp = batch.xp
    other = xp.maximum(batch.best_other, 0.0)
    return xp.maximum(sum_of_three(xp, other, -batch.true_score, 1.0), 0.0)


@loss("MulticlassHingeLoss", worst=4.0)
def multiclass_hinge_softmax(
    batch: Multiclass,
    *,
    mode: Literal["crammer-singer", "one-vs-all"] = "crammer-singer",
    squared: bool = False,
) -> Array:
    """The multiclass hinge of probabilities: zero only if the true class has all of it.

    l = 1 - p_y + max_{c != y} p_c, or its square; one-vs-all is the mean over all classes of 1 - p_y for the
    true class and 1 + p_c for the others, or of the squares, at best (K - 1) / K.  Unit: 1.

    TorchMetrics user guide, MulticlassHingeLoss
    """
    xp, p, miss = batch.xp, batch.probability, batch.complement
    if mode == "crammer-singer":
        best, second = xp.max(p, axis=1)[:, None], xp.sort(p, axis=1)[:, -2][:, None]
        short = miss + xp.where(p == best, second, best)
        return batch.expect(short * short if squared else short)
    power = 2 if squared else 1
    others = xp.sum((1.0 + p) ** power, axis=1)[:, None] - (1.0 + p) ** power
    return batch.expect(miss**power + others) / batch.classes


@loss("MultiMarginLoss", reduction=ratio, zero_class="always")
def multi_margin(batch: MulticlassScore, *, p: OneOrTwo = 1, margin: Real = 1.0) -> tuple[Array, Array]:
    """The mean hinge over all other classes, not only the best one.

    l = (1 / K) sum_{c != y} max(0, margin - s_y + s_c)^p; a class weight scales it, and the mean divides by
    the weights of rows alone.  Unit: score^p.

    Weston and Watkins (1999), Support vector machines for multi-class pattern recognition
    """
    xp = batch.xp
    short = xp.maximum(sum_of_three(xp, batch.score, -batch.true_score[:, None], margin), 0.0)
    cost = xp.where(batch.is_true, 0.0, short if p == 1 else short * short)
    return batch.weighted(xp.mean(cost, axis=1)), batch.unit_weight


@loss("multiclass_perceptron_loss")
def multiclass_perceptron(batch: MulticlassScore) -> Array:
    """By how much the best other score exceeds that of the true class.

    l = max_c s_c - s_y.  Unit: score.

    Collins (2002), doi:10.3115/1118693.1118694
    """
    return batch.xp.maximum(batch.best_other - batch.true_score, 0.0)


@loss("multiclass_sparsemax_loss")
def sparsemax(batch: MulticlassScore) -> Array:
    """A smooth multiclass hinge: zero where the true score exceeds all others by one.

    l = max_q sum_c q_c (s_c - s_y) + (1 - sum_c q_c^2) / 2 over all distributions q.  Unit: score.

    Martins and Astudillo (2016), arXiv:1602.02068
    """
    xp = batch.xp
    # The shortfall of the true score from a margin of one over each other class, in descending order.  The
    # optimal q of the other classes is short - t where positive, with sum q = t while that is at most one ...
    short = sum_of_three(xp, batch.score, -batch.true_score[:, None], 1.0)
    short = -xp.sort(xp.where(batch.is_true, xp.inf, -short), axis=1)[:, :-1]
    rank = xp.arange(1, short.shape[1] + 1)
    sums = xp.cumsum(short, axis=1)
    inside = short * (1.0 + rank) > sums
    total = xp.sum(xp.where(inside, short, 0.0), axis=1) / (1.0 + xp.sum(inside, axis=1))
    q = xp.maximum(short - total[:, None], 0.0)
    within = xp.sum(q * xp.where(q > 0, short, 0.0), axis=1) / 2.0
    # ... and otherwise sum q = 1 over the other classes, computed relative to the largest shortfall.
    first = short[:, 0]
    below = short - first[:, None]
    sums = xp.cumsum(below, axis=1) - 1.0
    inside = below * rank > sums
    threshold = xp.sum(xp.where(inside, below, 0.0), axis=1) - 1.0
    q = xp.maximum(below - (threshold / xp.sum(inside, axis=1))[:, None], 0.0)
    gain = xp.sum(q * xp.where(q > 0, below - q / 2.0, 0.0), axis=1)
    return xp.where(total <= 1.0, within, first - 0.5 + gain)
