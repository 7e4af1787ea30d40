"""Columns of every type in every role, with odd values, empty or nested or named twice."""

from __future__ import annotations

import datetime
import decimal
import io
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow
from pyarrow import feather, parquet

from ..case import Case

SHARE = 3
ROWS = 3
DAY = datetime.datetime(2020, 1, 1)
TYPES: Mapping[str, Callable[[], pyarrow.Array]] = {
    "float": lambda: pyarrow.array([1.5, 2.5, 3.5]),
    "float16": lambda: pyarrow.array([1.0, 2.0, 3.0]).cast(pyarrow.float16()),
    "float32": lambda: pyarrow.array([0.25, 0.5, 0.75], pyarrow.float32()),
    "not finite": lambda: pyarrow.array([float("nan"), float("inf"), -float("inf")]),
    "huge": lambda: pyarrow.array([1e308, -1e308, 5e-324]),
    "missing": lambda: pyarrow.array([1.0, None, float("nan")]),
    "int": lambda: pyarrow.array([0, 1, 2]),
    "int8": lambda: pyarrow.array([-128, 0, 127], pyarrow.int8()),
    "uint64": lambda: pyarrow.array([0, 1 << 53, (1 << 64) - 1], pyarrow.uint64()),
    "int64": lambda: pyarrow.array([-(1 << 63), (1 << 53) + 1, (1 << 63) - 1]),
    "bool": lambda: pyarrow.array([True, False, True]),
    "text": lambda: pyarrow.array(["a", "b", "c"]),
    "large text": lambda: pyarrow.array(["1", "2", ""], pyarrow.large_string()),
    "view": lambda: pyarrow.array(["a", "b", None], pyarrow.string_view()),
    "binary": lambda: pyarrow.array([b"a", b"\xff", b"c"]),
    "fixed binary": lambda: pyarrow.array([b"aa", b"bb", b"cc"], pyarrow.binary(2)),
    "struct": lambda: pyarrow.array([{"a": 1.0, "b": "x"}] * ROWS),
    "empty struct": lambda: pyarrow.array([{}] * ROWS, pyarrow.struct([])),
    "list": lambda: pyarrow.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    "ragged list": lambda: pyarrow.array([[1.0], [], None]),
    "list of text": lambda: pyarrow.array([["x"], ["y"], ["z"]]),
    "list of lists": lambda: pyarrow.array([[[1.0]], [[2.0]], [[3.0]]]),
    "list of structs": lambda: pyarrow.array([[{"a": 1.0}]] * ROWS),
    "array": lambda: pyarrow.array([[1.0, 2.0]] * ROWS, pyarrow.list_(pyarrow.float64(), 2)),
    "list view": lambda: pyarrow.array([[1.0]] * ROWS, pyarrow.list_view(pyarrow.float64())),
    "map": lambda: pyarrow.array([[("a", 1.0)]] * ROWS, pyarrow.map_(pyarrow.string(), pyarrow.float64())),
    "dictionary": lambda: pyarrow.array(["0", "1", "0"]).dictionary_encode(),
    "dictionary of numbers": lambda: pyarrow.array([1, 2, 1]).dictionary_encode(),
    "run ends": lambda: pyarrow.RunEndEncodedArray.from_arrays([1, 3], [1.0, 2.0]),
    "duration": lambda: pyarrow.array([1, 2, 3], pyarrow.duration("ms")),
    "time": lambda: pyarrow.array([1, 2, 3], pyarrow.time32("s")),
    "date": lambda: pyarrow.array([DAY.date()] * ROWS),
    "instant": lambda: pyarrow.array([DAY] * ROWS, pyarrow.timestamp("ns")),
    "zoned instant": lambda: pyarrow.array([DAY] * ROWS, pyarrow.timestamp("us", "Europe/Berlin")),
    "odd zone": lambda: pyarrow.array([DAY] * ROWS, pyarrow.timestamp("us", "Nowhere/None")),
    "interval": lambda: pyarrow.array([(1, 2, 3)] * ROWS, pyarrow.month_day_nano_interval()),
    "decimal": lambda: pyarrow.array([decimal.Decimal("1.10")] * ROWS, pyarrow.decimal128(38, 10)),
    "wide decimal": lambda: pyarrow.array([decimal.Decimal(1)] * ROWS, pyarrow.decimal256(70, 3)),
    "extension": lambda: pyarrow.ExtensionArray.from_storage(
        pyarrow.bool8(), pyarrow.array([0, 1, 1], pyarrow.int8())
    ),
    "tensor": lambda: pyarrow.ExtensionArray.from_storage(
        pyarrow.fixed_shape_tensor(pyarrow.float64(), [2]),
        pyarrow.array([[1.0, 2.0]] * ROWS, pyarrow.list_(pyarrow.float64(), 2)),
    ),
    "uuid": lambda: pyarrow.ExtensionArray.from_storage(
        pyarrow.uuid(), pyarrow.array([bytes([place]) * 16 for place in range(3)], pyarrow.binary(16))
    ),
    "json": lambda: pyarrow.ExtensionArray.from_storage(pyarrow.json_(), pyarrow.array(["1", "{}", "[1]"])),
    "null": lambda: pyarrow.nulls(ROWS),
    "nothing": lambda: pyarrow.array([None] * ROWS, pyarrow.float64()),
}
"""Columns of three rows."""
NUMBERS, SHARES, WHOLE = [1.0, 2.0, 3.0], [0.1, 0.2, 0.3], [1, 0, 1]
MULTILABEL = ["multilabel_binary_cross_entropy", "-p", "news,sport", "-y", "news,sport"]
Columns = dict[str, Any]


