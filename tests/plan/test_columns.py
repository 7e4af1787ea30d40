"""Columns are found by exact names, in any order, and never from values."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import losscli
from losscli.errors import UsageError
from losscli.plan.resolve import prepare

RNG = np.random.default_rng(11)
N = 60
Y = RNG.normal(size=N)
PRED = Y + RNG.normal(scale=0.5, size=N)
BIT = RNG.integers(0, 2, N)
PROB = RNG.uniform(0.01, 0.99, N)
NAMES = ["cat", "dog", "owl"]
CODE = RNG.integers(0, 3, N)
PROBS = RNG.dirichlet([2, 2, 2], N)
ONE_HOT = np.eye(3)[CODE]
LABELS = [NAMES[code] for code in CODE]
OTHER = RNG.normal(size=N)
MAE = metrics.mean_absolute_error(Y, PRED)
LOG_LOSS = metrics.log_loss(CODE, PROBS)


def frame(**columns) -> pl.DataFrame:
    return pl.DataFrame(columns)


def value(*args, **options) -> float:
    report = losscli.evaluate(*args, **options)
    return report.results[0].value


def flags(*args, **options) -> str:
    """The plan, as flags."""
    return prepare(*args, **options).plan.flags()


@pytest.mark.parametrize("name", ["prediction", "pred", "y_pred", "yhat", "score", "anything"])
@pytest.mark.parametrize("target", ["target", "y_true", "y", "label", "truth", "actual", "something"])
def test_known_names_and_the_only_column_left(name, target):
    p, t = frame(id=range(N), **{name: PRED}), frame(**{target: Y}, id=range(N))
    assert value(p, t, loss="mae") == pytest.approx(MAE)
    assert (
        flags(p, t, loss="mae") == f"--task regression -p {name} -y {target} --on id -l mean_absolute_error"
    )


@pytest.mark.parametrize("key", ["id", "row_id", "example_id", "sample_id", "key", "uuid"])
def test_known_keys(key):
    order = RNG.permutation(N)
    p, t = frame(**{key: range(N)}, pred=PRED), frame(**{key: order}, y=Y[order])
    assert value(p, t, loss="mae") == pytest.approx(MAE)


def test_other_columns_do_no_harm_beside_known_names():
    p = frame(id=range(N), age=OTHER, region=["eu"] * N, pred=PRED)
    t = frame(id=range(N), age=OTHER, region=["eu"] * N, y=Y)
    assert value(p, t, loss="mae") == pytest.approx(MAE)


def test_both_sides_may_have_the_same_name():
    assert value(frame(id=range(N), value=PRED), frame(id=range(N), value=Y), loss="mae") == pytest.approx(
        MAE
    )


def test_flags_come_before_names():
    p, t = frame(pred=OTHER, mine=PRED), frame(y=OTHER, right=Y, w=np.arange(N))
    assert value(p, t, loss="mae", pred="mine", target="right") == pytest.approx(MAE)
    weighted = np.average(np.abs(PRED - Y), weights=np.arange(N))
    assert value(p, t, loss="mae", pred="mine", target="right", weight="w") == pytest.approx(weighted)


def test_weights_may_stand_on_either_side_and_are_never_inferred():
    p, t = frame(id=range(N), pred=PRED), frame(id=range(N), y=Y)
    weight = pl.Series("weight", np.arange(N))
    expected = np.average(np.abs(PRED - Y), weights=np.arange(N))
    assert value(p.with_columns(weight), t, loss="mae", weight="weight") == pytest.approx(expected)
    assert value(p, t.with_columns(weight), loss="mae", weight="weight") == pytest.approx(expected)
    assert value(p.with_columns(weight), t.with_columns(weight), loss="mae") == pytest.approx(MAE)


def test_names_with_commas_are_quoted_or_listed():
    p, t = frame(**{"a,b": PRED, "c": OTHER}), frame(y=Y)
    assert value(p, t, loss="mae", pred='"a,b"') == pytest.approx(MAE)
    assert value(p, t, loss="mae", pred=["a,b"]) == pytest.approx(MAE)


@pytest.mark.parametrize("stems", [("y_pred_", "y_true_"), ("pred_", "y_"), ("prediction_", "target_")])
def test_numbered_families_are_outputs_in_the_order_of_their_numbers(stems):
    numbers = range(11)
    predictions = {f"{stems[0]}{i}": PRED + i for i in reversed(numbers)}
    report = losscli.evaluate(
        frame(**predictions), frame(**{f"{stems[1]}{i}": Y for i in numbers}), loss="mae"
    )
    expected = [np.abs(PRED + i - Y).mean() for i in numbers]
    assert [r.value for r in report.results[1:]] == pytest.approx(expected)
    assert [r.cell["output"] for r in report.results[1:]] == [f"{stems[0]}{i}" for i in numbers]
    assert report.results[0].value == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("names", [("a", "b"), ("e1", "e2")])
def test_columns_of_the_same_names_are_outputs_in_any_order(names):
    p = frame(id=range(N), **{names[0]: PRED, names[1]: OTHER})
    t = frame(**{names[1]: Y, names[0]: Y}, id=range(N))
    report = losscli.evaluate(p, t, loss="mae", pred=names)
    assert report["mae", {"output": names[0]}].value == pytest.approx(MAE)
    assert report["mae", {"output": names[1]}].value == pytest.approx(np.abs(OTHER - Y).mean())
    # Either name alone may be a feature that both files have; a numbered family is not.
    if names == ("e1", "e2"):
        assert losscli.evaluate(p, t, loss="mae").results == report.results
    else:
        with pytest.raises(UsageError, match="cannot tell the prediction columns among: a, b"):
            losscli.evaluate(p, t, loss="mae")


PERMUTED = [2, 0, 1]
CLASS_COLUMNS = {
    "named as the classes": {NAMES[i]: PROBS[:, i] for i in PERMUTED},
    "prob_ family": {f"prob_{NAMES[i]}": PROBS[:, i] for i in PERMUTED},
    "p_ family": {f"p_{NAMES[i]}": PROBS[:, i] for i in PERMUTED},
    "logit_ family": {f"logit_{NAMES[i]}": np.log(PROBS[:, i]) + 7 for i in PERMUTED},
}


@pytest.mark.parametrize("columns", CLASS_COLUMNS.values(), ids=CLASS_COLUMNS)
@pytest.mark.parametrize("classes", [None, "cat,dog,owl", "owl,cat,dog"])
def test_class_columns_in_any_order(columns, classes):
    p, t = frame(id=range(N), **columns), frame(id=range(N), label=LABELS)
    report = losscli.evaluate(p, t, loss="log_loss", classes=classes)
    assert report["log_loss"].value == pytest.approx(LOG_LOSS, rel=1e-12)
    for i, name in enumerate(NAMES):
        own = -np.log(PROBS[ONE_HOT[:, i] > 0, i]).mean()
        assert report["log_loss", {"class": name}].value == pytest.approx(own, rel=1e-12)
    if classes:
        assert [r.cell["class"] for r in report.results[1:]] == classes.split(",")


def test_class_columns_stand_for_the_classes_in_order_where_flags_say_so():
    p, t = frame(a=PROBS[:, 0], b=PROBS[:, 1], c=PROBS[:, 2]), frame(label=LABELS)
    assert value(p, t, loss="log_loss", pred="a,b,c", classes=NAMES) == pytest.approx(LOG_LOSS)


def test_a_key_on_one_side_is_no_class_and_no_output():
    p, t = frame(id=range(N), **CLASS_COLUMNS["named as the classes"]), frame(label=LABELS)
    assert value(p, t, loss="log_loss") == pytest.approx(LOG_LOSS)


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Float64, 3), pl.List(pl.Float32)])
def test_one_list_or_array_column(dtype):
    p = pl.DataFrame({"id": range(N), "probs": pl.Series(PROBS.tolist(), dtype=dtype)})
    t = frame(id=range(N), label=LABELS)
    tolerance = 1e-6 if dtype.inner == pl.Float32 else 1e-12
    assert value(p, t, loss="log_loss", classes=NAMES) == pytest.approx(LOG_LOSS, rel=tolerance)
    by_place = losscli.evaluate(p, frame(id=range(N), label=CODE), loss="log_loss")
    assert by_place["log_loss"].value == pytest.approx(LOG_LOSS, rel=tolerance)
    assert tuple(map(str, by_place.findings)) == (
        "the classes are the positions in column probs, from 0; --classes names them",
    )


TARGETS = {
    "one-hot": {name: ONE_HOT[:, i].astype(int) for i, name in enumerate(NAMES)},
    "one-hot, in another order": {NAMES[i]: ONE_HOT[:, i] > 0 for i in PERMUTED},
    "one-hot, as floats": {f"y_true_{i}": ONE_HOT[:, i] for i in range(3)},
}


@pytest.mark.parametrize("columns", TARGETS.values(), ids=TARGETS)
def test_one_hot_targets_are_labels_to_the_last_bit(columns):
    p = frame(id=range(N), **{f"prob_{name}": PROBS[:, i] for i, name in enumerate(NAMES)})
    t, task = frame(id=range(N), **columns), {"task": "multiclass"}
    labels = losscli.evaluate(p, frame(id=range(N), label=LABELS), loss=["log_loss", "zero_one"], **task)
    one_hot = losscli.evaluate(p, t, loss=["log_loss", "zero_one"], **task)
    assert one_hot.results == labels.results


def test_soft_targets():
    soft = RNG.dirichlet([1, 1, 1], N)
    p = frame(**{f"prob_{name}": PROBS[:, i] for i, name in enumerate(NAMES)})
    t = frame(**{name: soft[:, i] for i, name in enumerate(NAMES)})
    assert value(p, t, loss="log_loss") == pytest.approx(-(soft * np.log(PROBS)).sum(axis=1).mean())


def test_one_file_with_class_columns_on_both_sides():
    both = frame(
        **{f"prob_{name}": PROBS[:, i] for i, name in enumerate(NAMES)},
        **{name: ONE_HOT[:, i] for i, name in enumerate(NAMES)},
    )
    assert value(both, loss="log_loss") == pytest.approx(LOG_LOSS)
    assert value(both.drop(NAMES).with_columns(label=pl.Series(LABELS)), loss="log_loss") == pytest.approx(
        LOG_LOSS
    )


def test_the_columns_decide_the_task_and_the_task_settles_what_they_leave_open():
    assert "--task binary" in flags(frame(prob=PROB), frame(y=BIT))
    assert "--task regression" in flags(frame(pred=PROB), frame(y=BIT))
    assert "--task binary" in flags(frame(pred=PROB), frame(y=BIT), task="binary")
    assert "--task binary" in flags(frame(pred=PROB), frame(y=BIT), loss="f1_error")
    assert "--task multiclass" in flags(frame(pred=LABELS), frame(label=LABELS))
    one_hot = frame(**TARGETS["one-hot"])
    assert "--task multiclass" in flags(frame(**CLASS_COLUMNS["prob_ family"]), one_hot)
    assert "--task multilabel" in flags(frame(**CLASS_COLUMNS["prob_ family"]), one_hot.with_columns(cat=1))
    assert "--task multilabel" in flags(frame(a=PROB, b=PROB), frame(a=BIT, b=BIT), loss="hamming")


def test_a_name_that_says_logit_means_logits_and_values_never_do():
    logits = np.log(PROB / (1 - PROB))
    expected = metrics.log_loss(BIT, PROB)
    assert value(frame(logit=logits), frame(y=BIT), loss="log_loss") == pytest.approx(expected)
    assert "--from-logits" in flags(frame(logit=logits), frame(y=BIT), loss="log_loss")
    assert "--from-logits" not in flags(frame(prob=logits), frame(y=BIT), loss="log_loss")
    assert value(frame(prob=logits), frame(y=BIT), loss="log_loss", from_logits=True) == pytest.approx(
        expected
    )


def test_multilabel_columns_in_any_order():
    bits = RNG.integers(0, 2, (N, 3))
    p = frame(**{NAMES[i]: PROBS[:, i] for i in PERMUTED})
    report = losscli.evaluate(p, frame(**{name: bits[:, i] for i, name in enumerate(NAMES)}), loss="hamming")
    assert report["hamming"].value == pytest.approx(metrics.hamming_loss(bits, PROBS > 0.5))
    for i, name in enumerate(NAMES):
        own = metrics.zero_one_loss(bits[:, i], PROBS[:, i] > 0.5)
        assert report["hamming", {"label": name}].value == pytest.approx(own)


def test_the_usual_losses_of_a_task():
    def chosen(*args, **options):
        return [r.loss for r in losscli.evaluate(*args, **options).results if not r.cell]

    assert chosen(PRED, Y) == ["root_mean_squared_error", "mean_absolute_error", "huber", "r2"]
    assert chosen(frame(prob=PROB), frame(y=BIT)) == ["binary_cross_entropy", "brier", "zero_one"]
    assert chosen(frame(pred=LABELS), frame(label=LABELS)) == ["multiclass_zero_one"]


def test_a_text_column_of_both_files_is_no_output():
    p, t = frame(id=range(N), region=["eu"] * N, value=PRED), frame(id=range(N), region=["eu"] * N, value=Y)
    assert value(p, t, loss="mae") == pytest.approx(MAE)
    with pytest.raises(UsageError, match="cannot tell the prediction columns among: region, value, other"):
        losscli.evaluate(p.with_columns(other=1.0), t, loss="mae")
