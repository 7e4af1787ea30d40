"""Rows that are read are counted against what the file says that it holds, in every format and command."""

from __future__ import annotations

import gzip
import io
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow
import pytest
import xlsxwriter
from pyarrow import parquet
from support.grids import grid

import losscli
from losscli.data import load
from losscli.data.batches import batches
from losscli.data.formats.arrow_stream import _type_and_size
from losscli.data.request import Reading
from losscli.errors import DataError
from losscli.report.findings import Code

GROUPS, ROWS = 4, 2_000
"""Row groups of a file, and the rows of each."""
SHORT = Path(__file__).parent / "row_group.parquet"
"""A file of 1,000 rows whose only row group says that it has one."""


def damaged(path, prediction):
    """Write a file whose third row group cannot be decoded: Polars panics."""
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


def test_a_panic_of_polars_is_an_error_of_the_stream(folder):
    found = batches(pl.scan_parquet(folder / "board" / "damaged.parquet"))
    with pytest.raises(pl.exceptions.PanicException):
        list(found)


def test_a_stream_that_is_left_stops():
    for _ in range(3):
        next(batches(pl.LazyFrame({"x": range(100_000)})))
    deadline = time.monotonic() + 10
    while any(thread.name == "losscli-batches" for thread in threading.enumerate()):
        assert time.monotonic() < deadline


@pytest.mark.parametrize("targets", ["t.parquet", "t.csv"])
def test_a_stream_that_cannot_be_decoded_is_wrong_data(folder, targets):
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
    assert "damaged Parquet file" in broken.reason


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
    assert code == str(Code.ROWS_LOST)


def test_a_condition_that_skips_row_groups_counts_what_it_kept(folder):
    report = losscli.evaluate(folder / "one.parquet", loss="mae", where="id < 100")
    assert report["mae"].rows == 100


# Each format, damaged so that fewer rows could be read than there are

FRAME = pl.DataFrame({"prediction": np.linspace(0, 1, 1_000), "target": np.zeros(1_000)})


def flipped(content, at):
    """The bytes with one bit changed."""
    return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]


def npz(save=np.savez, **arrays):
    sink = io.BytesIO()
    save(sink, **(arrays or {name: FRAME[name].to_numpy() for name in FRAME.columns}))
    return sink.getvalue()


def of_frame(write):
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def untyped(stream, place):
    """An Arrow stream one of whose messages does not say what it holds: the offset of its type is zero."""

    def number(at, signed=False):
        return int.from_bytes(stream[at : at + 4], "little", signed=signed)

    at = 0
    for _ in range(place):
        _, size = _type_and_size(stream[at + 8 : at + 8 + number(at + 4)])
        at += 8 + number(at + 4) + size
    root = at + 8 + number(at + 8)
    offsets = root - number(root, signed=True)
    return stream[: offsets + 6] + b"\0\0" + stream[offsets + 8 :]


