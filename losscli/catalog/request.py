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
    """A loss as the user wrote it, and the losses that it can refer to, at most one per task.

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
    """Parse a request from text or a function, without running a file.

    Raises UsageError if it cannot be resolved, or if the name of a custom loss is taken.
    """
    if not isinstance(given, str):
        entry = custom_function.of_function(given)
        return _custom_request(entry.name, {}, (entry,))
    if losses := expression.find(given):
        return _custom_request(given.strip(), {}, losses)
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
    """The request with its losses; a function in a file is loaded.  Raises UsageError like `find`."""
    parts = None if request.losses else custom_file.split(request.name)
    if parts is None:
        return request
    return _custom_request(request.name, request.inline, (custom_file.find(*parts[:2]),))


def is_code(given: LossSpec) -> bool:
    """Whether a text names a function in a file."""
    return isinstance(given, str) and expression.split(given) is None and custom_file.split(given) is not None


def _custom_request(name: str, inline: Mapping[str, str], losses: tuple[Loss, ...]) -> LossRequest:
    """The request for a custom loss.  Raises UsageError if its name is taken."""
    loss_name = losses[0].name
    if losses[0].request and (loss_name == "n" or loss_name.lower() in registry.names()):
        reason = (
            "n is the number of rows in a gate"
            if loss_name == "n"
            else f"{loss_name} is a loss in the catalog"
        )
        raise UsageError(f"{losses[0].request}: {reason}", remedy="choose another name")
    return LossRequest(name, inline, losses)


def custom_names(given: Sequence[LossSpec]) -> dict[str, str]:
    """The names of custom losses in a report, by the names that gates may use; no code is run."""
    names: dict[str, str] = {}
    for spec in given:
        if not isinstance(spec, str):
            name = written = getattr(spec, "__name__", "")
        elif (named := expression.split(spec)) is not None:
            name, written = named[0], spec.strip()
        elif (parts := custom_file.split(spec)) is not None:
            name, written = parts[1], f"{parts[0]}:{parts[1]}"
        else:
            continue
        names |= {name: name, written: name}
    return names


def custom_params(given: Sequence[LossSpec]) -> list[str]:
    """The parameters of losses passed as functions; losses in files take theirs only in line."""
    functions = [function for function in given if inspect.isfunction(function)]
    return [name for function in functions for name in list(inspect.signature(function).parameters)[1:]]
