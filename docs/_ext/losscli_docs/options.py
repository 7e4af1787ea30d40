"""The options of the command line, and the parameters of losses, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import typer

from losscli.catalog import registry
from losscli.cli.parser import COMMANDS, _with_options
from losscli_docs.markdown import code, codes, escape, table

PARAMETERS = "Parameters of losses"


class Option(NamedTuple):
    """An option: its panel of the help, flags, the word for its value, what it does, and its commands."""

    panel: str
    flags: tuple[str, ...]
    value: str
    text: str
    commands: tuple[str, ...]


def options_table() -> list[Option]:
    """Every option once, in the order of the help of `losscli evaluate`."""
    options: dict[tuple[str, str], Option] = {}
    for name in COMMANDS:
        for panel, flags, value, text in _options_of(name):
            # The same flag may mean another thing in another command.
            key = (flags[0], text)
            known = options.get(key)
            commands = (*known.commands, name) if known else (name,)
            options[key] = Option(known.panel if known else panel, flags, value, text, commands)
    panels = list(dict.fromkeys(option.panel for option in options.values()))
    return sorted(options.values(), key=lambda option: panels.index(option.panel))


def _options_of(command: str) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    alone = typer.Typer(add_completion=False)
    alone.command(command)(_with_options(command, False))
    for parameter in typer.main.get_command(alone).params:
        if parameter.param_type_name == "option" and not parameter.hidden and parameter.name != "help":
            flags = (*parameter.opts, *parameter.secondary_opts)
            value = "" if parameter.is_flag else parameter.metavar or ""
            yield parameter.rich_help_panel or "Options", flags, value, parameter.help or ""


def fragments() -> dict[str, str]:
    """The text of each fragment by its file name."""
    return {
        "options.md": _options(),
        "loss-parameters.md": _parameters(),
        "man-commands.md": "\n".join(f"**{name}**\n: {escape(text)}\n" for name, text in COMMANDS.items()),
        "man-options.md": _manual(),
    }


def _options() -> str:
    parts = []
    for panel, group in groupby(options_table(), key=lambda option: option.panel):
        rows = []
        for option in group:
            flags = sorted(option.flags, key=lambda flag: flag.startswith("--no-"))
            rows.append((codes(flags), code(option.value), escape(option.text), _takers(option)))
        parts += [f"## {panel}\n", table(("option", "value", "meaning", "commands"), rows)]
    return "\n".join(parts)


def _takers(option: Option) -> str:
    """The commands that take an option, in short."""
    others = [name for name in COMMANDS if name not in option.commands]
    if len(others) > 2:
        return ", ".join(option.commands)
    return f"all but {' and '.join(others)}" if others else "all"


def _manual() -> str:
    parts = []
    for option in options_table():
        flags = ", ".join(f"**{escape(flag)}**" for flag in option.flags)
        value = f" *{escape(option.value)}*" if option.value else ""
        parts.append(f"{flags}{value}\n: {escape(option.text)}\n")
    return "\n".join(parts)


def _parameters() -> str:
    rows = [
        (
            code(f"--{name.replace('_', '-')}"),
            escape(param.describe()),
            ", ".join(f"[{taker}](losses/{taker}.md)" for taker in takers),
        )
        for name, (param, takers) in registry.option_params().items()
    ]
    return table(("parameter", "values", "losses"), rows)
