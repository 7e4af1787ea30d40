"""A new losscli.toml: the options inferred from files, and every other key as a comment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from itertools import groupby
from os import PathLike, fspath
from pathlib import Path
from textwrap import wrap
from typing import Any

from losscli.data import writer
from losscli.errors import UsageError
from losscli.plan.options import PANELS, keys
from losscli.settings.files import FILE, PROJECT, find
from losscli.text import without_credentials

_HEAD = """\
# Settings of losscli evaluate and losscli check in this folder and those below.
# Flags win over them; paths are relative to this file; a key is an option of losscli evaluate.
"""
_GATES = """\
# Gates: losscli evaluate ends with status 1 if one fails. Tables belong at the end of the file.
# [[gate]]
# check = "{loss} <= 1"
"""


def new_path(force: bool = False) -> Path:
    """The path of the new file.

    Unless forced, raises UsageError if it exists or would hide the settings of pyproject.toml.
    """
    path = Path(FILE)
    if not force and os.path.lexists(path):
        raise UsageError(f"{path}: already exists", remedy="--force overwrites it")
    if not force and find(path.parent.absolute()) == Path(PROJECT):
        raise UsageError(
            f"{PROJECT} has settings already, and {FILE} would take their place",
            remedy="--force writes it anyway",
        )
    return path


def require_files(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options without files, credentials, and data in memory."""
    if given and "predictions" not in given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"{flags}: there are no files to read", remedy="losscli init PREDS TARGETS")
    for name in ("predictions", "targets"):
        if (text := str(given.get(name, ""))) != without_credentials(text):
            remedy = "take them from the environment"
            raise UsageError(f"{name}: {text} has credentials, which {FILE} would keep", remedy)
        if not isinstance(given.get(name, ""), str | PathLike):
            raise UsageError(f"{name}: data in memory, which {FILE} cannot name", remedy="give a path")


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write the file.  Raises DataError if it cannot be written."""
    writer.write([(path, text(values))])


def text(values: Mapping[str, Any]) -> str:
    """The text of the file: every key with its help, as a comment if it has no value."""
    parts = [_HEAD]
    entries = sorted(keys().values(), key=lambda option: PANELS.index(option.panel))
    for panel, options in groupby(entries, key=lambda option: option.panel):
        parts.append(f"\n# {panel}\n\n")
        for option in (option for option in options if option.name != "gate"):  # tables, at the end
            value = f"{option.name} = {_toml(values.get(option.name, option.metavar or True))}"
            comment = "\n".join(wrap(option.text, 100, initial_indent="# ", subsequent_indent="# "))
            parts.append(f"{comment}\n{value if option.name in values else f'# {value}'}\n")
    loss = re.split("[: ]", values["loss"][0])[0] if "loss" in values else "mae"
    return "".join([*parts, "\n", _GATES.format(loss=loss)])


def _toml(value: Any) -> str:
    """A value in TOML syntax."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | PathLike):
        # TOML strings are JSON strings, except that characters beyond 16 bits are not surrogate pairs.
        text = json.dumps(fspath(value), ensure_ascii=False)
        return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_toml(key)} = {_toml(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else repr(value)
