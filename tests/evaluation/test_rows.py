"""The loss of every row in a file, and the worst rows of a run."""

import json
import os

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.cli.app import run
from losscli.data import writer as writing
from losscli.errors import DataError, UsageError
from losscli.states.cells import Cells
from losscli.states.top import Top

N = 300_000
RNG = np.random.default_rng(3)
Y = RNG.normal(size=N)
P = Y + RNG.standard_t(3, size=N)
TARGETS = pl.DataFrame({"id": np.arange(N), "y_true": Y, "w": RNG.integers(0, 3, N)})
PREDICTIONS = pl.DataFrame({"id": np.arange(N), "y_pred": P})
READ = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".ndjson": pl.read_ndjson, ".arrow": pl.read_ipc}


@pytest.fixture
def program(capsys):
    """The program, run in this process: its status, stdout and stderr."""

    def called(*argv):
        return run(list(argv)), *capsys.readouterr()

    return called


@pytest.mark.parametrize("suffix", READ)
def test_every_row_is_written_in_order(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    report = losscli.evaluate(PREDICTIONS, TARGETS, ["mae", "rmse", "huber"], rows=path)
    found = READ[suffix](path)
    assert found.columns == ["row", "id", "mean_absolute_error", "root_mean_squared_error", "huber"]
    assert (found["row"] == pl.Series(np.arange(1, N + 1))).all()
    assert (found["id"] == TARGETS["id"]).all()
    np.testing.assert_allclose(found["mean_absolute_error"], abs(P - Y), rtol=1e-15)
    np.testing.assert_allclose(found["root_mean_squared_error"], (P - Y) ** 2, rtol=1e-15)
    assert found["huber"].mean() == pytest.approx(report["huber"].value, rel=1e-12)
    assert os.listdir(tmp_path) == [path.name]


def test_rows_are_written_once_if_the_files_turn_out_to_be_in_another_order(tmp_path):
    order = [*range(N - 2), N - 1, N - 2]
    losscli.evaluate(PREDICTIONS, TARGETS[order], "mae", on="id", rows=tmp_path / "rows.parquet")
    found = pl.read_parquet(tmp_path / "rows.parquet")
    assert (found["row"] == pl.Series(np.arange(1, N + 1))).all()


def test_the_same_bytes_whatever_the_threads(tmp_path):
    for threads in (1, 2):
        losscli.evaluate(
            PREDICTIONS, TARGETS, "mae", rows=tmp_path / f"{threads}.csv", worst=5, threads=threads
        )
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_worst_rows_are_named(shuffled):
    targets = TARGETS.sample(fraction=1.0, shuffle=True, seed=1) if shuffled else TARGETS
    report = losscli.evaluate(PREDICTIONS, targets, ["mae", "r2"], worst=20)
    order = np.argsort(-abs(P - Y), kind="stable")[:20]
    assert [row["row"] for row in report.worst] == (order + 1).tolist()
    assert report.worst[0] == {
        "row": order[0] + 1,
        "id": order[0],
        "y_true": Y[order[0]],
        "y_pred": P[order[0]],
        "mean_absolute_error": abs(P - Y)[order[0]],
    }
    assert losscli.Report.from_dict(report.to_dict()) == report


def greatest(frame, score):
    return Top.of(Cells(np, len(score), None, 0), (score,), frame=frame, most=4)


def test_equal_rows_stand_in_their_order_and_nan_first():
    frame = pl.DataFrame({"row": range(8)})
    score = np.array([1.0, 3.0, 2.0, 3.0, np.nan, 0.0, 3.0, 1.0])
    whole = greatest(frame, score)
    assert whole.frame["row"].to_list() == [4, 1, 3, 6]
    for cut in range(1, 8):
        one, two = greatest(frame[:cut], score[:cut]), greatest(frame[cut:], score[cut:])
        assert one.merge(two).frame["row"].to_list() == [4, 1, 3, 6]


def test_rows_of_weight_zero_are_not_the_worst():
    report = losscli.evaluate(PREDICTIONS, TARGETS, "mae", weight="w", worst=50)
    loss = np.where(TARGETS["w"].to_numpy() > 0, abs(P - Y), -1)
    order = np.argsort(-loss, kind="stable")[:50]
    assert [row["row"] for row in report.worst] == (order + 1).tolist()


def test_classes_groups_and_outputs(tmp_path):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 500)
    labels = rng.choice(["ant", "bee", "cat"], 500)
    names = ["ant", "bee", "cat"]
    frame = pl.DataFrame({f"prob_{name}": probs[:, i] for i, name in enumerate(names)})
    report = losscli.evaluate(
        frame, pl.DataFrame({"label": labels}), "log_loss", worst=3, rows=tmp_path / "c.parquet"
    )
    loss = -np.log(probs[np.arange(500), np.searchsorted(names, labels)])
    found = pl.read_parquet(tmp_path / "c.parquet")
    assert found["categorical_cross_entropy"].to_numpy() == pytest.approx(loss, rel=1e-13)
    assert report.worst[0]["label"] == labels[np.argmax(loss)]
    many = pl.DataFrame({f"prob_{i}": column for i, column in enumerate(rng.dirichlet(np.ones(30), 100).T)})
    wide = losscli.evaluate(many, pl.DataFrame({"label": rng.integers(0, 30, 100)}), "log_loss", worst=1)
    assert list(wide.worst[0]) == ["row", "label", "categorical_cross_entropy"]
    groups = pl.DataFrame({"query_id": np.repeat(np.arange(50), 10), "relevance": rng.integers(0, 3, 500)})
    ranked = losscli.evaluate(
        pl.DataFrame({"score": rng.normal(size=500)}), groups, "ranking_softmax", group="query_id", worst=2,
        rows=tmp_path / "g.csv",
    )  # fmt: skip
    found = pl.read_csv(tmp_path / "g.csv")
    assert found["row"].to_list() == list(range(1, 501, 10))
    assert ranked.worst[0]["ranking_softmax"] == found["ranking_softmax"].max()
    outputs = [
        pl.DataFrame(rng.normal(size=(50, 2)), schema=[f"{s}_0", f"{s}_1"]) for s in ("y_pred", "y_true")
    ]
    losscli.evaluate(*outputs, "mae", rows=tmp_path / "o.csv")
    expected = np.abs(outputs[0].to_numpy() - outputs[1].to_numpy()).mean(axis=1)
    assert pl.read_csv(tmp_path / "o.csv")["mean_absolute_error"].to_numpy() == pytest.approx(expected)


