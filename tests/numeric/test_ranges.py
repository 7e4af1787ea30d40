"""Numbers from text and Python values."""

from decimal import Decimal

import numpy as np
import pytest

from losscli.numeric.ranges import Range

COUNT = Range(1, whole=True)


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", " 3 ", np.int64(3), np.float32(3), Decimal(3)])
def test_a_whole_number_is_an_int_whatever_it_is_written_as(value):
    number = COUNT.parse(value)
    assert number == 3
    assert type(number) is int


@pytest.mark.parametrize(
    "value",
    [0, 1.5, "1.5", "x", "", None, True, "inf", "nan", [3], [1, 2], b"3", np.array([1, 2]), 10**400, 3j],
)
def test_what_is_not_a_whole_number_in_the_range_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        COUNT.parse(value)


def test_other_ranges_give_floats():
    assert Range(0, 1, open="low").parse("0.25") == 0.25
    with pytest.raises(ValueError, match="0 is not a number > 0, <= 1"):
        Range(0, 1, open="low").parse(0)
