"""The options of the command line, and the parameters of losses, as tables."""

from __future__ import annotations

from itertools import groupby

from losscli.catalog import registry
from losscli.cli.parser import COMMANDS
from losscli.plan import options
from losscli.plan.options import PANELS, Option
from losscli_docs.markdown import code, codes, escape, table, with_flags


def options_table() -> list[tuple[Option, tuple[str, ...]]]:
    """Every option with the commands that have it, in the order of the help of `losscli evaluate`."""
    entries = [(option, commands) for option, commands in options.table() if not option.argument]
    return sorted(entries, key=lambda entry: PANELS.index(entry[0].panel))


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
    for panel, group in groupby(options_table(), key=lambda entry: entry[0].panel):
        rows = []
        for option, commands in group:
            flags = sorted(option.flags, key=lambda flag: flag.startswith("--no-"))
            rows.append((codes(flags), code(option.metavar), with_flags(option.text), _takers(commands)))
        parts += [f"## {panel}\n", table(("option", "value", "meaning", "commands"), rows)]
    return "\n".join(parts)


def _takers(commands: tuple[str, ...]) -> str:
    """The commands that take an option, in short."""
    others = [name for name in COMMANDS if name not in commands]
    if len(others) > 2:
        return ", ".join(commands)
    return f"all but {' and '.join(others)}" if others else "all"


def _manual() -> str:
    parts = []
    for option, _ in options_table():
        flags = ", ".join(f"**{escape(flag)}**" for flag in option.flags)
        value = f" *{escape(option.metavar)}*" if option.metavar else ""
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
