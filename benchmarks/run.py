"""losscli beside its peers: the same work, in turns, each in a process of its own; medians.

    python benchmarks/run.py [--repeat 5] [--data DIR] [--only WORDS]

Makes its data once in DIR (about 6 GB), and writes the table in benchmarks/README.md and the chart in docs
(it needs the extra `report`).  Peers (pandas with pyarrow, DuckDB, scikit-learn) are left out where they are
not installed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import data
from works import WORKS, Work

HERE = Path(__file__).parent
README = HERE / "README.md"
PROGRAMS = ("Polars", "DuckDB", "pandas", "scikit-learn", "NumPy", "a loop of Polars")
"""The peers that are other programs, which the chart shows."""
CHART = HERE.parent / "docs" / "_static" / "speed.svg"
VERSIONS = ("losscli", "polars", "numpy", "duckdb", "pandas", "scikit-learn")


class Run(NamedTuple):
    """Wall seconds, processor seconds, and the peak anonymous memory in MB of one process."""

    wall: float
    cpu: float
    memory: float


def measure(command: list[str], folder: Path, watch: bool = False) -> Run:
    """Run one process to its end; its memory is told where it is watched, which slows it."""
    # Modules are compiled once, as they are where a package was installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    memory = 0.0
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG if watch else 0)
        if found:
            break
        memory = max(memory, _anonymous(process.pid))
        time.sleep(0.005)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return Run(wall, usage.ru_utime + usage.ru_stime, memory)


def _anonymous(pid: int) -> float:
    """The memory of a process in MB that no file stands for; 0 where the system does not tell."""
    try:
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def compare(work: Work, folder: Path, repeat: int) -> list[str]:
    """The rows of the table for one piece of work, measured in turns."""
    commands = {"losscli": work.ours}
    for name, command in work.peers.items():
        needed = {"DuckDB": ["duckdb"], "pandas": ["pandas", "pyarrow"]}.get(name.split()[0], [])
        needed += ["sklearn", "pandas", "pyarrow"] if name == "scikit-learn" else []
        if all(map(importlib.util.find_spec, needed)):
            commands[name] = command
    # Once for the page cache and compiled modules; then for the memory, as it is the most of a few times.
    for command in commands.values():
        measure(command, folder)
    memory = {
        name: max(measure(command, folder, watch=True).memory for _ in range(3))
        for name, command in commands.items()
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            runs[name].append(measure(command, folder))
    ours = statistics.median(run.wall for run in runs["losscli"])
    rows = []
    for name, found in runs.items():
        seconds = [*zip(*[run[:2] for run in found], strict=True)]
        wall = statistics.median(seconds[0])
        goal = work.goals.get(name)
        verdict = f"{ours / wall:.2f}" if name != "losscli" else ""
        aim = "" if goal is None else f"{goal:.3g}{'' if ours / wall <= goal else ' (missed)'}"
        size = f"{work.millions:g} M" if work.millions else ""
        walls, cpus = (f"{statistics.median(values):.2f} ({min(values):.2f})" for values in seconds)
        took = f"{walls} | {cpus} | {memory[name]:.0f}"
        rows.append(f"| {work.name} | {size} | {name} | {took} | {verdict} | {aim} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "losscli-benchmark")
    parser.add_argument("--only", default="", help="words in the names of the work; writes no table")
    asked = parser.parse_args()
    lines = []
    for work in WORKS:
        if asked.only in work.name:
            folder = asked.data / f"{work.millions:g}"
            data.make(folder, work.millions)
            lines += compare(work, folder, asked.repeat)
    if asked.only:
        return
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in VERSIONS
        if importlib.util.find_spec({"scikit-learn": "sklearn"}.get(name, name))
    )
    table = "\n".join(
        [
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}; medians of "
            f"{asked.repeat} runs in turns and their minimum, with a warm page cache; MB is the peak of "
            "anonymous memory.",
            "",
            "| work | rows | program | seconds (min) | CPU seconds (min) | MB | losscli / program | goal |",
            "|---|---|---|---|---|---|---|---|",
            *lines,
        ]
    )
    written("table", table)
    chart(lines)


def written(name: str, text: str) -> None:
    """Put a text into README.md, between the comments of this name."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = README.read_text().split(start)
    README.write_text(f"{before}{start}\n{text}\n\n{end}{rest.split(end)[1]}")


def chart(rows: list[str]) -> None:
    """Draw the seconds of losscli over those of its peers, from the rows of the table: a bar for each."""
    import altair as alt

    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    bars = [
        {"work": f"{work}, {size} rows" if size else work, "peer": peer, "ratio": float(ratio)}
        for work, size, peer, *_, ratio, _ in cells
        if ratio and peer.startswith(PROGRAMS)
    ]
    ratio = alt.X("ratio:Q", scale=alt.Scale(type="log"), title="seconds of losscli / seconds of the peer")
    own = alt.Y("row:N", sort=None, title=None, axis=alt.Axis(labelLimit=600))
    data = alt.Data(values=[{**bar, "row": f"{bar['work']}: {bar['peer']}"} for bar in bars])
    faster = alt.condition("datum.ratio <= 1", alt.value("#0072b2"), alt.value("#e69f00"))
    points = alt.Chart(data, width=420).mark_point(filled=True, size=60).encode(ratio, own, color=faster)
    even = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(strokeDash=[4, 4]).encode(ratio)
    (even + points).save(CHART)


if __name__ == "__main__":
    main()
