"""Settings files: losscli.toml, [tool.losscli] in pyproject.toml, and a user's own.

Their keys are the keywords of `losscli.evaluate`, and are validated like them.
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
    ineffective_with,
    keys,
    keywords_of,
    loss_params,
    of_environment,
)
from losscli.text import near, param_text

FILE, PROJECT, SECTION = "losscli.toml", "pyproject.toml", "tool.losscli"
_ROOTS = (".git", ".hg")


class Settings(Struct, frozen=True):
    """The settings in one file; `name` is the name of the file in messages."""

    name: str
    values: Mapping[str, Any]


_PATHS = ("predictions", "targets", "baseline", "rows")
"""Keys whose values are paths."""


def find(folder: Path) -> Path | None:
    """The nearest settings file, from a folder upwards to the root of its repository; None if there is none.

    Its path is relative to the folder, and so are the paths in messages and reports.

    Raises UsageError if the file, or a link to it, belongs to another user: in a shared folder, it could name
    a loss to run.
    """
    for parent in (folder, *folder.parents):
        for name in (FILE, PROJECT):
            path = parent / name
            if os.path.isfile(path) and (name == FILE or _section(path) is not None):
                relative = Path(os.path.relpath(path, folder))
                require_own(relative, path, f"-c {relative} takes it anyway, --no-config takes none")
                return relative
        if any(os.path.exists(parent / root) for root in _ROOTS):
            return None
    return None


def require_own(displayed: Path, path: Path, remedy: str) -> None:
    """Raise UsageError if a file, or the link to it, belongs to neither the user nor root."""
    if not {path.lstat().st_uid, path.stat().st_uid} <= {_user(path), 0}:
        raise UsageError(Problem("belongs to another user", str(displayed), remedy))


def _user(path: Path) -> int:
    """The user of this process; on a system without users, the owner of the file."""
    return os.getuid() if hasattr(os, "getuid") else path.stat().st_uid


def read(path: Path, ignored: Collection[str] = ()) -> Settings:
    """The settings in a file; paths in them are relative to it.

    Values of `ignored` keys, which are overridden, are not validated: their files need not exist.  Raises
    UsageError with every unknown key and every invalid value.
    """
    table, name = _section(path), str(path)
    if table is None:
        raise UsageError(Problem(f"no table [{SECTION}]", name))
    if path.name == PROJECT:
        name += f" [{SECTION}]"
    ignored = {*ignored, *of_environment()}
    values = all_of(*(partial(_value, name, path.parent, ignored, *item) for item in table.items()))
    return Settings(name, dict(zip(table, values, strict=True)))


def user_settings(path: Path) -> Settings:
    """The user's own settings, which may only hold display options.  Raises UsageError."""
    require_own(path, path, "--no-config takes none")
    wrong = [name for name in _section(path) or () if name in keys() and keys()[name].use is not Use.LOOKS]
    settings: Settings
    settings, *_ = all_of(lambda: read(path, wrong), *(partial(_refuse, path, name) for name in wrong))
    return settings


def _refuse(path: Path, name: str) -> None:
    display_options = [option.name for option in keys().values() if option.use is Use.LOOKS]
    message = f"not a display option; the user's settings may only set: {', '.join(display_options)}"
    raise UsageError(Problem(message, f"{path}, key {name}", f"write it in a project's {FILE}"))


def for_python(command: str, path: Path, above: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in a file for a function of the Python API, overridden by the arguments `above`."""
    values = not_overridden(read(path, above).values, above)
    accepted = {option.name for option in keywords_of(command)}
    return {name: value for name, value in values.items() if name in accepted or name not in OPTIONS}


def not_overridden(values: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values that neither the command line nor a nearer file, both in `above`, override."""
    set_names = {name for name, value in above.items() if value is not False}
    rivals = {rival for name in set_names if name in OPTIONS for rival in OPTIONS[name].rivals}
    overridden = {*above, *rivals, *ineffective_with(above), *of_environment()}
    return {name: value for name, value in values.items() if name not in overridden}


def _section(path: Path) -> dict[str, Any] | None:
    """The settings in a file as parsed TOML; None for a pyproject.toml without any."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(Problem("not UTF-8", str(path))) from None
    except (OSError, ValueError) as error:  # also for a name with NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(Problem(f"cannot be read: {reason}", str(path), "check the path")) from None
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
    """The validated value of a key, with paths relative to the current folder."""
    if key not in keys() and key not in loss_params():
        names = [*keys(), *loss_params()]
        raise UsageError(Problem(f"unknown key {key!r}.{near(key, names)}", name, "losscli evaluate --help"))
    where = f"{name}, key {key}"
    try:
        if key not in ignored:
            check_not_empty({key: value})
        converted = _converted(folder, key, value)
        if key not in ignored:
            _check(folder, key, converted)
    except LossCliError as error:
        raise UsageError(
            [Problem(p.what, _location(where, p.where), p.remedy, p.examples) for p in error.problems]
        ) from None
    return converted


def _check(folder: Path, key: str, value: Any) -> None:
    """Raise UsageError for an invalid value, or one that the folder of another user may not set."""
    if key == "loss" and folder.stat().st_uid != _user(folder):
        all_of(*(partial(_refuse_code, entry) for entry in value if requests.is_code(entry)))
    if key == "gate":
        all_of(*(partial(gates.parse_gate, entry) for entry in value))
    elif key in OPTIONS:
        OPTIONS[key].read(value)
    elif not isinstance(value, bool | int | float | str):  # its range depends on the loss
        raise UsageError(f"--{key.replace('_', '-')} must be text, a number, or true or false, got {value!r}")


def _refuse_code(loss: str) -> None:
    remedy = f"-l {loss} on the command line runs it"
    raise UsageError(f"{loss} is code, and the folder belongs to another user", remedy)


def _location(*parts: str) -> str:
    return ": ".join(filter(None, parts))


def _converted(folder: Path, key: str, value: Any) -> Any:
    """A value as `losscli.evaluate` takes it: paths relative to the current folder, lists, losses as text."""
    if key in ("loss", "gate", "output") and not isinstance(value, list):
        value = [value]
    if key == "loss":
        return [_loss(folder, entry) for entry in value]
    if key == "output":
        return [_path(folder, entry) for entry in value]
    return _path(folder, value) if key in _PATHS else value


def _path(folder: Path, text: object) -> str:
    if not isinstance(text, str):
        raise UsageError(f"it must be text, got {text!r}")
    return (
        text
        if text == "-" or "://" in text or text.startswith("git:")
        else os.path.join(_prefix(folder), text)
    )


def _prefix(folder: Path) -> str:
    return "" if folder == Path() else str(folder)


def _loss(folder: Path, given: object) -> str:
    """A loss in the syntax of the command line, from text or from a table of its name and its parameters."""
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
