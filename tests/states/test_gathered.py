"""Rows that wait to be put into bins together: the bins are those of rows that do not wait."""

import numpy as np
import pytest

from losscli.states import gathered
from losscli.states.gathered import Gathered, Unbinned
from losscli.states.grid import Axis
from losscli.states.soundness import require_sound

AXES = (Axis(digits=3, octaves=15), 3)
RNG = np.random.default_rng(2)
N = 1_000
VALUES = RNG.standard_cauchy(N)
CODES = RNG.integers(0, 3, N)
WEIGHT = RNG.integers(0, 5, N).astype(float)


@pytest.fixture(autouse=True)
def few_rows_wait(monkeypatch):
    monkeypatch.setattr(gathered, "AT_ONCE", 300)


def given(rows, weighted):
    columns = [None, WEIGHT[rows], WEIGHT[rows] ** 2] if weighted else [None]
    return Unbinned(AXES, (VALUES[rows], CODES[rows]), columns, [WEIGHT[rows]])


def same(a, b):
    one, other = a.to_arrays(), b.to_arrays()
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("weighted", [False, True], ids=["no weights", "weights"])
@pytest.mark.parametrize("parts", [1, 2, 7, 60])
def test_any_split_gives_the_grid_of_all_rows(parts, weighted):
    found = Gathered()
    for rows in np.array_split(np.arange(N), parts):
        found = found.merge(Gathered.of(np, given(rows, weighted)))
        assert sum(len(each.places[0]) for each in found.waiting) < gathered.AT_ONCE
    assert same(found.grid, given(np.arange(N), weighted).grid(np))
    require_sound(found.grid, 1)


def test_rows_with_weights_merge_with_rows_that_wait_without():
    halves = np.array_split(np.arange(N), 10)
    parts = [Gathered.of(np, given(rows, place % 2 == 1)) for place, rows in enumerate(halves)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    rows, weight, squares = whole.grid.sums
    heavy = np.concatenate(halves[1::2])
    assert rows.sum() == N
    assert weight.sum() == N - len(heavy) + WEIGHT[heavy].sum()
    assert squares.sum() == N - len(heavy) + (WEIGHT[heavy] ** 2).sum()
