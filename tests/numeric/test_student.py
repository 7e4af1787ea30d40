"""Student's t distribution against mpmath, with 40 digits."""

from __future__ import annotations

import math
from statistics import NormalDist

import mpmath
import numpy as np
import pytest

from losscli.numeric.student import normalised, quantile
from losscli.numeric.student_tail import two_sided

LEVELS = (0.9, 0.95)


def tail(t: float, df: int) -> mpmath.mpf:
    """The probability beyond -t and t: the regularised incomplete beta function."""
    with mpmath.workdps(40):
        t, df = mpmath.mpf(t), mpmath.mpf(df)
        return mpmath.betainc(df / 2, mpmath.mpf(1) / 2, 0, df / (df + t * t), regularized=True)


def exact(level: float, df: int) -> float:
    """The two-sided quantile by root finding."""
    with mpmath.workdps(40):
        beyond = 1 - mpmath.mpf(str(level))
        return float(mpmath.findroot(lambda t: tail(t, df) - beyond, quantile(level, df)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("df", range(1, 30))
def test_few_degrees_of_freedom(level, df):
    assert quantile(level, df) == pytest.approx(exact(level, df), rel=1e-12)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("df", [30, 100, 1000, 10**6])
def test_many_degrees_of_freedom(level, df):
    assert quantile(level, df) == pytest.approx(exact(level, df), rel=2e-11)


@pytest.mark.parametrize("level", LEVELS)
def test_the_limit_is_the_normal_distribution(level):
    assert quantile(level, math.inf) == NormalDist().inv_cdf((1 + level) / 2)
    assert quantile(level, 10**9) == pytest.approx(quantile(level, math.inf), rel=1e-8)


@pytest.mark.parametrize("df", [3, 4, 9, 100])
def test_a_deviate_has_the_tail_of_the_t_statistic(df):
    deviate = normalised(2.5, df)
    assert math.erfc(deviate / math.sqrt(2)) == pytest.approx(float(tail(2.5, df)), rel=0.03)


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
