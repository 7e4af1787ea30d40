"""Losses that clip probabilities say so: only then are clipped rows counted, and --eps is of use."""

from __future__ import annotations

import numpy as np
import pytest

import losscli
from losscli.catalog import registry
from losscli.errors import UsageError

EVENTS = np.array([0, 1, 1, 0, 1])
PROBABILITIES = np.array([1.0, 0.0, 0.7, 0.2, 0.9])
CLASSES = np.array([0, 1, 2, 1, 0])
SHARES = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.2, 0.3, 0.5], [0.1, 0.6, 0.3], [0.8, 0.1, 0.1]])
SAMPLES = {
    "binary": (PROBABILITIES, EVENTS, "binary_cross_entropy"),
    "multiclass": (SHARES, CLASSES, "categorical_cross_entropy"),
    "multilabel": (
        np.stack([PROBABILITIES, 1 - PROBABILITIES], axis=1),
        np.stack([EVENTS, EVENTS], axis=1),
        "multilabel_binary_cross_entropy",
    ),
}
"""The predictions, the targets, and a loss that takes the clip, of each task."""
LOSSES = [
    entry
    for entry in registry.list_losses()
    if entry.batch.__name__ in ("Binary", "Multiclass", "OneVsAll", "Multilabel")
]


@pytest.mark.parametrize("entry", LOSSES, ids=lambda entry: entry.name)
def test_a_loss_clips_if_its_value_depends_on_the_clip(entry):
    predictions, targets, other = SAMPLES[entry.task]
    chosen = [*dict.fromkeys([entry.name, other])]

    def value(eps: float) -> float | None:
        report = losscli.evaluate(predictions, targets, task=entry.task, loss=chosen, eps=eps)
        return report.overall[0].value

    assert (value(1e-2) != value(1e-9)) == entry.clips


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize(("loss", "are_counted"), [("brier", False), ("log_loss", True)])
def test_only_what_is_clipped_is_counted(task, loss, are_counted):
    predictions, targets, _ = SAMPLES[task]
    report = losscli.evaluate(predictions, targets, task=task, loss=loss)
    assert any("clipped" in finding.text for finding in report.findings) == are_counted


def test_a_clip_of_no_use_is_refused():
    with pytest.raises(UsageError, match="--eps: no chosen loss takes it"):
        losscli.evaluate(PROBABILITIES, EVENTS, loss=["brier", "ece"], eps=1e-3)
