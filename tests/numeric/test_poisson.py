"""The counts of the bootstrap: Poisson distributed, independent, given by seed, unit and replicate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from losscli.numeric.poisson import _SHARES, PER_WORD, Resampling, counts, some_counts

N, REPLICATES = 2_000, 1_000
COUNTS = counts(np, Resampling(REPLICATES).keys(np.arange(N)), REPLICATES).astype(float)


def test_the_distribution_of_a_count_has_the_moments_of_poisson():
    share = np.array(_SHARES) / 65_536
    assert share.sum() == 1
    moments = [float((np.arange(len(share)) ** power * share).sum()) for power in range(1, 5)]
    assert moments == pytest.approx([1, 2, 5, 15], rel=1e-5)
    assert moments[:2] == [1, 2]  # so mean and variance are one, exactly
    poisson = [math.exp(-1) / math.factorial(count) for count in range(len(share))]
    assert np.abs(share - poisson).max() < 2e-5


def test_counts_occur_as_often_as_they_should():
    found = np.bincount(COUNTS.astype(int).ravel(), minlength=len(_SHARES))
    expected = np.array(_SHARES) / 65_536 * COUNTS.size
    assert (((found - expected) ** 2 / expected)[:7]).sum() < 25  # chi squared with 6 degrees of freedom


@pytest.mark.parametrize("axis", [0, 1], ids=["of units", "of replicates"])
def test_counts_are_independent(axis):
    """Their covariances are those of independent numbers: of two units, and of two replicates."""
    z = COUNTS - 1 if axis == 0 else COUNTS.T - 1
    covariance = z @ z.T / z.shape[1]
    deviates = covariance[np.triu_indices(len(z), 1)] * math.sqrt(z.shape[1])
    assert abs(deviates.mean()) < 0.02
    assert deviates.std() == pytest.approx(1, abs=0.01)
    assert np.abs(deviates).max() < 7


def test_a_count_depends_on_seed_unit_and_replicate_alone():
    """Not on the units around it, nor on how many replicates there are."""
    order = np.random.default_rng(1).permutation(N)[:77]
    alone = counts(np, Resampling(10).keys(order), 10)
    np.testing.assert_array_equal(alone, COUNTS[order, :10])
    other = counts(np, Resampling(REPLICATES, seed=1).keys(np.arange(N)), REPLICATES) - 1.0
    assert abs((other * (COUNTS - 1)).mean()) < 5 / math.sqrt(COUNTS.size)


def test_some_counts_are_those_of_their_replicates():
    keys = Resampling(REPLICATES).keys(np.arange(N))
    for word in (0, 7, REPLICATES // PER_WORD - 1):
        own = slice(word * PER_WORD, (word + 1) * PER_WORD)
        np.testing.assert_array_equal(some_counts(keys, word), COUNTS[:, own])


def test_the_counts_of_a_seed_stay_what_they_are():
    """In every version: what a report says it did can be done again."""
    found = counts(np, Resampling(12, seed=5).keys(np.array([0, 1, 10**9, 2**40])), 12)
    assert found.tolist() == FIXED


FIXED = [
    [1, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1],
    [0, 2, 0, 0, 1, 3, 0, 2, 2, 2, 2, 0],
    [0, 3, 1, 1, 3, 2, 0, 1, 0, 0, 2, 2],
    [0, 3, 0, 2, 1, 1, 1, 0, 0, 0, 0, 2],
]
