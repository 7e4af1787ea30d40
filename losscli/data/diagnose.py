"""Find out why files cannot be read, whatever their format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from losscli.data.formats.base import Files, read_errors
from losscli.data.redaction import reason
from losscli.errors import EXAMPLES, Problem
from losscli.report.findings import Code, problem

Errors = read_errors()
"""The exceptions for files that cannot be read."""


def diagnose(files: Files | None, schema: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with files that could not be read, from a second, slower pass over them."""
    return [] if files is None or files.remote else files.format.diagnose(files, schema)


_REFUSED = {
    "NoSuchBucket": ("no such bucket", "check the address"),
    "expanded paths were empty": ("no file has a name like this", "check the pattern"),
    "not found": ("no such file", "check the address"),
    "status code: 40": ("access denied", "credentials are those of the environment"),
    "necessary privileges": ("access denied", "credentials are those of the environment"),
}
"""Phrases in the errors of object stores, in the order in which they are tried, and their meanings."""


def unreadable(error: Exception, names: Sequence[str], remote: Sequence[str]) -> Problem:
    """The problem for an error if `diagnose` found nothing; `remote` are the names behind URLs."""
    where = " and ".join(remote or names)
    if not remote:
        return problem(Code.UNREADABLE_FILE, where, reason=reason(error))
    for word, (what, remedy) in _REFUSED.items():
        if word in str(error):
            return Problem(what, where, remedy)
    remedy = "check the address, the credentials in the environment, and the file"
    return problem(Code.UNREADABLE_FILE, where, remedy=remedy, reason=reason(error))


def unlike(files: Files) -> list[Problem]:
    """Files whose columns differ from those of the first."""
    if files.remote or len(files.paths) == 1:
        return []
    problems: list[Problem] = []
    first: dict[str, Any] | None = None
    for path in files.paths:
        try:
            own = files.format.columns(path, files)
        except pl.exceptions.NoDataError:
            problems.append(Problem("an empty file", path, "it needs a header and rows"))
            continue
        except Errors as error:
            what = f"not a whole {files.format.whole} ({reason(error)})"
            problems.append(Problem(what, path, "write it again"))
            continue
        if own is None:
            return []
        first = own if first is None else first
        if differences := _differences(first, own):
            what = f"its columns are not those of {files.paths[0]}: {', '.join(differences[:EXAMPLES])}"
            problems.append(Problem(what, path, "name files of equal columns"))
    return problems[:EXAMPLES]


def _differences(first: dict[str, Any], own: dict[str, Any]) -> list[str]:
    return [
        *(f"no {name}" for name in first if name not in own),
        *(f"one more, {name}" for name in own if name not in first),
        *(
            f"{name} is {own[name]}, not {first[name]}"
            for name in first
            if own.get(name, first[name]) != first[name]
        ),
    ]
