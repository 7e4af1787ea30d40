"""Student's t distribution against mpmath, with 40 digits."""

from __future__ import annotations

import math
from statistics import NormalDist

import mpmath
import numpy as np
import pytest

from losscli.numeric.student import normalised, quantile, quantiles
from losscli.numeric.student_tail import two_sided

LEVELS = (0.9, 0.95)
DEGREES = (1, 1.25, 2, 3, 5.5, 9, 15.3, 29, 30, 100, 12345.6, 10**6)


def tail(t: float, df: float) -> mpmath.mpf:
    """The probability beyond -t and t: the regularised incomplete beta function."""
    with mpmath.workdps(40):
        t, df = mpmath.mpf(t), mpmath.mpf(df)
        return mpmath.betainc(df / 2, mpmath.mpf(1) / 2, 0, df / (df + t * t), regularized=True)


def error(t: float, level: float, df: float) -> float:
    """The relative error of a quantile, to first order: the step to the exact one is tiny."""
    with mpmath.workdps(40):
        half, n = mpmath.mpf(1) / 2, mpmath.mpf(df)
        density = (1 + mpmath.mpf(t) ** 2 / n) ** (-(n + 1) / 2) / mpmath.sqrt(n) / mpmath.beta(half, n / 2)
        return float((tail(t, df) - (1 - mpmath.mpf(level))) / (2 * density * t))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999, 1 - 1e-12])
def test_a_quantile_has_all_digits(level):
    found = np.array([[quantile(level, df) for df in DEGREES], quantiles(level, np.array(DEGREES, float))])
    assert all(abs(error(t, level, df)) < 1e-14 for own in found for t, df in zip(own, DEGREES, strict=True))


def test_many_quantiles_are_those_of_each_alone():
    df = np.append(np.linspace(0.5, 60.0, 3000), [1e16, math.inf, math.nan])
    found = quantiles(0.95, df)
    assert all(quantiles(0.95, df[i : i + 1])[0] == found[i] for i in (0, 5, 1023, 1024, 2999, 3000, 3001))
    assert found[[0, -2]].tolist() == pytest.approx([quantile(0.95, 1), quantile(0.95, math.inf)], rel=1e-15)
    assert math.isnan(found[-1])


@pytest.mark.parametrize("level", LEVELS)
def test_the_limit_is_the_normal_distribution(level):
    assert quantile(level, math.inf) == NormalDist().inv_cdf((1 + level) / 2)
    assert quantile(level, 10**9) == pytest.approx(quantile(level, math.inf), rel=1e-8)


@pytest.mark.parametrize("level", [0.9, 0.995, 0.999, 1 - 1e-9, 1 - 1e-12, 1 - 2**-53])
def test_a_normal_quantile_has_all_digits_at_any_level(level):
    with mpmath.workdps(40):
        exact = mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf(level))
        assert abs(quantile(level, math.inf) / exact - 1) < 1e-15


@pytest.mark.parametrize("df", [3, 4, 9, 100])
def test_a_deviate_has_the_tail_of_the_t_statistic(df):
    deviate = normalised(2.5, df)
    assert math.erfc(deviate / math.sqrt(2)) == pytest.approx(float(tail(2.5, df)), rel=0.03)


def test_a_deviate_of_fewer_than_one_degree_of_freedom_is_that_of_one():
    """Only edited reports have fewer."""
    assert normalised(2.5, 0.3) == normalised(2.5, 1)


@pytest.mark.parametrize("df", [1, 2, 8, 29, 30, 1000, math.inf])
def test_the_highest_level_has_a_quantile(df):
    level = math.nextafter(1, 0)
    assert quantile(0.99, df) < quantile(level, df) < math.inf
    if df != math.inf:
        assert float(tail(quantile(level, df), df)) == pytest.approx(1 - level, rel=1e-6)


@pytest.mark.parametrize("df", [1, 1.5, 2, 5.5, 29, 441, 1e5, 1e9])
def test_the_tail_has_all_digits(df):
    t = np.array([0.0, 1e-8, 0.1, 0.5, 1.0, 1.96, 3.0, 8.0, 12.0])
    assert two_sided(t, df).tolist() == pytest.approx([float(tail(each, df)) for each in t], rel=2e-14)


def test_the_tail_at_the_ends():
    t = np.array([1.96, 38.0, 0.0, math.inf, 1e200, math.nan, 1.0])
    df = np.array([math.inf, math.inf, 3.0, 3.0, 1.0, 3.0, math.nan])
    expected = [*(math.erfc(each / math.sqrt(2)) for each in t[:2]), 1.0, 0.0, 0.0, math.nan, math.nan]
    assert two_sided(t, df).tolist() == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_a_chunk_changes_nothing():
    t, df = np.linspace(0.0, 5.0, 3000), np.linspace(1.0, 50.0, 3000)
    assert two_sided(t, df)[[0, 1500, 2999]].tolist() == [
        two_sided(t[i : i + 1], df[i : i + 1])[0] for i in (0, 1500, 2999)
    ]
