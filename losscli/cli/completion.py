"""Shell completion: words, losses and their parameters, and columns of the files on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losscli.plan.options import Option
from losscli.plan.values import LOSSES

Complete = Callable[[Any, list[str], str], list[str]]
"""The signature that Typer calls: its context, an unused list, and the text typed so far."""


def completer(option: Option) -> Complete | None:
    """The function that completes the values of an option; None for files, which the shell completes."""
    if option.kind.choices is not tuple:
        return lambda context, _, typed: [word for word in option.kind.choices() if word.startswith(typed)]
    if option.kind is LOSSES or (option.argument and option.name == "loss"):
        return lambda context, _, typed: loss_names(typed)
    if option.column:
        # Before a flag that lacks its value, the files are still among the unparsed arguments.
        return lambda context, _, typed: columns(context.params, context.args, typed)
    return None


def loss_names(typed: str) -> list[str]:
    """The names of losses; after a colon, the parameters of the loss before it."""
    from losscli.catalog import registry

    name, colon, inline = typed.partition(":")
    if not colon:
        return [name for name in registry.names() if name.startswith(typed.lower())]
    if name.lower() not in registry.names():
        return []
    done, comma, _ = inline.rpartition(",")
    params = dict.fromkeys(param.name for entry in registry.find(name) for param in entry.params)
    return [f"{name}:{done}{comma}{param}=" for param in params if f"{param}=" not in done]


def columns(given: dict[str, Any], files: list[str], typed: str) -> list[str]:
    """The columns of the files on the command line; in a list with commas, the last name is completed."""
    from losscli.data import load  # reads the files
    from losscli.data.request import Reading
    from losscli.errors import LossCliError

    sources = [*files[:2], given.get("predictions"), given.get("targets")]
    done, comma, _ = typed.rpartition(",")
    names: dict[str, None] = {}
    for source in (source for source in sources if isinstance(source, str)):
        try:
            names |= dict.fromkeys(load.tables(source, None, Reading(given.get("separator")))[0].schema)
        except (LossCliError, OSError):
            continue  # the evaluation reports what is wrong with a file
    return [f"{done}{comma}{name}" for name in names if name.isprintable()]
