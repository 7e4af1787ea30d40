"""The catalog for programs: each loss as plain data, and as text for searching."""

from __future__ import annotations

import json
import math
from typing import Any

from msgspec import to_builtins

from losscli.catalog import equivalents
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.params import Param
from losscli.explanation.model import Content
from losscli.plan.options import loss_params
from losscli.tasks.named import described as columns_in_words
from losscli.text import printable_json

SCHEMA = 1
SAMPLES = 100
"""The number of points of a curve."""


def plain(content: Content) -> dict[str, Any]:
    """An explanation as plain data: losses, with curves if their parameters are set, and facts about rows."""
    losses = [
        described(page.loss) | ({} if page.choice is None else _curve(page.choice)) for page in content.pages
    ]
    data: dict[str, Any] = {"schema": SCHEMA, "losses": losses}
    if (profiled := content.profiled) is not None:
        data |= {"loss": str(profiled.choice), "data": profiled.facts.to_dict()}
    return {name: _finite(value) for name, value in data.items()}


def as_json(content: Content) -> str:
    """An explanation as indented JSON text."""
    return printable_json(json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _curve(choice: Choice) -> dict[str, Any]:
    """The curve of a loss at evenly spaced points (None if it has no curve), and two example rows."""
    from losscli.explanation.curve import drawing  # imports the readers of tasks
    from losscli.explanation.examples import examples

    curves = drawing(choice, SAMPLES)
    rows = [to_builtins(example) for example in examples(choice)]
    return {"curve": None if curves is None else to_builtins(curves), "examples": rows}


def described(entry: Loss) -> dict[str, Any]:
    """Everything known about a loss, as plain data."""
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "task": entry.task,
        "summary": entry.summary,
        "formula": " ".join(entry.formula.split()),
        "unit": entry.unit,
        "best": entry.best,
        "score": entry.score,
        "domain": entry.domain,
        "reads": columns_in_words(entry.batch),
        "needs": list(entry.batch.needs),
        "params": [_param(param) for param in entry.params],
        "reference": entry.reference,
        "elsewhere": [to_builtins(equivalent) for equivalent in equivalents.of(entry.name)],
    }


def _param(param: Param) -> dict[str, Any]:
    """A parameter as plain data; `option` is its flag, None if it can only be given inline."""
    return {
        "name": param.name,
        "range": param.describe(),
        "required": param.required,
        "default": None if param.required else param.default,
        "option": f"--{param.name.replace('_', '-')}" if param.name in loss_params() else None,
    }


def text_of(entry: Loss) -> str:
    """All text about a loss in lower case, including its names in other libraries."""
    data = described(entry)
    calls = [
        f"{equivalent['library']} {equivalent['call']}"
        for equivalent in data["elsewhere"]
        if equivalent["call"]
    ]
    words = (data[key] for key in ("name", "task", "summary", "formula", "reference"))
    return " ".join([*words, *entry.aliases, *calls]).lower()


def _finite(value: Any) -> Any:
    """The value, with None in place of numbers that are not finite, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
