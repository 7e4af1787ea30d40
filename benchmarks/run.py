"""losscli beside its peers: the same work, in turns, each in a process of its own; medians.

    python benchmarks/run.py [--rows 20] [--repeat 5] [--data DIR]

Makes its data once in DIR, and writes the table in benchmarks/README.md.  Peers (pandas, DuckDB,
scikit-learn, with pyarrow) are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MARK = "<!-- table -->"

POLARS_HUBER = """
import polars as pl
e = (pl.col('y_pred') - pl.col('y_true')).abs()
i = pl.min_horizontal(e, 1.0)
both = [pl.scan_parquet('pv.parquet').select('y_pred'), pl.scan_parquet('tv.parquet').select('y_true')]
huber = (i * i / 2 + (e - i)).mean()
print(pl.concat(both, how='horizontal').select(huber).collect(engine='streaming').item())
"""
POLARS_JOIN = """
import polars as pl
e = (pl.col('y_pred') - pl.col('y_true')).abs()
i = pl.min_horizontal(e, 1.0)
t = pl.scan_parquet('{targets}').select('id', 'y_true')
both = pl.scan_parquet('p.parquet').select('id', 'y_pred').join(t, on='id')
print(both.select((i * i / 2 + (e - i)).mean()).collect(engine='streaming').item())
"""
POLARS_CLASSES = """
import polars as pl
names = [f'prob_{c}' for c in range(10)]
p, t = pl.scan_parquet('pc.parquet').select(names), pl.scan_parquet('tc.parquet').select('label')
own = pl.coalesce(*(pl.when(pl.col('label') == c).then(pl.col(f'prob_{c}')) for c in range(10)))
both = pl.concat([p, t], how='horizontal').select('label', l=-own.clip(2.2e-16).log())
print(both.group_by('label').agg(pl.col('l').mean()).collect(engine='streaming')['l'].mean())
"""
POLARS_SCAN = """
import polars as pl
both = [pl.scan_csv('p.csv').select('y_pred'), pl.scan_csv('t.csv').select('y_true')]
print(pl.concat(both, how='horizontal').select(pl.all().sum()).collect(engine='streaming').row(0))
"""
DUCKDB_JOIN = """
import duckdb
e = 'abs(y_pred - y_true)'
huber = f'avg(case when {e} <= 1 then {e} * {e} / 2 else {e} - 0.5 end)'
print(duckdb.sql(f"select {huber} from 'p.parquet' join 't.parquet' using (id)").fetchall())
"""
PANDAS_HUBER = """
import numpy as np, pandas as pd
p, t = pd.read_{kind}('{p}.{kind}'), pd.read_{kind}('{t}.{kind}')
e = np.abs(p['y_pred'].to_numpy() - t['y_true'].to_numpy())
i = np.minimum(e, 1.0)
print(np.mean(i * i / 2 + (e - i)))
"""
SKLEARN_CLASSES = """
import pandas as pd
from sklearn.metrics import log_loss
p, t = pd.read_parquet('pc.parquet'), pd.read_parquet('tc.parquet')
print(log_loss(t['label'], p[[f'prob_{c}' for c in range(10)]].to_numpy()))
"""
BY_POSITION = ["-p", "y_pred", "-y", "y_true", "-l", "huber", "--bare"]


@dataclass(frozen=True)
class Work:
    """One row of the table: losscli and its peers at the same work."""

    name: str
    ours: list[str]
    peers: dict[str, str]


def works() -> list[Work]:
    """All rows of the table."""
    return [
        Work(
            "Huber, Parquet, by position",
            ["evaluate", "pv.parquet", "tv.parquet", *BY_POSITION],
            {"Polars": POLARS_HUBER, "pandas": PANDAS_HUBER.format(kind="parquet", p="pv", t="tv")},
        ),
        Work(
            "Huber, Parquet, by key, same order",
            ["evaluate", "p.parquet", "t.parquet", "--on", "id", *BY_POSITION],
            {"Polars join": POLARS_JOIN.format(targets="t.parquet"), "DuckDB": DUCKDB_JOIN},
        ),
        Work(
            "Huber, Parquet, by key, shuffled",
            ["evaluate", "p.parquet", "ts.parquet", "--on", "id", *BY_POSITION],
            {"Polars join": POLARS_JOIN.format(targets="ts.parquet")},
        ),
        Work(
            "log loss of 10 classes, overall and per class (a fifth of the rows)",
            ["evaluate", "pc.parquet", "tc.parquet", "-l", "log_loss", "--bare"],
            {"Polars": POLARS_CLASSES, "scikit-learn": SKLEARN_CLASSES},
        ),
        Work(
            "Huber, CSV, by position (half of the rows)",
            ["evaluate", "p.csv", "t.csv", *BY_POSITION],
            {"Polars scan": POLARS_SCAN, "pandas": PANDAS_HUBER.format(kind="csv", p="p", t="t")},
        ),
        Work(
            "ten regression losses in one pass",
            ["evaluate", "pv.parquet", "tv.parquet", *BY_POSITION]
            + [w for name in TEN for w in ("-l", name)],
            {},
        ),
        Work("weighted Huber", ["evaluate", "pv.parquet", "tv.parquet", "-w", "w", *BY_POSITION], {}),
    ]


TEN = ["mse", "mae", "rmse", "smooth_l1", "pseudo_huber", "log_cosh", "mape", "pinball", "r2"]


def make_data(folder: Path, rows: int) -> None:
    """Predictions and targets in every layout that is measured; made once."""
    if (folder / "done").exists():
        return
    if os.fork():
        # In a process of its own: a child's peak memory starts at that of its parent.
        os.wait()
        return
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(7)
    y = rng.normal(size=rows)
    ids = np.arange(rows)
    p = pl.DataFrame({"id": ids, "y_pred": y + rng.normal(size=rows)})
    t = pl.DataFrame({"id": ids, "y_true": y, "w": rng.random(rows) + 0.5})
    p.write_parquet(folder / "p.parquet")
    t.write_parquet(folder / "t.parquet")
    t.sample(fraction=1.0, shuffle=True, seed=1).write_parquet(folder / "ts.parquet")
    p.drop("id").write_parquet(folder / "pv.parquet")
    t.drop("id").write_parquet(folder / "tv.parquet")
    p.drop("id").head(rows // 2).write_csv(folder / "p.csv")
    t.select("y_true").head(rows // 2).write_csv(folder / "t.csv")
    n = rows // 5
    scores = rng.dirichlet(np.ones(10), size=n)
    pl.DataFrame({f"prob_{c}": scores[:, c] for c in range(10)}).write_parquet(folder / "pc.parquet")
    pl.DataFrame({"label": rng.integers(0, 10, n)}).write_parquet(folder / "tc.parquet")
    (folder / "done").touch()
    os._exit(0)


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall seconds and peak memory in GB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1e6


def compare(work: Work, folder: Path, repeat: int) -> list[str]:
    """The rows of the table for one piece of work, measured in turns."""
    commands = {"losscli": [sys.executable, "-m", "losscli", *work.ours]}
    for name, script in work.peers.items():
        module = {"DuckDB": "duckdb", "pandas": "pandas", "scikit-learn": "sklearn"}.get(name, "polars")
        needed = (module,) if module in ("polars", "duckdb") else (module, "pandas", "pyarrow")
        if all(map(importlib.util.find_spec, needed)):
            commands[name] = [sys.executable, "-c", script]
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            runs[name].append(measure(command, folder))
    ours = statistics.median(seconds for seconds, _ in runs["losscli"])
    rows = []
    for name, found in runs.items():
        seconds = statistics.median(s for s, _ in found)
        memory = max(m for _, m in found)
        rows.append(f"| {work.name} | {name} | {seconds:.2f} | {memory:.2f} | {ours / seconds:.2f} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=float, default=20, help="millions")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "losscli-benchmark")
    asked = parser.parse_args()
    asked.data.mkdir(exist_ok=True)
    make_data(asked.data, int(asked.rows * 1e6))
    lines = [row for work in works() for row in compare(work, asked.data, asked.repeat)]
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("losscli", "polars", "numpy", "duckdb", "pandas", "scikit-learn")
        if importlib.util.find_spec({"scikit-learn": "sklearn"}.get(name, name))
    )
    table = "\n".join(
        [
            f"{asked.rows:g} million rows, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"{versions}; medians of {asked.repeat} runs in turns, peak memory (mapped files included).",
            "",
            "| work | program | seconds | GB | losscli / program |",
            "|---|---|---|---|---|",
            *lines,
        ]
    )
    readme = HERE / "README.md"
    head = readme.read_text().split(MARK)[0]
    readme.write_text(f"{head}{MARK}\n\n{table}\n")


if __name__ == "__main__":
    main()
