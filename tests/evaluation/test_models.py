"""Several models: files, columns of one file, or rows of one file; all aligned in one way."""

from __future__ import annotations

import polars as pl
import pytest

import losscli
from losscli.errors import DataError, UsageError

IDS = [f"r{i}" for i in range(8)]
Y = [203.8, 196.0, 219.2, 203.1, 183.9, 210.8, 248.7, 228.4]
A = [196.8, 183.3, 213.0, 203.5, 160.6, 208.6, 226.6, 230.1]
B = [200.0, 190.0, 210.0, 200.0, 190.0, 210.0, 240.0, 230.0]
ORDER = [3, 5, 4, 6, 0, 1, 7, 2]
T = pl.DataFrame({"id": IDS, "target": Y})
P, Q = pl.DataFrame({"id": IDS, "prediction": A}), pl.DataFrame({"id": IDS, "prediction": B})
WIDE = pl.DataFrame({"id": IDS, "forest": A, "ridge": B})[ORDER]
LONG = pl.concat([P.with_columns(model=pl.lit("forest")), Q.with_columns(model=pl.lit("ridge"))])
SHUFFLED = LONG.sample(fraction=1.0, shuffle=True, seed=3).sort("model")


def compared(*models, **options) -> losscli.Report:
    return losscli.compare(*models, targets=T, loss="mae", **options)


EXPECTED = compared({"forest": P, "ridge": Q})


def numbers(report):
    pairs = [(each.a, each.b, each.difference) for each in report.comparisons]
    return [(each.model, each.value) for each in report.results], pairs


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    WIDE.write_csv("wide.csv")
    LONG.write_csv("long.csv")
    LONG.write_parquet("long.parquet")
    T.write_csv("t.csv")


def test_each_column_is_a_model(files):
    for source in ("wide.csv", WIDE):
        for pred in (["forest", "ridge"], "forest,ridge"):
            assert numbers(compared(source, pred=pred)) == numbers(EXPECTED)
    one = WIDE.join(T, on="id", maintain_order="left")
    found = losscli.compare(one, loss="mae", pred="forest,ridge")
    assert numbers(found)[1][0][2] == pytest.approx(numbers(EXPECTED)[1][0][2], rel=1e-12)
    assert [each.model for each in compared(WIDE, pred="ridge,forest", names=["x", "y"]).results] == [
        "x",
        "y",
    ]
    with pytest.raises(UsageError, match=r"no column 'tree' \(-p\)"):
        compared(WIDE, pred="forest,tree")
    with pytest.raises(UsageError, match="takes 2 to 32 models, got 1"):
        compared(WIDE, pred="forest")


@pytest.mark.parametrize("source", ["long.csv", "long.parquet", LONG, SHUFFLED])
def test_a_column_names_the_model_of_each_row(source, files):
    assert numbers(compared(source, model_column="model")) == numbers(EXPECTED)
    board = losscli.rank(source, targets=T, loss="mae", model_column="model").board
    assert [place.model for place in board] == ["ridge", "forest"]


def test_what_is_wrong_with_a_column_of_models():
    with pytest.raises(UsageError, match=r"no column 'modle' \(--model-column\)"):
        compared(LONG, model_column="modle")
    with pytest.raises(UsageError, match="names the models in one file, and 2 were given"):
        compared(P, Q, model_column="model")
    with pytest.raises(DataError, match="8 rows without a model"):
        compared(pl.concat([LONG, Q], how="diagonal"), model_column="model")
    with pytest.raises(UsageError, match="got 1"):
        compared(LONG[:8], model_column="model")


def test_structs_are_models_of_classes():
    labels = ["x", "y", "x", "y"]
    p, q = {"x": [0.9, 0.2, 0.6, 0.4], "y": [0.1, 0.8, 0.4, 0.6]}, {"x": [0.5] * 4, "y": [0.5] * 4}
    one = pl.DataFrame({"a": pl.DataFrame(p).to_struct(), "b": pl.DataFrame(q).to_struct()})
    found = losscli.compare(one, targets=labels, loss="log_loss", pred="a,b")
    expected = losscli.compare({"a": pl.DataFrame(p), "b": pl.DataFrame(q)}, targets=labels, loss="log_loss")
    assert numbers(found) == numbers(expected)


