"""Losses and scores of predicted labels: accuracy, and the agreement of predicted and true classes."""

from __future__ import annotations

from typing import Literal

from losscli.catalog.params import Count, Unit
from losscli.catalog.registry import loss
from losscli.losses.binary import zero_one
from losscli.losses.multiclass import multiclass_zero_one, top_k_error
from losscli.losses.multilabel import subset_zero_one
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.indicators import Indicators, one_per_row
from losscli.states.reductions import Reduction, complement
from losscli.tasks.binary import BinaryAgreement, BinaryLabel, outcomes
from losscli.tasks.classes import MulticlassAgreement, MulticlassLabel, MulticlassOutcome, MulticlassScore
from losscli.tasks.multilabel import MultilabelLabel

# Shares of rows that are right


@loss("accuracy_score", "acc", "BinaryAccuracy", "binary_accuracy", best=1.0, worst=0.0, score=True)
def accuracy(batch: BinaryLabel, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The share of right labels; a probability at the threshold is negative, with `inclusive` positive.

    l = 1 if the predicted label is y, else 0.  Unit: 1.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 2.20
    """
    return 1.0 - zero_one(batch, threshold=threshold, inclusive=inclusive)


@loss(
    "accuracy",
    "accuracy_score",
    "acc",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    best=1.0,
    worst=0.0,
    score=True,
)
def multiclass_accuracy(batch: MulticlassLabel) -> Array:
    """The share of rows whose class is right; ties go to the first class.

    l = 1 if argmax_c p_c is y, else 0.  Unit: 1.

    Hastie et al. (2009), The Elements of Statistical Learning, eq. 2.20
    """
    return 1.0 - multiclass_zero_one(batch)


@loss(
    "accuracy", "accuracy_score", "acc", "exact_match", "exact_match_ratio", best=1.0, worst=0.0, score=True
)
def subset_accuracy(batch: MultilabelLabel, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The share of rows whose labels are all right.

    l = 1 if guess_k = y_k for all k, else 0.  Unit: 1.

    Tsoumakas and Katakis (2007), doi:10.4018/jdwm.2007070101
    """
    return 1.0 - subset_zero_one(batch, threshold=threshold, inclusive=inclusive)


@loss(
    "top_k_accuracy_score",
    "TopKCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    best=1.0,
    worst=0.0,
    score=True,
)
def top_k_accuracy(batch: MulticlassScore, *, k: Count = 2) -> Array:
    """The share of rows whose true class is among the k best; ties go to the first class.

    l = 1 if fewer than k classes rank before y, else 0.  Unit: 1.

    Russakovsky et al. (2015), doi:10.1007/s11263-015-0816-y
    """
    return 1.0 - top_k_error(batch, k=k)


# The mean over classes of the share of their rows


def _balanced(xp: Namespace, m: Array) -> Array:
    return (m[..., 0] / m[..., 2] + m[..., 1] / (1.0 - m[..., 2])) / 2


_both_classes = Reduction(_balanced, undefined="it needs rows of both classes")


@loss("BalancedErrorRate", "ber", reduction=_both_classes, worst=1.0)
def balanced_error(
    batch: BinaryLabel, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, Array, Array]:
    """The mean of the error rates of the two classes: a rare class counts as much as a common one.

    (FN / P + FP / N) / 2.  Unit: 1.

    Brodersen et al. (2010), doi:10.1109/ICPR.2010.764
    """
    guess, y = batch.predicted(threshold, inclusive), batch.target
    return y * (1.0 - guess), (1.0 - y) * guess, y


@loss(
    "balanced_accuracy_score",
    "bacc",
    reduction=complement(_both_classes),
    best=1.0,
    worst=0.0,
    score=True,
)
def balanced_accuracy(
    batch: BinaryLabel, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, Array, Array]:
    """The mean recall of the two classes: a rare class counts as much as a common one.

    (TP / P + TN / N) / 2.  Unit: 1.

    Brodersen et al. (2010), doi:10.1109/ICPR.2010.764
    """
    return balanced_error(batch, threshold=threshold, inclusive=inclusive)


def _geometric(xp: Namespace, m: Array) -> Array:
    tp, fp, fn, tn = (m[..., i] for i in range(4))
    return xp.sqrt(tp / (tp + fn)) * xp.sqrt(tn / (tn + fp))


@loss(
    "geometric_mean_score",
    "gmean",
    reduction=Reduction(_geometric, undefined=_both_classes.undefined),
    best=1.0,
    worst=0.0,
    score=True,
)
def g_mean(batch: BinaryAgreement, *, threshold: Unit = 0.5, inclusive: bool = False) -> tuple[Array, ...]:
    """The geometric mean of the recall of the two classes: 0 if one of them is never found.

    sqrt(TP / P TN / N).  Unit: 1.

    Kubat and Matwin (1997), Addressing the curse of imbalanced training sets
    """
    return outcomes(batch.target, batch.predicted(threshold, inclusive))


def _equitable_threat(xp: Namespace, m: Array) -> Array:
    tp, fp, fn = (m[..., i] for i in range(3))
    by_chance = (tp + fp) * (tp + fn)
    return (tp - by_chance) / (tp + fp + fn - by_chance)


@loss(
    "gilbert_skill_score",
    "ets",
    "gss",
    reduction=Reduction(_equitable_threat, undefined="all rows have one class, in truth and by prediction"),
    best=1.0,
    worst=-1.0 / 3.0,
    score=True,
)
def equitable_threat_score(
    batch: BinaryAgreement, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, ...]:
    """The intersection over union of the positives beyond chance: 1 is perfect, 0 as good as chance.

    (TP - C) / (TP + FP + FN - C), with C = (TP + FP) (TP + FN) / n.  Unit: 1.

    Schaefer (1990), The critical success index as an indicator of warning skill
    """
    return outcomes(batch.target, batch.predicted(threshold, inclusive))


def _balanced_of_classes(xp: Namespace, m: Array) -> Array:
    classes = m.shape[-1] // 2
    wrong, share = m[..., :classes], m[..., classes:]
    occurs = share > 0
    rates = xp.where(occurs, wrong / xp.where(occurs, share, 1.0), 0.0)
    return xp.sum(rates, axis=-1) / xp.sum(occurs, axis=-1)


_all_classes = Reduction(_balanced_of_classes)


@loss("balanced_error", reduction=_all_classes, worst=1.0)
def multiclass_balanced_error(batch: MulticlassLabel) -> tuple[Array, ...]:
    """The mean error rate over the classes that have rows: a rare class counts as much as a common one.

    1 - mean_c recall_c.  Unit: 1.

    Brodersen et al. (2010), doi:10.1109/ICPR.2010.764
    """
    wrong = Indicators(batch.classes, ((batch.code, multiclass_zero_one(batch)),))
    return wrong, one_per_row(batch.xp, batch.code, batch.classes)


@loss(
    "balanced_accuracy",
    "balanced_accuracy_score",
    "bacc",
    reduction=complement(_all_classes),
    best=1.0,
    worst=0.0,
    score=True,
)
def multiclass_balanced_accuracy(batch: MulticlassLabel) -> tuple[Array, ...]:
    """The mean recall over the classes that have rows: a rare class counts as much as a common one.

    mean_c recall_c.  Unit: 1.

    Brodersen et al. (2010), doi:10.1109/ICPR.2010.764
    """
    return multiclass_balanced_error(batch)


# Agreement beyond chance


def _matthews(xp: Namespace, m: Array) -> Array:
    tp, fp, fn, tn = (m[..., i] for i in range(4))
    predicted, actual = (tp + fp) * (fn + tn), (tp + fn) * (fp + tn)
    joint, predicted, actual = (xp.sum(part, axis=-1) for part in (tp * tn - fp * fn, predicted, actual))
    # The geometric mean of both, without underflow, and exact if they are equal.
    larger, smaller = xp.maximum(predicted, actual), xp.minimum(predicted, actual)
    return joint / (larger * xp.sqrt(smaller / larger))


_matthews_of_classes = Reduction(
    _matthews, joint=True, undefined="all rows have one class, or one prediction"
)


@loss(
    "mcc",
    "matthews_corrcoef",
    "phi_coefficient",
    reduction=_matthews_of_classes,
    best=1.0,
    worst=-1.0,
    score=True,
)
def matthews_correlation(
    batch: BinaryAgreement, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, ...]:
    """The correlation of predicted and true labels: 1 is perfect, 0 as good as chance, -1 always wrong.

    (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)).  Unit: 1.

    Matthews (1975), doi:10.1016/0005-2795(75)90109-9
    """
    return outcomes(batch.target, batch.predicted(threshold, inclusive))


@loss(
    "matthews_correlation",
    "mcc",
    "matthews_corrcoef",
    reduction=_matthews_of_classes,
    best=1.0,
    worst=-1.0,
    score=True,
)
def multiclass_matthews_correlation(batch: MulticlassOutcome) -> tuple[Array, ...]:
    """The correlation of predicted and true classes: 1 is perfect, 0 as good as chance.

    sum_c cov_c(p, y) / sqrt(sum_c var_c(p) sum_c var_c(y)), of the indicators of class c; of one class its
    correlation against all others.  Unit: 1.

    Gorodkin (2004), doi:10.1016/j.compbiolchem.2004.09.006
    """
    return batch.outcomes()


Weighting = Literal["linear", "quadratic"]
"""The cost of a wrong class: its distance in the order of the classes, or the squared distance; 1 if None."""

ONE_CLASS = "all rows have one class, in truth and by prediction"


def _costs(xp: Namespace, guess: Array, y: Array, weighting: str | None) -> Array:
    """The cost of each predicted class, given the true class."""
    distance = xp.abs(guess - y) * 1.0
    if weighting is None:
        return xp.minimum(distance, 1.0)
    return distance if weighting == "linear" else distance**2


def _agreement(
    xp: Namespace, guess: Array, y: Array, classes: int, weighting: str | None
) -> tuple[Array, ...]:
    """The cost of each row, and the indicators of its true and of its predicted class."""
    actual, predicted = (one_per_row(xp, codes, classes) for codes in (y, guess))
    return _costs(xp, guess, y, weighting), actual, predicted


def _kappa(xp: Namespace, m: Array, weighting: str | None = None) -> Array:
    count = m.shape[-1] // 2
    classes = xp.arange(count)
    actual, predicted = m[..., 1 : count + 1], m[..., count + 1 :]
    by_chance = xp.sum((predicted @ _costs(xp, classes[:, None], classes, weighting)) * actual, axis=-1)
    return 1.0 - m[..., 0] / by_chance


def _kappa_of_labels(xp: Namespace, m: Array) -> Array:
    return _kappa(xp, m)


@loss(
    "kappa",
    "cohen_kappa_score",
    "heidke_skill_score",
    "hss",
    reduction=Reduction(_kappa_of_labels, undefined=ONE_CLASS),
    best=1.0,
    worst=-1.0,
    score=True,
)
def cohen_kappa(
    batch: BinaryAgreement, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, ...]:
    """The agreement of predicted and true labels beyond chance: 1 is perfect, 0 as good as chance.

    1 - share wrong / share wrong by chance, if each label is true and predicted as often.  Unit: 1.

    Cohen (1960), doi:10.1177/001316446002000104
    """
    return _agreement(batch.xp, batch.predicted(threshold, inclusive), batch.target, 2, None)


@loss(
    "cohen_kappa",
    "kappa",
    "cohen_kappa_score",
    "heidke_skill_score",
    "hss",
    reduction=Reduction(_kappa, undefined=ONE_CLASS),
    best=1.0,
    worst=-1.0,
    score=True,
)
def multiclass_cohen_kappa(
    batch: MulticlassAgreement, *, weighting: Weighting | None = None
) -> tuple[Array, ...]:
    """The agreement of predicted and true classes beyond chance: 1 is perfect, 0 as good as chance.

    1 - mean cost / mean cost by chance, where a wrong class costs 1, its distance d from the true one in the
    order of the classes (linear), or d^2 (quadratic).  Unit: 1.

    Cohen (1968), doi:10.1037/h0026256
    """
    return _agreement(batch.xp, batch.predicted, batch.code, batch.classes, weighting)
