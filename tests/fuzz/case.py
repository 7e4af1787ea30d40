"""An input of the program, and what is known of the outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct


class Done(NamedTuple):
    """How a run of the program ended.

    `native` is what libraries wrote to stderr themselves, `escaped` the traceback of an error that ended it.
    """

    status: int
    out: str
    err: str
    native: str = ""
    escaped: str = ""
    seconds: float = 0.0


def nothing(done: Sequence[Done]) -> Iterable[str]:
    """Nothing else is wrong."""
    return ()


class Case(Struct):
    """Command lines in a folder with `files`; `also` says what else is wrong with how the runs ended.

    `outputs` are the files that a run may leave.
    """

    runs: Sequence[Sequence[str]]
    files: Mapping[str, bytes] = {}
    also: Callable[[Sequence[Done]], Iterable[str]] = nothing
    outputs: Sequence[str] = ()
    statuses: Sequence[int] = (0, 1, 2, 3)
