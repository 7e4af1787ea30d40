"""Conventions that textbooks leave open and libraries choose: a parameter each, with its value."""

from __future__ import annotations

import pytest

import losscli
from losscli.errors import DataError


def value(*args, **options) -> float | None:
    return losscli.evaluate(*args, **options).results[0].value


# Relative errors


@pytest.mark.parametrize("loss", ["mape", "rmspe"])
def test_percentage_errors_without_a_floor_are_infinite_at_zero(loss):
    report = losscli.evaluate([1.0, 2.0], [0.0, 1.0], loss=f"{loss}:epsilon=0")
    assert (report.results[0].value, str(*report.results[0].notes)) == (None, "infinite: first at row 1")
    assert value([2.0, 3.0], [1.0, 2.0], loss="mape:epsilon=0") == 0.75
    with pytest.raises(DataError, match="outside the domain"):
        losscli.evaluate([0.0, 2.0], [0.0, 1.0], loss=f"{loss}:epsilon=0")


def test_the_symmetric_percentage_error_of_zeros_is_zero_or_undefined():
    p, y = [0.0, 2.0], [0.0, 1.0]
    assert value(p, y, loss="smape") == pytest.approx(1 / 3)
    with pytest.raises(DataError, match=r"row 1: prediction 0.0, target 0.0\n  -> -l smape:both_zero=zero"):
        losscli.evaluate(p, y, loss="smape:both_zero=undefined")
    assert value(p, y, loss="smape:both_zero=undefined", domain="drop") == pytest.approx(2 / 3)


@pytest.mark.parametrize(("alpha", "expected"), [(0, 2.0), (1, 0.5), (0.5, 1.25)])
def test_an_expectile_may_be_at_the_end(alpha, expected):
    # alpha e^2 if the prediction is not above the target, else (1 - alpha) e^2
    assert value([3.0, 0.0], [1.0, 1.0], loss=f"expectile:alpha={alpha}") == expected


def test_the_r2_of_one_row_in_scikit_learn_is_no_value():
    assert value([1.0], [1.0], loss="r2:force_finite=true") == 1.0
    report = losscli.evaluate([1.0], [1.0], loss="r2", like="sklearn")
    assert (report.results[0].value, str(*report.results[0].notes)) == (
        None,
        "undefined: r2_score needs 2 rows",
    )
    assert value([1.0, 2.0], [1.0, 1.0], loss="r2", like="sklearn") == 0.0
