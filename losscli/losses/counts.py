"""Confusion counts: the rows that are rightly and wrongly predicted to have a class, or not to have it.

With weights they are sums of weights.
"""

from __future__ import annotations

from functools import partial

from losscli.catalog.params import Unit
from losscli.catalog.registry import loss
from losscli.numeric.arrays import Array, Namespace
from losscli.states.reductions import Count, Reduction
from losscli.tasks.binary import BinaryOutcome
from losscli.tasks.classes import MulticlassOutcome
from losscli.tasks.multilabel import MultilabelOutcome


def _count(xp: Namespace, share: Array, weight: float) -> Array:
    """The number of rows (...) for a share of all; whole numbers are exact despite rounding errors."""
    count = weight * share
    nearest = xp.rint(count)
    return xp.where(xp.abs(count - nearest) <= 2.0**-50 * nearest, nearest, count)


def _of_positive(xp: Namespace, m: Array, weight: float) -> Array:
    return _count(xp, m[..., -1, 0], weight)


def _of_all(xp: Namespace, m: Array, weight: float) -> Array:
    return _count(xp, xp.sum(m[..., 0], axis=-1), weight)


def _one_per_row(outputs: int) -> tuple[int, int]:
    return 0, 1


def _one_per_output(outputs: int) -> tuple[int, int]:
    return 0, outputs


def _one_per_other_class(outputs: int) -> tuple[int, int]:
    """Per class other than the true and the predicted one, which may be the same."""
    return max(outputs - 2, 0), max(outputs - 1, 1)


_positive = Reduction(_of_positive, joint=True, count=Count(_one_per_row, of_last=True))
_of_classes, _of_others, _of_labels = (
    Reduction(_of_all, joint=True, count=Count(span))
    for span in (_one_per_row, _one_per_other_class, _one_per_output)
)
_right = partial(loss, best=None, worst=0.0, score=True)


@_right("TruePositives", "tp", reduction=_positive)
def true_positives(batch: BinaryOutcome, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The number of positive rows that are predicted to be positive.

    sum [guess = 1 and y = 1].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).true_positive


@_right("true_positives", "tp", reduction=_of_classes)
def multiclass_true_positives(batch: MulticlassOutcome) -> Array:
    """The number of rows predicted to have a class that have it: over all classes, those that are right.

    sum [guess = c and y = c].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes().true_positive


@_right("true_positives", "tp", reduction=_of_labels)
def multilabel_true_positives(
    batch: MultilabelOutcome, *, threshold: Unit = 0.5, inclusive: bool = False
) -> Array:
    """The number of rows that are predicted to have a label and have it, over all labels together.

    sum [guess_k = 1 and y_k = 1].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).true_positive


@loss("FalsePositives", "fp", reduction=_positive)
def false_positives(batch: BinaryOutcome, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The number of negative rows that are predicted to be positive: false alarms.

    sum [guess = 1 and y = 0].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).false_positive


@loss("false_positives", "fp", reduction=_of_classes)
def multiclass_false_positives(batch: MulticlassOutcome) -> Array:
    """The number of rows predicted to have a class that do not: over all classes, those that are wrong.

    sum [guess = c and y != c].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes().false_positive


@loss("false_positives", "fp", reduction=_of_labels)
def multilabel_false_positives(
    batch: MultilabelOutcome, *, threshold: Unit = 0.5, inclusive: bool = False
) -> Array:
    """The number of rows that are predicted to have a label and do not, over all labels together.

    sum [guess_k = 1 and y_k = 0].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).false_positive


@loss("FalseNegatives", "fn", reduction=_positive)
def false_negatives(batch: BinaryOutcome, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The number of positive rows that are predicted to be negative: misses.

    sum [guess = 0 and y = 1].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).false_negative


@loss("false_negatives", "fn", reduction=_of_classes)
def multiclass_false_negatives(batch: MulticlassOutcome) -> Array:
    """The number of rows of a class not predicted to have it: over all classes, those that are wrong.

    sum [guess != c and y = c].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes().false_negative


@loss("false_negatives", "fn", reduction=_of_labels)
def multilabel_false_negatives(
    batch: MultilabelOutcome, *, threshold: Unit = 0.5, inclusive: bool = False
) -> Array:
    """The number of rows that have a label and are not predicted to, over all labels together.

    sum [guess_k = 0 and y_k = 1].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).false_negative


@_right("TrueNegatives", "tn", reduction=_positive)
def true_negatives(batch: BinaryOutcome, *, threshold: Unit = 0.5, inclusive: bool = False) -> Array:
    """The number of negative rows that are predicted to be negative.

    sum [guess = 0 and y = 0].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).true_negative


@_right("true_negatives", "tn", reduction=_of_others)
def multiclass_true_negatives(batch: MulticlassOutcome) -> Array:
    """The number of rows that neither have a class nor are predicted to, over all classes together.

    sum [guess != c and y != c].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes().true_negative


@_right("true_negatives", "tn", reduction=_of_labels)
def multilabel_true_negatives(
    batch: MultilabelOutcome, *, threshold: Unit = 0.5, inclusive: bool = False
) -> Array:
    """The number of rows that neither have a label nor are predicted to, over all labels together.

    sum [guess_k = 0 and y_k = 0].  Unit: 1.

    Provost and Kohavi (1998), doi:10.1023/A:1017181826899
    """
    return batch.outcomes(threshold, inclusive).true_negative
