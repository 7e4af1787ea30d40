"""How much of a run is serial: the same work with one core, and with all of them.

    python benchmarks/cores.py [--repeat 5] [--data DIR]

Takes its data from benchmarks/run.py, and writes the table of cores in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path

import data
from run import measure, written
from works import WORKS, Work

NAMES = (
    "Huber with interval by position",
    "Huber by key, same order",
    "Huber by key, shuffled",
    "ten regression losses in one pass",
    "Huber in 1,000 slices",
    "Huber in 100,000 slices",
)


def serial_part(one: float, many: float, cores: int) -> float:
    """The part of a run that no further core makes shorter, from its seconds with one core and with many.

    Amdahl (1967), Validity of the single processor approach, doi:10.1145/1465482.1465560
    """
    return (many / one - 1 / cores) / (1 - 1 / cores)


def row(work: Work, folder: Path, repeat: int, cores: list[int]) -> str:
    """The row of the table of one piece of work, with one core and with all in turns."""
    found: dict[int, list[float]] = {1: [], len(cores): []}
    for _ in range(repeat + 1):
        for count, seconds in found.items():
            os.sched_setaffinity(0, cores[:count])
            seconds.append(measure(work.ours, folder).wall)
    os.sched_setaffinity(0, cores)
    one, many = (statistics.median(seconds[1:]) for seconds in found.values())
    part = serial_part(one, many, len(cores))
    return f"| {work.name} | {work.millions:g} M | {one:.2f} | {many:.2f} | {part:.0%} |"


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "losscli-benchmark")
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    lines = [f"| work | rows | 1 core, s | {len(cores)} cores, s | serial |", "|---|---|---|---|---|"]
    for work in (work for name in NAMES for work in WORKS if work.name == name and work.millions >= 20):
        folder = asked.data / f"{work.millions:g}"
        data.make(folder, work.millions)
        lines.append(row(work, folder, asked.repeat, cores))
        print(lines[-1], flush=True)
    written("cores", "\n".join(lines))


if __name__ == "__main__":
    main()
