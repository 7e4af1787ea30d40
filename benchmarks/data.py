"""The data that is measured on, made once in a folder."""

from __future__ import annotations

import os
from pathlib import Path


def make(folder: Path, millions: float) -> None:
    """Predictions and targets of so many rows, in every layout that is measured at that size."""
    if millions == 0 or (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if os.fork():
        # In a process of its own: a child's peak memory starts at that of its parent.
        if os.wait()[1]:
            raise SystemExit("the data could not be made")
        return
    rows = int(millions * 1e6)
    if rows == 100_000:
        _wide(folder, rows)
    elif rows == 4_000_000:
        _classes(folder, rows)
    elif rows == 200_000:
        _submissions(folder, rows // 2)
    else:
        _numbers(folder, rows)
    (folder / "done").touch()
    os._exit(0)


def _numbers(folder: Path, rows: int) -> None:
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(7)
    y = rng.normal(size=rows)
    ids = np.arange(rows)
    p = pl.DataFrame({"id": ids, "y_pred": y + rng.normal(size=rows)})
    t = pl.DataFrame({"id": ids, "y_true": y, "w": rng.random(rows) + 0.5})
    p.drop("id").write_parquet(folder / "pv.parquet")
    t.drop("id").write_parquet(folder / "tv.parquet")
    if rows == 20_000_000:
        p.write_parquet(folder / "p.parquet")
        t.write_parquet(folder / "t.parquet")
        t.sample(fraction=1.0, shuffle=True, seed=1).write_parquet(folder / "ts.parquet")
        cells = {f"s{count}": rng.integers(0, count, rows) for count in (10, 1_000, 100_000)}
        t.select("y_true", **{name: pl.Series(codes) for name, codes in cells.items()}).write_parquet(
            folder / "tb.parquet"
        )
        pl.DataFrame({"y_pred": y + rng.normal(size=rows)}).write_parquet(folder / "pb.parquet")
    if rows == 10_000_000:
        p.drop("id").write_csv(folder / "p.csv")
        t.select("y_true").write_csv(folder / "t.csv")
    if rows == 5_000_000:
        text = pl.format("user-{}", "id").alias("id")
        p.with_columns(text).write_parquet(folder / "xp.parquet")
        shuffled = t.sample(fraction=1.0, shuffle=True, seed=1)
        shuffled.with_columns(text).write_parquet(folder / "xt.parquet")


def _submissions(folder: Path, rows: int) -> None:
    """Two hundred submissions of so many rows."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(7)
    y, ids = rng.normal(size=rows), np.arange(rows)
    usage = rng.choice(["Public", "Private"], rows)
    pl.DataFrame({"id": ids, "y_true": y, "Usage": usage}).write_parquet(folder / "solution.parquet")
    (folder / "submissions").mkdir(exist_ok=True)
    for number in range(200):
        noise = (1 + number / 400) * rng.normal(size=rows)
        frame = pl.DataFrame({"id": ids, "pred": y + noise})
        frame.write_csv(folder / "submissions" / f"s{number:03}.csv")


def _classes(folder: Path, rows: int) -> None:
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(7)
    scores = rng.dirichlet(np.ones(10), size=rows)
    pl.DataFrame({f"prob_{c}": scores[:, c] for c in range(10)}).write_parquet(folder / "pc.parquet")
    pl.DataFrame({"predicted": scores.argmax(axis=1)}).write_parquet(folder / "lp.parquet")
    pl.DataFrame({"label": rng.integers(0, 10, rows)}).write_parquet(folder / "tc.parquet")


def _wide(folder: Path, rows: int) -> None:
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(7)
    logits = rng.normal(size=(rows, 1000)).astype(np.float32)
    pl.DataFrame({f"logit_{c}": logits[:, c] for c in range(1000)}).write_parquet(folder / "pw.parquet")
    column = pl.Series("logit", logits, dtype=pl.Array(pl.Float32, 1000))
    column.arr.to_list().to_frame().write_parquet(folder / "pl.parquet")
    pl.DataFrame({"label": rng.integers(0, 1000, rows)}).write_parquet(folder / "tw.parquet")
