"""The engine on Spark gives the numbers of the local one, however its rows are cut."""

import numpy as np
import polars as pl
import pytest
from support.on_spark import CASES, MASTER, PLAIN, both, same

import losscli
from losscli.engines.spark import answers

ROWS = [3000, pytest.param(1500, marks=pytest.mark.slow), 431, pytest.param(94, marks=pytest.mark.slow)]
"""Rows of a task: the tests have 3,000, and so 1, 2, 7 and 32 parts."""


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("case", CASES)
def test_one_table(simulated, files, cut, case, rows):
    cut(rows)
    same(*both(files / "one.parquet", **CASES[case]))


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("case", CASES)
def test_two_tables_by_key(simulated, files, cut, case, rows):
    cut(rows)
    same(*both(files / "preds.parquet", files / "targets.parquet", on="id", **CASES[case]))


@pytest.mark.parametrize("source", ["lake", "text", "one.csv"])
def test_several_files(simulated, files, cut, source):
    cut(700)
    same(*both(files / source, **PLAIN, weight="w"))


def test_a_loss_in_a_file(simulated, files, cut):
    cut(1000)
    same(*both(files / "one.parquet", **PLAIN | {"loss": f"{files / 'asym.py'}:asym"}))


@pytest.mark.parametrize("rows", [3000, 700])
def test_models_are_compared(simulated, files, cut, rows):
    cut(rows)
    options = {"pred": "y_pred", "target": "y_true", "on": "id", "loss": ["mae", "r2"], "by": "region"}
    options["targets"] = str(files / "targets.parquet")
    same(*both(files / "preds.parquet", files / "other.parquet", compare=True, **options))


def test_columns_are_compared(simulated, files, cut):
    cut(700)
    options = {"pred": "y_pred,other", "target": "y_true", "loss": "mae"}
    same(*both(files / "lake", compare=True, **options))


def test_full_blocks_give_the_same_bits(simulated, files):
    local, on_spark = both(files / "one.parquet", **PLAIN, weight="w")
    assert local == on_spark


@pytest.mark.parametrize("by_key", [True, False])
def test_only_rows_that_have_a_number_are_named_by_it(simulated, files, cut, by_key):
    cut(431)
    sources = [files / "preds.parquet", files / "targets.parquet"] if by_key else [files / "lake"]
    options = PLAIN | {"loss": "max_error", "on": "id" if by_key else None}
    local, found = both(*sources, **options)
    assert found["max_error"].value == local["max_error"].value
    (ours,), (theirs,) = local["max_error"].notes, found["max_error"].notes
    assert str(theirs) == ("a maximum has no interval" if by_key else str(ours))


@pytest.mark.parametrize("options", [PLAIN, CASES["classes"]], ids=["numbers", "classes"])
def test_charts_show_the_same(simulated, files, cut, options):
    cut(1500)
    local, found = both(files / "one.parquet", **options, charts=True)
    assert local.charts
    for ours, theirs in zip(local.charts, found.charts, strict=True):
        assert (theirs.name, theirs.columns.keys()) == (ours.name, ours.columns.keys())
        for name, values in ours.columns.items():
            near = [pytest.approx(each, rel=1e-12) if isinstance(each, float) else each for each in values]
            assert list(theirs.columns[name]) == near, (ours.name, name)


def test_a_check_reads_on_the_cluster(simulated, files):
    found = losscli.api.check(predictions=str(files / "lake"), engine="spark:local[2]", **PLAIN)
    assert found.rows == "3000 rows can be evaluated"


def test_the_driver_collects_few_of_the_states_of_many_tasks(simulated, cut, tmp_path, monkeypatch):
    """200 tasks whose rows are in 900 slices; with 90,000 slices it is a hundred times as much."""
    rows = pl.DataFrame({"y_pred": np.arange(40_000.0), "k": np.arange(40_000) * 7 % 900})
    rows.with_columns(y_true=pl.lit(0.0)).write_parquet(tmp_path / "one.parquet", row_group_size=200)
    cut(200)
    sizes = []
    monkeypatch.setattr(
        answers, "assembled", lambda rows, of=answers.assembled: of(sizes.append(rows := list(rows)) or rows)
    )
    found = losscli.evaluate(str(tmp_path / "one.parquet"), **PLAIN, by="k", engine=f"spark:{MASTER}")
    assert len(found.results) == 901
    *_, collected = sizes
    assert len(collected) == 7
    assert sum(len(data) for *_, data in collected) < 1e6
