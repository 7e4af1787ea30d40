"""Softmax and its logarithm of matrices in any memory order and type, whatever the rows beside a row."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from losscli.numeric.softmax import CHUNK_NUMBERS, log_softmax, log_softmax_at, softmax
from losscli.numeric.two_float import exp_pair

ROWS = 700


@pytest.fixture(autouse=True)
def _as_in_a_run():
    with np.errstate(all="ignore"):
        yield


def logits(classes, kind, order):
    """Ordinary rows, and rows with ties, impossible classes, and logits beyond the range of exp."""
    rng = np.random.default_rng(classes)
    values = rng.normal(size=(ROWS, classes)) * 3
    values[::7] = np.round(values[::7])
    values[1::7] *= 300
    values[2::7, 0] = -np.inf
    values[3::7] -= 800
    values[4::7, 1] = 40
    return np.asarray(values, dtype=kind, order=order)


def exact(row, code):
    """The log-softmax of one class of a row in 50 digits."""
    with mpmath.workdps(50):
        terms = [mpmath.mpf(float(each)) for each in row]
        top = max(terms)
        others = [mpmath.exp(each - top) for i, each in enumerate(terms) if i != terms.index(top)]
        return (terms[code] - top) - mpmath.log1p(mpmath.fsum(others))


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_log_softmax_of_each_class_is_exact(kind, order):
    values = logits(8, kind, order)[:70]
    expected = [[float(exact(row, code)) for code in range(8)] for row in values]
    np.testing.assert_allclose(log_softmax(np, values), expected, rtol=5e-16)
    for code in range(8):
        found = log_softmax_at(np, values, np.full(len(values), code))
        np.testing.assert_allclose(found, np.array(expected)[:, code], rtol=5e-16)


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("classes", [2, 900])
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_no_row_depends_on_the_others_or_on_how_the_matrix_is_cut(kind, classes, order):
    values = logits(classes, kind, order)
    code = np.random.default_rng(1).integers(0, classes, ROWS)
    found = log_softmax_at(np, values, code)
    assert np.array_equal(np.take_along_axis(log_softmax(np, values), code[:, None], axis=1)[:, 0], found)
    assert values.size > CHUNK_NUMBERS or classes == 2
    for rows in (slice(0, 2), slice(3, 350), slice(None, None, 7)):
        part = np.asarray(values[rows], order=order)
        assert np.array_equal(log_softmax_at(np, part, code[rows]), found[rows])


def shares(row):
    """The softmax of a row, and the complements to one, in 100 digits."""
    with mpmath.workdps(100):
        mass = [mpmath.exp(mpmath.mpf(float(each)) - mpmath.mpf(float(max(row)))) for each in row]
        total = mpmath.fsum(mass)
        others = [mpmath.fsum(mass[:i] + mass[i + 1 :]) for i in range(len(mass))]
        return [float(each / total) for each in mass], [float(each / total) for each in others]


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize(("classes", "rows"), [(2, 70), (8, 70), (90, 14)])
def test_softmax_and_its_complement_are_exact(classes, rows, order):
    values = np.asarray(logits(classes, "float64", order)[:rows], order=order)
    expected = np.moveaxis(np.array([shares(row) for row in values]), 1, 0)
    for found, exact_shares in zip(softmax(np, values), expected, strict=True):
        np.testing.assert_allclose(found, exact_shares, rtol=4e-16, atol=5e-324)
    for code in range(classes):
        probability, complement = softmax(np, values, np.full(rows, code))
        assert np.array_equal(probability, softmax(np, values)[0])
        assert np.array_equal(complement, softmax(np, values)[1][:, code])


def test_exponentials_as_pairs_have_ten_more_digits_until_they_underflow():
    rng = np.random.default_rng(3)
    x = -np.concatenate([rng.random(200) * 700, rng.random(200), [0, 1e-300, 744.4, 745.2, 746, 800, np.inf]])
    rest = np.where(x > -1000, x, 0) * rng.normal(size=len(x)) * 1e-17
    for start, more, value, error in zip(x, rest, *exp_pair(np, x, rest), strict=True):
        with mpmath.workdps(60):
            true = mpmath.exp(mpmath.mpf(float(start)) + mpmath.mpf(float(more)))
            if true > 1e-270:
                assert abs((mpmath.mpf(float(value)) + mpmath.mpf(float(error))) / true - 1) < 1e-18
        assert value == pytest.approx(float(true), rel=3e-16, abs=5e-324)
