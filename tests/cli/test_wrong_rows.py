"""Rows that are wrong: keys, values that their meaning forbids, and nothing left to evaluate."""

from __future__ import annotations

import polars as pl
import pytest

P = "id,pred\n1,1.5\n2,2.5\n3,2.0\n"
Y = "id,y\n1,1.0\n2,2.0\n3,3.0\n"
BINARY = "id,y\n1,1\n2,0\n3,1\n4,0\n"
CLASSES = "id,cat,dog\n1,.8,.2\n2,.1,.9\n3,.5,.5\n"
LABELS = "id,label\n1,cat\n2,dog\n3,dog\n"

# name: (files, arguments after `evaluate`, and what stderr must hold in this order)
WRONG: dict[str, tuple[dict[str, str | pl.DataFrame], str, tuple[str, ...]]] = {
    # keys
    "duplicate predictions, same order": (
        {"p": "id,pred\n1,1\n1,2\n2,3\n", "t": "id,y\n1,1\n1,2\n2,3\n"},
        "p.csv t.csv",
        (
            "p.csv, column id: 1 row with a duplicate key",
            "row 2 (id 1)",
            "-> a key must be unique",
            "t.csv, column id: 1 row with a duplicate key",
        ),
    ),
    "duplicate predictions, shuffled": (
        {"p": P + "1,9\n", "t": "id,y\n3,3\n1,1\n2,2\n"},
        "p.csv t.csv",
        ("p.csv, column id: 1 row with a duplicate key", "row 4 (id 1)"),
    ),
    "duplicate targets": (
        {"p": P, "t": "id,y\n3,3\n1,1\n2,2\n1,7\n3,5\n"},
        "p.csv t.csv",
        ("t.csv, column id: 2 rows with a duplicate key", "row 4 (id 1)", "row 5 (id 3)"),
    ),
    "a missing key, and text in another row": (
        {"d": "id,pred,y\n,1,1\nb,2,x\nc,3,3\n"},
        "d.csv -l mae --on id --missing drop",
        ("d.csv, column y: 1 value that is not a number", "row 2 (id b): 'x'"),
    ),
    "text in braces": (
        {"d": "pred,y\n1,{x}\n2,2\n"},
        "d.csv -l mae",
        ("d.csv, column y: 1 value that is not a number", "row 1: '{x}'"),
    ),
    "keys on one side only": (
        {"p": "id,pred\n9,1\n2,2\n3,3\n", "t": Y + "7,1\n"},
        "p.csv t.csv",
        (
            "p.csv, column id: 1 prediction without a target",
            "row 1 (id 9)",
            "-> --unmatched drop",
            "t.csv, column id: 2 targets without a prediction",
            "row 1 (id 1)",
            "row 4 (id 7)",
        ),
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
        (
            "p.csv, column prob: 2 probabilities outside [0, 1]",
            "row 1 (id 1): 1.5",
            "row 2 (id 2): -0.25",
            "-> if these are logits, add --from-logits",
        ),
    ),
    "rows whose probabilities do not sum to one": (
        {"p": CLASSES.replace(".2\n", ".1\n"), "t": LABELS},
        "p.csv t.csv",
        (
            "p.csv, columns cat, dog: 1 row whose probabilities do not sum to one",
            "row 1 (id 1): sum 0.9",
            "-> --normalize rescales them",
        ),
    ),
    "labels outside the classes": (
        {"p": CLASSES, "t": LABELS.replace("2,dog", "2,owl")},
        "p.csv t.csv",
        ("t.csv, column label: 1 label outside the 2 classes (cat, dog)", "row 2 (id 2): 'owl'", "--classes"),
    ),
    "labels that are numbers": (
        {"p": CLASSES, "t": "id,label\n1,0.5\n2,1.5\n3,2.5\n"},
        "p.csv t.csv -p cat,dog",
        ("t.csv, column label: labels are numbers, but the classes are cat, dog", "-> name the label column"),
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
        ("t.csv, column y: 2 labels of -1, but a chosen loss needs 0 and 1", "-> --positive 1"),
    ),
    "soft labels for a loss of hard ones": (
        {"p": "id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", "t": BINARY.replace("1,1", "1,0.25")},
        "p.csv t.csv -l zero_one -l brier",
        ("t.csv, column y: 1 soft label", "row 1 (id 1): 0.25", "-> choose losses that take soft"),
    ),
    "negative and infinite weights": (
        {"p": P, "t": "id,y,w\n1,1,-2\n2,2,inf\n3,3,\n"},
        "p.csv t.csv -y y -w w",
        (
            "t.csv, column w: 1 missing value",
            "row 3 (id 3)",
            "1 negative weight",
            "row 1 (id 1): -2",
            "1 infinite weight",
            "row 2 (id 2)",
            "-> a weight is a number >= 0",
        ),
    ),
    "lists of unequal length": (
        {
            "p_parquet": pl.DataFrame({"id": [1, 2], "probs": [[0.5, 0.5], [0.2, 0.3, 0.5]]}),
            "t": "id,label\n1,0\n2,1\n",
        },
        "p.parquet t.csv",
        ("p.parquet, column probs: 1 list that does not have 2 numbers", "row 2 (id 2): 3 numbers"),
    ),
    # what is left
    "all rows dropped": (
        {"p": "id,pred\n1,\n2,\n3,\n", "t": Y},
        "p.csv t.csv --missing drop",
        ("no rows are left to evaluate", "3 rows with missing values dropped"),
    ),
    "all weights zero": (
        {"p": P, "t": "id,y,w\n1,1,0\n2,2,0\n3,3,0\n"},
        "p.csv t.csv -y y -w w",
        ("no rows are left to evaluate", "3 rows with weight zero dropped"),
    ),
    "no key in common": (
        {"p": P, "t": "id,y\na,1\nb,2\n"},
        "p.csv t.csv --unmatched drop",
        (
            "p.csv, column id: 3 keys match none of the other file",
            "p.csv: '1', '2', '3' (text)",
            "t.csv: 'a', 'b' (text)",
            "-> --on names another key",
        ),
    ),
    "all problems at once": (
        {
            "p": "id,cat,dog,bird\n1,.8,.1,.1\n2,.1,.9,.1\n3,1.1,-.1,0\n4,,.1,.1\n5,.8,.1,.1\n9,1,0,0\n",
            "t": "id,w,label\n5,-1,cat\n1,1,cat\n2,1,dog\n3,1,bird\n4,1,owl\n8,1,cat\n",
        },
        "p.csv t.csv -y label -w w",
        (
            "p.csv, column id: 1 prediction without a target",
            "row 6 (id 9)",
            "p.csv, column cat: 1 missing value",
            "row 4 (id 4)",
            "t.csv, column w: 1 negative weight",
            "row 1 (id 5): -1",
            "p.csv, column cat: 1 probability outside [0, 1]",
            "row 3 (id 3): 1.1",
            "p.csv, column dog: 1 probability outside [0, 1]",
            "row 3 (id 3): -0.1",
            "p.csv, columns cat, dog, bird: 1 row whose probabilities do not sum to one",
            "row 2 (id 2): sum 1.1",
            "t.csv, column id: 1 target without a prediction",
            "row 6 (id 8)",
        ),
    ),
}


@pytest.mark.parametrize(("files", "arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_rows_are_named_with_what_where_and_remedy(files, arguments, said, losscli):
    losscli.write(**files)
    losscli.refuses(3, "evaluate", *arguments.split(), said=said)


@pytest.mark.parametrize("arguments", ["p.csv t.csv", "p.csv t.csv --missing drop"])
def test_check_finds_what_evaluate_finds(arguments, losscli):
    losscli.write(p="id,prob\n1,1.5\n2,\n3,.5\n4,.5\n", t=BINARY.replace("3,1", "3,2"))
    evaluated, checked = (losscli(command, *arguments.split()) for command in ("evaluate", "check"))
    assert checked == evaluated
    assert checked.status == 3
    assert checked.err.count("losscli: error: ") == (3 if "drop" not in arguments else 2)


def test_rows_are_numbered_as_in_their_own_file(losscli):
    losscli.write(p="id,prob\n1,.5\n2,.5\n3,.5\n4,.5\n", t="id,y\n4,5\n3,0\n2,1\n1,\n")
    err = losscli("evaluate", "p.csv", "t.csv").err
    assert "missing value\n  row 4 (id 1)" in err
    assert "neither 0 nor 1\n  row 1 (id 4): 5" in err
