"""Many inputs in worker processes, which are watched and replaced if they hang or crash."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from .case import Case, Done
from .judge import HANG, judged
from .kinds import KINDS, made
from .program import alone, keep_commands, limit_memory, write


class Found(NamedTuple):
    """The outcome of one input."""

    kind: str
    number: int
    statuses: tuple[int, ...]
    wrong: tuple[str, ...]
    seconds: float


def shares(names: Sequence[str]) -> list[str]:
    """The kinds in the order in which numbers take turns: cheap and rich kinds come more often."""
    return [name for name in names for _ in range(KINDS[name].SHARE)]


def session(names: Sequence[str], seed: int, numbers: range, workers: int, keep: Path) -> Iterator[Found]:
    """The outcome of each input with these numbers; the files of those that fail are kept in a folder."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # of the workers: there is one on each core
    context = multiprocessing.get_context("spawn")
    left = {place: numbers[place::workers] for place in range(workers)}
    running: dict[Connection, tuple[int, Any]] = {}

    def start(place: int) -> None:
        if not left[place]:
            return
        mine, theirs = context.Pipe()
        process = context.Process(target=_work, args=(names, seed, left[place], keep, theirs), daemon=True)
        process.start()
        theirs.close()
        running[mine] = place, process

    for place in left:
        start(place)
    since = dict.fromkeys(left, time.monotonic())
    while running:
        for pipe in wait(list(running), timeout=1.0):
            place, process = running[pipe]
            try:
                found = pipe.recv()
            except EOFError:
                process.join()
                del running[pipe]
                if left[place]:
                    yield _lost(names, seed, left[place][0], keep, process.exitcode)
                    left[place] = left[place][1:]
                    start(place)
                continue
            finally:
                since[place] = time.monotonic()
            if isinstance(found, Exception):
                raise RuntimeError(f"input {left[place][0]} cannot be judged") from found
            if found is not None:
                left[place] = left[place][1:]
                yield found
        for place, process in list(running.values()):
            if time.monotonic() - since[place] > 3 * HANG:
                process.kill()


def _kind(names: Sequence[str], number: int) -> str:
    turns = shares(names)
    return turns[number % len(turns)]


def _lost(names: Sequence[str], seed: int, number: int, keep: Path, status: int) -> Found:
    """The outcome of an input that ended its worker: memory that Rust cannot have ends any process.

    The program watches for that in a process of its own; one that hung is not run again.
    """
    kind = _kind(names, number)
    case, done, wrong = made(kind, seed, number), list[Done](), ["hangs"]
    if status != -signal.SIGKILL:
        with tempfile.TemporaryDirectory() as folder:
            done, wrong = judged(case, Path(folder), partial(alone, folder))
    if wrong:
        _keep(keep, kind, seed, number, case, done, wrong)
    return Found(kind, number, tuple(each.status for each in done), tuple(wrong), 0.0)


def _work(names: Sequence[str], seed: int, numbers: range, keep: Path, pipe: Connection) -> None:
    limit_memory()
    keep_commands()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # threads of Rust may print their panic after a run
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
        pipe.send(None)
        try:
            for number in numbers:
                pipe.send(_run(_kind(names, number), seed, number, keep, Path(folder)))
        except Exception as error:  # a fault of the tests
            pipe.send(error)
        os.chdir("/")


def _run(kind: str, seed: int, number: int, keep: Path, folder: Path) -> Found:
    start = time.monotonic()
    case = made(kind, seed, number)
    done, wrong = judged(case, folder)
    if wrong:
        _keep(keep, kind, seed, number, case, done, wrong)
    statuses = tuple(each.status for each in done)
    return Found(kind, number, statuses, tuple(wrong), time.monotonic() - start)


def _keep(
    keep: Path, kind: str, seed: int, number: int, case: Case, done: Sequence[Done], wrong: Sequence[str]
) -> None:
    """Write a failing input, how to run it again, and what happened."""
    folder = keep / f"{kind}-{seed}-{number}"
    write(folder, case.files)
    again = f"python -m tests.fuzz --kind {kind} --seed {seed} --first {number} --runs 1"
    lines = [again, *map(repr, case.runs), *wrong, *(f"{each}" for each in done)]
    (folder / "CASE.txt").write_text("\n".join(lines), errors="backslashreplace")


class Figures:
    """What a session found, by kind."""

    def __init__(self) -> None:
        self.runs, self.wrong, self.seconds = Counter[str](), Counter[str](), Counter[str]()
        self.statuses: dict[str, Counter[int]] = {}

    def add(self, found: Found) -> None:
        """Count one outcome."""
        self.runs[found.kind] += 1
        self.wrong[found.kind] += bool(found.wrong)
        self.seconds[found.kind] += found.seconds
        self.statuses.setdefault(found.kind, Counter()).update(found.statuses)

    def __str__(self) -> str:
        rows = [("kind", "inputs", "status 0", "1", "2", "3", "others", "wrong", "ms")]
        for kind in sorted(self.runs):
            own = self.statuses[kind]
            known = [own[status] for status in range(4)]
            cells = (self.runs[kind], *known, own.total() - sum(known), self.wrong[kind])
            rows.append((kind, *map(str, cells), f"{1000 * self.seconds[kind] / self.runs[kind]:.1f}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        )
