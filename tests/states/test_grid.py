"""Bins that fit themselves to the rows: a commutative monoid, whatever the rows are."""

import numpy as np
import pytest

from losscli.states.counts import Counts
from losscli.states.grid import Axis, Bins, Grid
from losscli.states.soundness import require_sound

AXIS = Axis(digits=5, octaves=16)
FIXED = 3
RNG = np.random.default_rng(7)
N = 600
ROWS = {
    "normal": RNG.normal(0, 1, N),
    "heavy tails": RNG.standard_cauchy(N),
    "dates": RNG.uniform(2015, 2025, N),
    "far from zero": 1e9 + RNG.normal(0, 1, N),
    "below zero": -np.exp(RNG.normal(0, 5, N)),
    "zeros": np.zeros(N),
    "zeros of both signs": np.r_[RNG.exponential(1, N // 2), np.zeros(N // 4), -np.zeros(N // 4)],
    "extreme sizes": np.r_[np.zeros(N - 300), 1e-300, RNG.normal(0, 1e200, 299)],
    "an outlier": np.r_[RNG.normal(0, 1, N - 1), 1e9],
    "whole numbers": RNG.integers(-5, 6, N).astype(float),
    "infinite": np.r_[RNG.normal(0, 1, N - 2), np.inf, -np.inf],
    "the greatest": np.r_[RNG.normal(0, 1, N - 2), np.finfo(float).max, -np.finfo(float).max],
}


def grid_of(values, rows):
    """The grid of some rows; whole numbers as weights, whose sums have no rounding."""
    weight, code = 1.0 + np.arange(N) % 7, np.arange(N) % FIXED
    own = [each[rows] for each in (values, code, weight)]
    return Grid.of(np, (AXIS, FIXED), own[:2], [None, own[2]], [own[2]])


def same(a, b):
    one, other = a.to_arrays(), b.to_arrays()
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("values", ROWS.values(), ids=ROWS)
def test_any_split_and_any_order_of_merging_give_the_same(values):
    whole = grid_of(values, np.arange(N))
    rng = np.random.default_rng(1)
    for _ in range(10):
        cuts = np.sort(rng.integers(0, N + 1, 5))
        parts = [grid_of(values, rows) for rows in np.split(rng.permutation(N), cuts)]
        while len(parts) > 1:
            first, second = parts.pop(rng.integers(len(parts))), parts.pop(rng.integers(len(parts)))
            parts.append(first.merge(second))
        assert same(parts[0], whole)
    assert whole.sums[0].sum() + whole.outside[0] == N


@pytest.mark.parametrize("values", ROWS.values(), ids=ROWS)
def test_each_row_is_in_the_bin_that_holds_it(values):
    values = values[np.isfinite(values)]
    bins = Grid.of(np, (AXIS,), (values,), [None]).axes[0]
    low, high = (edges[bins.places(np, values)] for edges in bins.edges())
    assert (
        ((low <= values) & (values < high)) | ((low < values) & (values <= high)) | (high == values)
    ).all()
    assert (np.diff(bins.edges()[0]) >= 0).all()


@pytest.mark.parametrize("values", ROWS.values(), ids=ROWS)
def test_a_grid_comes_back_and_is_sound(values):
    grid = grid_of(values, np.arange(N))
    found = Grid.from_arrays(grid.to_arrays())
    assert same(found, grid)
    assert found.axes == grid.axes
    require_sound(found, 1)


def test_bins_are_few_and_fine():
    for name, values in ROWS.items():
        bins = Grid.of(np, (AXIS,), (values,), [None]).axes[0]
        assert bins.count <= 2 * AXIS.most, name
    for name in ("normal", "dates", "far from zero"):
        values = ROWS[name]
        bins = Grid.of(np, (AXIS,), (values,), [None]).axes[0]
        low, high = bins.edges()
        assert (high - low).max() < np.ptp(values) / 40, name


def test_no_rows_change_nothing():
    empty = Grid.of(
        np, (AXIS, FIXED), (np.zeros(0), np.zeros(0, dtype=int)), [None, np.zeros(0)], [np.zeros(0)]
    )
    grid = grid_of(ROWS["normal"], np.arange(N))
    assert same(grid.merge(empty), grid)
    assert same(empty.merge(grid), grid)
    require_sound(empty, 1)


def test_bins_that_do_not_fit_their_extremes_are_refused():
    grid = Grid((Bins(AXIS, 0.0, 1.0, 0, 3),), np.zeros((1, 3)), np.zeros((0, 3)), np.zeros(1))
    with pytest.raises(ValueError, match="bins of other rows"):
        require_sound(grid, 1)


def test_counts_of_pairs_merge_in_any_order():
    numbers = RNG.integers(0, 10**6, N) ** 2
    whole = Counts.of(np, numbers, [None, np.ones(N) * 2])
    a, b, c = (Counts.of(np, numbers[part], [None, np.ones(200) * 2]) for part in np.split(np.arange(N), 3))
    assert same(c.merge(a).merge(b), whole)
    assert same(Counts.from_arrays(whole.to_arrays()), whole)
    require_sound(whole, 1)
