"""Rates of each class: precision, recall, specificity, F scores, intersection over union.

TP, FP, FN and TN are the true and false positives and negatives of a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from losscli.catalog.params import NonNegative, Unit
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Reduction
from losscli.tasks.binary import BinaryLabel, BinaryOutcome
from losscli.tasks.classes import MulticlassOutcome
from losscli.tasks.multilabel import MultilabelOutcome

Average = Literal["macro", "micro", "weighted"]
"""The mean over classes, the rate of all rows together, or the mean weighted by the rows of each class."""
OfBinary = Literal["positive", "macro", "micro", "weighted"]
"""The same for two classes, or the rate of the positive class."""
ZeroDivision = Literal["zero", "one", "skip"]
"""The rate 0 / 0 of a class: a number, or undefined and excluded from averages."""

NOWHERE = "no row has the class, or none is in the denominator"


def _averaged(
    xp: Namespace,
    parts: tuple[Array, Array],
    occurs: Array,
    support: Array,
    average: str,
    zero_division: str,
) -> Array:
    """The average (...) over occurring classes of the rates of hits among hits and misses (..., classes)."""
    hit, miss = parts
    if average == "positive":
        hit, miss, occurs = hit[..., -1:], miss[..., -1:], occurs[..., -1:]
    elif average == "micro":
        hit, miss = (xp.sum(part, axis=-1, keepdims=True) for part in parts)
        occurs = xp.any(occurs, axis=-1, keepdims=True)
    empty = hit + miss == 0
    rate = hit / xp.where(empty, 1.0, hit + miss) + xp.where(empty & (zero_division == "one"), 1.0, 0.0)
    weight = support if average == "weighted" else xp.ones_like(rate)
    weight = xp.where(occurs & ~(empty & (zero_division == "skip")), weight, 0.0)
    return xp.sum(weight * rate, axis=-1) / xp.sum(weight, axis=-1)


def of_positives(
    xp: Namespace, m: Array, parts: tuple[Array, Array], average: str, zero_division: str
) -> Array:
    """The averaged rate from the means (..., classes, 3) of TP, FP and FN."""
    support = m[..., 0] + m[..., 2]
    return _averaged(xp, parts, support + m[..., 1] > 0, support, average, zero_division)


def of_negatives(
    xp: Namespace, m: Array, parts: tuple[Array, Array], average: str, zero_division: str
) -> Array:
    """The averaged rate from the means (..., classes, 3) of TN, FP and FN."""
    support = 1.0 - (m[..., 0] + m[..., 1])
    return _averaged(xp, parts, m[..., 0] < 1.0, support, average, zero_division)


def divides_zero(
    xp: Namespace, m: Array, params: Mapping[str, Any], columns: tuple[int, ...], negatives: bool = False
) -> Array:
    """Whether the value contains 0 / 0 (...): a class that occurs has no rows in these columns."""
    occurs = m[..., 0] < 1.0 if negatives else xp.sum(m, axis=-1) > 0
    total = sum(m[..., column] for column in columns)
    if params["average"] == "positive":
        occurs, total = occurs[..., -1:], total[..., -1:]
    elif params["average"] == "micro":
        occurs, total = (xp.sum(part, axis=-1, keepdims=True) for part in (occurs, total))
    return xp.any((occurs > 0) & (total == 0) & (params["zero_division"] != "skip"), axis=-1)


_score = partial(loss, best=1.0, worst=0.0, score=True)
rate_of = partial(Reduction, joint=True, undefined=NOWHERE)


def _precision(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_positives(xp, m, (m[..., 0], m[..., 1]), average, zero_division)


PRECISION = rate_of(
    _precision,
    hits=(0,),
    misses=(1,),
    divides_zero=partial(divides_zero, columns=(0, 1)),
)


@_score("precision_score", "positive_predictive_value", "ppv", "success_ratio", reduction=PRECISION)
def precision(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows predicted to be positive, the share that are.

    TP / (TP + FP).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes(threshold, inclusive).of_positives


@_score(
    "precision",
    "precision_score",
    "positive_predictive_value",
    "ppv",
    reduction=PRECISION,
)
def multiclass_precision(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows predicted to have a class, the share that have it.

    TP / (TP + FP).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes().of_positives


@_score(
    "precision",
    "precision_score",
    "positive_predictive_value",
    "ppv",
    reduction=PRECISION,
)
def multilabel_precision(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows predicted to have a label, the share that have it.

    TP / (TP + FP).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes(threshold, inclusive).of_positives


def _recall(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_positives(xp, m, (m[..., 0], m[..., 2]), average, zero_division)


RECALL = rate_of(
    _recall,
    hits=(0,),
    misses=(2,),
    divides_zero=partial(divides_zero, columns=(0, 2)),
)


@_score(
    "recall_score",
    "sensitivity",
    "true_positive_rate",
    "tpr",
    "probability_of_detection",
    "pod",
    reduction=RECALL,
)
def recall(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the positive rows, the share predicted to be positive.

    TP / (TP + FN).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes(threshold, inclusive).of_positives


@_score(
    "recall",
    "recall_score",
    "sensitivity",
    "true_positive_rate",
    "tpr",
    reduction=RECALL,
)
def multiclass_recall(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows of a class, the share predicted to have it.

    TP / (TP + FN).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes().of_positives


@_score(
    "recall",
    "recall_score",
    "sensitivity",
    "true_positive_rate",
    "tpr",
    reduction=RECALL,
)
def multilabel_recall(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows with a label, the share predicted to have it.

    TP / (TP + FN).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes(threshold, inclusive).of_positives


def _specificity(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_negatives(xp, m, (m[..., 0], m[..., 1]), average, zero_division)


SPECIFICITY = rate_of(
    _specificity,
    hits=(0,),
    misses=(1,),
    divides_zero=partial(divides_zero, columns=(0, 1), negatives=True),
)


@_score("true_negative_rate", "tnr", "selectivity", reduction=SPECIFICITY)
def specificity(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the negative rows, the share predicted to be negative.

    TN / (TN + FP).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Yerushalmy (1947), Statistical problems in assessing methods of medical diagnosis
    """
    return batch.outcomes(threshold, inclusive).of_negatives


