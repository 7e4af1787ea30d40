"""The public names of `losscli.custom`: batches by task, and ranges of parameters."""

from __future__ import annotations

import inspect
import typing

from losscli import custom
from losscli.tasks.base import Batch
from losscli.tasks.named import Named
from losscli_docs.markdown import code, codes, escape, table


def fragments() -> dict[str, str]:
    """The text of each fragment by its file name."""
    return {"ranges.md": _ranges(), "batches.md": _batches()}


def _ranges() -> str:
    rows = []
    for name in custom.__all__:
        annotation = getattr(custom, name)
        if typing.get_origin(annotation) is typing.Annotated:
            kind, bounds = typing.get_args(annotation)
            rows.append((code(name), code(kind.__name__), escape(str(bounds))))
    return table(("annotation", "type", "values"), rows)


def _batches() -> str:
    classes = [each for name in custom.__all__ if inspect.isclass(each := getattr(custom, name))]
    batches = [each for each in classes if issubclass(each, Batch) and hasattr(each, "task")]
    rows = []
    for batch in sorted(batches, key=lambda batch: batch.task):
        doc = (inspect.getdoc(batch) or "").split("\n\n")[0]
        rows.append((code(batch.task), code(batch.__name__), escape(doc), codes(_attributes(batch))))
    return table(("task", "batch", "what it holds", "attributes"), rows)


INTERNAL = {"task", "axis", "xp", "place", *vars(Named), *Named.__annotations__}
"""Attributes of batches that losses have no use for, or that all of them have."""


def _attributes(batch: type[Batch]) -> list[str]:
    """The public attributes of a batch: fields and properties."""
    names = [
        name
        for kind in reversed(batch.__mro__)
        for name in (*getattr(kind, "__annotations__", ()), *vars(kind))
        if not name.startswith("_")
        and name not in INTERNAL
        and not inspect.isroutine(getattr(batch, name, None))
    ]
    return list(dict.fromkeys(names))
