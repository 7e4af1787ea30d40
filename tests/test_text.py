"""Counts, lists and choices in messages."""

from losscli.text import counted, either, enumerated, not_one_of


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


def test_a_choice_has_an_or_before_its_last_word():
    assert [either(names) for names in ("a", "ab", "abc")] == ["a", "a or b", "a, b or c"]
