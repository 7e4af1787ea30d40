"""Files are written whole or not at all."""

import errno
import os
import threading

import polars as pl
import pytest

from losscli.data import writer as writing
from losscli.data.writer import Writer, publish, write
from losscli.errors import DataError

FRAME = pl.DataFrame({"x": [1, 2]})


def test_a_writer_that_restarts_holds_what_comes_after(tmp_path):
    path = tmp_path / "rows.csv"
    with Writer(path, lambda draft: publish([draft])) as writer:
        writer.put(FRAME)
        writer.restart()
        writer.put(FRAME + 10)
        writer.put(FRAME + 20)
    assert path.read_text() == "x\n11\n12\n21\n22\n"
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_an_exception_keeps_the_old_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _rows(path, KeyboardInterrupt)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_a_file_that_cannot_be_replaced_is_named(tmp_path):
    folder = tmp_path / "rows.csv"
    folder.mkdir()
    for attempt in (lambda: write([(folder, "text")]), lambda: _rows(folder)):
        with pytest.raises(DataError, match=r"rows\.csv: cannot be written"):
            attempt()
    assert os.listdir(tmp_path) == ["rows.csv"]


def _rows(path, error=None, until=None):
    with Writer(path, lambda draft: publish([draft])) as writer:
        writer.put(FRAME)
        assert until is None or until.wait(10)
        if error:
            raise error


def test_new_files_have_the_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        write([(tmp_path / "new" / "text.md", "text")])
        _rows(tmp_path / "rows.csv")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "text.md", tmp_path / "rows.csv")}
    assert modes == {0o640}


def test_a_disk_that_fails_while_rows_are_written_is_reported(tmp_path, monkeypatch):
    failed = threading.Event()

    def fsync(file):  # the system tells of a failure once
        if not failed.is_set():
            failed.set()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(writing, "_SYNC_SECONDS", 0)
    with pytest.raises(DataError, match=os.strerror(errno.EIO)):
        _rows(tmp_path / "rows.csv", until=failed)
    assert not os.listdir(tmp_path)