@_score(
    "specificity",
    "true_negative_rate",
    "tnr",
    "selectivity",
    reduction=SPECIFICITY,
)
def multiclass_specificity(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows of other classes, the share not predicted to have the class.

    TN / (TN + FP).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Yerushalmy (1947), Statistical problems in assessing methods of medical diagnosis
    """
    return batch.outcomes().of_negatives


@_score(
    "specificity",
    "true_negative_rate",
    "tnr",
    "selectivity",
    reduction=SPECIFICITY,
)
def multilabel_specificity(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows without a label, the share not predicted to have it.

    TN / (TN + FP).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Yerushalmy (1947), Statistical problems in assessing methods of medical diagnosis
    """
    return batch.outcomes(threshold, inclusive).of_negatives


def _negative_predictive_value(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_negatives(xp, m, (m[..., 0], m[..., 2]), average, zero_division)


NEGATIVE_PREDICTIVE_VALUE = rate_of(
    _negative_predictive_value,
    hits=(0,),
    misses=(2,),
    divides_zero=partial(divides_zero, columns=(0, 2), negatives=True),
)


@_score("npv", reduction=NEGATIVE_PREDICTIVE_VALUE)
def negative_predictive_value(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows predicted to be negative, the share that are.

    TN / (TN + FN).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Altman and Bland (1994), doi:10.1136/bmj.309.6947.102
    """
    return batch.outcomes(threshold, inclusive).of_negatives


@_score("negative_predictive_value", "npv", reduction=NEGATIVE_PREDICTIVE_VALUE)
def multiclass_negative_predictive_value(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows not predicted to have a class, the share that do not have it.

    TN / (TN + FN).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Altman and Bland (1994), doi:10.1136/bmj.309.6947.102
    """
    return batch.outcomes().of_negatives


@_score("negative_predictive_value", "npv", reduction=NEGATIVE_PREDICTIVE_VALUE)
def multilabel_negative_predictive_value(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows not predicted to have a label, the share that do not have it.

    TN / (TN + FN).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Altman and Bland (1994), doi:10.1136/bmj.309.6947.102
    """
    return batch.outcomes(threshold, inclusive).of_negatives


def _f_parts(m: Array, beta: float) -> tuple[Array, Array]:
    squared = min(beta * beta, 1e300)
    return m[..., 0], m[..., 1] / (1.0 + squared) + m[..., 2] * (squared / (1.0 + squared))


def _f_beta(xp: Namespace, m: Array, beta: float, average: str, zero_division: str) -> Array:
    return of_positives(xp, m, _f_parts(m, beta), average, zero_division)


def _f1_error(xp: Namespace, m: Array) -> Array:
    hit, miss = _f_parts(m, 1.0)
    return miss / (hit + miss)


@loss(reduction=Reduction(_f1_error, undefined="no row is positive, in truth or by prediction"), worst=1.0)
def f1_error(
    batch: BinaryLabel, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, Array, Array]:
    """One minus the F1 score of the positive class.

    1 - 2 TP / (2 TP + FP + FN).  Unit: 1.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    guess, y = batch.predicted(threshold, inclusive), batch.target
    return guess * y, guess * (1.0 - y), (1.0 - guess) * y


@_score("f1", "f1_score", "fbeta_score", "f_score", "f_measure", reduction=rate_of(_f_beta))
def f_beta(
    batch: BinaryOutcome,
    *,
    beta: NonNegative = 1.0,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """The harmonic mean of precision and recall, in which recall counts beta times as much; F1 by default.

    (1 + beta^2) TP / ((1 + beta^2) TP + FP + beta^2 FN).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes(threshold, inclusive).of_positives


@_score("f_beta", "f1", "f1_score", "fbeta_score", "f_score", "f_measure", reduction=rate_of(_f_beta))
def multiclass_f_beta(
    batch: MulticlassOutcome,
    *,
    beta: NonNegative = 1.0,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """The harmonic mean of precision and recall, in which recall counts beta times as much; F1 by default.

    (1 + beta^2) TP / ((1 + beta^2) TP + FP + beta^2 FN).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes().of_positives


@_score("f_beta", "f1", "f1_score", "fbeta_score", "f_score", "f_measure", reduction=rate_of(_f_beta))
def multilabel_f_beta(
    batch: MultilabelOutcome,
    *,
    beta: NonNegative = 1.0,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """The harmonic mean of precision and recall, in which recall counts beta times as much; F1 by default.

    (1 + beta^2) TP / ((1 + beta^2) TP + FP + beta^2 FN).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    van Rijsbergen (1979), Information Retrieval, ch. 7
    """
    return batch.outcomes(threshold, inclusive).of_positives


def _overlap(m: Array) -> tuple[Array, Array]:
    return m[..., 0], m[..., 1] + m[..., 2]


def _jaccard(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_positives(xp, m, _overlap(m), average, zero_division)


def _jaccard_error(xp: Namespace, m: Array) -> Array:
    hit, miss = _overlap(m)
    return miss / (hit + miss)


@loss(
    reduction=Reduction(
        _jaccard_error, hits=(1, 2), misses=(0,), undefined="no row is positive, in truth or by prediction"
    ),
    worst=1.0,
)
def jaccard_distance(
    batch: BinaryLabel, *, threshold: Unit = 0.5, inclusive: bool = False
) -> tuple[Array, Array, Array]:
    """One minus the intersection over union of the actual and the predicted positives.

    1 - TP / (TP + FP + FN).  Unit: 1.

    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x
    """
    return f1_error(batch, threshold=threshold, inclusive=inclusive)


@_score(
    "jaccard",
    "jaccard_score",
    "critical_success_index",
    "csi",
    "threat_score",
    reduction=rate_of(_jaccard, hits=(0,), misses=(1, 2)),
)
def jaccard_index(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """The intersection over union of the positive rows and those predicted to be positive.

    TP / (TP + FP + FN).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x
    """
    return batch.outcomes(threshold, inclusive).of_positives


@_score("jaccard_index", "jaccard", "jaccard_score", reduction=rate_of(_jaccard, hits=(0,), misses=(1, 2)))
def multiclass_jaccard_index(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """The intersection over union of the rows of a class and those predicted to have it.

    TP / (TP + FP + FN).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x
    """
    return batch.outcomes().of_positives


@_score("jaccard_index", "jaccard", "jaccard_score", reduction=rate_of(_jaccard, hits=(0,), misses=(1, 2)))
def multilabel_jaccard_index(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """The intersection over union of the rows with a label and those predicted to have it.

    TP / (TP + FP + FN).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x
    """
    return batch.outcomes(threshold, inclusive).of_positives