def test_rows_that_are_left_out_are_absent(tmp_path):
    holes = PREDICTIONS.with_columns(y_pred=pl.when(pl.col("id") != 5).then("y_pred"))
    losscli.evaluate(holes, TARGETS, "mae", missing="drop", rows=tmp_path / "r.parquet")
    found = pl.read_parquet(tmp_path / "r.parquet")
    assert found["row"].to_list()[4:7] == [5, 7, 8]
    with pytest.raises(DataError, match="missing"):
        losscli.evaluate(holes, TARGETS, "mae", rows=tmp_path / "none.parquet")
    assert os.listdir(tmp_path) == ["r.parquet"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "r2", "rows": "r.csv"}, "r2 has no value of a single row"),
        ({"loss": ["mae", "r2"], "rows": "r.csv"}, "r2 has no value"),
        ({"loss": "r2", "worst": 3}, "r2 has no value"),
        ({"loss": "mae", "rows": "r.xlsx"}, "no format has this suffix"),
        ({"loss": "mae", "rows": "none/r.csv"}, "there is no folder none"),
        ({"loss": "mae", "rows": "t.csv"}, "is read too"),
        ({"loss": "mae", "worst": -1}, "whole number >= 0, <= 10000"),
        ({"loss": "mae", "worst": "many"}, "whole number >= 0, <= 10000"),
        ({"loss": "mae", "worst": 3, "baseline": PREDICTIONS}, "are of one model"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    TARGETS.head(10).write_csv("t.csv")
    with pytest.raises(UsageError, match=said):
        losscli.evaluate(PREDICTIONS.head(10), "t.csv", **options)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(frame, path):
        frame.collect()
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(writing.SINKS, ".csv", full)
    with pytest.raises(DataError, match=r"cannot be written.*No space left"):
        losscli.evaluate(PREDICTIONS, TARGETS, "mae", rows=tmp_path / "r.csv")
    assert os.listdir(tmp_path) == []


def test_on_the_command_line(tmp_path, program):
    PREDICTIONS.head(50).write_csv(tmp_path / "p.csv")
    TARGETS.head(50).write_csv(tmp_path / "t.csv")
    argv = ["evaluate", str(tmp_path / "p.csv"), str(tmp_path / "t.csv"), "-l", "mae", "--worst", "2"]
    status, out, said = program(*argv, "--rows", str(tmp_path / "r.csv"))
    assert (status, said) == (0, "")
    assert "worst rows" in out
    assert len(json.loads(program(*argv, "--json")[1])["worst"]) == 2
    assert "### worst rows" in program(*argv, "--format", "markdown")[1]
    assert pl.read_csv(tmp_path / "r.csv").height == 50
