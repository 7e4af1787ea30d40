"""Run hostile inputs: `python -m tests.fuzz --runs 1000000 --kind bytes`; ends with 1 if one is wrong."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .kinds import KINDS
from .session import Figures, session


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000, help="inputs (20000)")
    parser.add_argument("--seed", type=int, default=0, help="what they are made from (0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (0)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="repeatable; all if left out")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (all cores)")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="folder of failing inputs")
    given = parser.parse_args()
    figures, start = Figures(), time.monotonic()
    numbers = range(given.first, given.first + given.runs)
    kinds = given.kind or [*KINDS]
    for found in session(kinds, given.seed, numbers, given.workers, given.keep.absolute()):
        figures.add(found)
        if found.wrong:
            print(f"{found.kind} {found.number}: {'; '.join(found.wrong)}"[:1000], flush=True)
    print(
        f"{figures}\n{figures.runs.total()} inputs of seed {given.seed} in {time.monotonic() - start:.0f} s"
    )
    if figures.wrong.total():
        print(f"{figures.wrong.total()} are wrong: see {given.keep}")
    return int(figures.wrong.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
