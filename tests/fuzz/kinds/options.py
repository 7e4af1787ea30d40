"""Options of every command with values that they may or may not take."""

from __future__ import annotations

import random
from functools import cache

import losscli
from losscli.catalog import registry
from losscli.plan.options import OPTIONS, Option, loss_params, options_of

from ..case import Case
from ..hostile import NUMBERS, shell, text

SHARE = 4
CSV = {
    "p.csv": b"id,prediction,w,r,g\n1,1.5,1,a,1\n2,2.5,2,b,1\n3,3.0,1,a,2\n4,5.5,1,b,2\n",
    "q.csv": b"id,prediction,w,r,g\n1,1.0,1,a,1\n2,2.0,2,b,1\n3,3.5,1,a,2\n4,5.0,1,b,2\n",
    "t.csv": b"id,target,s\n1,1,x\n2,2,y\n3,3,x\n4,4,y\n",
    "c.csv": b"label,prob_a,prob_b,w\na,0.5,0.5,1\nb,0.2,0.8,1\na,0.9,0.1,2\nb,0.4,0.6,1\n",
    "b.csv": b"label,score,r\n0,0.25,a\n1,0.5,b\n1,0.75,a\n0,0.1,b\n",
    "m.csv": b"model,id,prediction,target\na,1,1,2\na,2,3,3\nb,1,2,2\nb,2,3,1\n",
}
INPUTS = {
    "evaluate": (["p.csv", "t.csv"], ["c.csv"], ["b.csv"], ["p.csv"], []),
    "check": (["p.csv", "t.csv"], ["c.csv"], ["b.csv"]),
    "compare": (
        ["p.csv", "q.csv", "-t", "t.csv"],
        ["A=p.csv", "B=q.csv", "-t", "t.csv"],
        ["m.csv", "--model-column", "model"],
    ),
    "rank": (["p.csv", "q.csv", "-t", "t.csv"], ["m.csv", "--model-column", "model", "-t", "t.csv"]),
    "weak": (["p.csv", "t.csv", "--min-n", "2"], ["c.csv"], ["b.csv"]),
    "explain": (["huber"], ["mae", "p.csv", "t.csv"], []),
    "init": (["p.csv", "t.csv"],),
    "show": (["s.json"], ["s.json", "s.json"], []),
    "gate": (["s.json", "-g", "mae <= 9"], ["s.json"]),
}
RIGHT = {
    "loss": ("mae", "huber:delta=2", "expr: abs(e)**1.5", "log_loss", "brier", "r2"),
    "pred": ("prediction", "prob_a,prob_b", "score"),
    "target": ("target", "label"),
    "on": ("id", "position"),
    "weight": ("w",),
    "by": ("r", "s", "r,s", "w:2", "auto", "s:month"),
    "where": ("w > 1", "r = 'a'"),
    "group": ("g",),
    "separator": (",", "comma"),
    "null_values": ("NA,none",),
    "classes": ("a,b", "b,a"),
    "positive": ("1", "0"),
    "class_weight": ("a=2,b=1", "1=2,0=1"),
    "ignore_label": ("a",),
    "eps": ("0", "1e-9"),
    "ci": ("0.9", "none"),
    "cluster": ("g", "r"),
    "gate": ("mae <= 9", "mae[r=*] <= base", "n >= 2", "gap(mae[r=*]) <= 9%", "mae[r=*] <= rest * 2"),
    "baseline": ("q.csv",),
    "min_n": ("1", "3"),
    "model_column": ("model",),
    "worst": ("2",),
    "changed": ("2",),
    "cells": ("1", "all"),
    "output": ("r.json", "t.html"),
    "rows": ("x.csv",),
    "state": ("x.state",),
    "threads": ("1", "2"),
}
"""Values that options take of the files."""
PLAIN = (
    "id", "prediction", "target", "w", "r", "s", "g", "label", "prob_a,prob_b", "score", "model", "a", "b",
    "a=1,b=2", "a=1e308,b=1e308", "p.csv", "t.csv", "r.json", "x.csv", "r,s", "w:4", "w:99999", "all", "none",
)  # fmt: skip
NAMES = ("y", "p", "e", "w", "x", "target", "prediction", "id", "r")
SKIPPED = ("help_losses", "public", "schema", "debug")
OUTPUTS = ("r.json", "no/such/r.json", "x.csv", "x.state", "t.html", "t.md", "losscli.toml")


def case(rng: random.Random) -> Case:
    """A command with up to four options."""
    command = rng.choice([*INPUTS, "evaluate", "evaluate", "compare"])
    run = [command, *rng.choice(INPUTS[command])]
    known = [option for option in options_of(command) if not option.argument and option.name not in SKIPPED]
    for option in rng.sample(known, rng.choice((1, 1, 2, 3, 4))):
        run.append(rng.choice([flag for flag in option.flags if flag.startswith("-")]))
        if not option.is_switch:
            run.append(shell(_value(option, rng)))
    if command in ("evaluate", "check", "compare", "rank", "weak") and rng.random() < 0.2:
        run += [
            f"--{rng.choice([*loss_params()]).replace('_', '-')}",
            shell(rng.choice((*NUMBERS, text(rng)))),
        ]
    if "-g" not in run and rng.random() < 0.5:
        run.append("--json" if command != "check" else "-v")
    return Case([run], {**CSV, "s.json": _report()}, outputs=OUTPUTS)


