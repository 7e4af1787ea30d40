"""Score intervals of shares and of their paired differences, against their definitions solved numerically."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from losscli.numeric.scores import (
    difference_deviate,
    difference_interval,
    normal_p_value,
    share_interval,
)

Z = stats.norm.ppf(0.975)


@pytest.mark.parametrize("n", [1, 20, 300.5])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999, 1.0])
def test_the_ends_of_a_share_are_where_its_test_decides(share, n):
    low, high = share_interval(share, n, Z)
    assert 0 <= low <= share <= high <= 1
    for end in {low, high} - {share}:
        assert abs(share - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(Z, rel=1e-9)


def most_likely(up: float, down: float, n: float, difference: float) -> float:
    """The deviate with the share that falls by maximum likelihood under a difference, found numerically."""

    def unlikely(fallen: float) -> float:
        risen, same = fallen + difference, 1 - 2 * fallen - difference
        parts = ((up, risen), (down, fallen), (1 - up - down, same))
        return -sum(seen * math.log(max(true, 1e-300)) for seen, true in parts if seen)

    ends = max(0.0, -difference), (1 - difference) / 2
    fallen = optimize.minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-13}).x
    return (up - down - difference) / math.sqrt((2 * fallen + difference * (1 - difference)) / n)


@pytest.mark.parametrize(("up", "down", "n"), [(0.2, 0.1, 50), (0.02, 0.3, 100), (0.4, 0.5, 20.5)])
@pytest.mark.parametrize("difference", [-0.4, -0.1, 0.05, 0.3])
def test_a_paired_difference_is_tested_at_the_most_likely_shares(up, down, n, difference):
    found = difference_deviate(up, down, n, difference)
    assert found == pytest.approx(most_likely(up, down, n, difference), rel=1e-5)


def test_no_difference_is_tested_as_mcnemar_does():
    up, down, n = 15, 4, 120
    found = difference_deviate(up / n, down / n, n, 0.0)
    assert found == pytest.approx((up - down) / math.sqrt(up + down), rel=1e-12)
    assert normal_p_value(found) == pytest.approx(stats.chi2.sf(found**2, 1), rel=1e-12)


@pytest.mark.parametrize(("up", "down"), [(0.1, 0.03), (0.0, 0.02), (0.0, 0.0), (0.5, 0.5), (1.0, 0.0)])
def test_the_ends_of_a_paired_difference_are_where_its_test_decides(up, down):
    low, high = difference_interval(up, down, 80, Z)
    assert -1 <= low <= up - down <= high <= 1
    for end in (low, high):
        if abs(end) < 1:
            deviates = [abs(difference_deviate(up, down, 80, end + shift)) for shift in (-1e-9, 1e-9)]
            assert min(deviates) <= Z * (1 + 1e-6)
            assert max(deviates) >= Z * (1 - 1e-6)
    if up == down == 0:
        assert (-low, high) == pytest.approx((Z**2 / (80 + Z**2),) * 2, rel=1e-9)
    assert np.isfinite(low + high)