def test_a_board_aligns_all_submissions_in_one_way():
    shuffled = P[ORDER]
    entries = {
        "without": P.select("prediction"),
        "same": P,
        "shuffled": shuffled,
        "case": shuffled.rename({"id": "ID"}),
    }
    for names in (list(entries), list(reversed(entries))):
        board = losscli.rank({name: entries[name] for name in names}, targets=T, loss="mae").board
        assert {place.model for place in board if not place.reason} == {"same", "shuffled"}
        reasons = [place.reason for place in board if place.reason]
        assert all("has no column 'id'" in reason for reason in reasons)
        assert len(reasons) == 2
    without = {name: entry.select("prediction") for name, entry in entries.items()}
    assert all(not place.reason for place in losscli.rank(without, targets=T, loss="mae").board)


def test_a_comparison_aligns_all_models_in_one_way():
    with pytest.raises(UsageError, match="is aligned by key id, and predictions by position"):
        compared(P.select("prediction"), Q[ORDER])
    with pytest.raises(UsageError, match="has no column 'id'"):
        compared(P, Q.select("prediction"))


def test_rank_and_evaluate_read_a_file_in_the_same_way():
    keys = pl.DataFrame({"customer": IDS, "prediction": A})[ORDER]
    with pytest.raises(UsageError, match="--on customer"):
        losscli.rank(keys, targets=T.rename({"id": "customer"}), loss="mae")


@pytest.mark.parametrize("loss", ["euclidean_distance", "multilabel_binary_cross_entropy", "log_loss"])
@pytest.mark.parametrize("first", ["cheat", "honest"])
def test_a_submission_with_fewer_columns_is_not_ranked(loss, first):
    names = ("e0", "e1") if loss == "euclidean_distance" else ("news", "sport")
    t = pl.DataFrame({"id": [1, 2, 3], names[0]: [1, 0, 1], names[1]: [0, 1, 1]})
    honest = pl.DataFrame({"id": [1, 2, 3], names[0]: [0.9, 0.2, 0.8], names[1]: [0.4, 0.4, 0.6]})
    entries = {"cheat": t.select("id", names[0]), "honest": honest}
    order = [first, *(entries.keys() - {first})]
    board = losscli.rank({name: entries[name] for name in order}, targets=t, loss=loss).board
    assert [place.model for place in board if not place.reason] == ["honest"]
    (reason,) = [place.reason for place in board if place.reason]
    assert f"target columns without a prediction: {names[1]}" in reason


LEVELS = pl.DataFrame({"q0.1": [1.0, 1.0], "q0.5": [2.0, 1.0], "q0.9": [3.0, 2.0]})


@pytest.mark.parametrize(
    ("names", "loss", "lacks"),
    [
        (["q0.1", "q0.5", "q0.9"], "multi_quantile", "0.5"),
        (["q0.1", "q0.5", "q0.9"], "crps_quantile", "0.5"),
        (["m0", "m1", "m2"], "crps_ensemble", "members 3"),
    ],
)
def test_no_submission_wins_by_columns_that_it_leaves_out(names, loss, lacks):
    t = pl.DataFrame({"y_true": [1.0, 0.0]})
    honest = LEVELS.rename(dict(zip(LEVELS.columns, names, strict=True)))
    fewer = honest.drop(names[1])
    for order in ("ab", "ba", "acb"):
        entries = {name: honest if name == "b" else fewer for name in order}
        board = losscli.rank(entries, targets=t, loss=loss).board
        assert [place.model for place in board if place.place] == ["b"]
        assert all(f"no prediction of {lacks}, which b has" in each.reason for each in board if each.reason)
    if loss != "crps_ensemble":
        others = {"a": honest.rename({names[1]: "q0.55"}), "b": honest, "c": honest}
        board = losscli.rank(others, targets=t, loss=loss).board
        assert [place.model for place in board if place.place] == ["b", "c"]
    board = losscli.rank({"a": fewer, "b": honest}, targets=t, loss=loss, pred=[names[0], names[2]]).board
    assert [place.model for place in board if place.place] == ["a", "b"]


def test_models_of_other_levels_are_not_compared():
    t = pl.DataFrame({"y_true": [1.0, 0.0]})
    for models in ((LEVELS, LEVELS.drop("q0.9")), (LEVELS.drop("q0.9"), LEVELS)):
        with pytest.raises(UsageError, match=r"predictions predicts q0.1, q0.5"):
            losscli.compare(*models, targets=t, loss="multi_quantile")


def test_a_prediction_is_no_slice_of_several_models():
    with pytest.raises(UsageError, match="prediction is a prediction, and each model has its own"):
        compared(P, Q, by="prediction")