@cache
def _report() -> bytes:
    """A saved report."""
    one, other = [1.5, 2.5, 3.0], [1.0, 2.0, 4.0]
    slices = {"r": ["a", "b", "a"]}
    return losscli.evaluate(one, other, loss=["mae", "huber"], by=slices).to_json().encode()


def _value(option: Option, rng: random.Random) -> str:
    """A value: one of its words, one of its kind, or anything."""
    choices = [*option.kind.choices()]
    if choices and rng.random() < 0.6:
        return rng.choice(choices)
    if option.name in RIGHT and rng.random() < 0.6:
        return rng.choice(RIGHT[option.name])
    if option.name in OWN and rng.random() < 0.7:
        return OWN[option.name](rng)
    return rng.choice((rng.choice(NUMBERS), rng.choice(PLAIN), text(rng)))


def _loss(rng: random.Random) -> str:
    name = rng.choice([*registry.names()])
    match rng.randrange(4):
        case 0:
            return f"expr: {_expression(rng)}"
        case 1:
            return f"{name}:{rng.choice([*loss_params()])}={rng.choice((*NUMBERS, text(rng)))}"
        case 2:
            return f"{name}:{text(rng)}"
    return name


def _expression(rng: random.Random, depth: int = 0) -> str:
    """An expression over the rows, often a right one."""
    if depth > 3 or rng.random() < 0.25:
        return rng.choice(
            (*NAMES, *NUMBERS[:20], "'a'", "y[0]", "__import__('os')", "y.T", "True", text(rng))
        )
    one, other = (_expression(rng, depth + 1) for _ in range(2))
    return rng.choice(
        (
            f"({one} {rng.choice(['+', '-', '*', '/', '**', '%', '//', '<', '>', '==', '&', '|'])} {other})",
            f"abs({one})",
            f"{rng.choice(('log', 'exp', 'sqrt', 'where', 'maximum', 'eval', 'sum'))}({one}, {other})",
            f"-{one}",
            f"{one} if {one} > 0 else {other}",
            f"lambda: {one}",
        )
    )


def _where(rng: random.Random, depth: int = 0) -> str:
    """A condition in SQL, often a right one."""
    if depth > 2 or rng.random() < 0.4:
        column = rng.choice(("id", "w", "r", "target", '"r"', "p.id", "none", text(rng)))
        value = rng.choice(("1", "'a'", "NULL", "1.5", "'", rng.choice(NUMBERS), text(rng)))
        return f"{column} {rng.choice(('=', '<', '>=', '<>', 'IN', 'LIKE', 'IS NOT', '~'))} {value}"
    one, other = (_where(rng, depth + 1) for _ in range(2))
    return rng.choice(
        (
            f"({one}) AND ({other})",
            f"{one} OR {other}",
            f"NOT {one}",
            f"({one}",
            f"{one}; DROP TABLE x",
            f"CASE WHEN {one} THEN {other} END",
            f"SUM(w) > 1 AND {one}",
            f"w IN (SELECT 1) OR {one}",
            f"substr(r, {rng.choice(NUMBERS)}, 1) = 'a'",
            f"CAST(w AS {rng.choice(('INT', 'DATE', 'TEXT', 'BLOB', 'FOO'))}) = 1",
        )
    )


def _gate(rng: random.Random) -> str:
    subject = rng.choice(
        ("mae", "mse", "n", "hi(mae)", "lo(mae)", "mae[r=a]", "mae[r=*]", "mae[a]", "huber:delta=2")
    )
    limit = rng.choice((*NUMBERS, "base", "base + 1%", "base - 90%", "2 * base", "base[a]", text(rng)))
    found = f"{subject} {rng.choice(('<=', '<', '>=', '>', '==', '!='))} {limit}"
    return found if rng.random() < 0.7 else found.replace(rng.choice(found), text(rng), 1)


OWN = {
    "loss": _loss,
    "where": _where,
    "gate": _gate,
    "by": lambda rng: rng.choice(
        ("r", "s", "r,s", "w:2", "w:0", f"w:{rng.choice(NUMBERS)}", "id", "prediction", "target")
    ),
    "ci": lambda rng: rng.choice(NUMBERS),
    "class_weight": lambda rng: f"a={rng.choice(NUMBERS)},b={rng.choice(NUMBERS)}",
    "output": lambda rng: rng.choice((*OUTPUTS, "github", "x.foo", "/dev/null", "p.csv", text(rng))),
    "state": lambda rng: rng.choice(("x.state", "x.foo", "p.csv", "/proc/none/x.state", text(rng))),
    "rows": lambda rng: rng.choice(("x.csv", "x.foo", "p.csv", "/proc/none/x.csv", text(rng))),
    "config": lambda rng: rng.choice(("p.csv", "none.toml", text(rng))),
    "verify": lambda rng: rng.choice(("p.csv", "none.json", text(rng))),
    "device": lambda rng: rng.choice(("cpu", "auto", "cuda", "cuda:99", text(rng))),
    "threads": lambda rng: rng.choice(("1", "2", "0", "-1", "1e3", text(rng))),
}
"""What makes values of options that have a grammar, or that cost much if they are large."""
assert {*OWN, *RIGHT} <= {*OPTIONS}
