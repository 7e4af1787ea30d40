"""Areas under curves of each of several classes or labels: those of each against the rest."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import losscli

RNG = np.random.default_rng(12)
N = 90
CLASSES = ("ant", "bird", "cat")
CODE = RNG.integers(0, 3, N)
FIELDS = ("value", "se", "ci_low", "ci_high", "notes")
AREAS = ("roc_auc", "average_precision")


def frame(seed: int = 0) -> pl.DataFrame:
    """Probabilities of three classes, their labels, weights, clusters and slices."""
    p = np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], N) + np.eye(3)[CODE] / 3
    columns = {f"prob_{name}": p[:, i] / p.sum(axis=1) for i, name in enumerate(CLASSES)}
    numbers = {"w": 1.0 + np.arange(N) % 3, "k": np.arange(N) // 2, "half": np.arange(N) % 2}
    return pl.DataFrame({**columns, **numbers, "y": np.array(CLASSES)[CODE]})


def binary(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """One class against the rest."""
    return rows.with_columns(y=(pl.col("y") == name).cast(pl.Int64), p=f"prob_{name}").select(
        "y", "p", "w", "k", "half"
    )


def same(found, expected) -> None:
    for field in FIELDS:
        assert getattr(found, field) == pytest.approx(getattr(expected, field), rel=1e-12), field


@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "k"}], ids=str)
@pytest.mark.parametrize("loss", [*AREAS, "roc_auc:multi_class=ovo", "average_precision:average=weighted"])
def test_a_class_has_the_area_of_the_class_against_the_rest(loss, options):
    spare = {"weight": "w", "cluster": "k"}.keys() - options.keys()
    drop = [*({"weight": "w", "cluster": "k"}[each] for each in spare), "half"]
    report = losscli.evaluate(frame().drop(drop), target="y", loss=loss, **options)
    plain = loss.partition(":")[0]
    for name in CLASSES:
        rows = binary(frame(), name).drop(drop)
        alone = losscli.evaluate(rows, target="y", pred="p", loss=plain, task="binary", **options)
        same(report[loss, {"class": name}], alone[plain])
    if "ovo" not in loss and "weighted" not in loss:
        values = [report[loss, {"class": name}].value for name in CLASSES]
        assert report[loss].value == pytest.approx(np.mean(values), rel=1e-14)


def test_labels_have_the_areas_of_two_classes_also_where_all_are_pooled():
    y = pl.DataFrame((RNG.random((N, 3)) < 0.4) * 1, schema=["a", "b", "c"])
    p = pl.DataFrame(RNG.random((N, 3)), schema=["a", "b", "c"])
    for loss in (*AREAS, "roc_auc:average=micro"):
        report = losscli.evaluate(p, y, loss=loss, task="multilabel")
        plain = loss.partition(":")[0]
        for name in y.columns:
            alone = losscli.evaluate(p[name].to_numpy(), y[name].to_numpy(), loss=plain, task="binary")[plain]
            same(report[loss, {"label": name}], alone)


def test_a_difference_of_a_class_is_that_of_the_class_against_the_rest():
    keep = [*(f"prob_{name}" for name in CLASSES), "y"]
    a, b = (frame(seed).select(keep) for seed in (0, 1))
    found = losscli.compare(a.drop("y"), b.drop("y"), targets=a.select("y"), loss="roc_auc").comparisons
    own = {each.cell.get("class"): each for each in found}
    assert own.keys() == {None, *CLASSES}
    for name in CLASSES:
        one, other = (binary(frame(seed), name)["p"].to_numpy() for seed in (0, 1))
        y = binary(frame(), name)["y"].to_numpy()
        (alone,) = losscli.compare(one, other, targets=y, loss="roc_auc", task="binary").comparisons
        for field in ("value_a", "value_b", "difference", "se", "ci_low", "ci_high", "p_value"):
            assert getattr(own[name], field) == pytest.approx(getattr(alone, field), rel=1e-12)


def test_a_class_that_does_not_occur_has_no_area_and_the_others_have():
    rows = frame().filter(pl.col("y") != "cat").drop("w", "k", "half")
    report = losscli.evaluate(rows, target="y", loss="roc_auc", classes=list(CLASSES))
    assert report["roc_auc"].value is report["roc_auc", {"class": "cat"}].value is None
    assert report["roc_auc", {"class": "ant"}].value > 0.5


def test_replicates_of_a_class_are_those_of_two_classes():
    rows = frame().drop("w", "k", "half")
    options = {"loss": "roc_auc", "target": "y", "ci_method": "bootstrap"}
    report = losscli.evaluate(rows, **options)
    alone = losscli.evaluate(
        binary(frame(), "bird").drop("w", "k", "half"), pred="p", task="binary", **options
    )
    same(report["roc_auc", {"class": "bird"}], alone["roc_auc"])


def test_a_saved_state_gives_the_same_areas(losscli):
    losscli.write(p=frame().drop("w", "k", "half"))
    argv = ("evaluate", "p.csv", "-y", "y", "-l", "roc_auc")
    whole, saved = losscli(*argv, "--json"), losscli(*argv, "--state", "s.state")
    assert (whole.status, saved.status) == (0, 0), saved.err
    merged = losscli("merge", "s.state", "--json")
    assert json.loads(merged.out)["results"] == json.loads(whole.out)["results"]
