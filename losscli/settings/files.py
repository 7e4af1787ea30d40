"""Settings from files: losscli.toml, [tool.losscli] in pyproject.toml, and a user's own.

What a file sets are the keywords of `losscli.evaluate`, checked by what checks those.
"""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from msgspec import Struct

from losscli import gates
from losscli.catalog import request as requests
from losscli.catalog.custom import expression
from losscli.catalog.custom import file as custom_file
from losscli.engines import devices
from losscli.errors import LossCliError, Problem, UsageError, all_of
from losscli.plan.options import VARIABLES, checked, loss_params
from losscli.text import near

FILE, PROJECT, SECTION = "losscli.toml", "pyproject.toml", "tool.losscli"
LOOKS = ("format", "json", "bare", "color", "quiet", "verbose", "cells")
"""Options of the command line that change how results look: all that a user's own settings may hold."""
SHOWN = (*LOOKS, "output")
"""Options of the command line alone."""
_RIVALS = (
    {"format", "json", "bare"},
    {"quiet", "verbose"},
    {"from_logits", "from_log_probs"},
    {"eps", "like"},
)
"""Options that exclude each other: one that is set above takes the place of the others below, too."""
_ROOTS = (".git", ".hg")
_KINDS: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    object: (bool, int, float, str),
    Iterable: (list,),
    list: (list,),
    Mapping: (dict,),
}
_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Key(Struct, frozen=True):
    """What a key may hold: values of a type, as `check` finds them right; it raises UsageError."""

    hint: Any
    check: Callable[[Any], object] = lambda value: None


class Settings(Struct, frozen=True):
    """What one file sets; `name` is how messages call the file."""

    name: str
    values: Mapping[str, Any]


_PATHS = ("predictions", "targets", "baseline", "rows")
"""Keys whose values are places of files."""


def keys() -> dict[str, Key]:
    """The keys that change numbers: the keywords of `losscli.evaluate`, each with its own check."""
    hints = get_type_hints(checked)
    found = {
        name: Key(hints[name], partial(_alone, name)) for name in hints if name not in ("params", "return")
    }
    found |= dict.fromkeys(loss_params(), Key(object))  # their ranges depend on the losses
    return found | {
        "predictions": Key(str),
        "targets": Key(str),
        "loss": Key(str | list[str | Mapping[str, object]], requests.find),
        "gate": Key(str | list[str | Mapping[str, object]], gates.of),
        "baseline": Key(str),
        "confident": Key(bool),
        "strict": Key(bool),
        "min_n": Key(int, lambda rows: gates.rules(min_n=rows)),
        "rows": Key(str),
        "worst": Key(int, _worst),
    }


def _worst(rows: int) -> None:
    from losscli.evaluation import rows as row_losses  # the engine is imported only where it is asked for

    row_losses.number(rows)


def _alone(name: str, value: Any) -> None:
    # By itself: what the environment sets is not this key's, and a flag may be above it.
    checked(**{"device": devices.CPU, name: value})


def find(folder: Path) -> Path | None:
    """The nearest file with settings, from a folder upwards to the root of its repository, if there is one.

    Its path is relative to the folder, and so are the paths that messages and reports show.

    Raises UsageError for a file of another user above the folder: where many share a place, it could name a
    loss to run.
    """
    for each in (folder, *folder.parents):
        for name in (FILE, PROJECT):
            path = each / name
            if os.path.isfile(path) and (name == FILE or _section(path) is not None):
                found = Path(os.path.relpath(path, folder))
                if each != folder and hasattr(os, "getuid") and path.stat().st_uid not in (os.getuid(), 0):
                    remedy = f"-c {found} takes it nevertheless, --no-config takes none"
                    raise UsageError(Problem("belongs to another user", str(found), remedy))
                return found
        if any(os.path.exists(each / root) for root in _ROOTS):
            return None
    return None


def read(path: Path, known: Mapping[str, Key], ignored: Collection[str] = ()) -> Settings:
    """The settings in a file; paths in them are relative to it.

    Values of `ignored` keys, for which something else is taken, are not looked at: their files need not be
    there.  Raises UsageError with every key that is unknown and every value that is wrong.
    """
    table, name = _section(path), str(path)
    if table is None:
        raise UsageError(Problem(f"no table [{SECTION}]", name))
    if path.name == PROJECT:
        name += f" [{SECTION}]"
    ignored = {*ignored, *_of_environment()}
    values = all_of(*(partial(_value, name, path.parent, known, ignored, *item) for item in table.items()))
    return Settings(name, dict(zip(table, values, strict=True)))


def users_own(path: Path, known: Mapping[str, Key]) -> Settings:
    """The settings of a user, which may change looks alone.  Raises UsageError."""
    numbers = known.keys() - set(LOOKS)
    settings: Settings
    settings, *_ = all_of(
        lambda: read(path, known, numbers),
        *(partial(_refuse, path, name) for name in _section(path) or () if name in numbers),
    )
    return settings


