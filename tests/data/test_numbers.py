"""The numbers in text: what a column shows as a whole has to be what each of its texts means."""

import shlex

import polars as pl
import pytest

from losscli.data import load
from losscli.data.numbers import Spelling, parsed, remedy_for
from losscli.data.request import Reading

SPELLINGS = [
    Spelling(),
    Spelling(","),
    Spelling(",", thousands="."),
    Spelling(thousands=","),
    Spelling(nulls=("-999", "none")),
    Spelling(",", nulls=("-9,5",)),
]
TEXTS = [
    "1",
    "-1",
    "+1",
    "007",
    "1.5",
    "1,5",
    "-1,5",
    "+1,5",
    "1.",
    "1,",
    ".5",
    ",5",
    "-.5",
    "-,5",
    ".",
    ",",
    "1,5e3",
    "1.5E-3",
    "1e5",
    "1,e5",
    ",e5",
    "e5",
    "1e",
    "-0",
    "-0,0",
    "5e-324",
    "1.000",
    "1.000,5",
    "1,000",
    "1,000.5",
    "1.234.567",
    "1,234,567",
    "1,5,",
    "1,,5",
    "12,34,5",
    "-999",
    "-9,5",
    "-9.5",
    "none",
    "inf",
    "-inf",
    "+inf",
    "Inf",
    "INF",
    "infinity",
    "nan",
    "-nan",
    "+nan",
    "NaN",
    "NAN",
    "NA",
    "na",
    "null",
    "true",
    "FALSE",
    "x",
    "0x10",
    "1_000",
    "1f",
    "1,5%",
    "--1",
    "٣",
    "9007199254740991",
    "9007199254740993",
    "12345678901234567890",
    "1e400",
    "1,7976931348623157e308",
    "2,5e308",
    " 1,5",
    "1,5 ",
    "\t1.5",
    " -999",
    " -9,5 ",
    "",
    " ",
    "1 234,5",
    "1\u00a0",
    None,
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=repr)
def test_a_text_means_the_same_whether_its_column_is_plain(spelling):
    text, frame = pl.col("x"), pl.DataFrame({"x": TEXTS}, {"x": pl.String})
    meant = frame.select(
        "x",
        number=spelling.numbers(text).fill_nan(None),
        wrong=spelling.stripped(text).is_not_null() & spelling.numbers(text).is_null(),
    )
    for written, number, wrong in meant.iter_rows():
        found = parsed(pl.Series("x", [written], pl.String), pl.Float64(), spelling)
        assert found.values.fill_nan(None)[0] == number, written
        assert (found.wrong is not None) == wrong, written


@pytest.mark.parametrize(
    "texts", [["1,5", "2"], ["1.5", "2,5"], ["1,5", "nan"], ["1,5", "NAN"], ["1,5", "inf"]]
)
def test_other_texts_of_a_column_change_nothing(texts):
    together = parsed(pl.Series("x", texts), pl.Float64(), Spelling(","))
    for place, text in enumerate(texts):
        alone = parsed(pl.Series("x", [text]), pl.Float64(), Spelling(","))
        assert together.values[place] == alone.values[0]
        assert (together.wrong is not None and together.wrong[place]) == (alone.wrong is not None)


COMMAS = "".join(f"{i};{i},5\n" for i in range(5000))


