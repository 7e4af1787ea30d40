"""The kinds of error, each with its exit status."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from losscli.text import printable, without_credentials


class Status(IntEnum):
    """The exit statuses of the program."""

    OK = 0
    GATE_FAILED = 1
    USAGE = 2
    DATA = 3
    BUG = 70
    INTERRUPTED = 130


if sys.platform != "win32":
    import resource  # here, as no module can be loaded once too many files are open

MORE_FILES = "ulimit -n 1024"
"""The remedy for too many open files."""


def open_files_limit() -> float:
    """The number of files that this process may have open."""
    if sys.platform == "win32":
        return math.inf
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def too_many_files() -> str:
    """That this process has as many files open as it may."""
    return f"too many open files: the limit is {open_files_limit()}"


class Problem(Struct, frozen=True):
    """One thing that is wrong: what, where (file, column), how to fix it, and example rows.

    `code` is that of its finding (see `losscli.report.findings`), or empty.
    """

    what: str
    where: str = ""
    remedy: str = ""
    examples: tuple[str, ...] = ()
    code: str = ""

    def __post_init__(self) -> None:
        """Take the credentials out of the URLs that it names."""
        for name in ("what", "where", "remedy"):
            force_setattr(self, name, without_credentials(getattr(self, name)))

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        # Names and values from files have no lines of their own; long remedies have.
        lines = [printable(head), *(printable(f"  {example}") for example in self.examples)]
        if self.remedy:
            lines += map(printable, f"  -> {self.remedy}".split("\n"))
        return "\n".join(lines)


class LossCliError(Exception):
    """An error with its exit status; `problems` are all those of the run."""

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
    """The requested device is missing, fails, or has too little memory."""


class DataError(LossCliError):
    """The files are wrong: missing, unreadable, misaligned, or with invalid values."""

    status = Status.DATA


class GateError(LossCliError):
    """A gate failed or could not be judged; the text of the error is the table of gates."""

    status = Status.GATE_FAILED

    def __init__(self, table: str) -> None:
        super().__init__("a gate failed or could not be judged")
        self.args = (table,)


def all_of(*steps: Callable[[], Any]) -> list[Any]:
    """The results of independent steps; if some fail, one error with the problems of all of them.

    It is a UsageError if one of them is: a wrong request outweighs wrong data.
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