def _regression(**more: Any) -> Columns:
    return {"target": NUMBERS, **more}


ROLES: Mapping[str, Callable[[Any], tuple[Columns, Columns, list[str]]]] = {
    "target": lambda x: ({"prediction": NUMBERS}, {"target": x}, ["mae"]),
    "prediction": lambda x: ({"prediction": x}, {"target": NUMBERS}, ["mae"]),
    "both": lambda x: ({"prediction": x}, {"target": x}, ["mse"]),
    "weight": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "-w", "w"]),
    "slice": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--by", "w"]),
    "bins": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--by", "w:2"]),
    "dates": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--by", "w:month"]),
    "auto": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--by", "auto"]),
    "cluster": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--cluster", "w"]),
    "condition": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--where", "w is not null"]),
    "compared": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--where", "w = 'a'"]),
    "worst": lambda x: ({"prediction": NUMBERS}, _regression(w=x), ["mae", "--worst", "2", "--by", "w"]),
    "binary target": lambda x: ({"p": SHARES}, {"y": x}, ["log_loss", "-p", "p", "-y", "y"]),
    "class": lambda x: ({"prob_a": SHARES, "prob_b": [0.9, 0.8, 0.7]}, {"label": x}, ["log_loss"]),
    "predicted label": lambda x: ({"label_pred": x}, {"label": ["a", "b", "c"]}, ["multiclass_zero_one"]),
    "both labels": lambda x: ({"label_pred": x}, {"label": x}, ["multiclass_zero_one"]),
    "probabilities": lambda x: ({"probability": x}, {"label": [0, 1, 1]}, ["log_loss"]),
    "score of a label": lambda x: (
        {"news": SHARES, "sport": x}, {"news": WHOLE, "sport": WHOLE}, MULTILABEL,
    ),
    "label of several": lambda x: (
        {"news": SHARES, "sport": SHARES}, {"news": WHOLE, "sport": x}, MULTILABEL,
    ),
    "group": lambda x: ({"score": NUMBERS, "g": x}, {"relevance": WHOLE}, ["ndcg", "--group", "g"]),
    "relevance": lambda x: ({"score": NUMBERS, "g": [1, 1, 1]}, {"relevance": x}, ["ndcg", "--group", "g"]),
    "quantile": lambda x: ({"q0.1": x, "q0.9": NUMBERS}, {"target": NUMBERS}, ["multi_quantile"]),
    "target of quantiles": lambda x: ({"q0.1": NUMBERS, "q0.9": NUMBERS}, {"y_true": x}, ["multi_quantile"]),
    "vector": lambda x: ({"prediction": x}, {"target": x}, ["euclidean"]),
    "dimension": lambda x: ({"e0": NUMBERS, "e1": x}, {"e0": NUMBERS, "e1": x}, ["euclidean"]),
    "pixels": lambda x: ({"prediction": x}, {"target": x}, ["dice", "--task", "segmentation"]),
    "members": lambda x: ({"m0": NUMBERS, "m1": x}, {"target": NUMBERS}, ["crps_ensemble"]),
    "mean of a normal": lambda x: ({"mu": x, "sigma": NUMBERS}, {"target": NUMBERS}, ["crps_normal"]),
    "r2": lambda x: ({"prediction": NUMBERS}, {"target": x}, ["r2"]),
    "spare": lambda x: ({"prediction": NUMBERS, "spare": x}, {"target": NUMBERS}, ["mae"]),
}  # fmt: skip
"""Columns of predictions and of targets with one of a type in a role, and the options that use it."""
WRITERS: Mapping[str, Callable[[pyarrow.Table, Any], object]] = {
    "parquet": parquet.write_table,
    "arrow": feather.write_feather,
    "arrows": lambda table, to: _streamed(table, to),
    "csv": lambda table, to: pl.from_arrow(table).write_csv(to),
    "ndjson": lambda table, to: pl.from_arrow(table).write_ndjson(to),
    "npz": lambda table, to: np.savez(to, **dict(zip(table.column_names, map(_array, table), strict=True))),
}
"""How tables are written; an array of objects is a pickle in an .npz file."""


