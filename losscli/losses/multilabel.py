"""Losses of multilabel classification: a row may have any of L labels."""

from __future__ import annotations

from functools import partial
from typing import Literal

from losscli.catalog.params import NonNegative, Unit, UnitBelowOne
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array
from losscli.numeric.two_float import sum_of_three
from losscli.tasks.multilabel import Multilabel, MultilabelAgreement, MultilabelLabel, MultilabelScore


@loss(
    "log_loss", "cross_entropy", "MultiLabelSoftMarginLoss", "MultiLogloss", "MultiCrossEntropy", clips=True
)
def multilabel_binary_cross_entropy(
    batch: Multilabel, *, label_smoothing: UnitBelowOne | None = None
) -> Array:
    """The binary cross-entropy of each label, averaged over the labels.

    l = -(1 / L) sum_k (y_k log p_k + (1 - y_k) log(1 - p_k)).  Unit: nat.

    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x
    """
    return batch.xp.mean(batch.cross_entropy(batch.smoothed(label_smoothing)), axis=1)


@loss("hamming_loss", "HammingLoss", "multilabel_hamming_distance", worst=1.0)
def hamming(batch: MultilabelLabel, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The share of labels that are wrong.

    l = (1 / L) sum_k [guess_k != y_k].  Unit: 1.

    Tsoumakas and Katakis (2007), doi:10.4018/jdwm.2007070101
    """
    return batch.xp.mean(batch.xp.where(batch.wrong(threshold, inclusive), 1.0, 0.0), axis=1)


@loss("zero_one", "zero_one_loss", "exact_match_error", worst=1.0)
def subset_zero_one(batch: MultilabelLabel, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The share of rows with any wrong label.

    l = 1 if guess_k != y_k for any k, else 0.  Unit: 1.

    Tsoumakas and Katakis (2007), doi:10.4018/jdwm.2007070101
    """
    return batch.xp.where(batch.xp.any(batch.wrong(threshold, inclusive), axis=1), 1.0, 0.0)


@loss("multilabel_coverage_error", best=None)
def coverage_error(batch: MultilabelScore) -> Array:
    """How far down the ranking the last label of a row is; 0 for a row without labels.

    l = the rank of the lowest label of the row, where of equal scores the worst rank counts.  Unit: 1.

    Tsoumakas et al. (2010), Mining multi-label data, sec. 5.2
    """
    xp = batch.xp
    lowest = xp.min(xp.where(batch.relevant, batch.score, xp.inf), axis=1)
    return xp.sum(batch.score >= lowest[:, None], axis=1) * 1.0


@loss("label_ranking_loss", "multilabel_ranking_loss")
def label_ranking(batch: MultilabelScore) -> Array:
    """The share of pairs (a label of the row, another label) in the wrong order; 0 without pairs.

    l = |{(j, k) : y_j = 1, y_k = 0, s_j <= s_k}| / (m (L - m)), with m labels of the row.  Unit: 1.

    Tsoumakas et al. (2010), Mining multi-label data, sec. 5.2
    """
    xp, relevant = batch.xp, batch.relevant
    count = xp.sum(relevant, axis=1)
    wrong = xp.sum(xp.where(relevant, batch.rank - batch.rank_among_relevant, 0), axis=1)
    return wrong / xp.maximum(count * (relevant.shape[1] - count), 1)


@loss(
    "lrap",
    "label_ranking_average_precision_score",
    "multilabel_ranking_average_precision",
    best=1.0,
    worst=0.0,
    score=True,
)
def label_ranking_average_precision(batch: MultilabelScore) -> Array:
    """The mean precision at the rank of each label of the row; 1 without labels.

    l = (1 / m) sum over the m labels of the row of its labels with at least that score / all labels with it.
    Unit: 1.

    Tsoumakas et al. (2010), Mining multi-label data, sec. 5.2
    """
    xp, relevant = batch.xp, batch.relevant
    count = xp.sum(relevant, axis=1)
    precision = xp.sum(xp.where(relevant, batch.rank_among_relevant / batch.rank, 0.0), axis=1)
    return xp.where(count == 0, 1.0, precision / xp.maximum(count, 1))


@loss("MultiLabelMarginLoss")
def multilabel_margin(batch: MultilabelScore) -> Array:
    """By how much the scores of the labels of a row fail to exceed all others by one.

    l = (1 / L) sum_{y_j = 1, y_k = 0} max(0, 1 - (s_j - s_k)).  Unit: score.

    Crammer and Singer (2003), J. Mach. Learn. Res. 3
    """
    xp, score, relevant = batch.xp, batch.score, batch.relevant
    cost = xp.zeros(len(score))
    for other, is_relevant in zip(score.T, relevant.T, strict=True):
        short = xp.maximum(sum_of_three(xp, -score, other[:, None], 1.0), 0.0)
        cost += xp.where(is_relevant, 0.0, xp.sum(xp.where(relevant, short, 0.0), axis=1))
    return cost / score.shape[1]


# Scores of the labels of each row, averaged over rows

ZeroOrOne = Literal["zero", "one"]
"""The value of a row with 0 / 0."""

_of_row = partial(loss, best=None, limit=1.0, worst=0.0, score=True)


def _counts(batch: MultilabelAgreement, threshold: float, inclusive: bool) -> tuple[Array, Array, Array]:
    """The numbers (n,) of true positive, false positive and false negative labels of each row."""
    xp, actual = batch.xp, batch.target > 0
    guess = batch.guessed(threshold, inclusive)
    outcomes = (guess & actual, guess & ~actual, ~guess & actual)
    right, wrong, missed = (xp.sum(outcome, axis=1) * 1.0 for outcome in outcomes)
    return right, wrong, missed


def _share(batch: MultilabelAgreement, hit: Array, miss: Array, zero_division: str) -> Array:
    """The share (n,) of hits among hits and misses of each row."""
    xp, total = batch.xp, hit + miss
    undefined = 1.0 if zero_division == "one" else 0.0
    return xp.where(total > 0, hit / xp.where(total > 0, total, 1.0), undefined)


@_of_row("samples_precision")
def precision_samples(
    batch: MultilabelAgreement,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    zero_division: ZeroOrOne = "zero",
) -> Array:
    """Of the labels predicted for a row, the share that it has, averaged over the rows.

    l = TP / (TP + FP) of the labels of the row.  Unit: 1.

    0 / 0 of a row counts as 0 or 1, by zero_division.

    Godbole and Sarawagi (2004), doi:10.1007/978-3-540-24775-3_5
    """
    right, wrong, _ = _counts(batch, threshold, inclusive)
    return _share(batch, right, wrong, zero_division)


@_of_row("samples_recall")
def recall_samples(
    batch: MultilabelAgreement,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    zero_division: ZeroOrOne = "zero",
) -> Array:
    """Of the labels of a row, the share that is predicted, averaged over the rows.

    l = TP / (TP + FN) of the labels of the row.  Unit: 1.

    0 / 0 of a row counts as 0 or 1, by zero_division.

    Godbole and Sarawagi (2004), doi:10.1007/978-3-540-24775-3_5
    """
    right, _, missed = _counts(batch, threshold, inclusive)
    return _share(batch, right, missed, zero_division)


@_of_row("f1_samples", "samples_f1", "example_based_f1")
def f_beta_samples(
    batch: MultilabelAgreement,
    *,
    beta: NonNegative = 1.0,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    zero_division: ZeroOrOne = "zero",
) -> Array:
    """The F score of the labels of a row, averaged over the rows; F1 by default.

    l = (1 + beta^2) TP / ((1 + beta^2) TP + FP + beta^2 FN) of the labels of the row.  Unit: 1.

    0 / 0 of a row counts as 0 or 1, by zero_division.

    Godbole and Sarawagi (2004), doi:10.1007/978-3-540-24775-3_5
    """
    right, wrong, missed = _counts(batch, threshold, inclusive)
    squared = min(beta * beta, 1e300)
    miss = wrong / (1.0 + squared) + missed * (squared / (1.0 + squared))
    return _share(batch, right, miss, zero_division)


@_of_row("samples_jaccard", "hamming_score")
def jaccard_samples(
    batch: MultilabelAgreement,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    zero_division: ZeroOrOne = "zero",
) -> Array:
    """The intersection over union of the true and the predicted labels of a row, averaged over the rows.

    l = TP / (TP + FP + FN) of the labels of the row.  Unit: 1.

    0 / 0 of a row counts as 0 or 1, by zero_division.

    Godbole and Sarawagi (2004), doi:10.1007/978-3-540-24775-3_5
    """
    right, wrong, missed = _counts(batch, threshold, inclusive)
    return _share(batch, right, wrong + missed, zero_division)
