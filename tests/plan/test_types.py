"""A column of any type in any role is evaluated, or an error that says what is wrong; never a bug."""

from __future__ import annotations

import polars as pl
import pyarrow
import pytest
from fuzz.judge import judged
from fuzz.kinds import tables
from pyarrow import parquet
from support.grids import grid, some

import losscli
from losscli.data.labels import codes_of


@pytest.mark.parametrize(("role", "kind"), grid([*tables.ROLES, "key"], tables.TYPES))
def test_no_type_in_any_role_is_a_bug(role, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, wrong = judged(tables.of_pair(kind, role), tmp_path)
    assert not wrong


@pytest.mark.parametrize("kind", some(tables.TYPES))
def test_no_type_of_a_shared_column_is_a_bug(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--on", "id"], ["--on", "position"]):
        case = tables.of_pair(kind, "key")
        run = [word for word in case.runs[0] if word not in ("--on", "id")]
        case.runs = [[*run, *options]]
        _, wrong = judged(case, tmp_path)
        assert not wrong


def test_lists_that_text_holds_have_types(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (done,), _ = judged(tables.of_pair("list of lists", "target of quantiles", "ndjson"), tmp_path)
    assert done.status == 3
    assert "t.ndjson, column y_true: values of type List(List(Float64)), but numbers are needed" in done.err


def test_labels_of_bytes_are_text(tmp_path):
    columns = {"label_pred": [b"a", b"b", b"\xff"], "label": ["a", "a", "\\xff"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "d.parquet")
    assert losscli.evaluate(tmp_path / "d.parquet", loss="multiclass_zero_one").results[0].value == 1 / 3
    columns = {"p": [0.5, 0.25, 0.75], "y": [b"a", b"b", b"a"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "d.parquet")
    report = losscli.evaluate(tmp_path / "d.parquet", pred="p", target="y", loss="brier", positive="a")
    assert report["brier"].value == pytest.approx((0.25 + 0.0625 + 0.0625) / 3)


def test_classes_have_the_numbers_of_any_type():
    large = [0, (1 << 64) - 1, 5, None, 1 << 63]
    assert codes_of(pl.Series(large, dtype=pl.UInt64), ("0", str(large[1]))).tolist() == [0, 1, -1, -1, -1]
    assert codes_of(pl.Series([-(1 << 63), 0]), ("0", str(-(1 << 63)))).tolist() == [1, 0]
    assert codes_of(pl.Series([1e300, 0.0]), ("0", str(int(1e300)))).tolist() == [1, 0]


def test_a_type_that_cannot_be_read_is_said_to_be_possible(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (done,), _ = judged(tables.of_pair("list view", "target"), tmp_path)
    assert done.status == 3
    assert "t.parquet: incomplete or damaged Parquet file: it cannot be decoded, or has a column" in done.err
