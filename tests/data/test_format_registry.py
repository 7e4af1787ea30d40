"""What tells formats apart: suffixes, first bytes, first lines; and a format is known by its record alone."""

from itertools import combinations

import polars as pl
import pytest

import losscli
from losscli.data import formats, load, sniff
from losscli.data.formats.base import Files, Format
from losscli.data.request import Reading


def test_no_two_formats_share_a_name_a_suffix_or_first_bytes():
    names = [each.name for each in formats.all_formats()]
    suffixes = [suffix for each in formats.all_formats() for suffix in each.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)
    for one, other in combinations([each.magic for each in sniff.KINDS], 2):
        assert not one.startswith(other)
        assert not other.startswith(one)
    assert all(len(each.magic) <= sniff.START for each in sniff.KINDS)


@pytest.mark.parametrize(
    ("path", "name"),
    {
        "P.CSV": "csv",
        "p.tsv.gz": "tsv",
        "p.txt.zst": "txt",
        "p.pq": "parquet",
        "p.feather": "ipc",
        "p.arrows": "ipc_stream",
        "p.jsonl.gz": "ndjson",
        "p.npz": "npz",
        "p.parquet.gz": None,
        "p.json": None,
        "p": None,
    }.items(),
)
def test_a_suffix_tells_the_format(path, name):
    found = formats.by_suffix(path)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("line", "name"), {'{"a": 1}': "ndjson", "a\tb": "tsv", "a\tb,c": "csv", "a;b": "csv", "a": "csv"}.items()
)
def test_a_first_line_tells_the_format_of_text(line, name):
    assert formats.by_first_line(line).name == name


class Numbers(Format, frozen=True):
    """Whole numbers of one byte, which are their own column."""

    def scan(self, files, schema=None):
        return pl.concat([self.frame(path) for path in files.paths]).lazy()

    def frame(self, path):
        with open(path, "rb") as file:
            return pl.DataFrame({"number": list(file.read()[4:])})


def test_a_format_needs_its_record_and_a_scan(tmp_path, monkeypatch):
    every = (*formats.all_formats(), Numbers("numbers", (".num",), b"NUM:"))
    monkeypatch.setattr(formats, "all_formats", lambda: every)
    (tmp_path / "p.num").write_bytes(b"NUM:" + bytes([1, 2, 3]))
    (tmp_path / "y.num").write_bytes(b"NUM:" + bytes([1, 2, 5]))
    assert losscli.evaluate(tmp_path / "p.num", tmp_path / "y.num", loss="mse")["mse"].value == 4 / 3
    table, _ = load.tables(tmp_path / "p.num", None, Reading())
    assert table.count() == 3
    assert isinstance(table.files, Files)


def test_a_format_without_a_scan_cannot_be_made():
    class Nothing(Format, frozen=True):
        """A format that cannot be scanned."""

    with pytest.raises(TypeError, match="scan"):
        Nothing("nothing", (".nothing",))