@pytest.mark.parametrize(
    ("text", "quick"),
    {
        "y;pred\n1,5;2,5\n": {"y", "pred"},
        "y;pred;note\n1,5;2;a\n": {"y", "pred"},
        "y;pred;note\n1,5;2;a.b\n": set(),
        'y,pred\n"1,5",2\n': set(),
    }.items(),
)
def test_decimal_commas_are_parsed_while_reading_if_there_is_no_point(text, quick, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(text)
    table, _ = load.tables(path, None, Reading(separator=text[1], decimal=","))
    assert table.quick == quick


@pytest.mark.parametrize(
    ("late", "said"),
    {
        "1.5": "1 value that is not a number",
        "1.234,5": "1 value that is not a number",
        "inf": "1 value that is not a number",
        "NAN": "1 value that is not a number",
        "nan": "1 missing value",
        "9007199254740993": "1 whole number",
    }.items(),
)
def test_a_late_row_that_is_no_number_with_a_comma_is_named(late, said, losscli):
    losscli.write(p=f"y;pred\n{COMMAS}1;{late}\n{COMMAS}")
    arguments = ["p.csv", "-l", "mae", "--separator", ";", "--decimal", ","]
    losscli.refuses(3, "evaluate", *arguments, said=[f"p.csv, column pred: {said}", "row 5001"])


LISTS = {
    "[0.1, 0.9]": ([0.1, 0.9], [0.1, 0.9]),
    "[0.1,0.9]": ([0.1, 0.9], [0.1, 0.9]),
    "[0.1 0.9]": ([0.1, 0.9], [0.1, 0.9]),
    "(0.1; 0.9)": ([0.1, 0.9], [0.1, 0.9]),
    "[0.1,0.9,\n 0.5]": ([0.1, 0.9, 0.5], [0.1, 0.9, 0.5]),
    "[1, 2]": ([1.0, 2.0], [1.0, 2.0]),
    "[1,2,3]": ([1.0, 2.0, 3.0], None),
    "[1,2]": ([1.0, 2.0], None),
    "[0,5 1,5]": (None, [0.5, 1.5]),
    "[0,5; 1,5]": (None, [0.5, 1.5]),
    "[0,5;-1,5e-3]": (None, [0.5, -0.0015]),
    "[0,5, 1,5]": (None, [0.5, 1.5]),
    "[1.000,5 2]": (None, None),
    "[0.5;1,5]": (None, None),
}
"""What lists are where points are decimal, and where commas are; None if that is not certain."""


@pytest.mark.parametrize(("text", "lists"), LISTS.items())
def test_a_list_is_what_its_decimal_sign_says_or_nothing(text, lists):
    for decimal, numbers in zip(".,", lists, strict=True):
        found = parsed(pl.Series("x", [text]), pl.List(pl.Float64), Spelling(decimal))
        assert (found.values[0].to_list() if found.wrong is None else None) == numbers


@pytest.mark.parametrize(
    ("text", "sign"), [("[1,000 2]", ","), ("[1,000,2]", ","), ("[1 000 2]", " "), ("[0.125, 1]", ".")]
)
def test_what_may_be_thousands_is_no_list(text, sign):
    spelling = Spelling("," if sign == "." else ".", thousands=sign)
    assert parsed(pl.Series("x", [text]), pl.List(pl.Float64), spelling).wrong is not None


@pytest.mark.parametrize(
    ("text", "remedy"),
    {"[1]": "", "[1,2]": "by ; or a space", "[0,5 1]": "--decimal , reads", "[0.5, 1]": ""}.items(),
)
def test_the_remedy_for_a_list_is_about_its_commas(text, remedy):
    assert (remedy in remedy_for([text])) if remedy else (remedy_for([text]) == "")


@pytest.mark.parametrize("word", ["-", "n.b.", "--", "a,b", "it's", 'say "no"', "\\N/A"])
def test_the_remedy_for_a_word_works(word, losscli):
    losscli.write(p=pl.DataFrame({"y": [1, 3], "pred": ["2", word]}))
    remedy = losscli("evaluate", "p.csv", "-l", "mae").err.partition("or --null-values ")[2]
    option = shlex.split(remedy.partition(" if it means")[0])
    assert losscli.bare("p.csv", "-l", "mae", "--missing", "drop", "--null-values", *option) == [1.0]


def test_vectors_with_decimal_commas_are_those_with_points(losscli):
    losscli.write(
        c="y|p\n[0,5 1,5]|[0,25; 1]\n[1,5 2,5]|[1; 2,5]\n", d="y|p\n[0.5 1.5]|[0.25 1]\n[1.5 2.5]|[1 2.5]\n"
    )
    asked = ["-l", "cosine_distance", "-p", "p", "-y", "y", "--separator", "|"]
    assert losscli.bare("c.csv", *asked, "--decimal", ",") == losscli.bare("d.csv", *asked)
    losscli.refuses(3, "evaluate", "c.csv", *asked, said=["'[0,25; 1]'", "--decimal , reads [0,5 1,5]"])


def test_a_number_that_means_a_missing_value_is_never_evaluated(losscli):
    losscli.write(p="y,pred\n1,2\n3,-999\n5,4\n")
    arguments = ["p.csv", "-l", "mae", "--null-values=-999"]
    losscli.refuses(3, "evaluate", *arguments, said=["p.csv, column pred: 1 missing value", "row 2"])
    assert losscli.bare(*arguments, "--missing", "drop") == [1.0]
