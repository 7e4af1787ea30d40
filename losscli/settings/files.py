"""Settings from files: losscli.toml, [tool.losscli] in pyproject.toml, and a user's own.

What a file sets are the keywords of `losscli.evaluate`, checked by what checks those.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from losscli import gates
from losscli.catalog import request as requests
from losscli.errors import LossCliError, Problem, UsageError, all_of
from losscli.plan.options import (
    OPTIONS,
    Use,
    check_not_empty,
    keys,
    keywords_of,
    loss_params,
    of_environment,
    useless_beside,
)
from losscli.text import near, param_text

FILE, PROJECT, SECTION = "losscli.toml", "pyproject.toml", "tool.losscli"
_ROOTS = (".git", ".hg")


class Settings(Struct, frozen=True):
    """What one file sets; `name` is how messages call the file."""

    name: str
    values: Mapping[str, Any]


_PATHS = ("predictions", "targets", "baseline", "rows")
"""Keys whose values are paths."""


def find(folder: Path) -> Path | None:
    """The nearest file with settings, from a folder upwards to the root of its repository, if there is one.

    Its path is relative to the folder, and so are the paths that messages and reports show.

    Raises UsageError for a file of another user, or a link of theirs to any file: where many share a place,
    it could name a loss to run.
    """
    for each in (folder, *folder.parents):
        for name in (FILE, PROJECT):
            path = each / name
            if os.path.isfile(path) and (name == FILE or _section(path) is not None):
                found = Path(os.path.relpath(path, folder))
                require_own(found, path, f"-c {found} takes it anyway, --no-config takes none")
                return found
        if any(os.path.exists(each / root) for root in _ROOTS):
            return None
    return None


def require_own(shown: Path, path: Path, remedy: str) -> None:
    """Raise UsageError if a file, or the link by which it is found, belongs to another user than root."""
    if not {path.lstat().st_uid, path.stat().st_uid} <= {_user(path), 0}:
        raise UsageError(Problem("belongs to another user", str(shown), remedy))


def _user(path: Path) -> int:
    """The user of this process; where there are no users, everything is theirs."""
    return os.getuid() if hasattr(os, "getuid") else path.stat().st_uid


def read(path: Path, ignored: Collection[str] = ()) -> Settings:
    """The settings in a file; paths in them are relative to it.

    Values of `ignored` keys, for which something else is taken, are not looked at: their files need not be
    there.  Raises UsageError with every key that is unknown and every value that is wrong.
    """
    table, name = _section(path), str(path)
    if table is None:
        raise UsageError(Problem(f"no table [{SECTION}]", name))
    if path.name == PROJECT:
        name += f" [{SECTION}]"
    ignored = {*ignored, *of_environment()}
    values = all_of(*(partial(_value, name, path.parent, ignored, *item) for item in table.items()))
    return Settings(name, dict(zip(table, values, strict=True)))


def users_own(path: Path) -> Settings:
    """The user's own settings, which may only set how results look.  Raises UsageError."""
    require_own(path, path, "--no-config takes none")
    wrong = [name for name in _section(path) or () if name in keys() and keys()[name].use is not Use.LOOKS]
    settings: Settings
    settings, *_ = all_of(lambda: read(path, wrong), *(partial(_refuse, path, name) for name in wrong))
    return settings


def _refuse(path: Path, name: str) -> None:
    looks = [option.name for option in keys().values() if option.use is Use.LOOKS]
    what = f"not a display option; the user's settings may only set: {', '.join(looks)}"
    raise UsageError(Problem(what, f"{path}, key {name}", f"write it in a project's {FILE}"))


def for_python(command: str, path: Path, above: Mapping[str, Any]) -> dict[str, Any]:
    """What a file sets for a function of the Python API, under the arguments `above`."""
    values = below(read(path, above).values, above)
    taken = {option.name for option in keywords_of(command)}
    return {name: value for name, value in values.items() if name in taken or name not in OPTIONS}


