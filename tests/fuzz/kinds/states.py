"""Saved states that are damaged, or whose header or arrays were changed and signed again."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

import losscli
from losscli.states import archive

from ..case import Case
from ..damage import damaged
from .reports import _change, _places

SHARE = 8
SETTINGS: tuple[dict[str, Any], ...] = (
    {"loss": ["mae", "r2"], "by": "r", "cluster": "c"},
    {"loss": ["rmse", "mae@p90"], "weight": "w", "worst": 2},
    {"loss": ["huber:delta=2"], "by": ["r", "w:3"], "weight": "w"},
)


@cache
def _states() -> list[bytes]:
    """States of both commands that write them."""
    rows = pl.DataFrame(
        {
            "id": range(40),
            "prediction": [0.1 * (i % 3) for i in range(40)],
            "target": [0.2 + 0.01 * i for i in range(40)],
            "r": ["a", "b"] * 20,
            "c": [i % 7 for i in range(40)],
            "w": [1.0 + i % 5 for i in range(40)],
        }
    )
    found = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.state"
        for options in SETTINGS:
            losscli.evaluate(rows, **options, state=path)
            found.append(path.read_bytes())
        other = rows.with_columns(prediction=pl.col("prediction") + 0.1)
        losscli.compare({"a": rows, "b": other}, loss=["mae", "r2"], by="r", changed=2, state=path)
        found.append(path.read_bytes())
    return found


def case(rng: random.Random) -> Case:
    """A state with up to three faults, merged alone and with a whole one."""
    data = rng.choice(_states())
    kind = rng.randrange(4)
    if kind == 0:
        data = damaged(data, rng)
    elif kind < 3:
        header, arrays = archive.load(data)
        header, arrays = copy.deepcopy(header), {name: values.copy() for name, values in arrays.items()}
        for _ in range(rng.choice((1, 1, 2, 3))):
            if kind == 1:
                holder, key = rng.choice([*_places(header)])
                _change(holder, key, rng)
            else:
                _change_array(arrays, rng)
        try:
            json.dumps(header, allow_nan=False)
        except (ValueError, TypeError):
            header = {}
        data = archive.dump(header, arrays)
    files = {"x.state": data, "whole.state": rng.choice(_states())}
    gate = ["-g", rng.choice(("mae <= 1", "r2 >= 0", "n >= 1"))]
    runs = rng.choice((["x.state", "--json"], ["x.state", "whole.state"], ["x.state", *gate]))
    return Case([["merge", *runs]], files)


def _change_array(arrays: dict[str, np.ndarray], rng: random.Random) -> None:
    """Change an array: its shape, its type, its length, or a number."""
    name = rng.choice([*arrays])
    values = arrays[name]
    match rng.randrange(6):
        case 0:
            del arrays[name]
        case 1:
            arrays[name] = values[..., :-1] if values.ndim else values
        case 2:
            arrays[name] = np.concatenate([values, values]) if values.ndim else values
        case 3:
            arrays[name] = values.astype(rng.choice(("f4", "i8", "u1", "f8")))
        case 4:
            arrays[name] = values.reshape(-1)
        case _:
            if values.size:
                flat = values.reshape(-1)
                flat[rng.randrange(flat.size)] = rng.choice((0, 1, 2, 250)) if flat.dtype.kind == "u" else -1
