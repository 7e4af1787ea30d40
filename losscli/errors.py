"""The kinds of error, each with its exit status."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """What the exit status of the program says."""

    OK = 0
    GATE_FAILED = 1
    USAGE = 2
    DATA = 3
    BUG = 70
    INTERRUPTED = 130


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, where (file, rows, ids), and how to mend it."""

    what: str
    where: str = ""
    remedy: str = ""
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head, *(f"  {example}" for example in self.examples)]
        if self.remedy:
            lines.append(f"  -> {self.remedy}")
        return "\n".join(lines)


class LossCliError(Exception):
    """An error with its exit status; `problems` holds all that was found in the run."""

    status = Status.BUG

    def __init__(self, problems: Problem | str | Sequence[Problem], remedy: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(problems, remedy=remedy)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class UsageError(LossCliError):
    """The request is wrong: an unknown loss, an option out of range, an ambiguous column."""

    status = Status.USAGE


class DataError(LossCliError):
    """The files are wrong: missing, unreadable, misaligned, or with values that cannot be."""

    status = Status.DATA


def near(name: str, known: Iterable[str], n: int = 3) -> str:
    """Say which known names resemble `name`: ' Did you mean huber?', or nothing."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=n, cutoff=0.6)
    return f" Did you mean {' or '.join(matches)}?" if matches else ""
