"""Two ways to ask for the same numbers, over random rows."""

from __future__ import annotations

import io
import json
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ..case import Case, Done
from ..judge import results

SHARE = 1
LOSSES = {
    "regression": (
        "mae",
        "mse",
        "rmse",
        "huber:delta=0.5",
        "r2",
        "log_cosh",
        "pinball:alpha=0.3",
        "expr: abs(e)**1.5",
    ),
    "binary": ("log_loss", "brier", "hinge", "focal:gamma=2", "zero_one"),
    "multiclass": ("log_loss", "multiclass_brier", "top_k:k=2", "multiclass_zero_one"),
}
WRITERS: Mapping[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": lambda frame: frame.write_csv().encode(),
    "tsv": lambda frame: frame.write_csv(separator="\t").encode(),
    "ndjson": lambda frame: frame.write_ndjson().encode(),
    "parquet": lambda frame: _saved(lambda to: frame.write_parquet(to, row_group_size=7)),
    "arrow": lambda frame: _saved(frame.write_ipc),
    "arrows": lambda frame: _saved(frame.write_ipc_stream),
}


def _saved(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _rows(task: str, rng: random.Random) -> tuple[pl.DataFrame, list[str]]:
    """Random rows of a task with the options that name their columns."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    size = rng.choice((1, 2, 3, 10, 40))
    scale = rng.choice((1.0, 1e-8, 1e9))  # larger numbers are written as whole ones by some writers
    columns: dict[str, object] = {"id": numbers.permutation(size), "r": numbers.choice(["a", "b"], size)}
    columns |= {"unit": np.ones(size), "w": numbers.integers(0, 4, size) * 0.5 + 0.5}
    if task == "regression":
        columns |= {
            "prediction": numbers.normal(size=size) * scale,
            "target": numbers.normal(size=size) * scale,
        }
        return pl.DataFrame(columns), ["-p", "prediction", "-y", "target"]
    if task == "binary":
        columns |= {"score": numbers.uniform(0.01, 0.99, size), "label": numbers.integers(0, 2, size)}
        return pl.DataFrame(columns), ["-p", "score", "-y", "label", "--task", "binary"]
    shares = numbers.dirichlet([1, 1, 1], size)
    columns |= {f"prob_{name}": shares[:, place] for place, name in enumerate("abc")}
    columns |= {"label": numbers.choice([*"abc"], size)}
    return pl.DataFrame(columns), ["-p", "prob_a,prob_b,prob_c", "-y", "label", "--task", "multiclass"]


def case(rng: random.Random) -> Case:
    """Rows, evaluated in two ways."""
    task = rng.choice([*LOSSES])
    frame, columns = _rows(task, rng)
    losses = [word for name in rng.sample(LOSSES[task], 2) for word in ("-l", name)]
    one, other = rng.choice([*WRITERS]), rng.choice([*WRITERS])
    files = {f"d.{one}": WRITERS[one](frame)}
    run = ["evaluate", f"d.{one}", *columns, *losses, "--json"]
    match rng.randrange(7):
        case 0:
            return Case([run, [*run, "-w", "unit"]], files, also=_close)
        case 1:
            run, again = [*run, "-w", "w", "--threads", "1"], [*run, "-w", "w", "--threads", "2"]
        case 2:  # another format
            files[f"e.{other}"] = WRITERS[other](frame)
            again = ["evaluate", f"e.{other}", *run[2:]]
        case 3:  # in parts
            cut = rng.randrange(frame.height + 1)
            parts = [part for part in (frame[:cut], frame[cut:]) if part.height]
            files |= {f"parts/{place}.{one}": WRITERS[one](part) for place, part in enumerate(parts)}
            again = ["evaluate", f"parts/*.{one}", *run[2:]]
        case 4:  # a slice is the file filtered to it
            run, again = [*run, "--by", "r"], [*run, "--where", "r = 'a'"]
            return Case([run, again], files, also=_sliced)
        case 5:  # other names of columns
            renamed = frame.rename({"w": "weight of a row", "r": "région"})
            files[f"e.{one}"] = WRITERS[one](renamed)
            run, again = [*run, "-w", "w"], ["evaluate", f"e.{one}", *run[2:], "-w", "weight of a row"]
        case _:  # two files, joined by a key
            key, sides = "id", [column for column in frame.columns if column in ("target", "label")]
            files[f"p.{one}"] = WRITERS[one](frame.drop(sides))
            files[f"t.{other}"] = WRITERS[other](
                frame.select(key, *sides).sample(fraction=1, shuffle=True, seed=1)
            )
            again = ["evaluate", f"p.{one}", f"t.{other}", "--on", key, *run[2:]]
    return Case([run, again], files, also=_same)


def _same(done: Sequence[Done]) -> Iterable[str]:
    if done[0].status != done[1].status:
        yield f"statuses {done[0].status} and {done[1].status}: {done[1].err[:300]}{done[0].err[:300]}"
    elif done[0].status == 0 and (differences := {*results(done[0])} ^ {*results(done[1])}):
        yield f"other numbers: {sorted(differences)}"


def _close(done: Sequence[Done]) -> Iterable[str]:
    """Sums with weights have other roundings than counts."""
    if done[0].status != done[1].status:
        yield f"statuses {done[0].status} and {done[1].status}: {done[1].err[:300]}{done[0].err[:300]}"
    if {each.status for each in done} != {0}:
        return
    for one, other in zip(*map(_results, done), strict=True):
        for name in ("value", "se", "ci_low", "ci_high", "rows", "weight"):
            a, b = one[name], other[name]
            if not (a is b or (None not in (a, b) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9))):
                yield f"{name} of {one['loss']}: {a} and {b} with unit weights"


def _sliced(done: Sequence[Done]) -> Iterable[str]:
    """Errors are centred on all rows, of which a slice has a few: the last digits may differ."""
    if {each.status for each in done} != {0}:
        return
    sliced = {each["loss"]: each for each in _results(done[0]) if each["cell"] == {"r": "a"}}
    for each in _results(done[1]):
        other = sliced.get(each["loss"])
        if other is None or each["cell"]:
            continue
        one, two = other["value"], each["value"]
        is_same = one is two or (None not in (one, two) and math.isclose(one, two, rel_tol=1e-9))
        if not is_same or other["rows"] != each["rows"]:
            yield f"a slice is not the file filtered to it: {other} {each}"


def _results(done: Done) -> list[dict[str, Any]]:
    return json.loads(done.out)["results"]
