"""Saved reports with fields of wrong types, lost, invented or damaged."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl

import losscli

from ..case import Case, Done
from ..damage import damaged
from ..hostile import encoded, text
from .options import CSV

SHARE = 18
VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 1.5, 1e308, -1e308, 10**400, float("nan"), float("inf"), "", "x", "inf",
    [], {}, [1], {"a": 1}, [[]], {"": ""},
)  # fmt: skip
FORMS = ("table", "json", "csv", "markdown", "junit", "flat")


@cache
def _reports() -> list[Any]:
    """Reports of all commands, as plain data."""
    p, q = (
        pl.DataFrame({"id": range(20), "prediction": [0.1 * (i % step) for i in range(20)]})
        for step in (3, 7)
    )
    t = pl.DataFrame({"id": range(20), "target": [0.2] * 20, "r": ["a", "b"] * 10})
    of_all = {"targets": t, "loss": ["mae", "huber:delta=2"], "by": "r", "on": "id"}
    return [
        losscli.evaluate(p, **of_all, gate="mae <= 9", worst=2).to_dict(),
        losscli.compare(p, q, **of_all, changed=2, all_pairs=True).to_dict(),
        losscli.rank(p, q, **of_all).to_dict(),
    ]


def case(rng: random.Random) -> Case:
    """A report with up to three faults, judged, shown, or the base of an evaluation."""
    report = copy.deepcopy(rng.choice(_reports()))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        holder, key = rng.choice([*_places(report)])
        _change(holder, key, rng)
    content = encoded(json.dumps(report, ensure_ascii=rng.random() < 0.5))
    content = damaged(content, rng) if rng.random() < 0.25 else content
    content = b"[" * 100_000 if rng.random() < 0.005 else content
    whole = json.dumps(_reports()[0]).encode()
    files = {**CSV, "r.json": content, "w.json": whole}
    gate = rng.choice(
        ("mae <= 1", "mae[r=*] <= 0.2", "n >= 1", "hi(mae) <= 0.3", "huber <= 1", "mae <= 0.01")
    )
    relative = rng.choice(("mae <= base", "mae[r=*] <= base + 1%", "huber <= 2 * base"))
    more = rng.choice(([], [], ["--strict"], ["--min-n", "1"], ["--confident"]))
    run: Sequence[str] = rng.choice(
        (
            ["gate", "r.json", "-g", gate, *more, "--json"],
            ["gate", "r.json", "-g", gate, *more, "--format", rng.choice(FORMS)],
            ["gate", "w.json", "r.json", "-g", relative, *more, "--json"],
            ["gate", "r.json", "w.json", "-g", relative, *more, "--json"],
            ["show", "r.json", "--format", rng.choice(FORMS)],
            ["show", "r.json", "w.json"],
            ["show", "r.json", "-v", "-o", "s.html", "-o", "s.csv", "--cells", rng.choice(("1", "all"))],
            ["evaluate", "p.csv", "t.csv", "-l", "mae", "--baseline", "r.json", "-g", "mae <= base"],
            ["check", "p.csv", "t.csv", "-l", "mae", "--verify", "r.json"],
        )
    )
    return Case([run], files, also=_holds(content, gate if gate in run else ""), outputs=("s.html", "s.csv"))


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in plain data that can be changed: what holds it, and its key."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _change(holder: Any, key: Any, rng: random.Random) -> None:
    value = holder[key]
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice((text(rng), "x", key + "_"))] = holder.pop(key)
        case 2 if isinstance(value, list):
            holder[key] = value * rng.choice((0, 2, 50))
        case 3 if isinstance(value, str):
            holder[key] = text(rng)
        case _:
            holder[key] = copy.deepcopy(rng.choice(VALUES))


def _holds(content: bytes, gate: str) -> Callable[[Sequence[Done]], Iterable[str]]:
    """A gate passes only if the report holds a number that does."""

    def also(done: Sequence[Done]) -> Iterable[str]:
        if done[0].status != 0 or gate not in ("mae <= 1", "huber <= 1", "mae <= 0.01"):
            return
        loss, limit = (
            {"mae": "mean_absolute_error", "huber": "huber"}[gate.split()[0]],
            float(gate.split()[2]),
        )
        results = json.loads(content)["results"]
        values = [each["value"] for each in results if each["loss"] == loss and not each.get("cell")]
        if not values or not all(isinstance(value, int | float) and value <= limit for value in values):
            yield f"{gate} passes on {values}"

    return also
