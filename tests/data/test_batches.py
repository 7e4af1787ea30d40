"""What Polars reads ahead of its use."""

import os
import re

import polars as pl

from losscli.data import batches

BUDGET = "POLARS_ROW_GROUP_PREFETCH_KBYTES_BUDGET"


def limit(path, capfd):
    """KiB that Polars reads ahead of a file, as it says itself."""
    with pl.Config(verbose=True):
        pl.scan_parquet(path).collect(engine="streaming")
    return int(re.search(r"prefetch_kbytes_limit: (\d+)", capfd.readouterr().err)[1])


def test_polars_reads_less_ahead_than_by_itself(tmp_path, monkeypatch, capfd):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"x": [1.0]}).write_parquet(path)
    monkeypatch.setenv(BUDGET, "")
    monkeypatch.delenv(BUDGET)
    usual = limit(path, capfd)
    batches.read_less_ahead()
    assert limit(path, capfd) == int(os.environ[BUDGET]) < usual


def test_what_a_user_has_set_stays(monkeypatch):
    monkeypatch.setenv(BUDGET, "1024")
    batches.read_less_ahead()
    assert os.environ[BUDGET] == "1024"
