"""Counts, lists and choices in messages."""

import csv
import json
import random

import pytest

from losscli import text as text_module
from losscli.text import counted, either, enumerated, join_names, not_one_of, printable_json, split_names


def test_counts_are_in_the_singular_and_plural():
    assert (counted(1, "row"), counted(0, "row"), counted(2, "row")) == ("1 row", "0 rows", "2 rows")
    assert (counted(1, "class", "classes"), counted(2, "class", "classes")) == ("1 class", "2 classes")


def test_long_lists_end_with_their_number_of_names():
    assert enumerated("abc") == "a, b, c"
    assert enumerated("abcde", 3) == "a, b, c, ... (5 in all)"


def test_a_wrong_choice_names_all_and_the_nearest():
    expected = "--color must be auto, always or never, got 'alway'. Did you mean always?"
    assert not_one_of("--color", "alway", ["auto", "always", "never"]) == expected
    assert not_one_of("severity", "x", ["error", "warn"]) == "severity must be error or warn, got 'x'."


def test_a_list_of_names_is_a_line_of_csv():
    signs = random.Random(1)
    for _ in range(2_000):
        text = "".join(signs.choice('ab ,",\t') for _ in range(signs.randrange(9)))
        assert [split_names(text)] == ([*csv.reader([text], skipinitialspace=True)] or [[]]), text


def test_names_are_joined_and_split_whatever_they_hold():
    names = ["a\nb", "c\rd", "e,f", '"', ' "x" ', "y" * 200_000]
    assert split_names(join_names(names)) == names


def test_a_choice_has_an_or_before_its_last_word():
    assert [either(names) for names in ("a", "ab", "abc")] == ["a", "a or b", "a, b or c"]


@pytest.mark.parametrize(
    "written", ["é\u2028", "\x7f", "\x85", "##[error]", "\x1b", "日本", "\ud7ff\ufdd0", "a\tb"]
)
def test_json_has_no_character_that_steers_a_log(written, monkeypatch):
    monkeypatch.setattr(text_module, "_CHUNK", 4)
    values = {"name": f"plain {written}", "list": [1.5, None]}
    escaped = printable_json(json.dumps(values, indent=2, ensure_ascii=False))
    assert json.loads(escaped) == values
    assert escaped.replace("\n", "").isprintable()
    assert "##" not in escaped
