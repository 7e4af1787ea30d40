"""What only Spark itself can show: sessions, DataFrames, executors, and errors of tasks."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from support.on_spark import CASES, MASTER, PLAIN, both, same

import losscli
from losscli.errors import DataError, UsageError

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]


def test_one_table(spark, files, cut):
    cut(700)
    same(*both(files / "lake", **CASES["everything"]))


def test_two_tables_by_key(spark, files, cut):
    cut(700)
    same(*both(files / "preds.parquet", files / "targets.parquet", on="id", **CASES["everything"]))


def test_many_tasks_merge_in_a_tree(spark, files, cut):
    cut(60)
    same(*both(files / "one.parquet", **PLAIN))


def test_groups(spark, files, cut):
    cut(1500)
    same(*both(files / "preds.parquet", files / "targets.parquet", on="id", **CASES["groups"]))


def test_data_frames_imply_the_engine(spark, files, cut):
    cut(1500)
    paths = files / "preds.parquet", files / "targets.parquet"
    frames = [spark.read.parquet(str(path)).repartition(3) for path in paths]
    local = losscli.evaluate(*map(str, paths), on="id", **CASES["everything"])
    found = losscli.evaluate(*frames, on="id", **CASES["everything"])
    assert [each.value for each in local.results] == [each.value for each in found.results]
    mixed = losscli.evaluate(frames[0], str(paths[1]), on="id", **PLAIN)
    assert mixed["mae"].value == losscli.evaluate(*map(str, paths), on="id", **PLAIN)["mae"].value


def test_a_table_of_the_session(spark, files):
    spark.read.parquet(str(files / "one.parquet")).repartition(3).createOrReplaceTempView("scores")
    local = losscli.evaluate(str(files / "one.parquet"), **CASES["classes"])
    found = losscli.evaluate("table:scores", **CASES["classes"], engine=f"spark:{MASTER}")
    assert [each.value for each in local.results] == [each.value for each in found.results]
    with pytest.raises(DataError, match="table:absent"):
        losscli.evaluate("table:absent", **PLAIN, engine="spark")
    with pytest.raises(UsageError, match="a table of a Spark session"):
        losscli.evaluate("table:scores", **PLAIN)


def test_names_with_dots_and_groups_of_a_frame(spark):
    rows = [(1.0, 1.5, "a"), (2.0, 2.0, "b"), (4.0, 3.0, "a")] * 20
    frame = spark.createDataFrame(rows, ["y.pred", "y.true", "shop.name"])
    found = losscli.evaluate(frame, pred="y.pred", target="y.true", loss="mae", by="shop.name")
    assert found["mae"].value == pytest.approx(0.5)
    assert len(found.results) == 3


def test_an_error_of_a_task_ends_the_run_at_once(spark, tmp_path):
    frame = pl.DataFrame({"p": [1.0] * 100_001, "y": [1.0] * 100_001, "k": range(100_001)})
    frame.write_parquet(tmp_path / "one.parquet")
    with pytest.raises(UsageError, match="more than 100,000 slices"):
        losscli.evaluate(
            str(tmp_path / "one.parquet"), pred="p", target="y", loss="mae", by="k", engine=f"spark:{MASTER}"
        )


def run(code, *arguments, **environment):
    """The output of a program with a session of its own."""
    own = {**os.environ, "PYSPARK_PYTHON": sys.executable, **environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)],
        env=own, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


EVALUATE = """
import sys, losscli
found = losscli.evaluate(sys.argv[2], pred="y_pred", target="y_true", loss=["mae", "r2"], engine=sys.argv[1])
print(*(repr(each.value) for each in found.results))
"""


def test_executors_in_processes_of_their_own(files):
    pytest.importorskip("pyspark")
    local = losscli.evaluate(str(files / "lake"), pred="y_pred", target="y_true", loss=["mae", "r2"])
    root = str(Path(losscli.__file__).parent.parent)
    found = run(EVALUATE, "spark:local-cluster[2,1,1024]", files / "lake", PYTHONPATH=root)
    assert found.split() == [repr(each.value) for each in local.results]


CONNECT = """
import sys, losscli
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote("local[2]").getOrCreate()  # starts a server of its own
frame = spark.read.parquet(sys.argv[1])
found = losscli.evaluate(frame, pred="y_pred", target="y_true", loss=["mae", "r2"])
print(*(repr(each.value) for each in found.results))
spark.stop()
"""


def test_spark_connect(files):
    if pytest.importorskip("pyspark").__version__ < "4":
        pytest.skip("PySpark before 4 brings no server of Spark Connect")
    pytest.importorskip("grpc_status")
    local = losscli.evaluate(str(files / "one.parquet"), pred="y_pred", target="y_true", loss=["mae", "r2"])
    found = run(CONNECT, files / "one.parquet")
    assert found.split()[-2:] == [repr(each.value) for each in local.results]
