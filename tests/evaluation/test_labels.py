"""Results carry the name that the user gave to their loss."""

from __future__ import annotations

import numpy as np
import pytest

import losscli

Y = np.arange(12.0)
PRED = Y + np.tile([0.5, -1.0, 2.0], 4)


def labels(loss, **options):
    return [result.label for result in losscli.evaluate(PRED, Y, loss=loss, **options).results]


@pytest.mark.parametrize(
    ("loss", "options", "expected"),
    [
        ("mae", {}, "mae"),
        ("MAE", {}, "MAE"),
        ("mean_absolute_error", {}, "mean_absolute_error"),
        ("huber", {}, "huber"),
        ("huber:delta=2", {}, "huber:delta=2"),
        ("huber", {"delta": 2}, "huber:delta=2"),
        ("huber:delta=2", {"delta": 3}, "huber:delta=2"),
        ("expr: e ** 4", {}, "expr: e ** 4"),
        ("tail = expr: abs(e) > 1", {}, "tail"),
    ],
)
def test_the_label_is_the_name_that_was_asked_for(loss, options, expected):
    assert labels(loss, **options) == [expected]


def test_without_a_loss_the_label_is_the_canonical_name():
    report = losscli.evaluate(PRED, Y)
    assert [result.label for result in report.results] == [result.loss for result in report.results]


def test_labels_distinguish_parameters():
    report = losscli.evaluate(PRED, Y, loss=["huber:delta=1", "huber:delta=2"])
    assert report["huber:delta=2"].params["delta"] == 2.0
    assert report["huber:delta=1"] is report["huber"] is report.results[0]


def test_comparisons_and_leaderboards_have_labels():
    models = {"a": PRED, "b": PRED + 0.25}
    compared = losscli.compare(*models.values(), targets=Y, loss="mae", names=list(models))
    assert {each.label for each in compared.comparisons} == {"mae"}
    ranked = losscli.rank(*models.values(), targets=Y, loss="mae", names=list(models))
    assert {placing.label for placing in ranked.board} == {"mae"}


def test_a_gate_names_a_loss_by_label_or_canonical_name():
    gates = ["mae <= 9", "mean_absolute_error <= 9"]
    report = losscli.evaluate(PRED, Y, loss="mae", gate=gates)
    assert [verdict.status for verdict in report.gates] == ["pass", "pass"]