def _array(column: pyarrow.ChunkedArray) -> np.ndarray:
    return column.to_numpy()


def _streamed(table: pyarrow.Table, to: Any) -> None:
    with pyarrow.ipc.new_stream(to, table.schema) as writer:
        writer.write_table(table)


ALONE = ("evaluate", "check", "weak")
"""The commands of one model."""


def case(rng: random.Random) -> Case:
    """A type in a role, in some format, with a command; the key may be of another type."""
    kind, role = rng.choice([*TYPES]), rng.choice([*ROLES, "key"])
    command = rng.choice(("evaluate", "evaluate", "evaluate", "check", "compare", "rank", "weak"))
    rows, twice = rng.choice((ROWS, ROWS, ROWS, 1, 0)), rng.random() < 0.1
    return of_pair(kind, role, rng.choice([*WRITERS]), command, rows, twice)


def of_pair(
    kind: str,
    role: str,
    suffix: str = "parquet",
    command: str = "evaluate",
    rows: int = ROWS,
    twice: bool = False,
) -> Case:
    """A column of a type in a role; `twice` gives two columns of each file one name."""
    column = TYPES[kind]()
    ids: Any = column if role == "key" else [1, 2, 3]
    p, t, options = ROLES["target" if role == "key" else role](NUMBERS if role == "key" else column)
    names = {f"p.{suffix}": {"id": ids, **p}, f"t.{suffix}": {"id": ids, **t}}
    files = {
        name: content
        for name, columns in names.items()
        if (content := _written(columns, suffix, rows, twice))
    }
    if len(files) < 2:  # Arrow writes no such column in this format
        return of_pair("null", role, "parquet", command, rows, twice)
    left, right = files
    loss, *others = options
    models = [left] if command in ALONE else [left, f"B={left}"]
    targets = [right] if command in ALONE else ["-t", right]
    if command != "evaluate" and "--worst" in others:
        others = others[2:]
    if command == "rank" and "--cluster" in others:
        others = others[2:]
    if command == "rank":
        files |= {f"q.{suffix}": files[left]}
        models = [left, f"q.{suffix}"]
    shown = ["-v"] if command == "check" else ["--json"]
    return Case([[command, *models, *targets, "--on", "id", "-l", loss, *others, *shown]], files)


def _written(columns: Columns, suffix: str, rows: int, twice: bool) -> bytes:
    """The columns in a format; nothing if it cannot hold their types."""
    buffer = io.BytesIO()
    try:
        table = pyarrow.table(columns).slice(0, rows)
        if twice:
            table = table.append_column(table.column_names[-1], table[table.column_names[-1]])
        WRITERS[suffix](table, buffer)
    except (Exception, pl.exceptions.PanicException):  # of libraries, which have their reasons
        return b""
    return buffer.getvalue()
