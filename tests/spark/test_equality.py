"""The engine on Spark gives the numbers of the local one, however its rows are cut."""

import pytest
from support.on_spark import both, same

import losscli

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]

LOSSES = ["huber", "rmse", "r2", "explained_variance", "expr: abs(e)**1.5"]
CASES = {
    "everything": {
        "pred": "y_pred", "target": "y_true", "loss": LOSSES, "weight": "w", "cluster": "user",
        "by": ["shop", "region", "w:4"],
    },
    "classes": {
        "pred": "y_pred_cat,y_pred_dog,y_pred_owl", "target": "label", "classes": "cat,dog,owl",
        "loss": ["log_loss", "brier", "f1"], "where": "region <> 'a.b' AND w > 0.7",
    },
    "groups": {"pred": "y_pred", "target": "relevance", "group": "user", "loss": ["ndcg", "mrr"]},
}  # fmt: skip
PLAIN = {"pred": "y_pred", "target": "y_true", "loss": "mae"}


@pytest.mark.parametrize("case", CASES)
def test_one_table(spark, files, cut, case):
    cut(431)
    same(*both(files / "one.parquet", **CASES[case]))


@pytest.mark.parametrize("case", CASES)
def test_two_tables_by_key(spark, files, cut, case):
    cut(431)
    same(*both(files / "preds.parquet", files / "targets.parquet", on="id", **CASES[case]))


@pytest.mark.parametrize(
    "rows", [3000, pytest.param(1500, marks=pytest.mark.slow), pytest.param(94, marks=pytest.mark.slow)]
)
def test_parts_of_the_keys(spark, files, cut, rows):
    cut(rows)
    same(*both(files / "preds.parquet", files / "targets.parquet", on="id", **CASES["everything"]))


@pytest.mark.parametrize("source", ["lake", "text", pytest.param("one.csv", marks=pytest.mark.slow)])
def test_several_files(spark, files, cut, source):
    cut(700)
    same(*both(files / source, **PLAIN, weight="w"))


def test_a_loss_in_a_file(spark, files, cut):
    cut(1000)
    same(*both(files / "one.parquet", **PLAIN | {"loss": f"{files / 'asym.py'}:asym"}))


@pytest.mark.parametrize("rows", [pytest.param(3000, marks=pytest.mark.slow), 700])
def test_models_are_compared(spark, files, cut, rows):
    cut(rows)
    options = {"pred": "y_pred", "target": "y_true", "on": "id", "loss": ["mae", "r2"], "by": "region"}
    options["targets"] = str(files / "targets.parquet")
    same(*both(files / "preds.parquet", files / "other.parquet", compare=True, **options))


def test_columns_are_compared(spark, files, cut):
    cut(700)
    options = {"pred": "y_pred,other", "target": "y_true", "loss": "mae"}
    same(*both(files / "lake", compare=True, **options))


def test_full_blocks_give_the_same_bits(spark, files):
    local, on_spark = both(files / "one.parquet", **PLAIN, weight="w")
    assert local == on_spark


def test_a_check_reads_on_the_cluster(spark, files):
    found = losscli.api.check(predictions=str(files / "lake"), engine="spark:local[2]", **PLAIN)
    assert found.rows == "3000 rows can be evaluated"
