"""A column of any type in any role is evaluated, or an error that names it; never a bug."""

from __future__ import annotations

import shlex
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.grids import grid

from losscli.cli.app import run

TYPES = {
    "binary": pa.array([b"a", b"b", b"c"]),
    "struct": pa.array([{"a": 1.0}] * 3),
    "list": pa.array([[1.0, 2.0]] * 3),
    "list of text": pa.array([["x"]] * 3),
    "list of structs": pa.array([[{"label": "a", "score": 0.5}]] * 3),
    "map": pa.array([[("a", 1.0)]] * 3, pa.map_(pa.string(), pa.float64())),
    "dictionary": pa.array(["0", "1", "0"]).dictionary_encode(),
    "duration": pa.array([1, 2, 3], pa.duration("ms")),
    "time": pa.array([1, 2, 3], pa.time32("s")),
    "date": pa.array([date(2020, 1, 1)] * 3),
    "extension": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, 1], pa.int8())),
    "null": pa.nulls(3),
}
NUMBERS = [1.0, 2.0, 3.0]
BITS = [1, 0, 1]
P, T = {"prediction": NUMBERS}, {"target": NUMBERS}
ROLES = {
    "target": (P, {"target": None}, "-l mae"),
    "target of R2": (P, {"target": None}, "-l r2"),
    "prediction": ({"prediction": None}, T, "-l mae"),
    "weight": (P, {**T, "x": None}, "-l mae -w x"),
    "slice": (P, {**T, "x": None}, "-l mae --by x --worst 2"),
    "cluster": (P, {**T, "x": None}, "-l mae --cluster x"),
    "filter": (P, {**T, "x": None}, "-l mae --where 'x is not null'"),
    "binary target": ({"prob": [0.1, 0.2, 0.3]}, {"y": None}, "-l log_loss"),
    "class": (
        {"prob_a": [0.1, 0.2, 0.3], "prob_b": [0.9, 0.8, 0.7]},
        {"label": None},
        "-l log_loss",
    ),
    "predicted class": ({"label_pred": None}, {"label": ["a", "b", "c"]}, "-l multiclass_zero_one"),
    "probabilities": ({"probs": None}, {"label": ["a", "b", "c"]}, "-l log_loss"),
    "label": ({"news": [0.1, 0.2, 0.3], "sport": None}, {"news": BITS, "sport": BITS}, "-l hamming"),
    "target label": (
        {"news": [0.1, 0.2, 0.3], "sport": [0.1, 0.2, 0.3]},
        {"news": BITS, "sport": None},
        "-l hamming",
    ),
    "group": ({"score": NUMBERS, "x": None}, {"relevance": BITS}, "-l ndcg --group x"),
    "quantile": ({"q0.1": NUMBERS, "q0.9": NUMBERS}, {"y_true": None}, "-l multi_quantile"),
    "spare": ({**P, "x": None}, {**T, "x": None}, "-l mae"),
}  # fmt: skip


@pytest.mark.parametrize(("role", "kind"), grid(ROLES, TYPES))
def test_no_type_in_any_role_is_a_bug(role, kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    *sides, options = ROLES[role]
    for name, columns in zip("pt", sides, strict=True):
        filled = {own: TYPES[kind] if values is None else values for own, values in columns.items()}
        pq.write_table(pa.table({"id": [1, 2, 3], **filled}), f"{name}.parquet")
    status = run(["evaluate", "p.parquet", "t.parquet", *shlex.split(options)])
    assert status in (0, 2, 3), capsys.readouterr().err


@pytest.mark.parametrize("kind", TYPES)
def test_no_type_of_a_key_or_a_shared_column_is_a_bug(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"x": TYPES[kind], "prediction": NUMBERS}), "p.parquet")
    pq.write_table(pa.table({"x": TYPES[kind], "target": NUMBERS}), "t.parquet")
    for options in ([], ["--on", "x"], ["--on", "position"]):
        status = run(["evaluate", "p.parquet", "t.parquet", "-l", "mae", *options])
        assert status in (0, 2, 3), capsys.readouterr().err
