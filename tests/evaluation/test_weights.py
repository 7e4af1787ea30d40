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
        expected = pytest.approx((a.value, a.se, a.ci_low, a.rows), rel=1e-14)
        assert (b.value, b.se, b.ci_low, b.rows) == expected
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
    result = results(np.full(n, 0.1), np.zeros(n), loss="mae", weight=weight)[0]
    assert result.value is None


# Classes of weight zero

LOGITS = np.array([[1.0, 0.1, 0.0], [0.2, 2.0, -1.0], [-0.3, 0.5, 0.8], [0.5, 0.4, -2.0]])
CODE = np.array([0, 1, 2, 0])
LOG_P = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
ROWS = pl.DataFrame({f"logit_{i}": LOGITS[:, i] for i in range(3)} | {"target": CODE})
SMOOTH = 0.1


def torch_cross_entropy(weight, log_p=LOG_P):
    """cross_entropy(weight=, label_smoothing=0.1) of PyTorch, written out."""
    own = (1 - SMOOTH) * weight[CODE] * -log_p[range(4), CODE]
    return (own + SMOOTH / 3 * (weight * -log_p).sum(axis=1)).sum() / weight[CODE].sum()


def torch_multi_margin(weight):
    """multi_margin_loss(weight=) of PyTorch, written out."""
    short = np.maximum(0.0, 1 - LOGITS[range(4), CODE][:, None] + LOGITS)
    short[range(4), CODE] = 0.0
    return (weight[CODE] * short.sum(axis=1) / 3).mean()


def keras_cross_entropy(weight, focal=lambda log_p: log_p):
    """CategoricalCrossentropy(label_smoothing=0.1) of Keras with the weight of the class for each row."""
    target = np.eye(3)[CODE] * (1 - SMOOTH) + SMOOTH / 3
    return (weight[CODE] * -(target * focal(LOG_P)).sum(axis=1)).mean()


def classes(weight):
    return {str(i): float(w) for i, w in enumerate(weight)}


@pytest.mark.parametrize("weight", [[0, 2, 5], [1, 0, 0], [1, 2, 5], [0.5, 0, 3]])
def test_rows_of_a_class_of_weight_zero_count_where_the_formula_counts_them(weight):
    weight = np.array(weight, dtype=float)
    p = np.exp(LOG_P)
    focal = -0.25 * (1 - p) ** 2 * -LOG_P
    expected = {
        "log_loss:label_smoothing=0.1": torch_cross_entropy(weight),
        "focal:label_smoothing=0.1": torch_cross_entropy(weight, focal),
        "multi_margin": torch_multi_margin(weight),
        "log_loss": np.average(-LOG_P[range(4), CODE], weights=weight[CODE]),
    }
    for loss, value in expected.items():
        found = results(ROWS, loss=loss, class_weight=classes(weight))[0]
        assert found.value == pytest.approx(value, rel=1e-13), loss
    together = results(ROWS, loss=list(expected), class_weight=classes(weight))
    overall = {each.label: each.value for each in together if not each.cell}
    assert overall == pytest.approx(expected, rel=1e-13)
    for loss in ("log_loss:label_smoothing=0.1", "multi_margin", "log_loss"):
        found = results(ROWS, loss=loss, class_weight=classes(weight), like="torch")[0]
        assert found.value == pytest.approx(expected[loss], rel=1e-13), loss


def test_rows_of_weight_and_classes_of_weight_zero_go_together():
    weight, row = np.array([0.0, 2.0, 5.0]), np.array([1.0, 3.0, 0.5, 2.0])
    cost = (1 - SMOOTH) * weight[CODE] * -LOG_P[range(4), CODE]
    cost += SMOOTH / 3 * (weight * -LOG_P).sum(axis=1)
    expected = (row * cost).sum() / (row * weight[CODE]).sum()
    given = {"class_weight": classes(weight), "weight": row}
    found = results(ROWS, loss="log_loss:label_smoothing=0.1", **given)[0]
    assert found.value == pytest.approx(expected, rel=1e-13)
    assert (found.rows, found.weight) == (4, pytest.approx((row * weight[CODE]).sum()))


