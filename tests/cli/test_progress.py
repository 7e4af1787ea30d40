"""The bar of a run that lasts: on a terminal, after a second, and gone at the end."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import polars as pl
import pytest

from losscli.cli import progress
from losscli.cli.progress import Progress
from losscli.data.load import tables
from losscli.data.request import Reading

SLOW = """
import sys, time
from losscli.cli import progress
progress.DELAY = 0.2
with progress.Progress(False, lambda: {total}) as bar:
    while bar._bar is None:  # a busy machine takes its time to import rich
        time.sleep(0.01)
    for rows in range(0, 1_000_001, 100_000):
        bar.update(rows)
        time.sleep(0.1)
"""

SHORT = """
from losscli.cli import progress
with progress.Progress(False, lambda: None) as bar:
    bar.update(1_000_000)
"""


def drawn(code: str) -> str:
    """What a script draws on a terminal of 100 columns."""
    reader, writer = pty.openpty()
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100", "PYTHONUTF8": "1"}
    with subprocess.Popen([sys.executable, "-c", code], stderr=writer, stdin=writer, env=env) as running:
        os.close(writer)
        text = b""
        while True:
            try:
                part = os.read(reader, 4096)
            except OSError:
                break
            if not part:
                break
            text += part
    os.close(reader)
    assert running.returncode == 0
    return text.decode()


def test_a_bar_shows_rows_speed_and_the_time_left():
    shown = drawn(SLOW.format(total="1_000_000"))
    assert "rows of about 1,000,000" in shown
    assert "rows/s" in shown
    assert "0:00:0" in shown


def test_without_a_total_it_counts_up():
    shown = drawn(SLOW.format(total="None"))
    assert "00 rows" in shown
    assert "about" not in shown


def test_a_short_run_draws_nothing():
    assert drawn(SHORT) == ""


def test_without_a_terminal_nothing_is_drawn_or_counted(monkeypatch, capsys):
    monkeypatch.setattr(progress, "DELAY", 0.0)

    def never() -> int:
        raise AssertionError

    with Progress(False, never) as bar:
        bar.update(5)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson", "arrow"])
def test_the_rows_to_come_are_known_or_estimated_without_reading_them(suffix, tmp_path):
    frame = pl.DataFrame({"pred": pl.int_range(50_000, eager=True) / 7, "y": 1.0})
    write = {"csv": frame.write_csv, "parquet": frame.write_parquet}
    write |= {"ndjson": frame.write_ndjson, "arrow": frame.write_ipc}
    write[suffix](tmp_path / f"p.{suffix}")
    table, _ = tables(tmp_path / f"p.{suffix}", None, Reading())
    assert table.expected() == pytest.approx(50_000, rel=0.05)


def test_the_rows_of_compressed_text_are_not_known(tmp_path):
    import gzip

    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(b"pred,y\n1,2\n2,3\n"))
    table, _ = tables(tmp_path / "p.csv.gz", None, Reading())
    assert table.expected() is None
