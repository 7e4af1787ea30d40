"""losscli init: a file of settings with what was inferred, and every other key as a comment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from losscli.cli.output import show_plan
from losscli.cli.parser import Given
from losscli.data.writer import write
from losscli.errors import UsageError
from losscli.plan.options import PANELS, in_python, keys
from losscli.settings.files import FILE, PROJECT, find

if TYPE_CHECKING:
    from losscli.plan.resolve import Run


_HEAD = """\
# Settings of losscli evaluate and losscli check in this folder and those below.
# Flags win over them; paths are relative to this file; a key is an option of losscli evaluate.
"""
_GATES = """\
# Gates: losscli evaluate ends with status 1 where one fails. Tables stand at the end of the file.
# [[gate]]
# check = "{loss} <= 1"
"""


def init(given: Given) -> None:
    """Write losscli.toml: columns, task, classes and losses as `losscli check` infers them, and comments.

    Without PREDS every key is a comment.

    Examples:
        losscli init preds.csv targets.csv --loss huber && losscli evaluate
    """
    path = Path(FILE)
    if not given.get("force"):
        _check_free(path)
    options = in_python(given)
    run = _planned(options)
    if run and given.get("verbose"):
        show_plan(run)
    planned = run.plan.options() if run else {}
    write([(path, _text({**options, **planned}))])
    if not given.get("quiet"):
        print(
            f"Wrote {path}, {'which losscli evaluate will use' if run else 'in which every key is a comment'}"
        )


def _check_free(path: Path) -> None:
    """Raise UsageError where there are settings that the new file would take the place of."""
    if os.path.lexists(path):
        raise UsageError(f"{path}: already exists", remedy="--force writes over it")
    if find(path.parent.absolute()) == Path(PROJECT):
        raise UsageError(
            f"{PROJECT} has settings already, and {FILE} would take their place",
            remedy="--force writes it nevertheless",
        )


def _planned(options: dict[str, Any]) -> Run | None:
    """The plan of the files, if there are any.  Raises UsageError for options without files."""
    if "predictions" in options:
        from losscli.plan.resolve import prepare  # reads files

        return prepare(**options)
    if options:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise UsageError(f"{flags}: there are no files to look at", remedy="losscli init PREDS TARGETS")
    return None


def _text(values: Mapping[str, Any]) -> str:
    """The file: every key with its help, as a comment where it has no value."""
    parts = [_HEAD]
    entries = sorted(keys().values(), key=lambda option: PANELS.index(option.panel))
    for panel, options in groupby(entries, key=lambda option: option.panel):
        parts.append(f"\n# {panel}\n\n")
        for option in (each for each in options if each.name != "gate"):  # tables, at the end
            value = f"{option.name} = {_toml(values.get(option.name, option.metavar or True))}"
            comment = "\n".join(wrap(option.text, 100, initial_indent="# ", subsequent_indent="# "))
            parts.append(f"{comment}\n{value if option.name in values else f'# {value}'}\n")
    loss = re.split("[: ]", values["loss"][0])[0] if "loss" in values else "mae"
    return "".join([*parts, "\n", _GATES.format(loss=loss)])


def _toml(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # TOML's text is JSON's, but for one sign that it wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())}}}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else repr(value)
