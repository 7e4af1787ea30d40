"""The histogram of a loss on rows: quantiles, shares and bins against NumPy, whatever the blocks."""

import math

import numpy as np
import pytest

from losscli.states.cells import Cells
from losscli.states.histogram import DIGITS, Histogram

RNG = np.random.default_rng(5)
N = 4_000
ERROR = RNG.standard_t(2, N) * 10
LOSS = ERROR**2
WEIGHT = RNG.integers(1, 4, N).astype(float)
WITHIN = 2.0**-DIGITS
TAIL = np.abs(ERROR) > 12


def made(place=ERROR, loss=LOSS, weight=None, parts=(TAIL,)):
    return Histogram.of(Cells(np, len(loss), weight, 0), (place, loss, *parts))


def in_blocks(size, weight):
    parts = [slice(i, i + size) for i in range(0, N, size)]
    whole = None
    for part in parts:
        own = made(ERROR[part], LOSS[part], None if weight is None else weight[part], [TAIL[part]])
        whole = own if whole is None else whole.merge(own)
    return whole


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unit", "weighted"])
def test_blocks_merge_to_the_whole(weight):
    whole, merged = made(weight=weight), in_blocks(313, weight)
    assert (whole.n, merged.n) == (N, N)
    for name in ("below", "above", "losses"):
        a, b = getattr(whole, name), getattr(merged, name)
        assert a.first == b.first
        np.testing.assert_allclose(a.weight, b.weight, rtol=1e-14)
        np.testing.assert_allclose(a.total, b.total, rtol=1e-12)
    np.testing.assert_allclose(whole.parts, merged.parts, rtol=1e-12)
    assert merged.loss[0] == pytest.approx(whole.loss[0], rel=1e-12)
    assert merged.minimum[0] == whole.minimum[0] == LOSS.min()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 1.0])
def test_a_quantile_is_within_a_bin_of_its_value(share):
    expected = np.quantile(np.abs(ERROR), share, method="inverted_cdf")
    assert made().sizes.quantile(share) == pytest.approx(expected, rel=WITHIN)


def test_a_weight_counts_as_that_many_rows():
    repeated = np.repeat(np.arange(N), WEIGHT.astype(int))
    weighted, several = made(weight=WEIGHT), made(ERROR[repeated], LOSS[repeated], parts=())
    assert weighted.worst(0.01) == pytest.approx(several.worst(0.01), rel=1e-12)
    assert weighted.sizes.quantile(0.9) == pytest.approx(several.sizes.quantile(0.9), rel=1e-12)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 1.0])
def test_the_worst_rows_hold_the_share_that_sorting_gives(share):
    worst = np.sort(LOSS)[::-1][: round(share * N)]
    assert made().worst(share) == pytest.approx(worst.sum() / LOSS.sum(), rel=WITHIN)


def test_parts_are_counted_exactly():
    expected = [TAIL.sum(), WEIGHT[TAIL].sum(), (WEIGHT * LOSS)[TAIL].sum()]
    assert made(weight=WEIGHT).parts[0, 0].tolist() == pytest.approx(expected, rel=1e-12)


def test_places_are_those_of_a_histogram():
    edges = np.linspace(-40, 40, 21)
    counts, _ = np.histogram(ERROR, edges)
    found = made().places(edges)
    np.testing.assert_allclose(found, counts, atol=0.02 * N / 20 + 5)
    assert made().places(np.array([-1e9, 0.0, 1e9])).tolist() == [(ERROR < 0).sum(), (ERROR >= 0).sum()]


def test_equal_values_keep_every_digit():
    same = np.full(10, 0.1)
    assert made(same, same, parts=()).sizes.quantile(0.9) == pytest.approx(0.1, rel=1e-15)


def test_any_range_of_values_has_its_bins():
    wild = np.array([0.0, 5e-324, 1e-300, 1e-9, 1.0, 1e9, 1e300])
    found = made(wild, wild, parts=()).sizes
    assert found.weight.sum() == len(wild)
    assert found.quantile(0.5) == pytest.approx(1e-9, rel=WITHIN)
    assert found.quantile(1.0) == pytest.approx(1e300, rel=WITHIN)


def test_no_rows_have_no_quantile_and_merge_to_the_others():
    none = made(np.zeros(0), np.zeros(0), parts=[np.zeros(0, bool)])
    assert math.isnan(none.sizes.quantile(0.5))
    assert none.merge(made()).n == N
    assert none.merge(made()).sizes.quantile(0.9) == made().sizes.quantile(0.9)


@pytest.mark.parametrize("loss", [ERROR, np.zeros(N), np.where(LOSS > 50, np.inf, LOSS)])
def test_losses_that_are_no_sum_of_parts_have_no_worst_share(loss):
    assert math.isnan(made(loss=loss).worst(0.01))
