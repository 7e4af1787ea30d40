"""Charts of a run on Spark are those of a local run, to the bit: counts do not depend on the cut of rows."""

import numpy as np
import polars as pl
from support.on_spark import MASTER

import losscli

N = 400


def test_charts_are_the_same_on_spark(simulated, cut, tmp_path):
    cut(90)
    rng = np.random.default_rng(2)
    frame = pl.DataFrame(
        {"id": range(N), "p": rng.random(N), "y": rng.integers(0, 2, N), "w": rng.integers(0, 3, N) * 0.5}
    )
    frame.select("id", "p").write_parquet(tmp_path / "p.parquet")
    frame.select("id", "y", "w").write_parquet(tmp_path / "t.parquet")
    paths = str(tmp_path / "p.parquet"), str(tmp_path / "t.parquet")
    options = {"task": "binary", "on": "id", "weight": "w", "loss": "log_loss", "charts": True}
    local = losscli.evaluate(*paths, **options)
    found = losscli.evaluate(*paths, **options, engine=f"spark:{MASTER}")
    assert len(local.charts) == 7
    for own, chart in zip(found.charts, local.charts, strict=True):
        assert own.name == chart.name
        for name, values in own.columns.items():
            if name in ("rows", "weight", "class", "actual", "predicted", "threshold"):
                assert values == chart.columns[name]
            else:
                numbers = [
                    [v if v is not None else -1.0 for v in each] for each in (values, chart.columns[name])
                ]
                np.testing.assert_allclose(*numbers, rtol=1e-12)
