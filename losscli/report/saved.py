"""Saved reports: read from a file, from standard input, or from a git repository."""

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
"""The first bytes of saved states, which are not reports."""
OF_STATES = "losscli merge FILE -o report.json makes a report of it"
"""The remedy for a state in place of a report."""
_NUMBERS = ("value", "se", "ci_low", "ci_high", "level", "df", "rows", "weight")
_MAX_LISTED = 5
"""Maximum number of differences listed."""
GIT = "git:"
"""The prefix of the location of a file in a git revision."""
_GIT = ("git", "--no-pager", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false")
_GIT_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
"""With these variables and options, git only reads objects.

The settings of a repository name programs: transports of missing objects, filters, hooks, a pager.  A bare
repository inside a working tree comes with the tree, and so would its settings.
"""


class MissingError(DataError):
    """A saved report does not exist."""


def is_report(given: object) -> bool:
    """Whether a baseline is or names a saved report; otherwise it is the predictions of another model."""
    if isinstance(given, str | PathLike):
        location = str(fspath(given))
        return location == "-" or location.endswith(".json")
    return isinstance(given, Report)


def is_missing(given: object) -> bool:
    """Whether a baseline names a file that does not exist, on this machine or in a git revision.

    A revision that does not exist is an error, not a missing file.
    """
    if not isinstance(given, str | PathLike):
        return False
    location = str(fspath(given))
    if location.startswith(GIT):
        try:
            blob(location)
        except MissingError:
            return True
        return False
    return (
        location != "-" and "://" not in location and not os.path.exists(location) and not glob.glob(location)
    )


def baseline(given: Report | str | PathLike[str] | None) -> Report | None:
    """The report that a baseline is or names.  Raises what `load` raises."""
    return given if given is None or isinstance(given, Report) else load(fspath(given))


def load(location: str) -> Report:
    """The report in a JSON file, in standard input ('-'), or in git ('git:REVISION:PATH').

    Git is only read.  Raises DataError for a file that cannot be read or is not a complete report.
    """
    text = _decoded(blob(location), location) if location.startswith(GIT) else _read_text(location)
    try:
        return Report.from_json(text)
    except DataError as error:
        raise DataError([replace(problem, where=location) for problem in error.problems]) from error


def level(report: Report) -> float | None:
    """The level of a report's intervals; None if it has none."""
    return next((result.level for result in report.results if result.level is not None), None)


def reproduced(saved: Report, now: Report, location: str) -> list[str]:
    """Check that a saved report has the same results as one made now; returns lines that confirm it.

    Every value, standard error, bound and number of rows must agree within a relative 1e-12, which allows for
    different processors.  Raises DataError with the first differences.
    """
    before, after = (_numbers_of(report) for report in (saved, now))
    differences = [
        f"{name}: {key} {old} in the report, {new} now"
        for name in dict.fromkeys((*before, *after))
        for key, old, new in _different(before.get(name), after.get(name))
    ]
    for key in sorted({*saved.provenance, *now.provenance}):
        if saved.provenance.get(key) != now.provenance.get(key):
            old, new = saved.provenance.get(key, "none"), now.provenance.get(key, "none")
            differences.insert(0, f"{key}: {old} in the report, {new} now")
    if saved.signature != now.signature:
        differences.insert(0, f"signature: {saved.signature} in the report, {now.signature} now")
    if differences:
        rest = (f"... and {len(differences) - _MAX_LISTED} more",) if len(differences) > _MAX_LISTED else ()
        remedy = "give the files and options with which it was made"
        raise DataError(Problem("is not reproduced", location, remedy, (*differences[:_MAX_LISTED], *rest)))
    lines = [
        counted(len(after), f"result of {location} is reproduced", f"results of {location} are reproduced")
    ]
    if saved.losscli != now.losscli:
        lines.append(f"note: it was made by losscli {saved.losscli}, this is {now.losscli}")
    return lines


def _numbers_of(report: Report) -> dict[str, dict[str, float | None]]:
    return {_name_of(result): {name: getattr(result, name) for name in _NUMBERS} for result in report.results}


def _name_of(result: Result) -> str:
    return result_name(result) + (f"[{cell_name(result.cell)}]" if result.cell else "")


def _different(
    before: Mapping[str, float | None] | None, after: Mapping[str, float | None] | None
) -> list[tuple[str, float | str | None, float | str | None]]:
    if before is None or after is None:
        return [("result", "none" if before is None else "one", "none" if after is None else "one")]
    return [(name, before[name], after[name]) for name in before if not _same(before[name], after[name])]


def _same(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    if isinstance(before, int) and isinstance(after, int):  # as rows, which in a file may exceed any float
        return before == after
    return math.isclose(before, after, rel_tol=1e-12, abs_tol=1e-300)


def _read_text(location: str) -> str:
    try:
        data = sys.stdin.buffer.read() if location == "-" else Path(location).read_bytes()
    except OSError as error:
        raise DataError(Problem(f"cannot be read: {error.strerror}", location)) from error
    return _decoded(data, location)


def _decoded(data: bytes, location: str) -> str:
    if data.startswith(MAGIC_OF_STATES):
        remedy = OF_STATES.replace("FILE", quote(location))
        raise DataError(Problem("is a state of losscli, not a report", location, remedy))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DataError(Problem("is not text in UTF-8", location)) from error


def commit() -> str:
    """The current commit of the working folder; '' outside of a repository."""
    try:
        process = subprocess.run(
            [*_GIT, "rev-parse", "--verify", "--quiet", "HEAD"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | _GIT_ENVIRONMENT,
            check=False,
        )
    except OSError:
        return ""
    return process.stdout.decode("ascii", errors="replace").strip()


def blob(location: str) -> bytes:
    """The content of a file in a git revision: 'git:REVISION:PATH', with the path from the repository's root.

    Raises UsageError for another syntax, MissingError if the revision has no such file, and DataError if
    there is no such revision.
    """
    revision, _, path = location.removeprefix(GIT).partition(":")
    if not revision or not path or revision.startswith("-"):
        raise UsageError(f"{location}: written git:REVISION:PATH", remedy="git:main:reports/loss.json")
    # Not `git show`, which could run filters that a repository defines.
    process = _git(location, "cat-file", "blob", f"{revision}:{path}")
    if not process.returncode:
        return process.stdout
    lines = tuple(process.stderr.decode(errors="replace").strip().splitlines())
    remedy = f"git ls-tree -r --name-only {revision}"
    absent = Problem("git has no such file", location, remedy, lines)
    if _git(location, "rev-parse", "--git-dir").returncode:
        raise DataError(replace(absent, remedy="run losscli inside the repository"))
    if _git(location, "rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}").returncode:
        what, remedy = f"git has no revision {revision}", "git log --oneline --all"
        if _git(location, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            remedy = "the clone is shallow: fetch-depth: 0 in actions/checkout, or git fetch --unshallow"
        raise DataError(Problem(what, location, remedy, lines))
    raise MissingError(absent)


def _git(location: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [*_GIT, *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | _GIT_ENVIRONMENT,
            check=False,
        )
    except OSError as error:
        raise DataError(Problem(f"git does not run: {error.strerror}", location)) from error
