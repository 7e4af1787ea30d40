"""The same table in every format and dialect gives the same bits or an error, never another number."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import losscli
from losscli.errors import LossCliError

pytestmark = pytest.mark.slow

NUMBER = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.12g}"))
"""Numbers of 12 digits: XlsxWriter writes no more than 16."""
TEXT = st.text(st.sampled_from("abc\"',;\t|\\#\n 0é"), min_size=1, max_size=8)
ROW = st.tuples(TEXT, NUMBER, NUMBER)
ROWS = st.lists(ROW, min_size=1, max_size=8)
SEPARATORS = {",": "csv", ";": "csv", "|": "txt", "\t": "tsv"}
QUOTING = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "nonnumeric": csv.QUOTE_NONNUMERIC}


def written(frame: pl.DataFrame, path: Path, header: bool = True, **settings) -> Path:
    buffer = io.StringIO()
    writer = csv.writer(buffer, **{"lineterminator": "\n", **settings})
    writer.writerows([frame.columns] if header else [])
    writer.writerows([text, repr(p), repr(y)] for text, p, y in frame.iter_rows())
    path.write_bytes(buffer.getvalue().encode())
    return path


def texts(frame, folder):
    """Delimited text as CSV writers make it, and the options that it needs."""
    for separator, suffix in SEPARATORS.items():
        given = {} if suffix == "tsv" else {"separator": separator}
        for name, quoting in QUOTING.items():
            for header in (True, False):
                path = folder / f"{ord(separator)}-{name}-{header}.{suffix}"
                written(frame, path, header, delimiter=separator, quoting=quoting)
                yield path, {**given, "header": header}
        path = folder / f"{ord(separator)}-escaped.{suffix}"
        written(frame, path, delimiter=separator, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL)
        yield path, {**given, "escape": "\\"}
        path = folder / f"{ord(separator)}-unsaid.{suffix}"
        written(frame, path, delimiter=separator, escapechar="\\", doublequote=False)
        if not is_another_table(path, separator, frame.height):
            yield path, given
        path = folder / f"{ord(separator)}-single.{suffix}"
        yield written(frame, path, delimiter=separator, quotechar="'"), {**given, "quote": "'"}


def is_another_table(path, separator, height):
    """Whether text whose escapes are not told is a sound table of other rows without them."""
    with path.open(newline="", encoding="utf-8") as file:
        try:
            rows = list(csv.reader(file, delimiter=separator, strict=True))
        except csv.Error:
            return False
    return len(rows) != height + 1 and {len(row) for row in rows} == {3}


def encodings(frame, folder):
    plain = written(frame, folder / "plain.csv").read_bytes().decode()
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        path = folder / f"{encoding}.csv"
        path.write_bytes(plain.encode(encoding))
        yield path, {}
    (folder / "crlf.csv").write_bytes(written(frame, folder / "x.csv", lineterminator="\r\n").read_bytes())
    yield folder / "crlf.csv", {}
    (folder / "p.csv.gz").write_bytes(gzip.compress(plain.encode()))
    yield folder / "p.csv.gz", {}


def typed(frame, folder):
    frame.write_parquet(folder / "p.parquet")
    frame.write_ipc(folder / "p.arrow")
    frame.write_ndjson(folder / "p.ndjson")
    frame.write_ndjson(folder / "p.json")
    np.savez(folder / "p.npz", **{name: frame[name].to_numpy() for name in frame.columns[1:]})
    for name in ("p.parquet", "p.arrow", "p.ndjson", "p.json", "p.npz"):
        yield folder / name, {}
    frame.drop("text").write_excel(folder / "p.xlsx")
    yield folder / "p.xlsx", {}
    yield frame.to_pandas(), {}
    yield frame.to_arrow(), {}


def value(source, options):
    names = ("column_2", "column_3") if options.get("header") is False else ("pred", "y")
    return losscli.evaluate(source, loss=["mae", "mse"], pred=names[0], target=names[1], **options).results


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
@pytest.mark.parametrize("make", [pytest.param(texts, marks=pytest.mark.slow), encodings, typed])
def test_a_table_gives_the_same_bits_in_every_format_and_dialect(make, rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("same")
    frame = pl.DataFrame(rows, ["text", "pred", "y"], orient="row")
    expected = value(frame, {})
    for source, options in make(frame, folder):
        try:
            found = value(source, options)
        except LossCliError:
            continue
        assert found == expected, (source, options)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(st.tuples(st.text("ab,;\"'\n é", min_size=1), NUMBER, NUMBER), min_size=2, max_size=8))
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("quoting", ["all", "nonnumeric"])
def test_quoted_text_is_always_read(separator, quoting, rows, tmp_path_factory):
    frame = pl.DataFrame(rows, ["text", "pred", "y"], orient="row")
    path = tmp_path_factory.mktemp("quoted") / f"p.{SEPARATORS[separator]}"
    written(frame, path, delimiter=separator, quoting=QUOTING[quoting])
    options = {} if separator == "\t" else {"separator": separator}
    assert value(path, options) == value(frame, {})
    plain = losscli.evaluate(frame, loss="mae", pred="pred", target="y", by="text")
    found = losscli.evaluate(path, loss="mae", pred="pred", target="y", by="text", **options)
    assert {str(each.cell): each.value for each in found.results} == {
        str(each.cell): each.value for each in plain.results
    }
