"""Outcomes as files: written, and read with every field checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from losscli._version import __version__
from losscli.data.writer import Draft
from losscli.errors import DataError, Problem, UsageError
from losscli.evaluation import codec
from losscli.evaluation.outcome import Input, Outcome
from losscli.evaluation.pairs import Scores
from losscli.evaluation.partial import Partial
from losscli.numeric import hashing
from losscli.plan.codec import Finder, from_plain, to_plain
from losscli.report.findings import Note
from losscli.states import archive


class _Header(Struct, frozen=True):
    """All of an outcome but its arrays."""

    losscli: str
    hash: int
    job: Any
    fixed: Any
    folded: Any
    notes: tuple[Note, ...]
    names: Mapping[str, str]
    inputs: tuple[Input, ...]
    part: tuple[int, int] | None
    sources: tuple[str, ...] = ()
    listed: int = 0
    alone: int | None = None


def to_bytes(outcome: Outcome) -> bytes:
    """The outcome as the bytes of a file.

    Raises UsageError for a loss that other processes cannot find by name.
    """
    folded, arrays = (None, {}) if outcome.folded is None else codec.packed(outcome.folded)
    header = _Header(
        losscli=outcome.losscli,
        hash=hashing.VERSION,
        job=codec.plain_job(outcome.job),
        fixed=codec.plain_fixed(outcome.fixed),
        folded=folded,
        notes=outcome.notes,
        names=outcome.names,
        inputs=outcome.inputs,
        part=outcome.part,
        sources=outcome.sources,
        listed=outcome.listed,
        alone=outcome.alone,
    )
    return archive.dump(to_plain(header), arrays)


def from_bytes(data: bytes, find: Finder | None = None) -> Outcome:
    """The outcome in the bytes of a file; `find` looks up its losses, by default without running files.

    Raises DataError for a damaged file, or one of another version.
    """
    plain, arrays = archive.load(data)
    header = from_plain(plain, _Header)
    if header.losscli != __version__:
        raise DataError(
            f"is a state of losscli {header.losscli}, and this is {__version__}: formulas may differ",
            remedy="evaluate again with this version, or merge with that one",
        )
    if header.hash != hashing.VERSION:
        raise DataError("is a state with another hash of clusters", remedy="evaluate again with this version")
    job = codec.job_of(header.job, find)
    folded = None if header.folded is None else codec.unpacked(job, header.folded, arrays)
    return Outcome(
        job,
        codec.fixed_of(header.fixed),
        folded,
        header.notes,
        header.names,
        header.inputs,
        header.sources,
        header.part,
        header.listed,
        header.losscli,
        archive.digest_of(data),
        is_plan=folded is None,
        alone=header.alone,
    )


def load(path: str, find: Finder | None = None) -> Outcome:
    """The outcome in a file.  Raises DataError and UsageError, which name the file."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return replace(from_bytes(data, find), place=path)
    except (DataError, UsageError) as error:
        raise type(error)([replace(problem, where=path) for problem in error.problems]) from error


def described(path: str, find: Finder | None = None) -> Outcome:
    """The outcome in a file, checked, without its folded result.  Raises as `load`."""
    return replace(load(path, find), folded=None)


def reader(find: Finder | None = None) -> Callable[[Outcome], Partial | Scores]:
    """A function that loads the folded result of a described outcome.

    It raises DataError if the file has changed.
    """

    def read(outcome: Outcome) -> Partial | Scores:
        loaded = load(outcome.place, find)
        if loaded.digest != outcome.digest or loaded.folded is None:
            raise DataError(Problem("has changed while it was read", outcome.place, "merge again"))
        return loaded.folded

    return read


def draft_of(outcome: Outcome, path: Path) -> Draft:
    """A draft of the file of an outcome.  Raises DataError if it cannot be written."""
    data = to_bytes(outcome)
    draft = Draft(path)
    try:
        draft.write(data)
    except BaseException:
        draft.discard()
        raise
    return draft
