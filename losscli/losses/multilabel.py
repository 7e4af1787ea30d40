"""Losses of multilabel classification: L labels, each of which a row may have."""

from __future__ import annotations

from losscli.losses.registry import loss
from losscli.params import Unit, UnitBelowOne
from losscli.tasks.multilabel import Multilabel, MultilabelLabel
from losscli.xp import Array


@loss("log_loss", "cross_entropy", "MultiLabelSoftMarginLoss", "MultiLogloss", "MultiCrossEntropy")
def multilabel_binary_cross_entropy(
    batch: Multilabel, *, label_smoothing: UnitBelowOne | None = None
) -> Array:
    """The binary cross-entropy of each label, averaged over the labels.

    l = -(1 / L) sum_k (y_k log p_k + (1 - y_k) log(1 - p_k)).  Unit: nat.

    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x
    """
    return batch.xp.mean(batch.cross_entropy(batch.smoothed(label_smoothing)), axis=1)


@loss("hamming_loss", "HammingLoss", "multilabel_hamming_distance")
def hamming(batch: MultilabelLabel, *, threshold: Unit = 0.5) -> Array:
    """The share of labels that are wrong.

    l = (1 / L) sum_k [guess_k != y_k].  Unit: 1.

    Tsoumakas and Katakis (2007), doi:10.4018/jdwm.2007070101
    """
    return batch.xp.mean(batch.xp.where(batch.wrong(threshold), 1.0, 0.0), axis=1)


@loss("zero_one", "zero_one_loss", "exact_match_error")
def subset_zero_one(batch: MultilabelLabel, *, threshold: Unit = 0.5) -> Array:
    """The share of rows with any wrong label.

    l = 1 if guess_k != y_k for any k, else 0.  Unit: 1.

    Tsoumakas and Katakis (2007), doi:10.4018/jdwm.2007070101
    """
    return batch.xp.where(batch.xp.any(batch.wrong(threshold), axis=1), 1.0, 0.0)
