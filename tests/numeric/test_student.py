"""Student's t distribution against mpmath, with 40 digits."""

from __future__ import annotations

import math
from statistics import NormalDist

import mpmath
import pytest

from losscli.numeric.student import normalised, quantile

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
