"""States that travel: their size, how long they take to write and read, and a tree of many tasks.

    python benchmarks/states.py [--tasks 10000] [--slices 1000]

Prints the tables of benchmarks/README.md.  The tree is that of the engine on Spark: each node merges FAN_IN
states, of which it holds as many as the binary counter has levels.  Tasks are simulated by a few states that
are read again and again, so that the memory of the process is that of a node.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

import losscli
from losscli.engines.fold import Counter
from losscli.evaluation import codec, storage
from losscli.evaluation.outcome import Outcome
from losscli.states import archive

FAN_IN = 32
ROWS = 400_000
KINDS: dict[str, dict[str, Any]] = {
    "1 loss": {"loss": "huber"},
    "3 losses": {"loss": ["huber", "r2", "mae"]},
    "1,000 slices": {"loss": "huber", "by": "thousand"},
    "100,000 slices": {"loss": "huber", "by": "many"},
    "5,000 clusters": {"loss": "huber", "cluster": "user"},
    "p95, by rows": {"loss": "mae@p95"},
    "p95, approximate": {"loss": "mae@p95", "approximate": True},
}


def table(slices: int = 1000) -> pl.DataFrame:
    """Predictions and targets with columns to cut them by."""
    r = np.random.default_rng(0)
    target = r.normal(size=ROWS)
    return pl.DataFrame(
        {
            "y_true": target,
            "y_pred": target + r.normal(size=ROWS),
            "thousand": np.arange(ROWS) % slices,
            "many": np.arange(ROWS) % 100_000,
            "user": r.integers(0, 5000, ROWS),
        }
    )


def outcome(rows: pl.DataFrame, folder: Path, **options: Any) -> tuple[Outcome, bytes]:
    """The outcome of an evaluation, and its bytes."""
    place = folder / "x.state"
    losscli.evaluate(rows, **options, pred="y_pred", target="y_true", state=place)
    data = place.read_bytes()
    return storage.from_bytes(data), data


def sizes(folder: Path) -> Iterator[str]:
    """The rows of the table of sizes."""
    yield "| state | bytes | ms to write | ms to read |\n|---|---|---|---|"
    rows = table()
    for name, options in KINDS.items():
        found, data = outcome(rows, folder, **options)
        wrote, read = _least(storage.to_bytes, found), _least(storage.from_bytes, data)
        yield f"| {name} | {len(data):,} | {wrote * 1e3:.1f} | {read * 1e3:.1f} |"


def _least(work: Callable[[Any], object], given: Any, runs: int = 5) -> float:
    """The least seconds of several calls."""
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        work(given)
        found.append(time.perf_counter() - start)
    return min(found)


def tree(tasks: int, slices: int, folder: Path) -> Iterator[str]:
    """The row of the table of trees: the states of tasks, merged by FAN_IN at each level."""
    rows = table(slices)
    cuts = [rows[start : start + ROWS // 8] for start in range(0, ROWS, ROWS // 8)]
    first, _ = outcome(cuts[0], folder, loss="huber", by="thousand")
    level = [outcome(cut, folder, loss="huber", by="thousand")[0].folded for cut in cuts]
    sent = [archive.dump(*codec.packed(folded)) for folded in level if folded is not None]
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, start, merged, width = _memory("VmRSS"), time.process_time(), 0, tasks
    while width > 1:
        nodes, largest = -(-width // FAN_IN), b""
        for node in range(nodes):
            counter = Counter[Any](first.job.merge)
            for place in range(node * FAN_IN, min((node + 1) * FAN_IN, width)):
                data = sent[place % len(sent)]
                counter.add(codec.unpacked(first.job, *archive.load(data)))
                merged += 1
            if node < len(cuts):
                largest = archive.dump(*codec.packed(counter.merged()))
        sent, width = [largest], nodes
    seconds, more = time.process_time() - start, max(0, _memory("VmHWM") - before) / 1024
    yield "| tasks | slices | merged | CPU s | ms a state | MB on top |\n|---|---|---|---|---|---|"
    each = f"{seconds / merged * 1e3:.1f}"
    yield f"| {tasks:,} | {slices:,} | {merged:,} | {seconds:.0f} | {each} | {more:.0f} |"


def _memory(name: str) -> int:
    """The resident memory of this process in KiB: now (VmRSS), or at its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=1000)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        for line in (*sizes(Path(folder)), "", *tree(given.tasks, given.slices, Path(folder))):
            print(line, flush=True)


if __name__ == "__main__":
    main()
