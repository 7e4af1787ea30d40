"""Measures of how well scores separate classes or labels: means of areas under curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Literal

from msgspec.structs import replace

from losscli.catalog.registry import loss
from losscli.losses.discrimination import Ranking, area_of, precision_of
from losscli.numeric.arrays import Array
from losscli.numeric.cached import cached_property
from losscli.states.order import Order, Sample, Settled
from losscli.tasks.classes import Multiclass
from losscli.tasks.multilabel import MultilabelScore

_ALL = "it needs rows of all classes"
_BOTH = "each label needs rows with and without it"
_POSITIVE = "each label needs rows that have it"
_LABELS = "labels that are certain"

Curve = Callable[[Ranking], tuple[float, Array]]
"""A function from a ranking to a value and the influence (n,) of each row on it."""


class _OneVsRest:
    """The curve of each class or label against the rest, from its scores (n,) and its membership (n,)."""

    def __init__(
        self, sample: Sample, curve: Curve, scores: Sequence[Array], members: Sequence[Array], both: bool
    ) -> None:
        self.sample, self.curve, self.scores, self.members, self.both = sample, curve, scores, members, both

    @cached_property
    def rankings(self) -> list[Ranking | None]:
        """The ranking of each class; None if it lacks required rows."""
        rankings = [Ranking(self.sample, *columns) for columns in zip(self.scores, self.members, strict=True)]
        return [
            ranking if ranking.has_both or (ranking.positives > 0 and not self.both) else None
            for ranking in rankings
        ]

    @cached_property
    def values(self) -> list[tuple[float, Array]]:
        """The value of each class, and the influence (n,) of each row; NaN if it lacks required rows."""
        undefined = math.nan, self.sample.xp.full(len(self.sample.weight), math.nan)
        return [undefined if ranking is None else self.curve(ranking) for ranking in self.rankings]

    def parts(self) -> list[Settled]:
        """The settled loss of each class."""
        return [
            Settled.undefined(self.sample)
            if ranking is None
            else Settled.of(*value, ranking.ends(*value, 0.0, 1.0))
            for ranking, value in zip(self.rankings, self.values, strict=True)
        ]

    def mean(self, average: str) -> Settled:
        """The mean over all classes, equally weighted or weighted by their members."""
        shares = [_share(self.sample, members) for members in self.members] if average == "weighted" else None
        return _mean(self.sample, self.values, shares)


def _mean(
    sample: Sample, values: list[tuple[float, Array]], weight: list[tuple[float, Array]] | None = None
) -> Settled:
    """The mean of values, each with the influence of each row (n,); `weight` has the same for the weights."""
    weights = weight or [(1.0, sample.xp.zeros(len(sample.weight)))] * len(values)
    total = sum(share for share, _ in weights)
    value = sum(share * part for (share, _), (part, _) in zip(weights, values, strict=True)) / total
    changes = [
        share * influence + (part - value) * change
        for (share, change), (part, influence) in zip(weights, values, strict=True)
    ]
    return _settled(sample, float(value), sum(changes) / total)


def _settled(sample: Sample, value: float, influence: Array) -> Settled:
    return Settled.of(value, influence, sample.ends(value, influence, 0.0, 1.0))


def _share(sample: Sample, rows: Array) -> tuple[float, Array]:
    """The weighted share of rows (n,) that meet a condition, and the influence of each row."""
    share = float((sample.weight * rows).sum()) / sample.total
    return share, rows - share


def _of_classes(sample: Sample, curve: Curve, average: str, multi_class: str = "ovr") -> Settled:
    *scores, code = sample.columns
    members = [code == label for label in range(len(scores))]
    curves = _OneVsRest(sample, curve, scores, members, both=curve is area_of)
    if not all(rows.any() for rows in members):
        overall = Settled.undefined(sample)
    elif multi_class == "ovr":
        overall = curves.mean(average)
    else:
        pairs = list(combinations(range(len(scores)), 2))
        values = [_one_vs_one(sample, scores, members, *pair) for pair in pairs]
        shares = [_share(sample, members[a] | members[b]) for a, b in pairs]
        overall = _mean(sample, values, shares if average == "weighted" else None)
    return replace(overall, parts=curves.parts)


def _areas_of_classes(sample: Sample, average: str, multi_class: str) -> Settled:
    return _of_classes(sample, area_of, average, multi_class)


def _precision_of_classes(sample: Sample, average: str) -> Settled:
    return _of_classes(sample, precision_of, average)


def _one_vs_one(
    sample: Sample, scores: list[Array], members: list[Array], a: int, b: int
) -> tuple[float, Array]:
    """The mean of the areas of two classes against each other, each ranked by its own score."""
    xp, rows = sample.xp, members[a] | members[b]
    cluster = None if sample.cluster is None else sample.cluster[rows]
    subset = replace(sample, weight=sample.weight[rows], cluster=cluster)
    areas = [area_of(Ranking(subset, scores[label][rows], members[label][rows])) for label in (a, b)]
    influence = xp.zeros(len(rows))
    influence[rows] = (areas[0][1] + areas[1][1]) / 2 * (sample.total / subset.total)
    return (areas[0][0] + areas[1][0]) / 2, influence


def _columns(batch: Multiclass) -> tuple[Array, ...]:
    """The probability of each class, and the index of the true class; NaN for soft targets."""
    xp = batch.xp
    code = xp.argmax(batch.target, axis=1) * 1.0 if batch.code is None else batch.code * 1.0
    if batch.soft is not None:
        code = xp.where(xp.max(batch.soft, axis=1) == 1.0, code, xp.nan)
    return (*batch.probability.T, code)


@loss(
    "roc_auc",
    "auc",
    "auroc",
    "roc_auc_score",
    "MulticlassAUROC",
    best=1.0,
    worst=0.0,
    score=True,
    domain=_LABELS,
    order=Order(_areas_of_classes, undefined=_ALL, parts=True),
)
def multiclass_roc_auc(
    batch: Multiclass,
    *,
    multi_class: Literal["ovr", "ovo"] = "ovr",
    average: Literal["macro", "weighted"] = "macro",
) -> tuple[Array, ...]:
    """The chance that a row of a class has a higher probability of it than one of another class.

    The mean over classes of the area under the ROC curve of a class against the rest (ovr), or over pairs of
    classes against each other (ovo); each counts alike (macro) or as its rows do (weighted).  Unit: 1.

    Hand and Till (2001), doi:10.1023/A:1010920819831
    """
    return _columns(batch)


@loss(
    "average_precision",
    "pr_auc",
    "auprc",
    "average_precision_score",
    "MulticlassAveragePrecision",
    best=1.0,
    worst=0.0,
    score=True,
    domain=_LABELS,
    order=Order(_precision_of_classes, undefined=_ALL, parts=True),
)
def multiclass_average_precision(
    batch: Multiclass, *, average: Literal["macro", "weighted"] = "macro"
) -> tuple[Array, ...]:
    """The average precision of each class against the rest, averaged over the classes.

    The mean of AP_k; each class counts alike (macro) or as its rows do (weighted).  Unit: 1.

    Manning, Raghavan, Schuetze (2008), Introduction to Information Retrieval, ch. 8
    """
    return _columns(batch)


def _of_labels(sample: Sample, curve: Curve, average: str, both: bool) -> Settled:
    half = len(sample.columns) // 2
    members = [label > 0 for label in sample.columns[half:]]
    curves = _OneVsRest(sample, curve, sample.columns[:half], members, both)
    if average == "micro":
        overall = _pooled(sample, curve, both)
    elif any(ranking is None for ranking in curves.rankings):
        overall = Settled.undefined(sample)
    else:
        overall = curves.mean(average)
    return replace(overall, parts=curves.parts)


def _pooled(sample: Sample, curve: Curve, both: bool) -> Settled:
    """The value of all labels of all rows in one ranking, with the influence of each row."""
    xp, half = sample.xp, len(sample.columns) // 2
    rows = xp.arange(len(sample.weight)) if sample.cluster is None else sample.cluster
    # The labels of a row are not independent.
    pooled = replace(sample, weight=xp.tile(sample.weight, half), cluster=xp.tile(rows, half))
    scores, members = (xp.concatenate(part) for part in (sample.columns[:half], sample.columns[half:]))
    ranking = Ranking(pooled, scores, members)
    if ranking.positives == 0 or (both and ranking.negatives == 0):
        return Settled.undefined(sample)
    value, influence = curve(ranking)
    return _settled(sample, value, influence.reshape(half, -1).mean(axis=0))


def _areas_of_labels(sample: Sample, average: str) -> Settled:
    return _of_labels(sample, area_of, average, both=True)


def _label_columns(batch: MultilabelScore) -> tuple[Array, ...]:
    return (*batch.score.T, *batch.relevant.T)


@loss(
    "roc_auc",
    "auc",
    "auroc",
    "roc_auc_score",
    "MultilabelAUROC",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_areas_of_labels, undefined=_BOTH, parts=True),
)
def multilabel_roc_auc(
    batch: MultilabelScore, *, average: Literal["macro", "weighted", "micro"] = "macro"
) -> tuple[Array, ...]:
    """The chance that a row with a label has a higher score of it than one without.

    The mean over labels of the area under the ROC curve; each counts alike (macro) or as the rows that have
    it (weighted), or all labels of all rows are one ranking (micro).  Unit: 1.

    Hanley and McNeil (1982), doi:10.1148/radiology.143.1.7063747
    """
    return _label_columns(batch)


def _precision_of_labels(sample: Sample, average: str) -> Settled:
    return _of_labels(sample, precision_of, average, both=False)


@loss(
    "average_precision",
    "pr_auc",
    "auprc",
    "average_precision_score",
    "MultilabelAveragePrecision",
    best=1.0,
    worst=0.0,
    score=True,
    order=Order(_precision_of_labels, undefined=_POSITIVE, parts=True),
)
def multilabel_average_precision(
    batch: MultilabelScore, *, average: Literal["macro", "weighted", "micro"] = "macro"
) -> tuple[Array, ...]:
    """The average precision of each label, averaged over the labels.

    The mean of AP_k; each label counts alike (macro) or as the rows that have it (weighted), or all labels of
    all rows are one ranking (micro).  Unit: 1.

    Manning, Raghavan, Schuetze (2008), Introduction to Information Retrieval, ch. 8
    """
    return _label_columns(batch)
