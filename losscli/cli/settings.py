"""Files of settings under the command line: flags first, then the nearest file, then the user's own."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from losscli.cli import output as out
from losscli.cli.commands.evaluate import evaluate
from losscli.cli.options import RUNNING, inputs, option
from losscli.cli.output import form_of
from losscli.errors import LossCliError, UsageError, all_of
from losscli.plan.options import loss_params
from losscli.settings import files
from losscli.settings.files import Key, Settings

_NO_KEYS = {"dry_run", "debug", "asked", "return"}
"""What is of one run, and what is no option."""


def _own(
    ctx: typer.Context,
    config: Annotated[
        str | None,
        option(
            "--config",
            "-c",
            panel=RUNNING,
            metavar="FILE",
            help="Settings; default: the nearest losscli.toml, or [tool.losscli] in pyproject.toml.",
        ),
    ] = None,
    no_config: Annotated[bool, option("--no-config", panel=RUNNING, help="Read no settings.")] = False,
) -> None:
    """What a command with settings takes besides; only the signature counts."""


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what files set wherever flags say nothing; it receives that as keywords."""

    def called(ctx: typer.Context, config: str | None, no_config: bool, **asked: Any) -> Any:
        above = {name.rstrip("_"): value for name, value in asked.items() if _is_flag(ctx, name)}
        taken = {parameter.name.rstrip("_"): parameter.name for parameter in ctx.command.params}
        said = []
        settings = _settings(config, no_config, above)
        if settings:  # else nobody asks what options of losses there are besides those that were given
            taken |= {name: name for name in loss_params()}
        for each in settings:
            used = {key: value for key, value in files.below(each.values, above).items() if key in taken}
            asked |= {taken[key]: value for key, value in used.items()}
            overruled = [key for key in each.values if key in taken and key not in used]
            said.append((bool(used), _said(each.name, list(used), overruled)))
            above = used | above
        shown = asked["verbose"] or asked.get("dry_run")
        if shown:
            _say([line for _, line in said])
        try:
            return command(**asked)
        except LossCliError:
            if not (shown or asked["quiet"]):
                _say([line for used_some, line in said if used_some])  # what is wrong may come from there
            raise

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    parameters = [p for each in (command, _own) for p in inspect.signature(each).parameters.values()]
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect.signature reads first
        [p.replace(kind=p.KEYWORD_ONLY) for p in parameters if p.kind is not p.VAR_KEYWORD]
    )
    called.__annotations__ = {
        name: hint
        for each in (_own, command)
        for name, hint in get_type_hints(each, include_extras=True).items()
    }
    return called


def known() -> dict[str, Key]:
    """Every key that a file may have: the options of `losscli evaluate`."""
    hints = get_type_hints(inputs) | get_type_hints(evaluate)
    options = {name.rstrip("_"): Key(hint) for name, hint in hints.items() if name not in _NO_KEYS}
    return (
        options
        | files.keys()
        | {
            "format": Key(str, partial(form_of, json=False, bare=False)),
            "color": Key(str, out.check_color),
            "output": Key(str | list[str]),
        }
    )


def _is_flag(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _settings(config: str | None, no_config: bool, flags: dict[str, Any]) -> list[Settings]:
    """The settings that hold here, the nearest first.  Raises UsageError with all that is wrong in them."""
    if no_config:
        if config is not None:
            raise UsageError("--config and --no-config exclude each other")
        return []
    nearest = files.find(Path.cwd()) if config is None else Path(config)
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    own = Path(folder, "losscli", "config.toml")
    found: list[Settings] = all_of(
        *([lambda: files.read(nearest, known(), flags)] if nearest else []),
        *([lambda: files.users_own(own, known())] if os.path.isfile(own) else []),
    )
    return found


def _said(name: str, used: list[str], overruled: list[str]) -> str:
    """What a file sets, and what is set above it."""
    instead = (
        f", but not {', '.join(overruled)}: set by flags, the environment or a nearer file"
        if overruled
        else ""
    )
    return f"{name} sets {', '.join(used) or 'nothing'}{instead}"


def _say(lines: list[str]) -> None:
    for line in lines:
        print(f"losscli: {line}", file=sys.stderr)
