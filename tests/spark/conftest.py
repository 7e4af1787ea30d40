"""One session of Spark for all tests of this folder that need it; most run in this process."""

import numpy as np
import polars as pl
import pytest
from support import one_process_spark
from support.needs import need_java, needed
from support.on_spark import MASTER


@pytest.fixture(scope="session")
def spark():
    """The session, as the engine makes it."""
    needed("pyspark")
    need_java()
    from losscli.engines.spark.session import session

    found = session(MASTER)
    yield found
    found.stop()


@pytest.fixture
def simulated(monkeypatch):
    """Let the engine run in this process, without Spark."""
    one_process_spark.use(monkeypatch)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Predictions and targets of 3,000 rows by key, in different orders, and one file of both."""
    folder = tmp_path_factory.mktemp("spark")
    random = np.random.default_rng(7)
    n = 3000
    target = random.normal(10.0, 3.0, n)
    rows = pl.DataFrame(
        {
            "id": np.arange(n),
            "y_pred": target + random.normal(0.1, 1.0, n),
            "other": target + random.normal(0.3, 1.5, n),
            "y_true": target,
            "w": random.uniform(0.5, 2.0, n),
            "region": random.choice(["north", "south", "east", "a.b"], n),
            "shop": random.integers(0, 1000, n),
            "user": random.integers(0, 150, n),
            "label": random.choice(["cat", "dog", "owl"], n),
            "relevance": random.integers(0, 2, n),
        }
    )
    scores = random.dirichlet([1.0, 1.0, 1.0], n)
    rows = rows.with_columns(
        pl.Series(f"y_pred_{name}", scores[:, i]) for i, name in enumerate(("cat", "dog", "owl"))
    )
    predictions = ["id", "y_pred", "y_pred_cat", "y_pred_dog", "y_pred_owl"]
    rows.sample(fraction=1, shuffle=True, seed=1).select(predictions).write_parquet(
        folder / "preds.parquet", row_group_size=500
    )
    rows.sample(fraction=1, shuffle=True, seed=2).select(
        pl.col("id"), pl.col("other").alias("y_pred")
    ).write_parquet(folder / "other.parquet", row_group_size=500)
    rows.sample(fraction=1, shuffle=True, seed=3).drop(predictions[1:], "other").write_parquet(
        folder / "targets.parquet", row_group_size=500
    )
    rows.drop("id").write_parquet(folder / "one.parquet", row_group_size=500)
    rows.drop("id").write_csv(folder / "one.csv")
    (folder / "lake").mkdir()
    for part in range(5):
        rows.drop("id").slice(part * 600, 600).write_parquet(
            folder / "lake" / f"part-{part}.parquet", row_group_size=100
        )
    (folder / "text").mkdir()
    for part in range(3):
        rows.drop("id").slice(part * 1000, 1000).write_csv(folder / "text" / f"part-{part}.csv")
    (folder / "asym.py").write_text(
        "from losscli.custom import Regression\n\n\ndef asym(batch: Regression):\n"
        "    return batch.xp.where(batch.error > 0, 2 * batch.error, -batch.error)\n"
    )
    return folder


@pytest.fixture
def cut(monkeypatch):
    """Set the rows of a task, and so the number of tasks and of parts of keys."""
    from losscli.engines.spark import engine

    return lambda rows: monkeypatch.setattr(engine, "size_of", lambda job, stream: rows)
