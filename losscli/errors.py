"""The kinds of error, each with its exit status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from msgspec import Struct, field


class Status(IntEnum):
    """What the exit status of the program says."""

    OK = 0
    GATE_FAILED = 1
    USAGE = 2
    DATA = 3
    BUG = 70
    INTERRUPTED = 130


class Problem(Struct, frozen=True):
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


class DeviceError(UsageError):
    """The device that was asked for is not there, does not compute, or has too little memory."""


class DataError(LossCliError):
    """The files are wrong: missing, unreadable, misaligned, or with values that cannot be."""

    status = Status.DATA


class GateError(LossCliError):
    """A gate failed or could not be judged; the text of the error is the table of gates."""

    status = Status.GATE_FAILED


def all_of(*steps: Callable[[], Any]) -> list[Any]:
    """The results of independent steps; one error with the problems of every step that fails.

    It is a UsageError where one of them is: a wrong request outweighs wrong data.
    """
    results, errors = [], list[LossCliError]()
    for step in steps:
        try:
            results.append(step())
        except LossCliError as error:
            errors.append(error)
    if errors:
        kind = min((type(error) for error in errors), key=lambda kind: kind.status)
        raise kind(list(dict.fromkeys(problem for error in errors for problem in error.problems)))
    return results


EXAMPLES = 5
"""How many examples of each problem are shown."""


class Finding(Struct, frozen=True):
    """A kind of thing that was found in rows: a fatal problem, or a note (`remedy` is then unused)."""

    what: str
    where: str = ""
    remedy: str = ""
    fatal: bool = True


class Tally(Struct):
    """How often something was found, with the first examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count a later tally too."""
        self.count += other.count
        self.examples = [*self.examples, *other.examples][:EXAMPLES]
