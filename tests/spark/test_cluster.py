"""What only Spark itself can show: sessions, DataFrames, executors, and errors of tasks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from support.needs import needed
from support.on_spark import CASES, MASTER, PLAIN, both, same

import losscli
from losscli.engines.spark import watch
from losscli.errors import DataError, UsageError
from losscli.evaluation.hooks import Hooks

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]


def test_one_table(spark, files, cut):
    cut(700)
    same(*both(files / "lake", **CASES["everything"]))


def test_two_tables_by_key(spark, files, cut):
    cut(700)
    same(*both(files / "preds.parquet", files / "targets.parquet", on="id", **CASES["everything"]))


def test_many_tasks_merge_in_a_tree_and_show_how_far_they_are(spark, files, cut, monkeypatch):
    cut(60)
    monkeypatch.setattr(watch, "POLL", 0.02)
    seen = []
    hooks = type("Seen", (Hooks,), {"progress": lambda self, rows: seen.append(rows)})()
    path, engine = str(files / "one.parquet"), f"spark:{MASTER}"
    same(losscli.evaluate(path, **PLAIN), losscli.evaluate(path, **PLAIN, engine=engine, hooks=hooks))
    assert seen == sorted(seen)
    assert seen[-1] == 3000
    assert [rows for rows in seen if 0 < rows < 3000]


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
    count = 1_000_001
    frame = pl.DataFrame({"p": [1.0], "y": [1.0]}).select(pl.all().repeat_by(count).explode())
    frame = frame.with_columns(k=pl.int_range(count))
    frame.write_parquet(tmp_path / "one.parquet")
    with pytest.raises(UsageError, match="more than 1,000,000 slices"):
        losscli.evaluate(
            str(tmp_path / "one.parquet"), pred="p", target="y", loss="mae", by="k", engine=f"spark:{MASTER}"
        )


DIES = """
import os, signal
from losscli.custom import Regression

def dies(batch: Regression):
    if "SPARK_REUSE_WORKER" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return abs(batch.error)
"""


def test_workers_that_are_lost_have_a_remedy(spark, files, tmp_path):
    (tmp_path / "dies.py").write_text(DIES)
    with pytest.raises(UsageError, match="workers were lost again and again") as found:
        losscli.evaluate(
            str(files / "one.parquet"), **PLAIN | {"loss": f"{tmp_path / 'dies.py'}:dies"}, engine="spark"
        )
    assert "spark.executor.memoryOverhead" in found.value.problems[0].remedy


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        ("pythonVer", "3.9", "workers run another version of Python"),
        ("pythonExec", os.path.realpath(sys.executable), "workers lack losscli, or what it needs"),
    ],
)
def test_another_python_on_the_workers_has_a_remedy(spark, files, monkeypatch, setting, value, what):
    """The Python outside of this environment has none of its packages."""
    monkeypatch.setattr(spark.sparkContext, setting, value)
    with pytest.raises(UsageError, match=what) as found:
        losscli.evaluate(str(files / "one.parquet"), **PLAIN, engine="spark")
    assert "spark.archives" in found.value.problems[0].remedy


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
from losscli.engines.spark import engine
from pyspark.sql import SparkSession

place, lake, predictions, targets, slices, code, rows = sys.argv[1:]
options = {"pred": "y_pred", "target": "y_true", "engine": place}
found = losscli.evaluate(lake, **options, loss=["mae", "r2"])
print(*(repr(each.value) for each in found.results))

whole, engine.size_of = engine.size_of, lambda job, stream: 700
options = options | {"loss": code, "on": "id", "rows": rows}
print(losscli.evaluate(predictions, targets, **options)[code.rpartition(":")[2]].value)
tracker = SparkSession.builder.getOrCreate().sparkContext.statusTracker()

def failed():
    stages = map(tracker.getStageInfo, range(100))
    return sum(each.numFailedTasks for each in stages if each is not None)

before, engine.size_of = failed(), whole
try:
    losscli.evaluate(slices, pred="p", target="y", loss="mae", by="k", engine=place)
except losscli.UsageError as error:
    print(error.status, before, failed() - before)
"""
ROOT = str(Path(losscli.__file__).parent.parent)
DIES_ONCE = """
import os, signal
from losscli.custom import Regression

def dies(batch: Regression):
    if "SPARK_REUSE_WORKER" in os.environ and not os.path.exists({mark!r}):
        open({mark!r}, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return abs(batch.error)
"""


