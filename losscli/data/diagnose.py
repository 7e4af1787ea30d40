"""Find out why files cannot be read, in any format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from losscli.data.formats.base import Files, read_errors
from losscli.data.redaction import reason
from losscli.errors import EXAMPLES, MORE_FILES, Problem, open_files_limit, too_many_files
from losscli.report.findings import Code, problem

Errors = read_errors()
"""The exceptions for files that cannot be read."""


def diagnose(files: Files | None, types: Mapping[str, Any]) -> list[Problem]:
    """The problems of files that could not be read, from a second, slower pass over them."""
    return [] if files is None or files.remote else files.format.diagnose(files, types)


def starved(error: BaseException, names: Sequence[str]) -> list[Problem]:
    """The problem if too many files are open, or the limit is so low that Polars panics."""
    if open_files_limit() >= _MIN_OPEN_FILES and "Too many open files" not in str(error):
        return []
    return [problem(Code.UNREADABLE_FILE, " and ".join(names), remedy=MORE_FILES, reason=too_many_files())]


_MIN_OPEN_FILES = 32
"""More open files than Polars and Python need for two inputs."""
_REFUSED = {
    "NoSuchBucket": Code.NO_SUCH_BUCKET,
    "expanded paths were empty": Code.NO_MATCHING_FILE,
    "not found": Code.NO_SUCH_FILE,
    "status code: 40": Code.ACCESS_DENIED,
    "necessary privileges": Code.ACCESS_DENIED,
}
"""Phrases in the errors of object stores and their codes, in the order in which they are tried."""


def unreadable(error: BaseException, names: Sequence[str], remote: Sequence[str]) -> Problem:
    """The problem for an error if `diagnose` found none; `remote` are the names of remote tables."""
    where = " and ".join(remote or names)
    if not remote:
        return problem(Code.UNREADABLE_FILE, where, reason=reason(error))
    for phrase, code in _REFUSED.items():
        if phrase in str(error):
            return problem(code, where, remedy="check the address" if code is Code.NO_SUCH_FILE else None)
    remedy = "check the address, the credentials in the environment, and the file"
    return problem(Code.UNREADABLE_FILE, where, remedy=remedy, reason=reason(error))


def unlike(files: Files) -> list[Problem]:
    """The problems of files whose columns differ from those of the first."""
    if files.remote or len(files.paths) == 1:
        return []
    problems: list[Problem] = []
    first: dict[str, Any] | None = None
    for path in files.paths:
        try:
            columns = files.format.columns(path, files)
        except pl.exceptions.NoDataError:
            problems.append(problem(Code.EMPTY_FILE, files.shown(path)))
            continue
        except Errors as error:
            kind, why = files.format.bare_noun, reason(error)
            problems.append(problem(Code.DAMAGED_FILE, files.shown(path), kind=kind, reason=why))
            continue
        if columns is None:
            return []
        first = columns if first is None else first
        if differences := _differences(first, columns):
            shown, (first_file, *_) = ", ".join(differences[:EXAMPLES]), files.sources
            problems.append(
                problem(Code.DIFFERENT_COLUMNS, files.shown(path), first=first_file, differences=shown)
            )
    return problems[:EXAMPLES]


def _differences(first: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        *(f"no {name}" for name in first if name not in other),
        *(f"extra {name}" for name in other if name not in first),
        *(
            f"{name} is {other[name]}, not {first[name]}"
            for name in first
            if other.get(name, first[name]) != first[name]
        ),
    ]
