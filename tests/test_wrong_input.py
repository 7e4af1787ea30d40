"""Files that are wrong: each gets one clear message (what, file, row, id, remedy), all problems at once."""

from __future__ import annotations

import os

import polars as pl
import pytest

P = "id,pred\n1,1.5\n2,2.5\n3,2.0\n"
Y = "id,y\n1,1.0\n2,2.0\n3,3.0\n"
BINARY = "id,y\n1,1\n2,0\n3,1\n4,0\n"
CLASSES = "id,cat,dog\n1,.8,.2\n2,.1,.9\n3,.5,.5\n"
LABELS = "id,label\n1,cat\n2,dog\n3,dog\n"
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
    "a folder": ({"t": Y}, ". t.csv", (".: a folder, not a file",)),
    "empty": ({"p": "", "t": Y}, "p.csv t.csv", ("p.csv: an empty file", "-> it needs a header and rows")),
    "blank lines alone": ({"p": "\n\n", "t": Y}, "p.csv t.csv", ("p.csv: an empty file",)),
    "empty Parquet": ({"p_parquet": b"", "t": Y}, "p.parquet t.csv", ("p.parquet: an empty file",)),
    "a header alone": ({"p": "id,pred\n", "t": Y}, "p.csv t.csv", ("p.csv: no rows, only a header",)),
    "a header alone, by position": (
        {"p": "pred\n", "t": "y\n1\n"},
        "p.csv t.csv",
        ("p.csv: no rows, only a header",),
    ),
    "two headers alone": (
        {"p": "id,prob\n", "t": "id,label\n"},
        "p.csv t.csv -l log_loss",
        ("t.csv, column label: no labels",),
    ),
    "unknown suffix": (
        {"p_json": "{}", "t": Y},
        "p.json t.csv",
        ("p.json: unknown format .json", "-> known: .csv, .tsv, .parquet, .pq"),
    ),
    "fake Parquet": ({"p_parquet": b"id,pred\n1,2\n", "t": Y}, "p.parquet t.csv", ("not a whole Parquet file",)),
    "Parquet named CSV": ({"p": b"PAR1....", "t": Y}, "p.csv t.csv", ("p.csv: a Parquet file", "-> name it .parquet")),
    "gzip named CSV": ({"p": b"\x1f\x8b\x08\x00", "t": Y}, "p.csv t.csv", ("compressed with gzip", "gunzip")),
    "Latin-1": (
        {"p": "id,pred,note\n1,1.5,ok\n2,2.5,é\n3,2.0,ok\n".encode("latin1"), "t": Y},
        "p.csv t.csv",
        ("p.csv: not UTF-8", "line 3: byte 0xe9", "-> iconv -f latin1 -t utf-8 p.csv"),
    ),
    "UTF-16": ({"p": P.encode("utf-16"), "t": Y}, "p.csv t.csv", ("UTF-16, not UTF-8", "-> convert it: iconv")),
    "semicolons": ({"p": "id;pred\n1;1\n", "t": Y}, "p.csv t.csv", ("one column, 'id;pred'", "';' the separator?")),
    "tabs in .csv": ({"p": "id\tpred\n1\t1\n", "t": Y}, "p.csv t.csv", ("'\\t' the separator?", "-> name it .tsv")),
    "two columns of one name": (
        {"p": "id,pred,pred\n1,1,2\n2,2,3\n3,3,4\n", "t": Y},
        "p.csv t.csv",
        ("p.csv: several columns are named pred", "-> rename them"),
    ),
    # rows
    "too many fields": (
        {"p": "id,pred\n1,1.5\n2,2.5,9,9\n3,2.0\n", "t": Y},
        "p.csv t.csv",
        ("p.csv: 1 row does not have the header's 2 fields", "row 2: 4 fields", "-> quote fields"),
    ),
    "too few fields": (
        {"p": "id,pred\n1,1.5\n2\n3,2.0\n", "t": Y},
        "p.csv t.csv",
        ("1 row does not have the header's 2 fields", "row 2: 1 field"),
    ),
    "too few fields are not dropped as missing": (
        {"p": "id,pred\n1,1.5\n2\n3,2.0\n", "t": Y},
        "p.csv t.csv --missing drop",
        ("1 row does not have the header's 2 fields", "row 2: 1 field"),
    ),
    "a blank line": ({"p": P + "\n", "t": Y}, "p.csv t.csv", ("row 4: a blank line", "delete blank lines")),
    "text, early": (
        {"p": "id,pred\n1,1.5\n2,abc\n3,2.0\n", "t": Y},
        "p.csv t.csv",
        ("p.csv, column pred: 1 value that is not a number", "row 2: 'abc'", "-> mend these rows"),
    ),
    "text among targets, early": (
        {"p": P, "t": "id,y\n1,1.0\n2,n/a\n3,3.0\n"},
        "p.csv t.csv",
        ("t.csv, column y: 1 value that is not a number", "row 2: 'n/a'"),
    ),
    "text, late": (
        {"p": long("pred", r25001="bad", r30000="worse"), "t": long("y")},
        "p.csv t.csv",
        ("p.csv, column pred: 2 values that are not a number", "row 25001: 'bad'", "row 30000: 'worse'"),
    ),
    "text in both files and columns": (
        {"p": long("pred", r20000="bad"), "t": long("y", r20001="'1'")},
        "p.csv t.csv",
        ("p.csv, column pred", "row 20000: 'bad'", "t.csv, column y", "row 20001: \"'1'\""),
    ),
    "text of Parquet": (
        {"p_parquet": frame(id=[1], pred=["1.5"]), "t": "id,y\n1,1\n"},
        "p.parquet t.csv",
        ("p.parquet, column pred: values of type String, where numbers are needed",),
    ),
    "missing": (
        {"p": "id,pred\n1,\n2,NA\n3,2.0\n", "t": "id,y\n1,1\n2,2\n3,\n"},
        "p.csv t.csv",
        ("p.csv, column pred: 2 missing values", "row 1 (id 1)", "row 2 (id 2)", "-> --missing drop",
         "t.csv, column y: 1 missing value", "row 3 (id 3)"),
    ),
    "NaN and infinities": (
        {"p_parquet": frame(id=[1, 2, 3], pred=[NAN, INF, -INF]), "t": Y},
        "p.parquet t.csv",
        ("column pred: 1 missing value", "row 1 (id 1)", "column pred: 2 infinite values", "row 2 (id 2): inf",
         "row 3 (id 3): -inf", "-> a number must be finite"),
    ),
    "more than five": (
        {"p": "pred\n" + "inf\n" * 9, "t": "y\n" + "1\n" * 9},
        "p.csv t.csv",
        ("9 infinite values", "row 5: inf\n  ... and 4 more",),
    ),
    # keys
    "duplicate predictions, same order": (
        {"p": "id,pred\n1,1\n1,2\n2,3\n", "t": "id,y\n1,1\n1,2\n2,3\n"},
        "p.csv t.csv",
        ("p.csv, column id: 1 row with a key that an earlier row has", "row 2 (id 1)", "-> a key stands once",
         "t.csv, column id: 1 row with a key"),
    ),
    "duplicate predictions, shuffled": (
        {"p": P + "1,9\n", "t": "id,y\n3,3\n1,1\n2,2\n"},
        "p.csv t.csv",
        ("p.csv, column id: 1 row with a key that an earlier row has", "row 4 (id 1)"),
    ),
    "duplicate targets": (
        {"p": P, "t": "id,y\n3,3\n1,1\n2,2\n1,7\n3,5\n"},
        "p.csv t.csv",
        ("t.csv, column id: 2 rows with a key that an earlier row has", "row 4 (id 1)", "row 5 (id 3)"),
    ),
    "keys on one side only": (
        {"p": "id,pred\n9,1\n2,2\n3,3\n", "t": Y + "7,1\n"},
        "p.csv t.csv",
        ("p.csv, column id: 1 prediction without a target", "row 1 (id 9)", "-> --unmatched drop",
         "t.csv, column id: 2 targets without a prediction", "row 1 (id 1)", "row 4 (id 7)"),
    ),
    "a key that is missing": (
        {"p": "id,pred\n1,1\n,2\n3,3\n", "t": "id,y\n1,1\n2,2\n,3\n"},
        "p.csv t.csv",
        ("p.csv, column id: 1 missing value", "row 2", "t.csv, column id: 1 missing value", "row 3"),
    ),
    "unequal counts": (
        {"p": "pred\n1\n2\n", "t": "y\n1\n2\n3\n"},
        "p.csv t.csv",
        ("p.csv and t.csv: 2 rows of predictions and 3 rows of targets", "-> a key column in both"),
    ),
    "unequal counts with a blank line": (
        {"p": "pred\n1\n2\n\n", "t": "y\n1\n2\n"},
        "p.csv t.csv",
        ("3 rows of predictions and 2 rows of targets", "p.csv: 1 row", "row 3: a blank line"),
    ),
    # values that their meaning forbids
    "probabilities outside [0, 1]": (
        {"p": "id,prob\n1,1.5\n2,-0.25\n3,.5\n4,.5\n", "t": BINARY},
        "p.csv t.csv",
        ("p.csv, column prob: 2 probabilities outside [0, 1]", "row 1 (id 1): 1.5", "row 2 (id 2): -0.25",
         "-> if these are logits, add --from-logits"),
    ),
    "probabilities that do not sum to one": (
        {"p": CLASSES.replace(".2\n", ".1\n"), "t": LABELS},
        "p.csv t.csv",
        ("p.csv, columns cat, dog: 1 probability that does not sum to one", "row 1 (id 1): sum 0.9",
         "-> --normalize rescales them"),
    ),
    "labels outside the classes": (
        {"p": CLASSES, "t": LABELS.replace("2,dog", "2,owl")},
        "p.csv t.csv",
        ("t.csv, column label: 1 label outside the 2 classes (cat, dog)", "row 2 (id 2): 'owl'", "--classes"),
    ),
    "labels that are numbers": (
        {"p": CLASSES, "t": "id,label\n1,0.5\n2,1.5\n3,2.5\n"},
        "p.csv t.csv -p cat,dog",
        ("t.csv, column label: it holds numbers, and the classes are cat, dog", "-> -y names the column"),
    ),
    "three labels in a binary task": (
        {"p": "id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", "t": "id,y\n1,cat\n2,dog\n3,owl\n4,dog\n"},
        "p.csv t.csv",
        ("t.csv, column y: more than two labels in a binary task: cat, dog, owl", "-> --task multiclass"),
    ),
    "a label 2": (
        {"p": "id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", "t": BINARY.replace("3,1", "3,2")},
        "p.csv t.csv",
        ("t.csv, column y: 1 label that is neither 0 nor 1", "row 3 (id 3): 2", "-> --positive names one"),
    ),
    "labels -1": (
        {"p": "id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", "t": BINARY.replace(",0", ",-1")},
        "p.csv t.csv -l log_loss",
        ("t.csv, column y: 2 labels -1, where a chosen loss needs 0 and 1", "-> --positive 1"),
    ),
    "soft labels for a loss of hard ones": (
        {"p": "id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", "t": BINARY.replace("1,1", "1,0.25")},
        "p.csv t.csv -l zero_one -l brier",
        ("t.csv, column y: 1 fraction as label", "row 1 (id 1): 0.25", "-> choose losses that take soft"),
    ),
    "negative and infinite weights": (
        {"p": P, "t": "id,y,w\n1,1,-2\n2,2,inf\n3,3,\n"},
        "p.csv t.csv -y y -w w",
        ("t.csv, column w: 1 missing value", "row 3 (id 3)", "1 negative weight", "row 1 (id 1): -2",
         "1 infinite weight", "row 2 (id 2)", "-> a weight is a number from 0 up"),
    ),
    "lists of unequal length": (
        {"p_parquet": frame(id=[1, 2], probs=[[0.5, 0.5], [0.2, 0.3, 0.5]]), "t": "id,label\n1,0\n2,1\n"},
        "p.parquet t.csv",
        ("p.parquet, column probs: 1 list that does not have 2 numbers", "row 2 (id 2): 3 numbers"),
    ),
    # what is left
    "all rows dropped": (
        {"p": "id,pred\n1,\n2,\n3,\n", "t": Y},
        "p.csv t.csv --missing drop",
        ("no rows are left to evaluate", "3 rows with missing values were left out"),
    ),
    "all weights zero": (
        {"p": P, "t": "id,y,w\n1,1,0\n2,2,0\n3,3,0\n"},
        "p.csv t.csv -y y -w w",
        ("no rows are left to evaluate", "3 rows of weight zero were left out"),
    ),
    "no key in common": (
        {"p": P, "t": "id,y\na,1\nb,2\n"},
        "p.csv t.csv --unmatched drop",
        ("no rows are left to evaluate", "3 predictions without a target", "2 targets without a prediction"),
    ),
    "all problems at once": (
        {
            "p": "id,cat,dog,bird\n1,.8,.1,.1\n2,.1,.9,.1\n3,1.1,-.1,0\n4,,.1,.1\n5,.8,.1,.1\n9,1,0,0\n",
            "t": "id,w,label\n5,-1,cat\n1,1,cat\n2,1,dog\n3,1,bird\n4,1,owl\n8,1,cat\n",
        },
        "p.csv t.csv -y label -w w",
        ("p.csv, column id: 1 prediction without a target", "row 6 (id 9)",
         "p.csv, column cat: 1 missing value", "row 4 (id 4)",
         "t.csv, column w: 1 negative weight", "row 1 (id 5): -1",
         "p.csv, column cat: 1 probability outside [0, 1]", "row 3 (id 3): 1.1",
         "p.csv, column dog: 1 probability outside [0, 1]", "row 3 (id 3): -0.1",
         "p.csv, columns cat, dog, bird: 1 probability that does not sum to one", "row 2 (id 2): sum 1.1",
         "t.csv, column id: 1 target without a prediction", "row 6 (id 8)"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_named_with_what_where_and_remedy(files, arguments, said, losscli):
    losscli.write(**files)
    done = losscli("evaluate", *arguments.split())
    assert done.status == 3
    assert done.out == ""
    at = 0
    for part in said:
        assert part in done.err[at:], done.err
        at = done.err.index(part, at) + len(part)
    assert "Traceback" not in done.err
    assert done.err.startswith("losscli: error: ")


@pytest.mark.parametrize("arguments", ["p.csv t.csv", "p.csv t.csv --missing drop"])
def test_check_finds_what_evaluate_finds(arguments, losscli):
    losscli.write(p="id,prob\n1,1.5\n2,\n3,.5\n4,.5\n", t=BINARY.replace("3,1", "3,2"))
    evaluated, checked = (losscli(command, *arguments.split()) for command in ("evaluate", "check"))
    assert checked == evaluated
    assert checked.status == 3
    assert checked.err.count("losscli: error: ") == (3 if "drop" not in arguments else 2)


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.9])
def test_a_truncated_parquet_file(keep, losscli):
    losscli.write(p_parquet=PARQUET, t=Y)
    whole = (losscli.folder / "p.parquet").read_bytes()
    losscli.write(p_parquet=whole[: int(keep * len(whole))])
    done = losscli("evaluate", "p.parquet", "t.csv")
    assert done.status == 3
    assert done.err.startswith("losscli: error: p.parquet: not a whole Parquet file")


def test_a_parquet_file_with_a_corrupt_page_names_the_file(losscli):
    losscli.write(p_parquet=PARQUET, t=Y)
    corrupt = bytearray((losscli.folder / "p.parquet").read_bytes())
    corrupt[10:40] = b"\xff" * 30
    losscli.write(p_parquet=bytes(corrupt))
    done = losscli("evaluate", "p.parquet", "t.csv")
    assert done.status == 3
    assert done.err.startswith("losscli: error: p.parquet: not a whole Parquet file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file(losscli):
    losscli.write(p=P, t=Y)
    (losscli.folder / "p.csv").chmod(0)
    done = losscli("evaluate", "p.csv", "t.csv")
    assert done.status == 3
    assert "p.csv: cannot be read: Permission denied" in done.err


def test_rows_are_numbered_as_in_their_own_file(losscli):
    losscli.write(p="id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", t="id,y\n4,5\n3,0\n2,1\n1,\n")
    err = losscli("evaluate", "p.csv", "t.csv").err
    assert "missing value\n  row 4 (id 1)" in err
    assert "neither 0 nor 1\n  row 1 (id 4): 5" in err
