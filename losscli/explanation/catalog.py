"""The catalog for programs: each loss as plain data, and as text for the search."""

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
"""Places of a curve."""


def plain(content: Content) -> dict[str, Any]:
    """An explanation as plain data: losses, if they are chosen with their curve, and the facts about rows."""
    losses = [
        described(page.loss) | ({} if page.choice is None else _curve(page.choice)) for page in content.pages
    ]
    found: dict[str, Any] = {"schema": SCHEMA, "losses": losses}
    if (profiled := content.profiled) is not None:
        found |= {"loss": str(profiled.choice), "data": profiled.facts.to_dict()}
    return {name: _finite(value) for name, value in found.items()}


def as_json(content: Content) -> str:
    """An explanation as indented JSON text."""
    return printable_json(json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _curve(choice: Choice) -> dict[str, Any]:
    """The curve of a loss at places evenly spaced between two bounds (null if it has none), and two rows."""
    from losscli.explanation.curve import drawing  # needs the readers of tasks
    from losscli.explanation.examples import examples

    drawn = drawing(choice, SAMPLES)
    rows = [to_builtins(each) for each in examples(choice)]
    return {"curve": None if drawn is None else to_builtins(drawn), "examples": rows}


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
        "elsewhere": [to_builtins(each) for each in equivalents.of(entry.name)],
    }


def _param(param: Param) -> dict[str, Any]:
    """A parameter; `option` is its flag, None if it can only be written in line."""
    return {
        "name": param.name,
        "range": param.describe(),
        "required": param.required,
        "default": None if param.required else param.default,
        "option": f"--{param.name.replace('_', '-')}" if param.name in loss_params() else None,
    }


def text_of(entry: Loss) -> str:
    """All words about a loss in lower case, including its names in other libraries."""
    known = described(entry)
    calls = [f"{each['library']} {each['call']}" for each in known["elsewhere"] if each["call"]]
    words = (known[key] for key in ("name", "task", "summary", "formula", "reference"))
    return " ".join([*words, *entry.aliases, *calls]).lower()


def _finite(value: Any) -> Any:
    """The value with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
