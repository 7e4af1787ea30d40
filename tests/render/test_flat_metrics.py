"""Flat metrics have names that MLflow, W&B and TensorBoard accept, and each result has one of its own."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from losscli.render import render
from losscli.render.formats import flat
from losscli.report.model import Comparison, Report, Result

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "ci.md"
MLFLOW = re.compile(r"^[/\w.\- ]*$")
"""What MLflow accepts: _VALID_PARAM_AND_METRIC_NAMES of utils/validation.py; newer ones also take ':'."""
TENSORBOARD = re.compile(r"[^-/\w\.]")
"""What PyTorch replaces: _INVALID_TAG_CHARACTERS of its utils/tensorboard/summary.py."""
ODD = ["", ".", "..", "a/b", "a b", "<= 1.5", "> 1.5", "=1", "é", "x\ny", "日本", "a:b", "%", "_", "x" * 400]


def result(cell: dict[str, str] | None = None, **options) -> Result:
    return Result(
        loss="mean_absolute_error", label="mae", cell=cell or {}, value=1.5, rows=3, weight=3.0, **options
    )


def names(*results: Result, **fields) -> list[str]:
    return list(json.loads(render(Report(results, **fields), "flat")))


def test_names_are_paths_of_loss_column_and_value():
    assert names(result(), result({"age_group": "35-49"}), result({"sex": "1", "age_group": "35-49"})) == [
        "mae/overall",
        "mae/age_group/35-49",
        "mae/sex.age_group/1.35-49",
    ]
    tuned = replace(result(), loss="huber", label="", params={"delta": 2.0})
    assert names(tuned) == ["huber_delta_2/overall"]
    assert names(result({"age": "<= 1.5"}), result({"age": "> 1.5"})) == [
        "mae/age/up_to_1.5",
        "mae/age/above_1.5",
    ]


def test_models_and_their_differences_come_first():
    pair = Comparison(
        loss="mae", a="a.csv", b="b.csv", value_a=1.0, value_b=2.0, difference=1.0, rows=3, weight=3.0
    )
    assert names(result(model="a.csv"), comparisons=(pair,)) == [
        "a.csv/mae/overall",
        "b.csv-a.csv/mae/overall",
    ]


def odd_report() -> Report:
    cells = [{column: value} for column in ODD for value in ODD]
    return Report((result(), result({"overall": "overall"}), *map(result, cells)))


def test_each_result_has_a_name_that_all_of_them_accept():
    found = names(*odd_report().results)
    assert len(found) == len(odd_report().results)
    for name in found:
        assert MLFLOW.match(name)
        assert not TENSORBOARD.search(name)
        assert name == posixpath.normpath(name)
        assert not name.startswith(("/", ".."))
        assert len(name) <= 250
        # In a folder of MLflow a name is a file, and its parts are folders.
        assert not any(other.startswith(f"{name}/") for other in found)


def test_names_that_would_be_one_are_said():
    report = Report((result({"a": "x y"}), result({"a": "x_y"}), result({"a": "x:y"})))
    assert names(*report.results) == ["mae/a/x_y", "mae/a/x_y_3", "mae/a/x_y_2"]
    assert flat.notes(report) == [
        "mean_absolute_error[a=x_y] is the metric mae/a/x_y_3, since mae/a/x_y is another one",
        "mean_absolute_error[a=x:y] is the metric mae/a/x_y_2, since mae/a/x_y is another one",
    ]


def test_numbers_at_the_end_of_names_are_the_first_free_ones():
    cells = ["x y", "x_y_2", "x:y", "x_y", "x_y_3"]
    assert dict(zip(cells, names(*(result({"a": cell}) for cell in cells)), strict=True)) == {
        "x y": "mae/a/x_y",
        "x:y": "mae/a/x_y_2",
        "x_y": "mae/a/x_y_3",
        "x_y_2": "mae/a/x_y_2_2",
        "x_y_3": "mae/a/x_y_3_2",
    }


def test_a_name_is_of_the_same_result_whatever_its_value():
    worst_first = [result({"a": "x_y"}), result({"a": "x y"}), result({"a": "x:y"})]
    found = [
        {each.result: each.name for each in flat.metrics(Report(tuple(results)))}
        for results in (worst_first, worst_first[::-1])
    ]
    assert found[0] == found[1]


def test_the_program_says_it_on_stderr(losscli):
    import polars as pl

    losscli.write(p=pl.DataFrame({"pred": [1.0] * 4, "y": 0.0, "g": ["a b", "a_b"] * 2}))
    done = losscli("evaluate", "p.csv", "-l", "mae", "--by", "g", "-o", "m.flat.json")
    assert "note: mean_absolute_error[g=a_b] is the metric mae/g/a_b_2" in done.err
    assert set(json.loads((losscli.folder / "m.flat.json").read_text())) == {
        "mae/overall",
        "mae/g/a_b",
        "mae/g/a_b_2",
    }


@pytest.mark.slow
def test_mlflow_logs_them_as_the_guide_shows(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    monkeypatch.chdir(tmp_path)
    report = odd_report()
    Path("metrics.flat.json").write_text(render(report, "flat"))
    code = re.search(r"```python\n(# MLflow\n.*?)```", GUIDE.read_text(), re.DOTALL)
    mlflow.set_tracking_uri(f"file://{tmp_path}/runs")
    with mlflow.start_run() as run:
        exec(code[1], {})
    logged = mlflow.MlflowClient().get_run(run.info.run_id).data.metrics
    assert logged == json.loads(render(report, "flat"))
