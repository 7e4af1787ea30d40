"""Files of settings: values of the wrong types and damaged text."""

from __future__ import annotations

import json
import random

from losscli.plan.options import keys, loss_params

from ..case import Case
from ..damage import damaged
from ..hostile import NUMBERS, encoded, text
from .options import CSV, OUTPUTS, OWN

SHARE = 22


def case(rng: random.Random) -> Case:
    """A file of settings with some keys, or a damaged one."""
    lines = [f"{_key(rng)} = {_value(rng)}" for _ in range(rng.choice((1, 1, 1, 2, 3, 6)))]
    if rng.random() < 0.15:
        lines += ["[[loss]]", f"name = {_text(rng)}", f"delta = {_value(rng)}"]
    content = "\n".join(lines)
    name = rng.choice(("losscli.toml", "losscli.toml", "pyproject.toml", "own.toml"))
    if name == "pyproject.toml":
        content = f"[tool.{rng.choice(('losscli', 'losscli', 'other'))}]\n{content}"
    data = encoded(content)
    data = damaged(data, rng) if rng.random() < 0.3 else data
    usual = ["evaluate", "p.csv", "t.csv"]
    command = rng.choice((usual, usual, ["evaluate"], ["evaluate", "p.csv"], ["check", "p.csv", "t.csv"]))
    if command == usual and rng.random() < 0.2:
        command = ["compare", "p.csv", "q.csv", "-t", "t.csv"]
    run = [*command, *(["-c", name] if name == "own.toml" else []), *rng.choice(([], ["-v"], ["--json"]))]
    return Case([run], {**CSV, name: data}, outputs=OUTPUTS)


def _key(rng: random.Random) -> str:
    if rng.random() < 0.85:
        return rng.choice([*keys(), *loss_params()])
    return _text(rng)


def _text(rng: random.Random) -> str:
    """A text as TOML writes it."""
    return json.dumps(text(rng), ensure_ascii=rng.random() < 0.5)


def _value(rng: random.Random, depth: int = 0) -> str:
    match rng.randrange(7 if depth < 2 else 4):
        case 0:
            return rng.choice((*NUMBERS, "true", "false", "1979-05-27", "07:32:00", "[]", "{}"))
        case 1 | 2:
            return _text(rng)
        case 3:
            return json.dumps(rng.choice([*OWN.values()])(rng), ensure_ascii=False)
        case 4 | 5:
            return f"[{', '.join(_value(rng, depth + 1) for _ in range(rng.randrange(3)))}]"
    return f"{{ a = {_value(rng, depth + 1)}, {_text(rng)} = {_value(rng, depth + 1)} }}"
