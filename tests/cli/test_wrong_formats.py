"""Files of every format that are wrong: one clear message with what, file, row and remedy, as for CSV."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle

import numpy as np
import polars as pl
import pytest

FRAME = pl.DataFrame({"id": range(30_000), "pred": np.arange(30_000) / 7})
Y = pl.DataFrame({"id": range(30_000), "y": np.arange(30_000) / 8}).write_csv()


def saved(write) -> bytes:
    content = io.BytesIO()
    write(content)
    return content.getvalue()


CSV = FRAME.write_csv().encode()
ARROW = saved(FRAME.write_ipc)
COMPRESSED = saved(lambda to: FRAME.with_columns(pl.col("pred").round()).write_ipc(to, compression="zstd"))
STREAM = saved(FRAME.write_ipc_stream)
ZSTD = saved(lambda to: FRAME.write_csv(to, compression="zstd"))
NPY = saved(lambda to: np.save(to, FRAME["pred"].to_numpy()))
NPZ = saved(lambda to: np.savez(to, pred=FRAME["pred"].to_numpy()))
LINES = FRAME.write_ndjson().encode().splitlines(keepends=True)


def lines(**odd: bytes) -> bytes:
    """NDJSON with odd lines: lines(n25001=b'...')."""
    return b"".join(odd.get(f"n{number}", line) for number, line in enumerate(LINES, 1))


def array(values) -> bytes:
    return saved(lambda to: np.save(to, values, allow_pickle=True))


# name: (the file's name, its content, and what stderr must hold in this order)
WRONG: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    # compressed text
    "gzip cut short": (
        "p.csv.gz",
        gzip.compress(CSV)[:-3000],
        ("incomplete or damaged compressed file", "write it again"),
    ),
    "zstd cut short": ("p.csv.zst", ZSTD[:-300], ("incomplete or damaged compressed file",)),
    "too many fields, gzip": (
        "p.csv.gz",
        gzip.compress(CSV.replace(b"\n25000,", b"\n25000,1,")),
        ("p.csv.gz: 1 row that does not have the header's 2 fields", "row 25001: 3 fields"),
    ),
    "text, late, zstd": (
        "p.tsv.zst",
        saved(
            lambda to: FRAME.select(
                "id", pl.col("pred").cast(pl.String).replace("3571.4285714285716", "bad")
            ).write_csv(to, separator="\t", compression="zstd")
        ),
        (
            "p.tsv.zst, column pred: 1 value that is not a number",
            "row 25001 (id 25000): 'bad'",
            "fix these rows",
        ),
    ),
    "Latin-1, gzip": (
        "p.csv.gz",
        gzip.compress("id,pred,note\n1,1.5,é\n".encode("latin1")),
        ("p.csv.gz: not UTF-8", "line 2: 1,1.5,\ufffd", "iconv"),
    ),
    "empty, gzip": ("p.csv.gz", gzip.compress(b""), ("p.csv.gz: empty file",)),
    "a header alone, gzip": ("p.csv.gz", gzip.compress(b"id,pred\n"), ("p.csv.gz: no rows, only a header",)),
    "missing, gzip": (
        "p.csv.gz",
        gzip.compress(b"id,pred\n0,\n"),
        ("column pred: 1 missing value", "row 1 (id 0)"),
    ),
    ".txt": ("p.txt", CSV, ("p.txt: .txt does not tell the separator", "--separator")),
    # Arrow
    "Arrow cut short": (
        "p.arrow",
        ARROW[:-20],
        ("p.arrow: incomplete or damaged Arrow file", "write it again"),
    ),
    "Arrow with a corrupt page": (
        "p.feather",
        COMPRESSED.replace(b"\x28\xb5\x2f\xfd", b"\0\0\0\0"),
        ("p.feather: incomplete or damaged Arrow file",),
    ),
    "an Arrow stream cut short": (
        "p.arrow",
        STREAM[:-2000],
        ("p.arrow: incomplete or damaged Arrow stream", "write it"),
    ),
    "CSV named stream": (
        "p.arrows",
        CSV,
        ("p.arrows: incomplete or damaged Arrow stream", "no Arrow message"),
    ),
    "Feather 1": ("p.feather", b"FEA1....", ("p.feather: a Feather file of version 1", "version 2")),
    "empty Arrow": ("p.ipc", b"", ("p.ipc: empty file",)),
    "Arrow without rows": ("p.ipc", saved(FRAME.clear().write_ipc), ("p.ipc: no rows, only a header",)),
    "Parquet named Arrow": (
        "p.arrow",
        saved(FRAME.write_parquet),
        ("p.arrow: a Parquet file", "name it .parquet"),
    ),
    "CSV named Arrow": ("p.arrow", CSV, ("p.arrow: incomplete or damaged Arrow file",)),
    # NDJSON
    "NDJSON cut short": ("p.ndjson", lines()[:-9], ("1 line that is not a JSON object", "line 30000:")),
    "no JSON, late": (
        "p.jsonl",
        lines(n25001=b"oops\n"),
        ("p.jsonl: 1 line that is not a JSON object", "line 25001"),
    ),
    "lists within lists in JSON": (
        "p.ndjson",
        lines(n25001=b'{"id": 25000, "pred": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"),
        ("line 25001: lists or objects are nested too deeply", "write one object per line"),
    ),
    "NaN in JSON": (
        "p.ndjson",
        lines(n25001=b'{"id": 25000, "pred": NaN}\n'),
        ("line 25001: NaN is not JSON", "null for a missing number"),
    ),
    "text in JSON, late": (
        "p.ndjson",
        lines(n25001=b'{"id": 25000, "pred": "bad"}\n'),
        (
            "p.ndjson, column pred: 1 value that is not a number",
            "row 25001 (id 25000): 'bad'",
            "fix these rows",
        ),
    ),
    "text in JSON": (
        "p.ndjson",
        b'{"id": 0, "pred": "bad"}\n',
        ("column pred: 1 value that is not a number", "row 1 (id 0): 'bad'"),
    ),
    "a list in JSON": ("p.ndjson", lines(n7=b"[6, 1.5]\n"), ("line 7: [6, 1.5] is not an object",)),
    "a list beside numbers in JSON": (
        "p.ndjson",
        lines(n7=b'{"id": 6, "pred": [1.5]}\n'),
        ("p.ndjson, column pred: 1 value that is not a single value", "line 7: [1.5]"),
    ),
    "a key that a line lacks": (
        "p.ndjson",
        lines(n25001=b'{"id": 25000}\n'),
        ("column pred: 1 missing value", "row 25001 (id 25000)", "--missing drop"),
    ),
    "one document": ("p.json", b"[]", ("p.json: JSON, but not one object per line", "write NDJSON")),
    "empty NDJSON": ("p.ndjson", b"", ("p.ndjson: empty file",)),
    "empty lines": ("p.ndjson", b"\n\n", ("p.ndjson: empty file",)),
    "CSV named NDJSON": ("p.ndjson", CSV, ("p.ndjson: 30001 lines that are not a JSON object", "line 1: ")),
    "Latin-1 NDJSON": (
        "p.ndjson",
        '{"id": 0, "pred": 1, "s": "é"}\n'.encode("latin1"),
        ("not UTF-8", "line 1"),
    ),
    # NumPy
    "array cut short": ("p.npy", NPY[:-20], ("p.npy: incomplete or damaged NumPy file", "write it again")),
    "CSV named .npy": ("p.npy", CSV, ("p.npy: incomplete or damaged NumPy file",)),
    "array named CSV": ("p.csv", NPY, ("p.csv: a NumPy array", "name it .npy")),
    "objects": (
        "p.npy",
        array(np.array([{}, 1], dtype=object)),
        ("an array of Python objects", "astype(float)"),
    ),
    "a structured array": (
        "p.npy",
        array(np.zeros(3, dtype=[("id", int), ("pred", float)])),
        ("p.npy: a structured array with the fields id, pred", "numpy.savez(file, **{name: array[name]"),
    ),
    "complex numbers": (
        "p.npy",
        array(np.zeros(3, complex)),
        ("p.npy: an array of 1 dimensions and type complex",),
    ),
    "three dimensions": ("p.npy", array(np.zeros((3, 3, 3))), ("an array of 3 dimensions", "numbers (n, k)")),
    "a number": ("p.npy", array(np.float64(3)), ("p.npy: a single number, no rows",)),
    "no rows": ("p.npy", array(np.zeros(0)), ("p.npy: no rows",)),
    "arrays cut short": ("p.npz", NPZ[:-20], ("p.npz: incomplete or damaged NumPy file",)),
    "arrays of different lengths": (
        "p.npz",
        saved(lambda to: np.savez(to, pred=np.zeros(3), y=np.zeros(4))),
        ("p.npz: arrays of different lengths: pred 3, y 4",),
    ),
    "a workbook": ("p.csv", b"PK\x03\x04....", ("p.csv: a zip, .npz or Excel file", "save it as .csv")),
    "a zip archive": ("p.csv.zip", b"PK\x03\x04....", ("p.csv.zip: a zip archive", "unzip p.csv.zip")),
    "bzip2": ("p.csv.bz2", bz2.compress(CSV), ("p.csv.bz2: compressed by bzip2", "bunzip2 -k p.csv.bz2")),
    "bzip2 named CSV": ("p.csv", bz2.compress(CSV), ("p.csv: compressed by bzip2",)),
    "xz": ("p.csv.xz", lzma.compress(CSV), ("p.csv.xz: compressed by xz", "unxz -k p.csv.xz")),
    "a pointer of git LFS": (
        "p.csv",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
        ("p.csv: a pointer of git LFS, not the file", "git lfs pull"),
    ),
    "a pointer of git LFS named Parquet": (
        "p.parquet",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
        ("p.parquet: a pointer of git LFS, not the file",),
    ),
    "an HTML page": ("p.csv", b"\n<!DOCTYPE html>\n<html></html>", ("p.csv: an HTML page, not data",)),
    "an HTML page named JSON": ("p.json", b"<html></html>", ("p.json: an HTML page",)),
    "an old workbook": ("p.xls", b"\xd0\xcf\x11\xe0....", ("p.xls: an old Excel file", ".xlsx")),
    "a damaged workbook": ("p.xlsx", b"PK\x03\x04....", ("p.xlsx: incomplete or damaged Excel file",)),
    "CSV named Excel": ("p.xlsx", CSV, ("p.xlsx: incomplete or damaged Excel file",)),
    "a database": ("p.db", b"SQLite format 3\x00", ("p.db: an SQLite database",)),
    "a pickle": ("p.csv", pickle.dumps([1]), ("p.csv: a pickle", "write Parquet")),
}


@pytest.mark.parametrize(("name", "content", "said"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named_with_what_where_and_remedy(name, content, said, losscli):
    (losscli.folder / name).write_bytes(content)
    (losscli.folder / "t.csv").write_text(Y)
    status = 2 if name == "p.txt" else 3
    losscli.refuses(status, "evaluate", name, "t.csv", "-l", "mse", said=said)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "npz"])
def test_files_of_different_columns_are_named(suffix, losscli):
    first = FRAME.head(3)
    for i, frame in enumerate((first, first, first.rename({"pred": "prediction"}))):
        path = losscli.folder / f"part-{i}.{suffix}"
        match suffix:
            case "csv":
                frame.write_csv(path)
            case "parquet":
                frame.write_parquet(path)
            case "arrow":
                frame.write_ipc(path)
            case _:
                np.savez(path, **{name: frame[name].to_numpy() for name in frame.columns})
    said = [
        f"part-2.{suffix}: columns differ from those of part-0.{suffix}: no pred, extra prediction",
        "name files with the same columns",
    ]
    losscli.refuses(3, "evaluate", f"part-*.{suffix}", "-l", "mse", said=said)


def test_files_of_different_types_are_named(losscli):
    FRAME.head(3).write_parquet("part-0.parquet")
    FRAME.head(3).cast({"pred": pl.String}).write_parquet("part-1.parquet")
    said = ["part-1.parquet: columns differ from those of part-0.parquet: pred is String, not Float64"]
    losscli.refuses(3, "evaluate", "part-*.parquet", "-l", "mse", said=said)


def test_what_is_wrong_in_one_of_several_files_is_found_there(losscli):
    FRAME.write_csv("part-0.csv")
    FRAME.write_csv("part-1.csv.gz", compression="gzip")
    (losscli.folder / "part-2.csv").write_text("id,pred\n1,2\n2,bad\n")
    said = ["part-2.csv, column pred: 1 value that is not a number", "row 2: 'bad'"]
    losscli.refuses(3, "evaluate", "part-*.csv*", "-y", "id", "-p", "pred", "-l", "mse", said=said)


@pytest.mark.parametrize(
    ("made", "named", "said"),
    {
        "nothing": ([], "none-*.csv", "none-*.csv: no file matches this pattern"),
        "an empty folder": (["d/"], "d", "d: folder without files"),
        "several formats": (
            ["d/a.csv", "d/b.parquet"],
            "d",
            "d: files of different formats: 1 of csv and 1 of parquet",
        ),
        "a folder in it": (["d/a.csv", "d/e/b.csv"], "d", "d: a subfolder that is not named key=value: e"),
        "other files in it": (["d/a.csv", "d/notes.md"], "d", "d/notes.md: unknown format .md"),
        "other keys": (
            ["d/x=1/a.csv", "d/z=1/a.csv"],
            "d",
            "d/z=1/a.csv: key=value folders differ from those",
        ),
    }.values(),
)
def test_folders_and_patterns_that_hold_no_table(made, named, said, losscli):
    for name in made:
        path = losscli.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text("pred,y\n1,2\n")
    losscli.refuses(3, "evaluate", named, said=[said])


@pytest.mark.parametrize(
    ("argv", "said"),
    {
        "- -": "standard input can be one side only",
        "d.csv --separator ab": "--separator must be one character, comma, pipe, semicolon, space or tab",
        "d.parquet --separator ;": "--separator is for text, and no input is CSV, TSV or .txt",
        "d.csv --input-format csv": "--input-format is for inputs whose names do not tell their format",
        "d.csv --input-format parqet": "got 'parqet'. Did you mean parquet?",
    }.items(),
)
def test_options_that_mean_nothing_are_refused(argv, said, losscli):
    FRAME.write_csv("d.csv")
    FRAME.write_parquet("d.parquet")
    losscli.refuses(2, "evaluate", *argv.split(), said=[said])


@pytest.mark.parametrize(
    ("content", "said"),
    {
        b"": "standard input: empty file",
        b"PAR1....": "standard input: incomplete or damaged Parquet file",
        b"\x00\x01\x02\x03 not text": "standard input: the first bytes match no known format",
        b'[{"pred": 1, "y": 2}]': "standard input: JSON, but not one object per line",
        b"pred,y\n1,x\n": "standard input, column y: 1 value that is not a number",
    }.items(),
)
def test_what_comes_from_standard_input_is_named_so(content, said, losscli, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    losscli.refuses(3, "evaluate", "-", "-l", "mse", "--task", "regression", said=[said])
