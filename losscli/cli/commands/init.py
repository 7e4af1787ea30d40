"""losscli init: a file of settings with what was inferred, and every other key beside it as a comment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from losscli.cli.commands.evaluate import evaluate
from losscli.cli.options import OUTPUT, inputs, option, stated
from losscli.cli.output import show_plan
from losscli.cli.settings import known
from losscli.errors import UsageError
from losscli.plan.options import loss_params
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
_UNSAID = ("quiet", "verbose", "debug")


def init(
    force: Annotated[
        bool, option("--force", panel=OUTPUT, help=f"Write over a {FILE} that is there.")
    ] = False,
    **asked: Any,
) -> None:
    """Write losscli.toml: columns, task, classes and losses as `losscli check` infers them, and comments.

    Without PREDS every key is a comment.

    Example: losscli init preds.csv targets.csv --loss huber && losscli evaluate
    """
    from losscli.cli import output as out

    quiet, verbose, _ = (asked.pop(name) for name in _UNSAID)
    path = Path(FILE)
    if not force:
        _check_free(path)
    run = _planned(asked)
    if run and verbose:
        show_plan(run)
    out.write([(path, _text(stated(asked) | (run.plan.options() if run else {})))])
    if not quiet:
        print(f"{path} is written; {'losscli evaluate takes it' if run else 'every key in it is a comment'}")


def _check_free(path: Path) -> None:
    """Raise UsageError where there are settings that the new file would take the place of."""
    if os.path.lexists(path):
        raise UsageError(f"{path}: is there already", remedy="--force writes over it")
    if find(path.parent.absolute()) == Path(PROJECT):
        raise UsageError(
            f"{PROJECT} has settings already, and {FILE} would take their place",
            remedy="--force writes it nevertheless",
        )


def _planned(asked: dict[str, Any]) -> Run | None:
    """The plan of the files, if there are any.  Raises UsageError for options without files."""
    if asked["predictions"] is not None:
        from losscli import api  # the engine is imported only where it runs

        return api.planned(**asked)[1]
    if idle := [*stated(asked), *(name for name in asked if name in loss_params())]:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        raise UsageError(f"{flags}: there are no files to look at", remedy="losscli init PREDS TARGETS")
    return None


def _text(values: Mapping[str, Any]) -> str:
    """The file: every key with its help, as a comment where it has no value."""
    parts = [_HEAD]
    for panel, entries in groupby(_entries(), key=lambda entry: entry[1].rich_help_panel):
        parts.append("\n" + (f"# {panel}\n\n" if panel else ""))
        for name, info in entries:
            value = f"{name} = {_toml(values.get(name, info.metavar or True))}"
            comment = "\n".join(wrap(info.help, 100, initial_indent="# ", subsequent_indent="# "))
            parts.append(f"{comment}\n{value if name in values else f'# {value}'}\n")
    loss = re.split("[: ]", values["loss"][0])[0] if "loss" in values else "mae"
    return "".join([*parts, "\n", _GATES.format(loss=loss)])


def _entries() -> Iterator[tuple[str, Any]]:
    """The keys of a file but for gates, each with what the command line says of it."""
    keys = known().keys() - {"gate"}
    hints = get_type_hints(inputs, include_extras=True) | get_type_hints(evaluate, include_extras=True)
    for name, hint in hints.items():
        if (key := name.rstrip("_")) in keys:
            yield key, hint.__metadata__[0]


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
