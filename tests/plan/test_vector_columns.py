"""Vectors as columns or arrays, triplets, ranked pairs and masks: what is read, and what is wrong."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.spatial import distance
from test_columns import flags, frame, value
from test_named_columns import refused

import losscli
from losscli.errors import DataError, UsageError

RNG = np.random.default_rng(23)
N = 30
A, B = RNG.normal(size=(2, N, 6))
COSINE = np.mean([distance.cosine(a, b) for a, b in zip(A, B, strict=True)])
NAMES = [f"e{i}" for i in range(6)]
SIGN = np.where(RNG.uniform(size=N) < 0.5, 1, -1)


def columns(values, names) -> pl.DataFrame:
    return pl.DataFrame(values, schema=names).with_columns(id=pl.int_range(len(values)))


@pytest.mark.parametrize("names", [NAMES, ["apple", "pear", "fig", "plum", "nut", "rye"]])
def test_columns_of_the_same_names_in_any_order(names):
    p, t = columns(A, names), columns(B, names).select(reversed([*names, "id"]))
    assert value(p, t, loss="cosine_distance") == pytest.approx(COSINE, rel=1e-13)
    shuffled = t[RNG.permutation(N)]
    assert value(p, shuffled, loss="cosine_distance") == value(p, t, loss="cosine_distance")
    plan = f"-p {','.join(names)} -y {','.join(names)} --on id"
    assert plan in flags(p, t, loss="cosine_distance")
    assert plan in flags(p, t, loss="cosine_distance", target=names[::-1], pred=names)


@pytest.mark.parametrize("dtype", [pl.Array(pl.Float64, 6), pl.List(pl.Float64)])
def test_arrays_and_lists_on_both_sides(dtype):
    p = frame(id=range(N), vector=pl.Series(A.tolist(), dtype=dtype))
    t = frame(id=range(N), label=["x"] * N, truth=pl.Series(B.tolist(), dtype=dtype))
    assert value(p, t, loss="cosine_distance") == pytest.approx(COSINE, rel=1e-13)
    assert "-p vector -y truth" in flags(p, t, loss="cosine_distance")
    both = p.with_columns(truth=t["truth"])
    assert value(both, loss="cosine_distance", pred="vector", target="truth") == pytest.approx(COSINE)


def test_wide_vectors_of_single_precision():
    a, b = RNG.normal(size=(2, 400, 768)).astype(np.float32)
    p, t = (pl.DataFrame({"e": pl.Series(x, dtype=pl.Array(pl.Float32, 768))}) for x in (a, b))
    expected = np.linalg.norm(a.astype(float) - b, axis=1).mean()
    assert value(p, t, loss="euclidean_distance") == pytest.approx(expected, rel=1e-13)


def test_vectors_must_have_the_same_dimensions():
    p = frame(e=pl.Series(A.tolist(), dtype=pl.Array(pl.Float64, 6)))
    t = frame(e=pl.Series(B[:, :5].tolist(), dtype=pl.Array(pl.Float64, 5)))
    said = refused(UsageError, p, t, loss="cosine_distance")
    assert "vectors of different dimensions: prediction 6, target 5" in said
    lists = frame(e=[[1.0, 2.0], [1.0, 2.0, 3.0]])
    said = refused(DataError, frame(e=[[1.0, 2.0], [1.0, 2.0]]), lists, loss="cosine_distance")
    assert "targets, column e: 1 list" in said
    assert "row 2: 3 numbers" in said


def test_columns_without_a_namesake_are_no_vector():
    said = refused(UsageError, columns(A, NAMES), columns(B, list("uvwxyz")), loss="cosine_distance")
    assert "no column" in said
    assert "-p" in said


def test_a_zero_vector_is_outside_the_domain():
    p, y = frame(a=[0.0, 1.0], b=[0.0, 1.0]), frame(a=[1.0, 1.0], b=[1.0, 1.0])
    said = refused(DataError, p, y, loss="cosine_distance")
    assert "1 row outside the domain of cosine_distance (vectors that are not zero)" in said


def test_pairs_with_a_sign():
    x = {f"x1_{i}": A[:, i] for i in range(6)} | {f"x2_{i}": B[:, i] for i in reversed(range(6))}
    cosines = np.array([1 - distance.cosine(a, b) for a, b in zip(A, B, strict=True)])
    expected = np.where(SIGN > 0, 1 - cosines, np.maximum(cosines - 0.1, 0)).mean()
    assert value(frame(**x), frame(y=SIGN), loss="cosine_embedding:margin=0.1") == pytest.approx(expected)
    assert [r.loss for r in losscli.evaluate(frame(**x), frame(y=SIGN)).results] == ["cosine_embedding"]
    said = refused(DataError, frame(distance=np.abs(SIGN)), frame(y=SIGN > 0), loss="hinge_embedding")
    assert "values that are not -1 or 1" in said
    del x["x2_3"]
    assert "x1 6, x2 5" in refused(UsageError, frame(**x), frame(y=SIGN), loss="cosine_embedding")


def test_triplets():
    parts = {name: RNG.normal(size=(N, 4)) for name in ("anchor", "positive", "negative")}
    d = {name: np.linalg.norm(parts["anchor"] - parts[name], axis=1) for name in parts}
    expected = np.maximum(d["positive"] - d["negative"] + 1, 0).mean()
    flat = {name: pl.DataFrame(x, schema=[f"{name}_{i}" for i in range(4)]) for name, x in parts.items()}
    t = pl.concat([flat["negative"], flat["positive"]], how="horizontal")
    report = losscli.evaluate(flat["anchor"], t)
    assert [r.loss for r in report.results] == ["triplet_margin", "triplet_margin_cosine"]
    assert report["triplet_margin"].value == pytest.approx(expected)
    arrays = {name: pl.Series(name, x, dtype=pl.Array(pl.Float64, 4)) for name, x in parts.items()}
    t = pl.DataFrame([arrays["negative"], arrays["positive"]])
    assert value(pl.DataFrame([arrays["anchor"]]), t, loss="triplet_margin") == pytest.approx(expected)
    told = flags(flat["anchor"], pl.concat([flat["negative"], flat["positive"]], how="horizontal"),
                 loss="triplet_margin:eps=1e-6")  # fmt: skip
    assert "-l triplet_margin:eps=1e-06" in told


def test_ranked_pairs():
    s = RNG.normal(size=(2, N))
    p, t = frame(score2=s[1], score1=s[0]), frame(y=SIGN)
    expected = np.log1p(np.exp(-SIGN * (s[0] - s[1]))).mean()
    assert value(p, t) == pytest.approx(expected)
    assert value(p, t, loss="margin_ranking") == pytest.approx(np.maximum(-SIGN * (s[0] - s[1]), 0).mean())


def test_masks():
    p, y = RNG.uniform(size=(N, 6)), RNG.integers(0, 2, (N, 6))
    names = [f"px{i}" for i in range(6)]
    predictions, targets = columns(p, names), columns(y, names)
    per_image = 1 - 2 * (p * y).sum(axis=1) / (p.sum(axis=1) + y.sum(axis=1))
    assert value(predictions, targets, loss="dice") == pytest.approx(per_image.mean())
    whole = 1 - 2 * (p * y).sum() / (p.sum() + y.sum())
    assert value(predictions, targets, loss="dice", aggregate="global") == pytest.approx(whole)
    w = RNG.integers(1, 4, N)
    twice = np.repeat(np.arange(N), w)
    weighted = targets.with_columns(w=w)
    found = value(predictions, weighted, loss="dice:aggregate=global", weight="w")
    whole = 1 - 2 * (p * y)[twice].sum() / (p[twice].sum() + y[twice].sum())
    assert found == pytest.approx(whole)
    said = refused(DataError, columns(2 * p, names), targets, loss="dice")
    assert "values that are not a number >= 0, <= 1" in said
    said = refused(DataError, predictions, targets, loss="segmentation_dice_error")
    assert "values that are not a whole number >= 0" in said


def test_arrays_in_python_and_numbered_columns_are_vectors():
    assert value(A, B, loss="cosine_distance") == pytest.approx(COSINE, rel=1e-13)
    assert "-p y_pred_0,y_pred_1" in flags(A, B, loss="cosine_distance")
