"""What Polars reads ahead of its use."""

import os
import re

import polars as pl
import pytest

from losscli.data import batches

BUDGET = "POLARS_ROW_GROUP_PREFETCH_KBYTES_BUDGET"
CHUNK = "POLARS_CSV_CHUNK_SIZE"


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    """None of the variables is set, before and after a test."""
    for name in (BUDGET, CHUNK):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def limit(path, capfd):
    """KiB that Polars reads ahead of a file, as it says itself."""
    with pl.Config(verbose=True):
        pl.scan_parquet(path).collect(engine="streaming")
    return int(re.search(r"prefetch_kbytes_limit: (\d+)", capfd.readouterr().err)[1])


def test_polars_reads_less_ahead_than_by_itself(tmp_path, capfd):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"x": [1.0]}).write_parquet(path)
    usual = limit(path, capfd)
    batches.read_less_ahead()
    assert limit(path, capfd) == int(os.environ[BUDGET]) < usual


def test_a_csv_file_is_read_in_small_chunks(tmp_path, monkeypatch):
    batches.read_less_ahead()
    assert int(os.environ[CHUNK]) < 32 << 20, "what Polars chooses"
    frame, path = pl.DataFrame({"x": ["a" * 9000] * 1000}), tmp_path / "x.csv"
    frame.write_csv(path)
    assert pl.concat(batches.batches(pl.scan_csv(path))).equals(frame), "a line is on the border of chunks"
    monkeypatch.setenv(CHUNK, "none")
    with pytest.raises(pl.exceptions.PanicException, match=CHUNK):  # so Polars still reads this variable
        pl.scan_csv(path).collect(engine="streaming")


@pytest.mark.parametrize("name", [BUDGET, CHUNK])
def test_what_a_user_has_set_stays(name, monkeypatch):
    monkeypatch.setenv(name, "1024")
    batches.read_less_ahead()
    assert os.environ[name] == "1024"
