"""The answer of a task: the state of its rows and its findings, or the error that ends the run.

An error is an answer because Spark retries tasks that fail, and hides their message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from losscli import errors
from losscli.data.filter import together
from losscli.data.table import RereadError, UnparsedError
from losscli.engines.fold import Counter
from losscli.engines.job import Codec, Job, S
from losscli.errors import LossCliError, Problem
from losscli.report.findings import Counted, Finding, Tally

PIECE = 4 << 20
"""Maximum bytes of an answer per row, as messages of Spark Connect are limited."""


class Answer(Struct, frozen=True, omit_defaults=True):
    """The answer of a task.

    `state` is empty without rows; `files` is the number of files with row results that it wrote.  `error` is
    the name of the exception that ends the run, `problems` are the problems of that.
    """

    state: bytes = b""
    findings: tuple[Counted, ...] = ()
    error: str = ""
    problems: tuple[Problem, ...] = ()
    files: int = 0

    @classmethod
    def of(cls, state: bytes, findings: Iterable[tuple[Finding, Tally]], files: int = 0) -> Answer:
        """The answer of a task that succeeded."""
        return cls(state, tuple(Counted.of(*each) for each in findings), files=files)

    @classmethod
    def of_error(cls, error: LossCliError | RereadError) -> Answer:
        """The answer of a task that failed with an error for the user."""
        if isinstance(error, LossCliError):
            return cls(error=type(error).__name__, problems=error.problems)
        return cls(error=type(error).__name__)

    def after(self, before: Iterable[Answer]) -> Answer:
        """The answer with the findings of earlier tasks prepended."""
        findings = tuple(finding for each in before for finding in each.findings)
        return self if self.error else msgspec.structs.replace(self, findings=(*findings, *self.findings))

    def require(self) -> None:
        """Raise the error, if it is one."""
        if self.error == UnparsedError.__name__:
            raise UnparsedError
        if self.error:
            raise getattr(errors, self.error)(self.problems)


def to_bytes(answer: Answer) -> bytes:
    """An answer as bytes."""
    return msgspec.msgpack.encode(answer)


def of_bytes(data: bytes) -> Answer:
    """The answer in bytes."""
    return msgspec.msgpack.decode(data, type=Answer)


def merged(codec: Codec, job: Job[S], answers: Iterable[Answer]) -> Answer:
    """The answer for the rows of several tasks, in their order; the first error, if one failed."""
    received = list(answers)
    if failed := next((each for each in received if each.error), None):
        return failed
    folded, findings = folded_of(codec, job, received)
    state = b"" if folded is None else codec.to_bytes(folded)
    return Answer.of(state, findings.items(), sum(each.files for each in received))


def folded_of(codec: Codec, job: Job[S], answers: Iterable[Answer]) -> tuple[S | None, dict[Finding, Tally]]:
    """The result for the rows of tasks that succeeded, None without rows, and their findings."""
    states, findings = Counter[S](job.merge), list[tuple[Finding, Tally]]()
    for answer in answers:
        if answer.state:
            states.add(codec.of_bytes(job, answer.state))
        findings += [each.read() for each in answer.findings]
    return states.merged(), together(findings)


def cut(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The bytes in numbered pieces."""
    for number, at in enumerate(range(0, max(len(data), 1), PIECE)):
        yield number, data[at : at + PIECE]


def assembled(rows: Iterable[tuple[int, int, bytes]]) -> list[tuple[int, Answer]]:
    """The answers in the order of their tasks, from rows of task, piece and bytes in any order."""
    by_task: dict[int, dict[int, bytes]] = {}
    for task, piece, data in rows:
        by_task.setdefault(task, {})[piece] = data
    return [
        (task, of_bytes(b"".join(pieces[number] for number in range(len(pieces)))))
        for task, pieces in sorted(by_task.items())
    ]
