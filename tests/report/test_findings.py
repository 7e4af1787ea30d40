"""Findings: their codes, wordings and counts."""

import pickle
import re
import string
from pathlib import Path

import pytest

import losscli
from losscli.report.findings import Code, Note, Tally, finding, note, problem

SOURCE = Path(losscli.__file__).parent


@pytest.mark.parametrize("code", Code, ids=str)
def test_every_code_has_a_meaning_and_a_wording(code):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", str(code))
    assert code.value.meaning.endswith(".")
    assert code.value.error or code.value.note
    assert pickle.loads(pickle.dumps(code)) is code


def test_every_code_is_used():
    files = [path for path in SOURCE.rglob("*.py") if path.name != "findings.py"]
    used = {name for path in files for name in re.findall(r"Code\.(\w+)", path.read_text())}
    assert used >= {code.name for code in Code}


def test_singular_and_plural_have_the_same_parameters():
    for code in Code:
        for words in (code.value.error, code.value.note):
            if isinstance(words, tuple):
                one, many = ({name for _, name, _, _ in string.Formatter().parse(text)} for text in words)
                assert one == many, code


@pytest.mark.parametrize(
    ("code", "fatal", "params", "one", "two"),
    [
        (Code.MISSING_VALUE, True, {}, "1 missing value", "2 missing values"),
        (
            Code.MISSING_VALUE,
            False,
            {},
            "1 row with missing values dropped",
            "2 rows with missing values dropped",
        ),
        (
            Code.WEIGHT_IN_GROUP,
            True,
            {},
            "1 weight that differs within a group",
            "2 weights that differ within a group",
        ),
        (
            Code.ZERO_WEIGHT_COUNTED,
            False,
            {},
            "1 row with weight zero counted as zero loss",
            "2 rows with weight zero counted as zero loss",
        ),
        (
            Code.SOFT_LABEL,
            True,
            {"needed": "0 or 1"},
            "1 soft label, but a chosen loss needs 0 or 1",
            "2 soft labels, but a chosen loss needs 0 or 1",
        ),
        (
            Code.UNMATCHED_TARGET,
            False,
            {"of": " in b.csv"},
            "1 target without a prediction in b.csv dropped",
            "2 targets without a prediction in b.csv dropped",
        ),
        (
            Code.PROBABILITY_OUT_OF_RANGE,
            True,
            {"side": "target ", "range": "[0, 1]"},
            "1 target probability outside [0, 1]",
            "2 target probabilities outside [0, 1]",
        ),
        (
            Code.WRONG_LENGTH,
            True,
            {"width": 3},
            "1 list that does not have 3 numbers",
            "2 lists that do not have 3 numbers",
        ),
        (
            Code.FILTERED_ROWS,
            False,
            {"total": 9, "condition": "x > 0"},
            "1 of 9 rows dropped by --where x > 0",
            "2 of 9 rows dropped by --where x > 0",
        ),
    ],
)
def test_counts_are_in_the_singular_and_plural(code, fatal, params, one, two):
    kind = finding(code, fatal=fatal, **params)
    assert (kind.words(1), kind.words(2)) == (one, two)


def test_an_error_says_where_how_to_fix_it_and_how_many_more():
    kind = finding(Code.OUT_OF_RANGE, "p.csv, column rate", range="a number > 0")
    error = kind.problem(Tally(7, ["row 2: -1.0"]))
    assert error.code == "out-of-range"
    assert str(error) == (
        "p.csv, column rate: 7 values that are not a number > 0\n"
        "  row 2: -1.0\n"
        "  ... and 6 more\n"
        "  -> write a number > 0, and finite"
    )


def test_a_note_has_code_count_place_and_examples():
    kind = finding(Code.CROSSING_QUANTILES, "p.csv")
    text = "1 row with crossing quantiles, e.g. row 3"
    assert kind.note(Tally(1, ["row 3"])) == Note("crossing-quantiles", text, 1, "p.csv", ("row 3",))


def test_what_is_not_counted_has_a_code_too():
    assert note(Code.FEW_UNITS, few=30, unit="row") == Note(
        "few-units", "interval unreliable: fewer than 30 rows"
    )
    assert problem(Code.NO_ROWS, "p.csv").code == "no-rows"


def test_a_report_has_codes_of_what_was_dropped_and_of_its_intervals():
    frame = {"prediction": [1.0, None, 3.0], "target": [1.0, 2.0, 3.5]}
    report = losscli.evaluate(frame, loss="mae", missing="drop")
    assert [(each.code, each.count) for each in report.findings] == [("missing-value", 1)]
    assert [each.code for each in report["mae"].notes] == ["few-units"]
    assert report.to_dict()["findings"][0] == {
        "code": "missing-value",
        "text": "1 row with missing values dropped, e.g. row 2",
        "count": 1,
        "where": None,
        "examples": ["row 2"],
    }


def test_errors_have_codes():
    frame = {"prediction": [1.0, None, 3.0], "target": [1.0, 2.0, 3.5]}
    with pytest.raises(losscli.errors.DataError) as caught:
        losscli.evaluate(frame, loss="mae")
    assert [each.code for each in caught.value.problems] == ["missing-value"]