CSV = FRAME.write_csv().encode()
ARROW = of_frame(FRAME.write_ipc)
STREAM = of_frame(pl.concat([FRAME.head(500), FRAME.tail(500)], rechunk=False).write_ipc_stream)
FEWER = npz().replace(b"(1000,)", b"(500,) ")
DAMAGED = {
    "row group.parquet": SHORT.read_bytes(),
    "cut.parquet": of_frame(FRAME.write_parquet)[:-100],
    "cut.arrow": ARROW[: len(ARROW) // 2],
    "cut between batches.arrows": STREAM[:-8],
    "cut within a batch.arrows": STREAM[:-48],
    "two in one.arrows": 2 * STREAM,
    "a schema of no type.arrows": untyped(STREAM, 0),
    "rows of no type.arrows": untyped(STREAM, 2),
    "a size beyond the file.arrows": STREAM.replace(STREAM[4:8], b"\xff\xff\xff\x7f", 1),
    "an offset beyond the message.arrows": STREAM[:8] + b"\xff\xff\xff\x7f" + STREAM[12:],
    "a header of another grammar.npz": npz().replace(b"'shape': (", b"'shape': {"),
    "a header that does not end.npz": npz().replace(b"), }", b"),  "),
    "a bit.npz": flipped(npz(), len(npz()) // 4),
    "a bit, compressed.npz": flipped(npz(np.savez_compressed), len(npz(np.savez_compressed)) // 2),
    "a header of fewer rows.npz": FEWER,
    "a header of more rows.npz": npz().replace(b"(1000,)", b"(1001,)"),
    "cut.csv.gz": gzip.compress(CSV)[:-100],
    "without its checksum.csv.gz": gzip.compress(CSV)[:-8],
    "a bit of its checksum.csv.gz": flipped(gzip.compress(CSV), -7),
    "more after it.csv.gz": gzip.compress(CSV) + b"more",
    "cut.ndjson": FRAME.write_ndjson().encode()[:-10],
    "cut.ndjson.gz": gzip.compress(FRAME.write_ndjson().encode())[:-100],
    "a bit.xlsx": flipped(of_frame(FRAME.write_excel), 5_000),
}
WAYS = {
    "evaluate": lambda path: ("evaluate", path, "-l", "mae"),
    "rows": lambda path: ("evaluate", path, "-l", "mae", "--rows", "rows.csv"),
    "worst": lambda path: ("evaluate", path, "-l", "mae", "--worst", "3"),
    "where": lambda path: ("evaluate", path, "-l", "mae", "--where", "target < 9"),
    "by": lambda path: ("evaluate", path, "-l", "mae", "--by", "target:2"),
    "predictions": lambda path: ("evaluate", path, "t.csv", "-l", "mae", "-p", "prediction"),
    "targets": lambda path: ("evaluate", "p.csv", path, "-l", "mae", "-y", "target"),
    "check": lambda path: ("check", path, "-l", "mae"),
    "explain": lambda path: ("explain", "mae", path),
    "base": lambda path: ("compare", path, "p.csv", "-t", "t.csv", "-l", "mae", "-p", "prediction"),
    "model": lambda path: ("compare", "p.csv", path, "-t", "t.csv", "-l", "mae", "-p", "prediction"),
    "models": lambda path: ("rank", path, "--model-column", "target", "-t", "t.csv", "-l", "mae"),
    "rank": lambda path: ("rank", path, "-t", "t.csv", "-l", "mae", "-p", "prediction"),
    "rank against": lambda path: ("rank", "p.csv", "-t", path, "-l", "mae", "-y", "target"),
}


@pytest.fixture
def rows(losscli):
    losscli.write(p=FRAME.select("prediction"), t=FRAME.select("target"))
    return losscli


@pytest.mark.parametrize(("name", "way"), grid(DAMAGED, WAYS))
def test_a_damaged_file_has_no_number(name, way, rows):
    (rows.folder / name).write_bytes(DAMAGED[name])
    done = rows(*WAYS[way](name))
    assert (done.status, done.out) == (3, ""), done.err
    assert name in done.err
    assert not (rows.folder / "rows.csv").exists()


@pytest.mark.parametrize(
    "content",
    {
        "fewer": of_frame(lambda sink: np.save(sink, np.zeros(1_000))).replace(b"(1000,)", b"(500,) "),
        "more": of_frame(lambda sink: np.save(sink, np.zeros(1_000))).replace(b"(1000,)", b"(1001,)"),
        "two": 2 * of_frame(lambda sink: np.save(sink, np.zeros(500))),
    }.items(),
    ids=lambda item: item[0],
)
def test_an_array_ends_where_its_header_says(content, rows):
    rows.write(p_npy=content[1])
    for targets in (500, 1_000):
        rows.write(t=FRAME.select("target").head(targets))
        rows.refuses(3, "evaluate", "p.npy", "t.csv", "-l", "mae", said=["p.npy: incomplete or damaged"])


def test_blank_rows_of_a_workbook_count(rows):
    for name, column in (("p.xlsx", ["prediction", 1, None, 3, 4]), ("t.xlsx", ["target", 1, 3, None, 4])):
        with xlsxwriter.Workbook(name) as book:
            sheet = book.add_worksheet()
            for place, value in enumerate([*column, "", ""]):
                sheet.write(place, 0, value)
    rows.refuses(
        3, "evaluate", "p.xlsx", "t.xlsx", "-l", "mae",
        said=["p.xlsx, column prediction: 1 missing", "row 2", "t.xlsx, column target: 1 missing", "row 3"],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["first.csv.gz", "first.ndjson.gz", "first.tsv.gz"])
def test_a_first_line_that_is_damaged_stops_no_leaderboard(name, rows):
    text = FRAME.select("prediction").write_ndjson() if "ndjson" in name else FRAME.write_csv()
    (rows.folder / name).write_bytes(flipped(gzip.compress(text.encode()), 14))
    done = rows("rank", name, "p.csv", "-t", "t.csv", "-l", "mae", "--json")
    assert done.status == 0, done.err
    assert "incomplete or damaged compressed file" in done.out


@pytest.mark.parametrize("kind", ["parquet", "ipc"])
def test_a_file_that_states_its_rows_is_not_read_to_find_one(kind, tmp_path, monkeypatch):
    collected, collect = list[str](), pl.LazyFrame.collect

    def watched(self, *args, **options):
        found = collect(self, *args, **options)
        collected.extend(found.columns)
        return found

    monkeypatch.setattr(pl.LazyFrame, "collect", watched)
    frame, path = pl.DataFrame({"logit": [[0.5, 1.5], [2.5, 0.5]]}), tmp_path / f"p.{kind}"
    getattr(frame, f"write_{kind}")(path)
    load.tables(path, None, Reading())
    assert "logit" not in collected
    getattr(frame.clear(), f"write_{kind}")(path)
    with pytest.raises(DataError, match="no rows"):
        load.tables(path, None, Reading())
