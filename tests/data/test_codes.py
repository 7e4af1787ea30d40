"""Each way in which an input can be wrong has its code, which stays the same whatever the wording."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.data import writer
from losscli.data.diagnose import unreadable
from losscli.errors import DataError
from losscli.report.findings import Code

FRAME = pl.DataFrame({"id": [1, 2, 3], "pred": [1.5, 2.5, 2.0], "y": [1.0, 2.0, 3.0]})
BIG = 2**53 + 1


def saved(name, write):
    """Make a file, and return what is evaluated: its name."""

    def make():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write(name)
        return (name,)

    return make


def text(name, content):
    return saved(name, lambda path: Path(path).write_bytes(content.encode("latin1")))


def files(source, **contents):
    """Make CSV files, with / for __ in their names, and return what is evaluated: `source`."""

    def make():
        for name, content in contents.items():
            text(name.replace("__", "/") + ".csv", content)()
        return (source,)

    return make


def folder(*names):
    def make():
        for name in names:
            Path(name).mkdir(parents=True)
        return names[:1]

    return make


WRONG = {
    "no file": (lambda: ("no.csv",), Code.NO_SUCH_FILE),
    "no match": (lambda: ("no-*.csv",), Code.NO_MATCHING_FILE),
    "an empty folder": (folder("d"), Code.EMPTY_FOLDER),
    "a folder in it": (folder("d", "d/e"), Code.NESTED_FOLDER),
    "an unknown suffix": (text("p.xyz", "a"), Code.UNSUPPORTED_FORMAT),
    "unknown bytes": (text("p", "\0\0\0\0\n"), Code.UNSUPPORTED_FORMAT),
    "a JSON document": (text("p.json", "[]"), Code.UNSUPPORTED_FORMAT),
    "Parquet named .csv": (saved("p.csv", FRAME.write_parquet), Code.UNSUPPORTED_FORMAT),
    "HDF5": (text("p", "\x89HDF\r\n\x1a\n"), Code.UNSUPPORTED_FORMAT),
    "nothing in it": (text("p.csv", ""), Code.EMPTY_FILE),
    "blank lines": (text("p.ndjson", "\n\n"), Code.EMPTY_FILE),
    "a header": (text("p.csv", "pred,y\n"), Code.EMPTY_TABLE),
    "a short Parquet file": (text("p.parquet", "PAR1...."), Code.DAMAGED_FILE),
    "a short array": (text("p.npy", "\x93NUMPY"), Code.DAMAGED_FILE),
    "short gzip": (
        saved(
            "p.csv.gz", lambda path: Path(path).write_bytes(gzip.compress(b"pred,y\n" + b"1,2\n" * 999)[:-12])
        ),
        Code.DAMAGED_FILE,
    ),
    "Latin-1": (text("p.csv", "pred,y,note\n1,2,é\n"), Code.WRONG_ENCODING),
    "other columns": (files("*.csv", a="pred,y\n1,2\n", b="pred,z\n1,2\n"), Code.DIFFERENT_COLUMNS),
    "other keys": (
        files("d", **{"d__x=1__a": "pred,y\n1,2\n", "d__z=1__a": "pred,y\n1,2\n"}),
        Code.DIFFERENT_FOLDERS,
    ),
    "one name twice": (text("p.csv", "pred,pred,y\n1,2,3\n"), Code.DUPLICATE_COLUMN),
    "semicolons": (text("p.csv", "pred;y\n1;2\n"), Code.WRONG_SEPARATOR),
    "text in Parquet": (
        saved("p.parquet", FRAME.with_columns(pl.col("pred").cast(pl.String)).write_parquet),
        Code.WRONG_TYPE,
    ),
    "complex numbers": (lambda: (np.zeros(3, complex), np.zeros(3)), Code.INVALID_ARRAY),
    "a single number": (saved("p.npy", lambda path: np.save(path, np.float64(3))), Code.INVALID_ARRAY),
    "unequal columns": (lambda: ({"pred": [1.0], "y": [1.0, 2.0]},), Code.INVALID_ARRAY),
    "unequal lengths": (lambda: ([1.0, 2.0], [1.0]), Code.DIFFERENT_ROW_COUNTS),
    "large keys": (
        lambda: (
            pl.DataFrame({"id": [BIG], "pred": [1.0]}),
            pl.DataFrame({"id": [float(BIG)], "y": [1.0]}),
        ),
        Code.INEXACT_KEY,
    ),
}


@pytest.mark.parametrize(("make", "code"), WRONG.values(), ids=WRONG)
def test_wrong_inputs_have_codes(make, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        losscli.evaluate(*make(), loss="mse")
    assert {problem.code for problem in caught.value.problems} == {str(code)}


def test_files_of_different_formats_have_a_code(tmp_path):
    FRAME.write_csv(tmp_path / "a.csv")
    FRAME.write_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError) as caught:
        losscli.evaluate(tmp_path, loss="mse")
    assert [problem.code for problem in caught.value.problems] == [str(Code.MIXED_FORMATS)]


def test_a_file_that_cannot_be_written_has_a_code(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError) as caught:
        writer.write([(tmp_path / "file" / "r.json", "{}")])
    assert [problem.code for problem in caught.value.problems] == [str(Code.UNWRITABLE_FILE)]


LABELS = {
    "none": ([0.5, 0.4], [None, None], {}, Code.NO_LABELS),
    "three": ([0.5, 0.4, 0.3], ["a", "b", "c"], {}, Code.TOO_MANY_LABELS),
    "text for numbers": ([0.5, 0.4], [0, 1], {"positive": "cat"}, Code.IMPOSSIBLE_CLASSES),
}


@pytest.mark.parametrize(("probabilities", "labels", "options", "code"), LABELS.values(), ids=LABELS)
def test_labels_that_cannot_be_classes_have_codes(probabilities, labels, options, code):
    frame = pl.DataFrame({"prob": probabilities, "label": labels})
    frame = frame.with_columns(pl.col("label").cast(pl.String) if labels[0] is None else pl.col("label"))
    with pytest.raises(DataError) as caught:
        losscli.evaluate(frame, loss="log_loss", task="binary", **options)
    assert [problem.code for problem in caught.value.problems] == [str(code)]


@pytest.mark.parametrize(
    ("message", "code"),
    {
        "<Code>NoSuchBucket</Code>": Code.NO_SUCH_BUCKET,
        "expanded paths were empty": Code.NO_MATCHING_FILE,
        "Object at location a not found": Code.NO_SUCH_FILE,
        "response error, status code: 403": Code.ACCESS_DENIED,
        "lacks the necessary privileges": Code.ACCESS_DENIED,
        "anything else": Code.UNREADABLE_FILE,
    }.items(),
)
def test_errors_of_object_stores_have_codes(message, code):
    found = unreadable(OSError(message), ["p"], ["s3://bucket/p"])
    assert (found.code, found.where) == (str(code), "s3://bucket/p")
