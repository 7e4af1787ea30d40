"""Rows that are read are counted against what the file says that it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow
import pytest
from pyarrow import parquet

import losscli
from losscli.errors import DataError
from losscli.report.findings import Code

GROUPS, ROWS = 4, 2_000
"""Row groups of a file, and the rows of each."""
SHORT = Path(__file__).parent / "row_group.parquet"
"""A file of 1,000 rows whose only row group says that it has one."""


def damaged(path, prediction):
    """Write a file whose third row group cannot be decoded: Polars panics, and its stream just ends."""
    table = pyarrow.table({"id": np.arange(GROUPS * ROWS), "prediction": prediction})
    parquet.write_table(table, path, row_group_size=ROWS, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    at = parquet.read_metadata(path).row_group(2).column(1).data_page_offset + 3
    for _ in range(2):  # the sizes of the page: numbers of several bytes, each after the type of its field
        while data[at] & 0x80:
            at += 1
        last, at = at, at + 2
    data[last] = 0
    path.write_bytes(data)


@pytest.fixture
def folder(tmp_path):
    ids = np.arange(GROUPS * ROWS)
    (tmp_path / "board").mkdir()
    damaged(tmp_path / "board" / "damaged.parquet", np.where(ids < ROWS, 0.0, 9.0))
    honest = pl.DataFrame({"id": ids, "prediction": np.ones(len(ids))})
    honest.write_parquet(tmp_path / "board" / "honest.parquet")
    targets = pl.DataFrame({"id": ids, "target": np.zeros(len(ids))})
    targets.write_parquet(tmp_path / "t.parquet")
    targets.reverse().write_csv(tmp_path / "t.csv")
    targets.with_columns(prediction=1.0).write_parquet(tmp_path / "one.parquet")
    return tmp_path


@pytest.mark.parametrize("targets", ["t.parquet", "t.csv"])
def test_a_stream_that_ends_early_is_wrong_data(folder, targets):
    with pytest.raises(DataError) as error:
        losscli.evaluate(folder / "board" / "damaged.parquet", folder / targets, loss="mae", on="id")
    assert {problem.code for problem in error.value.problems} <= {
        str(code) for code in (Code.ROWS_LOST, Code.DAMAGED_FILE, Code.UNREADABLE_FILE)
    }


def test_a_damaged_file_wins_no_leaderboard(folder):
    paths = sorted((folder / "board").iterdir())
    report = losscli.rank(*paths, targets=folder / "t.parquet", loss="mae")
    winner, broken = report.board
    assert (winner.model, winner.place) == ("honest.parquet", 1)
    assert broken.place is None
    assert "8000 rows" in broken.reason


def test_a_damaged_model_is_not_compared(folder):
    models = [folder / "board" / name for name in ("honest.parquet", "damaged.parquet")]
    for order in (models, models[::-1]):
        with pytest.raises(DataError):
            losscli.compare(*order, targets=folder / "t.parquet", loss="mae")


@pytest.mark.parametrize("where", [None, "target >= 0"])
def test_a_row_group_that_says_fewer_rows_is_wrong_data(where):
    with pytest.raises(DataError) as error:
        losscli.evaluate(SHORT, loss="mae", where=where)
    (code,) = {problem.code for problem in error.value.problems}
    assert code == str(Code.UNREADABLE_FILE if where else Code.ROWS_LOST)


def test_a_condition_that_skips_row_groups_counts_what_it_kept(folder):
    report = losscli.evaluate(folder / "one.parquet", loss="mae", where="id < 100")
    assert report["mae"].rows == 100