def _refuse(path: Path, name: str) -> None:
    what = "it is more than looks, and settings of a user may hold these alone: " + ", ".join(LOOKS)
    raise UsageError(Problem(what, f"{path}, key {name}", f"write it in a project's {FILE}"))


def for_python(path: Path, above: Mapping[str, Any]) -> dict[str, Any]:
    """What a file sets for `losscli.evaluate`, which has no command line: under the arguments `above`."""
    anything = Key(object | list[object])
    values = read(path, keys() | dict.fromkeys(SHOWN, anything), above).values
    return {name: value for name, value in below(values, above).items() if name not in SHOWN}


def _of_environment() -> set[str]:
    """The keys that the environment sets."""
    return {name for name, variable in VARIABLES.items() if os.environ.get(variable)}


def below(values: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Of values those that stay where others are set above them: on the command line, or in a nearer file."""
    chosen = {name for name, value in above.items() if value is not False}
    gone = set(above).union(*(rivals for rivals in _RIVALS if rivals & chosen))
    gone |= _of_environment()
    return {name: value for name, value in values.items() if name not in gone}


def _section(path: Path) -> dict[str, Any] | None:
    """The settings in a file as TOML has them; None for a project's file without any."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(Problem("not UTF-8", str(path))) from None
    except OSError as error:
        raise UsageError(Problem(f"cannot be read: {error.strerror}", str(path), "check the path")) from None
    if path.name == PROJECT and SECTION.rpartition(".")[2] not in text:
        return None
    import tomllib  # only where there is something to read

    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(Problem(f"not TOML: {error}", str(path))) from None
    if path.name != PROJECT:
        return dict(table)
    for part in SECTION.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _value(
    name: str, folder: Path, known: Mapping[str, Key], ignored: Collection[str], key: str, value: object
) -> Any:
    """The value of a key, checked, with paths as they are from here."""
    if key not in known:
        raise UsageError(Problem(f"unknown key {key!r}.{near(key, known)}", name, "losscli evaluate --help"))
    place = f"{name}, key {key}"
    if not _fits(value, known[key].hint):
        raise UsageError(Problem(f"it must be {_words(known[key].hint)}, got {value!r}", place))
    try:
        made = _from(folder, key, value)
        if key not in ignored:
            one_by_one = made if key in ("loss", "gate") else [made]
            all_of(*(partial(known[key].check, each) for each in one_by_one))
    except LossCliError as error:
        raise UsageError(
            [Problem(p.what, _joined(place, p.where), p.remedy, p.examples) for p in error.problems]
        ) from None
    return made


def _joined(*places: str) -> str:
    return ": ".join(filter(None, places))


def _from(folder: Path, key: str, value: Any) -> Any:
    """A value as `losscli.evaluate` takes it: paths from here, one of several as a list, losses as text."""
    if key in ("loss", "gate", "output") and isinstance(value, str):
        value = [value]
    if key == "loss":
        return [_loss(folder, each) for each in value]
    if key == "output":
        return [_path(folder, each) for each in value]
    return _path(folder, value) if key in _PATHS else value


def _path(folder: Path, text: str) -> str:
    return (
        text
        if text == "-" or "://" in text or text.startswith("git:")
        else os.path.join(*filter(None, (_here(folder), text)))
    )


def _here(folder: Path) -> str:
    return "" if folder == Path() else str(folder)


def _loss(folder: Path, given: str | Mapping[str, object]) -> str:
    """A loss as the command line has it, from text or from a table of its name and its parameters."""
    if isinstance(given, str):
        name, params = given.strip(), ""
    else:
        if not isinstance(given.get("name"), str):
            raise UsageError("a table of a loss needs its name, as in name = 'huber', delta = 2")
        name = str(given["name"]).strip()
        params = ",".join(f"{key}={_text(value)}" for key, value in given.items() if key != "name")
    if expression.split(name) is None and custom_file.split(name) is not None:
        name = _path(folder, name)
    return f"{name}:{params}" if params else name


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value out of TOML is of a type, as far as TOML has it."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return any(_fits(value, each) for each in arguments)
    if type(value) not in _kinds(hint):
        return False
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return not arguments or all(_fits(part, arguments[-1]) for part in parts)


def _kinds(hint: Any) -> tuple[type, ...]:
    """The types of TOML that a type stands for."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return tuple(kind for each in typing.get_args(hint) for kind in _kinds(each))
    return _KINDS.get(typing.get_origin(hint) or hint, ())


def _words(hint: Any) -> str:
    """What may stand where a type is wanted: 'text or a list of text'."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return " or ".join(filter(None, map(_words, arguments)))
    kinds = _kinds(hint)
    words = _WORDS[kinds[-1]] if kinds else ""
    if dict in kinds:
        return f"{words}, each value {_words(arguments[-1])}"
    return f"{words} of {_words(arguments[-1])}" if list in kinds and arguments else words