@pytest.mark.parametrize("weight", [[1, 2, 5], [0, 2, 5], [1, 0, 5]])
def test_keras_weighs_a_smoothed_target_by_its_class_alone(weight):
    weight = np.array(weight, dtype=float)
    given = {"class_weight": classes(weight), "like": "keras"}
    found = results(ROWS, loss="log_loss:label_smoothing=0.1", **given)[0].value
    assert found == pytest.approx(keras_cross_entropy(weight), rel=1e-13)
    found = results(ROWS, loss="focal:label_smoothing=0.1", **given)[0].value
    focal = keras_cross_entropy(weight, lambda log_p: 0.25 * (1 - np.exp(log_p)) ** 2 * log_p)
    assert found == pytest.approx(focal, rel=1e-13)


def test_keras_weighs_a_soft_target_by_its_most_probable_class():
    weight, soft = np.array([1.0, 2.0, 5.0]), np.array([[0.6, 0.4, 0.0], [0.1, 0.2, 0.7]])
    predictions = pl.DataFrame({f"logit_{i}": LOGITS[:2, i] for i in range(3)})
    targets = pl.DataFrame({f"y_true_{i}": soft[:, i] for i in range(3)})
    expected = (weight[[0, 2]] * -(soft * LOG_P[:2]).sum(axis=1)).mean()
    given = {"class_weight": classes(weight), "like": "keras", "target": list(targets.columns)}
    found = results(predictions, targets, loss="log_loss", **given)[0].value
    assert found == pytest.approx(expected, rel=1e-13)


def test_rows_of_a_class_of_weight_zero_are_noted():
    p, y = [0.9, 0.2, 0.6], [1, 0, 1]
    report = losscli.evaluate(p, y, loss="log_loss", task="binary", class_weight={"0": 0.0, "1": 2.0})
    assert [(n.code, n.count, n.examples) for n in report.findings] == [("zero-weight", 1, ("row 2",))]
    empty = report.results[1]
    assert (empty.cell, empty.rows, str(*empty.notes)) == ({"class": "0"}, 0, "the class has weight zero")
    found = losscli.evaluate(ROWS, loss="log_loss", like="keras", class_weight=classes([0, 1, 1]))
    assert ("zero-weight-counted", 2) in [(n.code, n.count) for n in found.findings]


def test_a_comparison_keeps_classes_of_weight_zero():
    other = ROWS.with_columns(logit_0=pl.col("logit_0") + 0.5)
    given = {"loss": "log_loss:label_smoothing=0.1", "class_weight": classes([0, 2, 5])}
    a, b = (results(rows, **given)[0].value for rows in (ROWS, other))
    found = losscli.compare(ROWS, other, **given).comparisons[0]
    assert (found.value_a, found.value_b) == (a, b)
    assert found.difference == pytest.approx(b - a, rel=1e-12)
    board = losscli.rank(
        ROWS.drop("target"), other.drop("target"), targets=ROWS.select("target"), **given
    ).board
    assert sorted(each.value for each in board) == sorted([a, b])


def test_keras_clips_in_float32_whatever_the_file_holds():
    p, y = np.array([1.0, 1.0, 1.0, 0.0]), np.array([1, 0, 1, 0])
    clipped = np.clip(p.astype(np.float32), np.float32(1e-7), np.float32(1 - 1e-7)).astype(float)
    expected = -np.where(y == 1, np.log(clipped), np.log1p(-clipped)).mean()
    found = results(p, y, loss="log_loss", task="binary", like="keras")[0].value
    assert found == pytest.approx(expected, rel=2e-7)
    assert found == pytest.approx(3.985596, abs=5e-7)
