"""Reports that were saved: read from a file, from standard input, or out of a git repository."""

from __future__ import annotations

import glob
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from shlex import quote

from msgspec.structs import replace

from losscli.errors import DataError, Problem, UsageError
from losscli.report.model import Report, Result, cell_name, result_name
from losscli.text import counted

MAGIC_OF_STATES = b"LOSSCLI-STATE\n"
"""How saved states begin, which hold no report."""
OF_STATES = "losscli merge FILE -o report.json makes a report of it"
"""The remedy for a state in place of a report."""
_NUMBERS = ("value", "se", "ci_low", "ci_high", "level", "df", "rows", "weight")
_SHOWN = 5
"""Maximum number of differences listed."""
GIT = "git:"
"""How the name of a file in a revision of git begins."""
_GIT = ("git", "--no-pager", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false")
_GIT_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
"""With these git reads objects and does nothing else.

The settings of a repository name programs: transports of missing objects, filters, hooks, a pager.  A bare
repository within a working tree comes with the tree, and so would its settings.
"""


class MissingError(DataError):
    """What was named is not there."""


def is_report(given: object) -> bool:
    """Whether a baseline is, or names, a saved report; else it is the predictions of another model."""
    if isinstance(given, str | PathLike):
        place = str(fspath(given))
        return place == "-" or place.endswith(".json")
    return isinstance(given, Report)


def is_missing(given: object) -> bool:
    """Whether a baseline names a file that is not there, on this machine or in a revision of git.

    A revision that git does not have is an error, not a missing file.
    """
    if not isinstance(given, str | PathLike):
        return False
    place = str(fspath(given))
    if place.startswith(GIT):
        try:
            blob(place)
        except MissingError:
            return True
        return False
    return place != "-" and "://" not in place and not os.path.exists(place) and not glob.glob(place)


def baseline(given: Report | str | PathLike[str] | None) -> Report | None:
    """The report that a baseline names.  Raises as `load`."""
    return given if given is None or isinstance(given, Report) else load(fspath(given))


def load(place: str) -> Report:
    """The report in a JSON file, '-' for standard input, or 'git:REVISION:PATH'.

    Git is only read from.  Raises DataError for a file that cannot be read or is not a whole report.
    """
    text = _text(blob(place), place) if place.startswith(GIT) else _of_file(place)
    try:
        return Report.from_json(text)
    except DataError as error:
        raise DataError([replace(problem, where=place) for problem in error.problems]) from error


def level(report: Report) -> float | None:
    """The level of a report's intervals; None if it has none."""
    return next((result.level for result in report.results if result.level is not None), None)


def reproduced(saved: Report, now: Report, place: str) -> list[str]:
    """Check that a saved report holds the results of one made now; returns lines that confirm it.

    Every value, standard error, bound and number of rows has to agree within a relative 1e-12, the difference
    between processors.  Raises DataError with the first differences.
    """
    before, after = (_numbers_of(report) for report in (saved, now))
    wrong = [
        f"{name}: {key} {old} in the report, {new} now"
        for name in dict.fromkeys((*before, *after))
        for key, old, new in _different(before.get(name), after.get(name))
    ]
    for key in sorted({*saved.provenance, *now.provenance}):
        if saved.provenance.get(key) != now.provenance.get(key):
            old, new = saved.provenance.get(key, "none"), now.provenance.get(key, "none")
            wrong.insert(0, f"{key}: {old} in the report, {new} now")
    if saved.signature != now.signature:
        wrong.insert(0, f"signature: {saved.signature} in the report, {now.signature} now")
    if wrong:
        more = (f"... and {len(wrong) - _SHOWN} more",) if len(wrong) > _SHOWN else ()
        remedy = "give the files and options with which it was made"
        raise DataError(Problem("is not reproduced", place, remedy, (*wrong[:_SHOWN], *more)))
    lines = [counted(len(after), f"result of {place} is reproduced", f"results of {place} are reproduced")]
    if saved.losscli != now.losscli:
        lines.append(f"note: it is of losscli {saved.losscli}, this is {now.losscli}")
    return lines


def _numbers_of(report: Report) -> dict[str, dict[str, float | None]]:
    return {_shown(result): {name: getattr(result, name) for name in _NUMBERS} for result in report.results}


def _shown(result: Result) -> str:
    return result_name(result) + (f"[{cell_name(result.cell)}]" if result.cell else "")


def _different(
    before: Mapping[str, float | None] | None, after: Mapping[str, float | None] | None
) -> list[tuple[str, float | str | None, float | str | None]]:
    if before is None or after is None:
        return [("result", "none" if before is None else "one", "none" if after is None else "one")]
    return [(name, before[name], after[name]) for name in before if not _same(before[name], after[name])]


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, int) and isinstance(other, int):  # as rows, of which a file may claim any number
        return one == other
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-300)


def _of_file(place: str) -> str:
    try:
        data = sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
    except OSError as error:
        raise DataError(Problem(f"cannot be read: {error.strerror}", place)) from error
    return _text(data, place)


def _text(data: bytes, place: str) -> str:
    if data.startswith(MAGIC_OF_STATES):
        remedy = OF_STATES.replace("FILE", quote(place))
        raise DataError(Problem("is a state of losscli, not a report", place, remedy))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DataError(Problem("is not text in UTF-8", place)) from error


def commit() -> str:
    """The commit that is checked out in the working folder; empty outside of a repository."""
    try:
        done = subprocess.run(
            [*_GIT, "rev-parse", "--verify", "--quiet", "HEAD"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | _GIT_ENVIRONMENT,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.decode("ascii", errors="replace").strip()


def blob(place: str) -> bytes:
    """A file as a revision of git has it, by 'git:REVISION:PATH' from the top of the repository.

    Raises UsageError for another text, MissingError if the revision has no such file, and DataError if there
    is no such revision.
    """
    revision, _, path = place.removeprefix(GIT).partition(":")
    if not revision or not path or revision.startswith("-"):
        raise UsageError(f"{place}: written git:REVISION:PATH", remedy="git:main:reports/loss.json")
    # Not `git show`, which could run the filters that a repository sets up.
    done = _git(place, "cat-file", "blob", f"{revision}:{path}")
    if not done.returncode:
        return done.stdout
    lines = tuple(done.stderr.decode(errors="replace").strip().splitlines())
    remedy = f"git ls-tree -r --name-only {revision}"
    absent = Problem("git has no such file", place, remedy, lines)
    if _git(place, "rev-parse", "--git-dir").returncode:
        raise DataError(replace(absent, remedy="run losscli inside the repository"))
    if _git(place, "rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}").returncode:
        what, remedy = f"git has no revision {revision}", "git log --oneline --all"
        if _git(place, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            remedy = "the clone is shallow: fetch-depth: 0 in actions/checkout, or git fetch --unshallow"
        raise DataError(Problem(what, place, remedy, lines))
    raise MissingError(absent)


def _git(place: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [*_GIT, *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | _GIT_ENVIRONMENT,
            check=False,
        )
    except OSError as error:
        raise DataError(Problem(f"git does not run: {error.strerror}", place)) from error