def test_executors_in_processes_of_their_own(files, tmp_path):
    """A worker that dies is replaced, and its rows count once; what is wrong with a request is tried once."""
    needed("pyspark")
    (tmp_path / "dies.py").write_text(DIES_ONCE.format(mark=str(tmp_path / "mark")))
    pl.DataFrame({"p": 1.0, "y": 1.0, "k": range(1_000_001)}).write_parquet(tmp_path / "slices.parquet")
    local = losscli.evaluate(str(files / "lake"), pred="y_pred", target="y_true", loss=["mae", "r2"])
    paths = [files / name for name in ("lake", "preds.parquet", "targets.parquet")]
    found = run(
        EVALUATE, "spark:local-cluster[2,1,1024]", *paths, tmp_path / "slices.parquet",
        f"{tmp_path / 'dies.py'}:dies", tmp_path / "rows", PYTHONPATH=ROOT,
    )  # fmt: skip
    values, once, attempts = found.splitlines()
    assert values.split() == [repr(each.value) for each in local.results]
    assert once == repr(local["mae"].value)
    assert attempts == "2 1 0"
    rows = pl.read_parquet(tmp_path / "rows")
    assert sorted(rows["id"]) == list(range(3000))
    assert (tmp_path / "mark").exists()


SLOW = """
import os, time
from losscli.custom import Regression

def slow(batch: Regression):
    if "SPARK_REUSE_WORKER" in os.environ:
        open(os.environ["MARK"], "a").close()
        time.sleep(1)
    return abs(batch.error)
"""


def test_an_interrupt_ends_the_program_and_leaves_nothing(files, tmp_path):
    needed("pyspark")
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "out").mkdir()
    mark = tmp_path / "mark"
    command = [sys.executable, "-m", "losscli", "evaluate", files / "one.parquet", "-l", "slow.py:slow"]
    command += ["--pred", "y_pred", "--target", "y_true", "--rows", "out/rows", "-o", "out/report.json"]
    running = subprocess.Popen(
        [*map(str, command), "--engine", f"spark:{MASTER}"], cwd=tmp_path, start_new_session=True,
        env={**os.environ, "MARK": str(mark)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # What runs the tests may ignore interrupts, as a shell does in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while not mark.exists() and running.poll() is None:
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to the JVM too
    out, error = running.communicate(timeout=60)
    assert (running.returncode, out, error) == (130, "", "losscli: interrupted\n")
    assert not list((tmp_path / "out").iterdir())


CONNECT = """
import os, signal, sys, time
from threading import Thread
from pathlib import Path
import losscli
from pyspark.sql import SparkSession

spark = SparkSession.builder.remote("local[2]").getOrCreate()  # starts a server of its own
frame = spark.read.parquet(sys.argv[1]).repartition(4)
options = {"pred": "y_pred", "target": "y_true"}
mark = Path(os.environ["MARK"])

found = losscli.evaluate(frame, **options, loss=["mae", "r2"])
print(*(repr(each.value) for each in found.results))
sides = [spark.read.parquet(sys.argv[3]), sys.argv[4]]
found = losscli.evaluate(*sides, **options, on="id", loss="mae", rows=sys.argv[5])
print(*(repr(each.value) for each in found.results))

def interrupt():
    while not mark.exists():
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)

Thread(target=interrupt, daemon=True).start()
try:
    losscli.evaluate(frame, **options, loss=sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
spark.stop()
"""


def test_spark_connect_and_an_interrupt(files, tmp_path):
    if needed("pyspark").__version__ < "4":
        pytest.skip("needs PySpark 4, which has a server of Spark Connect: pip install 'pyspark>=4'")
    needed("grpc_status")
    local = losscli.evaluate(str(files / "one.parquet"), pred="y_pred", target="y_true", loss=["mae", "r2"])
    (tmp_path / "slow.py").write_text(SLOW)
    paths = [files / "preds.parquet", files / "targets.parquet", tmp_path / "rows"]
    slow, mark = f"{tmp_path / 'slow.py'}:slow", str(tmp_path / "mark")
    found = run(CONNECT, files / "one.parquet", slow, *paths, MARK=mark)
    values = [repr(each.value) for each in local.results]
    assert found.split()[-4:] == [*values, values[0], "interrupted"]
    assert sorted(pl.read_parquet(tmp_path / "rows")["id"]) == list(range(3000))
