"""losscli on Spark against Spark SQL alone, on the cores of this machine; prints the table of README.md.

Spark SQL computes the mean and the variance of a squared error, and counts rows: what stands in for an error
and its noise.  Seconds of the processor are those of all processes, the JVM and its workers.  All take turns,
after a first round that warms up, and the least of the other rounds counts.

    python benchmarks/spark.py [--millions 20] [--folder FOLDER] [--repeats 2] [--only TEXT]...
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import losscli
from losscli.engines.spark.session import session

MASTER = "local[2]"


def make(folder: Path, rows: int) -> None:
    """One table with both sides, and two tables whose keys are in different orders."""
    random = np.random.default_rng(0)
    target = random.normal(size=rows)
    both = pl.DataFrame({"id": np.arange(rows), "p": target + random.normal(size=rows) / 2, "y": target})
    both.drop("id").write_parquet(folder / "one.parquet", row_group_size=1 << 18)
    for seed, name in enumerate("py"):
        side = both.select("id", name).sample(fraction=1, shuffle=True, seed=seed)
        side.write_parquet(folder / f"{name}.parquet", row_group_size=1 << 18)


def ticks() -> float:
    """Seconds of the processor that this process and all of those below it have used."""
    parents, used = dict[int, int](), dict[int, float]()
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
        # With the children that have ended.
        used[int(entry)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    own = {os.getpid()}
    while more := {each for each, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(used[each] for each in own)


def used_by(work: Callable[[], object]) -> tuple[float, float]:
    """The seconds on the clock, and of the processor, of one run."""
    clock, processor = time.perf_counter(), ticks()
    work()
    return time.perf_counter() - clock, ticks() - processor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--millions", type=float, default=20)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--only", action="append", help="a text in the names of the works to measure; repeatable"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "y.parquet").exists():
            make(folder, int(given.millions * 1e6))
        report(folder, given.millions, given.repeats, given.only or [""])


def report(folder: Path, millions: float, repeats: int, only: list[str]) -> None:
    spark = session(MASTER)
    one, p, y = (str(folder / f"{name}.parquet") for name in ("one", "p", "y"))
    columns = ("avg(pow(p - y, 2))", "var_samp(pow(p - y, 2))", "count(*)")

    def sql(rows: object) -> Callable[[], object]:
        return lambda: rows.selectExpr(*columns).collect()

    def evaluate(*sources: object, engine: str, **options: object) -> Callable[[], object]:
        own = {"pred": "p", "target": "y", "loss": "mse", "engine": engine, **options}
        return lambda: losscli.evaluate(*sources, **own)

    frames = [spark.read.parquet(path) for path in (one, p, y)]
    joined = frames[1].join(frames[2], "id", "full_outer")
    on_spark = f"spark:{MASTER}"
    works = {
        "one table: losscli in this process": evaluate(one, engine="local"),
        "one table: losscli on Spark, files": evaluate(one, engine=on_spark),
        "one table: losscli on Spark, a DataFrame": evaluate(frames[0], engine=on_spark),
        "one table: Spark SQL, mean and variance": sql(frames[0]),
        "by key: losscli in this process": evaluate(p, y, engine="local", on="id"),
        "by key: losscli on Spark, files": evaluate(p, y, engine=on_spark, on="id"),
        "by key: losscli on Spark, DataFrames": evaluate(*frames[1:], engine=on_spark, on="id"),
        "by key: Spark SQL, outer join, mean and variance": sql(joined),
    }
    works = {name: work for name, work in works.items() if any(each in name for each in only)}
    for work in works.values():  # warms up
        work()
    # In turns, so that a time at which the machine is busy meets all of them.
    rounds = []
    for _ in range(repeats):
        rounds.append({name: used_by(work) for name, work in works.items()})
        print(
            *(f"{name} {clock:.1f} s" for name, (clock, _) in rounds[-1].items()), sep="; ", file=sys.stderr
        )
    print(f"| {millions:g} million rows | seconds | of the processor |\n|---|---|---|")
    for name in works:
        clock, processor = (min(each[name][place] for each in rounds) for place in range(2))
        print(f"| {name} | {clock:.1f} | {processor:.1f} |")
    spark.stop()


if __name__ == "__main__":
    main()
