"""Weights of any size: equal weights are no weights, and no sum of them overflows or vanishes in silence."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError

P, Y = np.array([1.0, 2.0, 3.0, 4.5]), np.array([2.0, 2.0, 2.0, 2.0])
EXTREME = [1e308, 1e250, 1e-200, 1e-300, 5e-324]
LOSSES = ["mae", "rmse", "r2", "mape", "minkowski:p=2", "nrmse:normalization=l2"]


def results(*args, **options):
    return losscli.evaluate(*args, **options).results


@pytest.mark.parametrize("weight", EXTREME)
def test_equal_weights_are_no_weights(weight):
    plain = results(P, Y + np.arange(4), loss=LOSSES[:4])
    found = results(P, Y + np.arange(4), loss=LOSSES[:4], weight=np.full(4, weight))
    for a, b in zip(plain, found, strict=True):
        assert (a.value, a.se, a.ci_low, a.rows) == pytest.approx(
            (b.value, b.se, b.ci_low, b.rows), rel=1e-14
        )
        assert b.weight == pytest.approx(min(4 * weight, np.finfo(float).max))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_power_of_two_in_the_weights_changes_no_bit(loss):
    weight = np.array([1.0, 3.0, 0.5, 7.0])
    first = results(P, Y + np.arange(4), loss=loss, weight=weight)[0]
    scaled = results(P, Y + np.arange(4), loss=loss, weight=weight * 2.0**900)[0]
    expected = first.value
    if loss.startswith("minkowski"):
        expected = first.value * 2.0**450
    if loss.startswith("nrmse"):
        expected = first.value / 2.0**450
    assert scaled.value == expected


@pytest.mark.parametrize("weight", EXTREME[:4])
def test_equal_weights_of_classes_are_no_weights(weight):
    p, y = [0.9, 0.2, 0.6], [1, 0, 1]
    weights = {"0": weight, "1": weight}
    found = results(p, y, loss="log_loss", task="binary", class_weight=weights)[0]
    assert found.value == pytest.approx(0.2797765635793423, rel=1e-14)
    logits = pl.DataFrame({"logit_0": [1.0, 0.2], "logit_1": [0.1, 2.0], "target": [0, 1]})
    for loss in ("log_loss", "log_loss:label_smoothing=0.1"):
        plain, found = (results(logits, loss=loss, **given)[0] for given in ({}, {"class_weight": weights}))
        assert found.value == pytest.approx(plain.value, rel=1e-14)
    plain, found = (
        results(logits, loss="multi_margin", **given)[0] for given in ({}, {"class_weight": weights})
    )
    assert found.value == pytest.approx(plain.value * weight, rel=1e-12)


def test_a_gate_does_not_pass_by_overflow(losscli):
    rows = "\n".join(f"{i}.1,{i},1e308" for i in range(1, 4))
    losscli.write(p=f"prediction,target,w\n{rows}\n")
    done = losscli("evaluate", "p.csv", "-l", "mae", "-w", "w", "--bare", "-g", "mae <= 0.01")
    assert (done.status, float(done.out)) == (1, pytest.approx(0.1))
    done = losscli("evaluate", "p.csv", "-l", "mae", "-w", "w", "--json")
    assert json.loads(done.out)["results"][0]["weight"] == np.finfo(float).max
    assert losscli("evaluate", "p.csv", "-l", "mae", "-w", "w").status == 0


def test_a_comparison_and_a_leaderboard_take_them_too():
    weight = np.full(4, 1e308)
    targets = pl.DataFrame({"y": Y, "w": weight})
    first, second = (pl.DataFrame({"p": p}) for p in (P, P + 1))
    options = {"loss": "mae", "pred": "p", "target": "y"}
    plain = losscli.compare(first, second, targets=targets, **options).comparisons[0]
    found = losscli.compare(first, second, targets=targets, weight="w", **options).comparisons[0]
    assert (found.difference, found.se) == pytest.approx((plain.difference, plain.se), rel=1e-14)
    board = losscli.rank(first, second, targets=targets, weight="w", **options).board
    plain_board = losscli.rank(first, second, targets=targets, **options).board
    assert [each.value for each in board] == [each.value for each in plain_board]


def test_weights_that_no_unit_holds_are_an_error():
    weight = [1e308, 1e-200, 1.0, 1.0]
    with pytest.raises(DataError, match=r"1 weight too large or too small .*\n  row 2: 1e-200"):
        losscli.evaluate(P, Y, loss="mae", weight=weight)


def test_a_sum_of_weights_beyond_the_largest_float_has_no_mean():
    # The unit of weights is that of the first block: later rows may exceed it.
    n = 300_000
    weight = np.ones(n)
    weight[-2:] = 1e308
    result = results(np.ones(n), np.zeros(n), loss="mae", weight=weight)[0]
    assert result.value is None
