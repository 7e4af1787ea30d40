"""Numbers as people read them."""

import math

import pytest

from losscli.render.digits import Precision, aligned, decimal, distinct, estimate, percent, span


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (None, "-"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1 / 3, "0.333333"),
        (-200 / 3, "-66.6667"),
        (0.4999999999, "0.500000"),
        (999999.97, "1000000"),
        (12345678.9, "12345679"),
        (12345678.0, "12345678"),
        (1e9 / 3, "333333333"),
        (1e12 / 3, "3.33333e+11"),
        (1e-4 / 3, "3.33333e-05"),
        (1e-5, "1e-05"),
    ],
)
def test_decimal(number, expected):
    assert decimal(number) == expected


@pytest.mark.parametrize(
    ("value", "se", "expected"),
    [
        (46.136, 1.6123, "46.1 ± 1.6"),
        (0.306444, 0.00794, "0.3064 ± 0.0079"),
        (2859.6963, 123.4, "2860 ± 120"),
        (0.3, 0.0996, "0.30 ± 0.10"),
        (0.5, 0.2, "0.50 ± 0.20"),
        (-0.0003, 0.012, "0.000 ± 0.012"),
        (123456.7, 0.4, "123456.70 ± 0.40"),
        (1.23456e9, 1.2e7, "1.235e+09 ± 1.2e+07"),
        (1.2e-7, 3.3e-9, "1.200e-07 ± 3.3e-09"),
        (0.0, 1e-9, "0 ± 1.0e-09"),
        (1 / 3, 1.2e-14, "0.333333 ± 1.2e-14"),
        (5.0, 0.0, "5 ± 0"),
        (1 / 3, None, "0.333333"),
        (math.inf, None, "inf"),
        (None, None, "-"),
    ],
)
def test_a_value_has_the_digits_that_its_standard_error_allows(value, se, expected):
    assert estimate(value, se) == expected


def test_an_interval_ends_at_the_place_of_its_value():
    assert span(42.9800, 49.2919, Precision.of(46.136, 1.6123)) == "43.0 to 49.3"
    assert span(42.9800, 49.2919, Precision.of(46.136, None)) == "42.98 to 49.2919"
    assert span(None, None, Precision.of(46.136, None)) == "-"


def test_different_numbers_read_differently():
    assert distinct(0.5000000001, 0.5) == ("0.5000000001", "0.5")
    assert distinct(0.3, 0.1 + 0.2) == ("0.3", "0.30000000000000004")
    assert distinct(1 / 3, 1 / 3) == ("0.333333", "0.333333")
    assert distinct(None, 1 / 3) == ("-", "0.333333")


def test_shares_and_points_in_line():
    assert [percent(share) for share in (None, 0.0, 0.0004, 0.123)] == ["-", "0.0", "<0.1", "12.3"]
    assert aligned(["1.5", "22", "-", "3e-05"]) == [" 1.5  ", "22    ", " -    ", " 3e-05"]
    assert aligned(["1.5 ± 0.1", "22 ± 10", "-"]) == [" 1.5 ±  0.1", "22   ± 10  ", " -         "]
    assert aligned([]) == []
