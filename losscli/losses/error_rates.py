"""Error rates of each class: false positives, false negatives, false discoveries and false omissions."""

from __future__ import annotations

from functools import partial

from losscli.catalog.params import Unit
from losscli.catalog.registry import loss
from losscli.losses.rates import (
    Average,
    OfBinary,
    ZeroDivision,
    divides_zero,
    of_negatives,
    of_positives,
    rate_of,
)
from losscli.numeric.arrays import Array, Namespace
from losscli.tasks.binary import BinaryOutcome
from losscli.tasks.classes import MulticlassOutcome
from losscli.tasks.multilabel import MultilabelOutcome

_error = partial(loss, worst=1.0)


def _false_positive_rate(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_negatives(xp, m, (m[..., 1], m[..., 0]), average, zero_division)


FALSE_POSITIVE_RATE = rate_of(
    _false_positive_rate,
    hits=(1,),
    misses=(0,),
    divides_zero=partial(divides_zero, columns=(0, 1), negatives=True),
)


@_error("fpr", "fall_out", "false_alarm_rate", "pofd", reduction=FALSE_POSITIVE_RATE)
def false_positive_rate(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the negative rows, the share predicted to be positive: false alarms.

    FP / (FP + TN).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Fawcett (2006), doi:10.1016/j.patrec.2005.10.010
    """
    return batch.outcomes(threshold, inclusive).of_negatives


@_error("false_positive_rate", "fpr", "fall_out", reduction=FALSE_POSITIVE_RATE)
def multiclass_false_positive_rate(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows of other classes, the share predicted to have the class.

    FP / (FP + TN).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Fawcett (2006), doi:10.1016/j.patrec.2005.10.010
    """
    return batch.outcomes().of_negatives


@_error("false_positive_rate", "fpr", "fall_out", reduction=FALSE_POSITIVE_RATE)
def multilabel_false_positive_rate(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows without a label, the share predicted to have it.

    FP / (FP + TN).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Fawcett (2006), doi:10.1016/j.patrec.2005.10.010
    """
    return batch.outcomes(threshold, inclusive).of_negatives


def _false_negative_rate(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_positives(xp, m, (m[..., 2], m[..., 0]), average, zero_division)


FALSE_NEGATIVE_RATE = rate_of(
    _false_negative_rate,
    hits=(2,),
    misses=(0,),
    divides_zero=partial(divides_zero, columns=(0, 2)),
)


@_error("fnr", "miss_rate", reduction=FALSE_NEGATIVE_RATE)
def false_negative_rate(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the positive rows, the share predicted to be negative: misses.

    FN / (FN + TP).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Fawcett (2006), doi:10.1016/j.patrec.2005.10.010
    """
    return batch.outcomes(threshold, inclusive).of_positives


@_error("false_negative_rate", "fnr", "miss_rate", reduction=FALSE_NEGATIVE_RATE)
def multiclass_false_negative_rate(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows of a class, the share not predicted to have it.

    FN / (FN + TP).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Fawcett (2006), doi:10.1016/j.patrec.2005.10.010
    """
    return batch.outcomes().of_positives


@_error("false_negative_rate", "fnr", "miss_rate", reduction=FALSE_NEGATIVE_RATE)
def multilabel_false_negative_rate(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows with a label, the share not predicted to have it.

    FN / (FN + TP).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Fawcett (2006), doi:10.1016/j.patrec.2005.10.010
    """
    return batch.outcomes(threshold, inclusive).of_positives


def _false_discovery_rate(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_positives(xp, m, (m[..., 1], m[..., 0]), average, zero_division)


FALSE_DISCOVERY_RATE = rate_of(
    _false_discovery_rate,
    hits=(1,),
    misses=(0,),
    divides_zero=partial(divides_zero, columns=(0, 1)),
)


@_error("fdr", "false_alarm_ratio", "far", reduction=FALSE_DISCOVERY_RATE)
def false_discovery_rate(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows predicted to be positive, the share that are not.

    FP / (FP + TP).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    return batch.outcomes(threshold, inclusive).of_positives


@_error("false_discovery_rate", "fdr", reduction=FALSE_DISCOVERY_RATE)
def multiclass_false_discovery_rate(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows predicted to have a class, the share that do not have it.

    FP / (FP + TP).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    return batch.outcomes().of_positives


@_error("false_discovery_rate", "fdr", reduction=FALSE_DISCOVERY_RATE)
def multilabel_false_discovery_rate(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows predicted to have a label, the share that do not have it.

    FP / (FP + TP).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    return batch.outcomes(threshold, inclusive).of_positives


def _false_omission_rate(xp: Namespace, m: Array, average: str, zero_division: str) -> Array:
    return of_negatives(xp, m, (m[..., 2], m[..., 0]), average, zero_division)


FALSE_OMISSION_RATE = rate_of(
    _false_omission_rate,
    hits=(2,),
    misses=(0,),
    divides_zero=partial(divides_zero, columns=(0, 2), negatives=True),
)


@_error("for", reduction=FALSE_OMISSION_RATE)
def false_omission_rate(
    batch: BinaryOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: OfBinary = "positive",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows predicted to be negative, the share that are not.

    FN / (FN + TN).  Unit: 1.

    Of the positive class, or by average the mean over both (macro), weighted by their rows (weighted), or of
    both together (micro).  0 / 0 counts as 0 or 1, or is not defined, by zero_division.

    Altman and Bland (1994), doi:10.1136/bmj.309.6947.102
    """
    return batch.outcomes(threshold, inclusive).of_negatives


@_error("false_omission_rate", "for", reduction=FALSE_OMISSION_RATE)
def multiclass_false_omission_rate(
    batch: MulticlassOutcome, *, average: Average = "macro", zero_division: ZeroDivision = "zero"
) -> tuple[Array, ...]:
    """Of the rows not predicted to have a class, the share that have it.

    FN / (FN + TN).  Unit: 1.

    By average the mean over the classes that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Altman and Bland (1994), doi:10.1136/bmj.309.6947.102
    """
    return batch.outcomes().of_negatives


@_error("false_omission_rate", "for", reduction=FALSE_OMISSION_RATE)
def multilabel_false_omission_rate(
    batch: MultilabelOutcome,
    *,
    threshold: Unit = 0.5,
    inclusive: bool = False,
    average: Average = "macro",
    zero_division: ZeroDivision = "zero",
) -> tuple[Array, ...]:
    """Of the rows not predicted to have a label, the share that have it.

    FN / (FN + TN).  Unit: 1.

    By average the mean over the labels that occur (macro), weighted by their rows (weighted), or of all
    together (micro).  0 / 0 counts as 0 or 1, or is left out, by zero_division.

    Altman and Bland (1994), doi:10.1136/bmj.309.6947.102
    """
    return batch.outcomes(threshold, inclusive).of_negatives
