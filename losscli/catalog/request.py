"""Requests for losses: a name in the catalog, an expression, or a function in a file or in Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from losscli.catalog import registry
from losscli.catalog.custom import expression
from losscli.catalog.custom import file as custom_file
from losscli.catalog.custom import function as custom_function
from losscli.catalog.loss import Loss
from losscli.errors import UsageError

LossSpec = str | Callable[..., Any]
"""A loss as a user writes it: text, or a function in Python."""


class LossRequest(Struct, frozen=True):
    """A loss as the user wrote it, and the losses (at most one per task) that it may mean.

    Without losses it names a function in a file, which `loaded` runs.
    """

    name: str
    inline: Mapping[str, str]
    losses: tuple[Loss, ...] = ()

    @property
    def text(self) -> str:
        """The request as text."""
        return self.name + "".join(
            f"{',' if i else ':'}{key}={value}" for i, (key, value) in enumerate(self.inline.items())
        )


def find(given: LossSpec) -> LossRequest:
    """The request in a text or a function; no file is run.

    Raises UsageError if it cannot be resolved, or if the name of a custom loss is taken.
    """
    if not isinstance(given, str):
        entry = custom_function.of_function(given)
        return _own(entry.name, {}, (entry,))
    if losses := expression.find(given):
        return _own(given.strip(), {}, losses)
    if (parts := custom_file.split(given)) is not None:
        path, function, text = parts
        inline = registry.parse_inline(given, text)
        custom_file.source_of(path)
        return LossRequest(f"{path}:{function}", inline)
    name, inline = registry.parse(given)
    if "," in name:
        raise UsageError(f"one loss each: {' '.join('-l ' + part for part in given.split(','))}")
    return LossRequest(name, inline, registry.find(name))


def loaded(request: LossRequest) -> LossRequest:
    """The request with its losses: one for a function in a file is run.  Raises UsageError as `find`."""
    parts = None if request.losses else custom_file.split(request.name)
    if parts is None:
        return request
    return _own(request.name, request.inline, (custom_file.find(*parts[:2]),))


def is_code(given: LossSpec) -> bool:
    """Whether a text names a function in a file."""
    return isinstance(given, str) and expression.split(given) is None and custom_file.split(given) is not None


def _own(name: str, inline: Mapping[str, str], losses: tuple[Loss, ...]) -> LossRequest:
    wanted = losses[0].name
    if losses[0].request and (wanted == "n" or wanted.lower() in registry.names()):
        taken = "n is the number of rows in a gate" if wanted == "n" else f"{wanted} is a loss in the catalog"
        raise UsageError(f"{losses[0].request}: {taken}", remedy="choose another name")
    return LossRequest(name, inline, losses)


def own_names(given: Sequence[LossSpec]) -> dict[str, str]:
    """The names by which gates may refer to custom losses, with their names in a report; nothing is run."""
    names: dict[str, str] = {}
    for each in given:
        if not isinstance(each, str):
            name = asked = getattr(each, "__name__", "")
        elif (named := expression.split(each)) is not None:
            name, asked = named[0], each.strip()
        elif (parts := custom_file.split(each)) is not None:
            name, asked = parts[1], f"{parts[0]}:{parts[1]}"
        else:
            continue
        names |= {name: name, asked: name}
    return names


def own_params(given: Sequence[LossSpec]) -> list[str]:
    """The parameters of losses given as functions; those of losses in files are written in line."""
    functions = [each for each in given if inspect.isfunction(each)]
    return [name for each in functions for name in list(inspect.signature(each).parameters)[1:]]
