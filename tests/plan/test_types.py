"""A column of any type in any role is evaluated, or an error that says what is wrong; never a bug."""

from __future__ import annotations

import polars as pl
import pyarrow
import pytest
from fuzz.judge import judged
from fuzz.kinds import tables
from pyarrow import parquet
from support.grids import grid

import losscli
from losscli.data.labels import codes_of


@pytest.mark.parametrize(("role", "kind"), grid([*tables.ROLES, "key"], tables.TYPES))
def test_no_type_in_any_role_is_a_bug(role, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, wrong = judged(tables.of_pair(kind, role), tmp_path)
    assert not wrong


@pytest.mark.parametrize("kind", tables.TYPES)
def test_no_type_of_a_shared_column_is_a_bug(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--on", "id"], ["--on", "position"]):
        case = tables.of_pair(kind, "key")
        run = [word for word in case.runs[0] if word not in ("--on", "id")]
        case.runs = [[*run, *options]]
        _, wrong = judged(case, tmp_path)
        assert not wrong


@pytest.mark.parametrize("role", ["slice", "cluster", "class", "predicted label", "group", "key"])
def test_bytes_that_are_not_text_are_named_with_column_and_type(role, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (done,), _ = judged(tables.of_pair("binary", role), tmp_path)
    assert done.status == 3
    assert "of type Binary: not UTF-8\n  row 2: b'\\xff'" in done.err


def test_text_in_a_column_of_bytes_is_text(tmp_path):
    columns = {"prediction": [1.0, 2.0], "target": [1.0, 4.0]}
    parquet.write_table(pyarrow.table({**columns, "r": [b"a", b"b"]}), tmp_path / "d.parquet")
    report = losscli.evaluate(tmp_path / "d.parquet", loss="mae", by="r")
    assert report["mae", {"r": "b"}].value == 2.0


def test_classes_have_the_numbers_of_any_type():
    large = [0, (1 << 64) - 1, 5, None, 1 << 63]
    assert codes_of(pl.Series(large, dtype=pl.UInt64), ("0", str(large[1]))).tolist() == [0, 1, -1, -1, -1]
    assert codes_of(pl.Series([-(1 << 63), 0]), ("0", str(-(1 << 63)))).tolist() == [1, 0]
    assert codes_of(pl.Series([1e300, 0.0]), ("0", str(int(1e300)))).tolist() == [1, 0]
