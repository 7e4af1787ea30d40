"""Losses between distributions: t_c the target's probability of class c, p_c the predicted one."""

from __future__ import annotations

from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.softmax import kl_div
from losscli.numeric.special import xlogy
from losscli.tasks.binary import Binary
from losscli.tasks.classes import Multiclass, MulticlassAmount


@loss("kullback_leibler", "kl_divergence", clips=True)
def binary_kl_divergence(batch: Binary) -> Array:
    """Cross-entropy minus the entropy of the label: the excess loss for soft labels.

    l = y log(y / p) + (1 - y) log((1 - y) / (1 - p)).  Unit: nat.

    Kullback and Leibler (1951), doi:10.1214/aoms/1177729694
    """
    xp, y, gap = batch.xp, batch.target, batch.probability - batch.target
    one = kl_div(xp, y, batch.probability, batch.log_p, gap)
    return one + kl_div(xp, 1.0 - y, batch.complement, batch.log_q, -gap)


@loss("KLDivLoss", "KLDivergence", "rel_entr", "relative_entropy", clips=True)
def kl_divergence(batch: Multiclass) -> Array:
    """The cross-entropy of the predictions minus the entropy of the target distribution.

    l = sum_c t_c log(t_c / p_c), the Kullback-Leibler divergence of the prediction from the target.
    Unit: nat.

    Kullback and Leibler (1951), doi:10.1214/aoms/1177729694
    """
    t, p = batch.target, batch.clipped
    return batch.xp.sum(kl_div(batch.xp, t, p, batch.log_prob, p - t), axis=1) + batch.excess


@loss("convex_kl_divergence", domain="predictions and targets at least 0")
def generalized_kl_divergence(batch: MulticlassAmount) -> Array:
    """The Kullback-Leibler divergence of amounts that need not sum to one.

    l = sum_c t_c log(t_c / p_c) - t_c + p_c.  Unit: target.

    Csiszar (1975), doi:10.1214/aop/1176996454
    """
    t, p = batch.target, batch.probability
    return batch.xp.sum(kl_div(batch.xp, t, p, batch.log_prob, p - t), axis=1)


def _jensen_shannon(xp: Namespace, t: Array, p: Array) -> Array:
    """(t log(t / m) + p log(p / m)) / 2 with m = (t + p) / 2, and 0 log 0 = 0.

    With d = (p - t) / (p + t) it is (p + t) / 4 times (1 - d) log(1 - d) + (1 + d) log(1 + d), whose series
    d^2 sum_k d^(2k) / ((k + 1)(2k + 1)) is accurate for small d.
    """
    gap, total = p - t, p + t
    total = xp.where(total == 0, 1.0, total)
    d = xp.abs(gap) / total
    square = xp.where(d < 0.5, d * d, 0.0)
    series = xp.zeros_like(square)
    for k in range(23, -1, -1):
        series = series * square + 1.0 / ((k + 1) * (2 * k + 1))
    less, more = 2.0 * xp.minimum(t, p) / total, 2.0 * xp.maximum(t, p) / total
    far = total * (xlogy(xp, less, less) + xlogy(xp, more, more))
    return xp.where(d < 0.5, gap * (gap / total) * series, far) / 4.0


@loss()
def jensen_shannon_divergence(batch: Multiclass) -> Array:
    """A symmetric Kullback-Leibler divergence: from 0 to log 2, and finite where a probability is 0.

    l = sum_c (t_c log(t_c / m_c) + p_c log(p_c / m_c)) / 2, with m = (t + p) / 2.  Unit: nat.

    Lin (1991), doi:10.1109/18.61115
    """
    return batch.xp.sum(_jensen_shannon(batch.xp, batch.target, batch.probability), axis=1)


@loss("jensenshannon")
def jensen_shannon_distance(batch: Multiclass) -> Array:
    """The square root of the Jensen-Shannon divergence, a metric.

    l = sqrt(sum_c (t_c log(t_c / m_c) + p_c log(p_c / m_c)) / 2), with m = (t + p) / 2.  Unit: nat^(1/2).

    Endres and Schindelin (2003), doi:10.1109/TIT.2003.813506
    """
    return batch.xp.sqrt(jensen_shannon_divergence(batch))
