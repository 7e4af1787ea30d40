"""Special functions against mpmath, on both sides of the places where a formula gives way to another."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from losscli.numeric.special import factorial_excess, gamma_half_step, log1pmx, stirling_error

FROM_ONE = np.array([1.0, 1.0001, 1.9, 3.0, 9.9, 10.1, 170.5, 1e6, 1e12])
POSITIVE = np.array([0.2, 0.999, *FROM_ONE])


def exact(f, places):
    with mpmath.workdps(80):
        return [float(f(mpf(x))) for x in places.tolist()]


def log_factorial_excess(x):
    return mpmath.loggamma(x + 1) - x * mpmath.log(x) + x


def log_stirling(x):
    return log_factorial_excess(x) - mpmath.log(2 * mpmath.pi * x) / 2


def half_step(x):
    return mpmath.exp(mpmath.loggamma(x + mpf(1) / 2) - mpmath.loggamma(x) - mpmath.log(x) / 2)


@pytest.mark.parametrize(
    ("f", "formula", "places", "rtol"),
    [
        (stirling_error, log_stirling, FROM_ONE, 4e-15),
        (factorial_excess, log_factorial_excess, POSITIVE, 1e-15),
        (gamma_half_step, half_step, POSITIVE, 2e-15),
    ],
    ids=["stirling", "factorial", "half step"],
)
def test_functions_of_large_and_small_numbers(f, formula, places, rtol):
    np.testing.assert_allclose(f(np, places), exact(formula, places), rtol=rtol)


def test_a_logarithm_minus_its_argument():
    places = np.array([-0.9, -0.67, -0.66, -1e-9, 0.0, 1e-200, 1e-5, 1.9, 2.1, 1e9])
    found = exact(lambda x: mpmath.log1p(x) - x, places)
    np.testing.assert_allclose(log1pmx(np, places), found, rtol=1e-15)
