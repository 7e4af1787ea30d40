"""Jobs that another process folds: what is pickled for it, and what it pickles of the rows it read."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

Task = tuple[Any, Any, Sequence[tuple[int, pl.DataFrame]]]
"""A job, what its first block fixed, and blocks with their first row numbers."""


def fold_all(tasks: Sequence[Task]) -> list[Any]:
    """What the blocks of each task leave behind, merged in their order."""
    found = []
    for job, fixed, blocks in tasks:
        whole = None
        for first, block in blocks:
            part = job.fold(np, block, first, fixed)
            whole = part if whole is None else job.merge(whole, part)
        found.append(whole)
    return found


def fold_elsewhere(tasks: Sequence[Task], folder: Path) -> list[Any]:
    """The same by a new process, which imports the program anew."""
    given, result = folder / "tasks", folder / "parts"
    given.write_bytes(pickle.dumps(tasks))
    code = f"from support import elsewhere; elsewhere.main({str(given)!r}, {str(result)!r})"
    path = [str(Path(__file__).parent.parent), *sys.path]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"], check=True)
    found: list[Any] = pickle.loads(result.read_bytes())
    return found


def main(given: str, result: str) -> None:
    """What the new process does."""
    Path(result).write_bytes(pickle.dumps(fold_all(pickle.loads(Path(given).read_bytes()))))
