"""The numbers in text: what a column shows as a whole has to be what each of its texts means."""

import polars as pl
import pytest

from losscli.data.numbers import Spelling, parsed

COLUMNS = {
    "a number that means a missing value": (Spelling(nulls=("-999",)), ["1", "-999"], [1.0, None]),
    "it with blanks": (Spelling(nulls=("-999",)), ["1", " -999 "], [1.0, None]),
    "words that mean a missing value": (Spelling(nulls=("none",)), ["1", "none", "2"], [1.0, None, 2.0]),
}


@pytest.mark.parametrize(("spelling", "texts", "numbers"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_text_as_numbers(spelling, texts, numbers):
    found = parsed(pl.Series("x", texts), pl.Float64(), spelling)
    assert found.values.to_list() == numbers
    assert found.wrong is None


def test_a_number_that_means_a_missing_value_is_never_evaluated(losscli):
    losscli.write(p="y,pred\n1,2\n3,-999\n5,4\n")
    arguments = ["p.csv", "-l", "mae", "--null-values=-999"]
    losscli.refuses(3, "evaluate", *arguments, said=["p.csv, column pred: 1 missing value", "row 2"])
    assert losscli.bare(*arguments, "--missing", "drop") == [1.0]