def below(values: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values that nothing above them replaces: neither the command line nor a nearer file."""
    chosen = {name for name, value in above.items() if value is not False}
    rivals = {rival for name in chosen if name in OPTIONS for rival in OPTIONS[name].rivals}
    gone = {*above, *rivals, *useless_beside(above), *of_environment()}
    return {name: value for name, value in values.items() if name not in gone}


def _section(path: Path) -> dict[str, Any] | None:
    """The settings in a file as TOML has them; None for a project's file without any."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(Problem("not UTF-8", str(path))) from None
    except (OSError, ValueError) as error:  # also for a name with NUL
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(Problem(f"cannot be read: {why}", str(path), "check the path")) from None
    if path.name == PROJECT and SECTION.rpartition(".")[2] not in text:
        return None
    import tomllib  # only if there is something to read

    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(Problem(f"not TOML: {error}", str(path))) from None
    if path.name != PROJECT:
        return dict(table)
    for part in SECTION.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _value(name: str, folder: Path, ignored: Collection[str], key: str, value: object) -> Any:
    """The value of a key, checked, with paths as they are from here."""
    if key not in keys() and key not in loss_params():
        known = [*keys(), *loss_params()]
        raise UsageError(Problem(f"unknown key {key!r}.{near(key, known)}", name, "losscli evaluate --help"))
    place = f"{name}, key {key}"
    try:
        if key not in ignored:
            check_not_empty({key: value})
        made = _from(folder, key, value)
        if key not in ignored:
            _check(folder, key, made)
    except LossCliError as error:
        raise UsageError(
            [Problem(p.what, _joined(place, p.where), p.remedy, p.examples) for p in error.problems]
        ) from None
    return made


def _check(folder: Path, key: str, value: Any) -> None:
    """Raise UsageError for a value that is wrong by itself, or that a folder of another user may not have."""
    if key == "loss" and folder.stat().st_uid != _user(folder):
        all_of(*(partial(_refuse_code, each) for each in value if requests.is_code(each)))
    if key == "gate":
        all_of(*(partial(gates.of, each) for each in value))
    elif key in OPTIONS:
        OPTIONS[key].read(value)
    elif not isinstance(value, bool | int | float | str):  # its range depends on the loss
        raise UsageError(f"--{key.replace('_', '-')} must be text, a number, or true or false, got {value!r}")


def _refuse_code(loss: str) -> None:
    remedy = f"-l {loss} on the command line runs it"
    raise UsageError(f"{loss} is code, and the folder belongs to another user", remedy)


def _joined(*places: str) -> str:
    return ": ".join(filter(None, places))


def _from(folder: Path, key: str, value: Any) -> Any:
    """A value as `losscli.evaluate` takes it: paths from here, one of several as a list, losses as text."""
    if key in ("loss", "gate", "output") and not isinstance(value, list):
        value = [value]
    if key == "loss":
        return [_loss(folder, each) for each in value]
    if key == "output":
        return [_path(folder, each) for each in value]
    return _path(folder, value) if key in _PATHS else value


def _path(folder: Path, text: object) -> str:
    if not isinstance(text, str):
        raise UsageError(f"it must be text, got {text!r}")
    return (
        text if text == "-" or "://" in text or text.startswith("git:") else os.path.join(_here(folder), text)
    )


def _here(folder: Path) -> str:
    return "" if folder == Path() else str(folder)


def _loss(folder: Path, given: object) -> str:
    """A loss as the command line has it, from text or from a table of its name and its parameters."""
    if isinstance(given, str):
        name, params = given.strip(), ""
    else:
        if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
            raise UsageError("a table of a loss needs its name, as in name = 'huber', delta = 2")
        name = str(given["name"]).strip()
        params = ",".join(f"{key}={_text(value)}" for key, value in given.items() if key != "name")
    if requests.is_code(name):
        name = _path(folder, name)
    return f"{name}:{params}" if params else name


def _text(value: object) -> str:
    return param_text(value) if isinstance(value, bool | list) else str(value)
