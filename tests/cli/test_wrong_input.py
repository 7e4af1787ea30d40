"""Files that are wrong: each gets one clear message (what, file, row, id, remedy), all problems at once."""

from __future__ import annotations

import os

import polars as pl
import pytest

P = "id,pred\n1,1.5\n2,2.5\n3,2.0\n"
Y = "id,y\n1,1.0\n2,2.0\n3,3.0\n"
LONG = 30_000
NAN, INF = float("nan"), float("inf")


def long(column: str, **odd: str) -> str:
    """A file of many rows, with odd values in some of them: long("pred", r25001="bad")."""
    rows = [f"{i},{odd.get(f'r{i}', i)}" for i in range(1, LONG + 1)]
    return f"id,{column}\n" + "\n".join(rows) + "\n"


def frame(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame(columns)


PARQUET = frame(id=[1, 2, 3], pred=[1.5, 2.5, 2.0])

# name: (files, arguments after `evaluate`, and what stderr must hold in this order)
WRONG: dict[str, tuple[dict[str, str | bytes | pl.DataFrame], str, tuple[str, ...]]] = {
    # the file
    "no file": ({"t": Y}, "p.csv t.csv", ("p.csv: no such file", "-> check the path")),
    "neither file": ({}, "p.csv t.csv", ("p.csv: no such file", "t.csv: no such file")),
    "empty": ({"p": "", "t": Y}, "p.csv t.csv", ("p.csv: empty file", "-> it needs a header and rows")),
    "blank lines alone": ({"p": "\n\n", "t": Y}, "p.csv t.csv", ("p.csv: empty file",)),
    "empty Parquet": ({"p_parquet": b"", "t": Y}, "p.parquet t.csv", ("p.parquet: empty file",)),
    "a header alone": ({"p": "id,pred\n", "t": Y}, "p.csv t.csv", ("p.csv: no rows, only a header",)),
    "a header alone, by position": (
        {"p": "pred\n", "t": "y\n1\n"},
        "p.csv t.csv",
        ("p.csv: no rows, only a header",),
    ),
    "two headers alone": (
        {"p": "id,prob\n", "t": "id,label\n"},
        "p.csv t.csv -l log_loss",
        ("p.csv: no rows, only a header", "t.csv: no rows, only a header"),
    ),
    "unknown suffix": (
        {"p_ods": "", "t": Y},
        "p.ods t.csv",
        ("p.ods: unknown format .ods", "-> known: .csv, .tsv, .txt", "--input-format"),
    ),
    "JSON": (
        {"p_json": "{}", "t": Y},
        "p.json t.csv",
        ("p.json: JSON, but not one object per line", "-> write NDJSON, one object per line: jq"),
    ),
    "fake Parquet": (
        {"p_parquet": b"id,pred\n1,2\n", "t": Y},
        "p.parquet t.csv",
        ("incomplete or damaged Parquet file",),
    ),
    "Parquet named CSV": (
        {"p": b"PAR1....", "t": Y},
        "p.csv t.csv",
        ("p.csv: a Parquet file", "-> name it .parquet"),
    ),
    "gzip that is cut short, named CSV": (
        {"p": b"\x1f\x8b\x08\x00", "t": Y},
        "p.csv t.csv",
        ("p.csv: incomplete or damaged compressed file", "write it again"),
    ),
    "Latin-1": (
        {"p": "id,pred,note\n1,1.5,ok\n2,2.5,é\n3,2.0,ok\n".encode("latin1"), "t": Y},
        "p.csv t.csv",
        ("p.csv: not UTF-8", "line 3: 2,2.5,\ufffd", "-> iconv -f latin1 -t utf-8 p.csv"),
    ),
    "semicolons": (
        {"p": "id;pred\n1;1\n", "t": Y},
        "p.csv t.csv",
        ("one column, 'id;pred'", "';' the separator?"),
    ),
    "tabs in .csv": (
        {"p": "id\tpred\n1\t1\n", "t": Y},
        "p.csv t.csv",
        ("'\\t' the separator?", "-> name it .tsv"),
    ),
    "two columns of one name": (
        {"p": "id,pred,pred\n1,1,2\n2,2,3\n3,3,4\n", "t": Y},
        "p.csv t.csv",
        ("p.csv: several columns are named pred", "-> rename them"),
    ),
    # rows
    "too many fields": (
        {"p": "id,pred\n1,1.5\n2,2.5,9,9\n3,2.0\n", "t": Y},
        "p.csv t.csv",
        ("p.csv: 1 row that does not have the header's 2 fields", "row 2: 4 fields", "-> quote fields"),
    ),
    "too few fields": (
        {"p": "id,pred\n1,1.5\n2\n3,2.0\n", "t": Y},
        "p.csv t.csv",
        ("1 row that does not have the header's 2 fields", "row 2: 1 field"),
    ),
    "too few fields are not dropped as missing": (
        {"p": "id,pred\n1,1.5\n2\n3,2.0\n", "t": Y},
        "p.csv t.csv --missing drop",
        ("1 row that does not have the header's 2 fields", "row 2: 1 field"),
    ),
    "a blank line": ({"p": P + "\n", "t": Y}, "p.csv t.csv", ("row 4: a blank line", "delete blank lines")),
    "text, early": (
        {"p": "id,pred\n1,1.5\n2,abc\n3,2.0\n", "t": Y},
        "p.csv t.csv",
        ("p.csv, column pred: 1 value that is not a number", "row 2 (id 2): 'abc'", "-> fix these rows"),
    ),
    "text among targets, early": (
        {"p": P, "t": "id,y\n1,1.0\n2,none at all\n3,3.0\n"},
        "p.csv t.csv",
        ("t.csv, column y: 1 value that is not a number", "row 2: 'none at all'"),
    ),
    "text, late": (
        {"p": long("pred", r25001="bad", r30000="worse"), "t": long("y")},
        "p.csv t.csv",
        (
            "p.csv, column pred: 2 values that are not a number",
            "row 25001 (id 25001): 'bad'",
            "row 30000 (id 30000): 'worse'",
        ),
    ),
    "text in both files and columns": (
        {"p": long("pred", r20000="bad"), "t": long("y", r20001="'1'")},
        "p.csv t.csv",
        (
            "p.csv, column pred",
            "row 20000 (id 20000): 'bad'",
            "t.csv, column y",
            "row 20001 (id 20001): \"'1'\"",
        ),
    ),
    "text of Parquet": (
        {"p_parquet": frame(id=[1], pred=["1.5"]), "t": "id,y\n1,1\n"},
        "p.parquet t.csv",
        ("p.parquet, column pred: values of type String, but numbers are needed",),
    ),
    "missing": (
        {"p": "id,pred\n1,\n2,NA\n3,2.0\n", "t": "id,y\n1,1\n2,2\n3,\n"},
        "p.csv t.csv",
        (
            "p.csv, column pred: 2 missing values",
            "row 1 (id 1)",
            "row 2 (id 2)",
            "-> --missing drop",
            "t.csv, column y: 1 missing value",
            "row 3 (id 3)",
        ),
    ),
    "NaN and infinities": (
        {"p_parquet": frame(id=[1, 2, 3], pred=[NAN, INF, -INF]), "t": Y},
        "p.parquet t.csv",
        (
            "column pred: 1 missing value",
            "row 1 (id 1)",
            "column pred: 2 infinite values",
            "row 2 (id 2): inf",
            "row 3 (id 3): -inf",
            "-> numbers must be finite",
        ),
    ),
    "more than five": (
        {"p": "pred\n" + "inf\n" * 9, "t": "y\n" + "1\n" * 9},
        "p.csv t.csv",
        (
            "9 infinite values",
            "row 5: inf\n  ... and 4 more",
        ),
    ),
}


@pytest.mark.parametrize(("files", "arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named_with_what_where_and_remedy(files, arguments, said, losscli):
    losscli.write(**files)
    losscli.refuses(3, "evaluate", *arguments.split(), said=said)


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.9])
def test_a_truncated_parquet_file(keep, losscli):
    losscli.write(p_parquet=PARQUET, t=Y)
    whole = (losscli.folder / "p.parquet").read_bytes()
    losscli.write(p_parquet=whole[: int(keep * len(whole))])
    done = losscli("evaluate", "p.parquet", "t.csv")
    assert done.status == 3
    assert done.err.startswith("losscli: error: p.parquet: incomplete or damaged Parquet file")


def test_a_parquet_file_with_a_corrupt_page_names_the_file(losscli):
    losscli.write(p_parquet=PARQUET, t=Y)
    corrupt = bytearray((losscli.folder / "p.parquet").read_bytes())
    corrupt[10:40] = b"\xff" * 30
    losscli.write(p_parquet=bytes(corrupt))
    done = losscli("evaluate", "p.parquet", "t.csv")
    assert done.status == 3
    assert done.err.startswith("losscli: error: p.parquet: incomplete or damaged Parquet file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file(losscli):
    losscli.write(p=P, t=Y)
    (losscli.folder / "p.csv").chmod(0)
    done = losscli("evaluate", "p.csv", "t.csv")
    assert done.status == 3
    assert "p.csv: cannot be read: Permission denied" in done.err
