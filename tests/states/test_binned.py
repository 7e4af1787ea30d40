"""Columns of bins: the moments that need no columns are those of the columns."""

from __future__ import annotations

import numpy as np
import pytest

from losscli.numeric.indicators import Indicators, in_full, one_per_row
from losscli.states.binned import Binned
from losscli.states.cells import Cells
from losscli.states.moments import Moments

COUNTED = ("n", "low", "high", "low_row", "high_row")


def binned(places: np.ndarray, values: np.ndarray, bins: int) -> Binned:
    columns = Binned.of(np, (Indicators(bins, ((places, values),)), one_per_row(np, places, bins)))
    assert columns is not None
    return columns


def columns_and_cells(n: int, bins: int, cells: int, *, weighted: bool, paired: bool = False, seed: int = 0):
    """Random rows, some of no cell, with ties among the values and perhaps empty bins."""
    rng = np.random.default_rng(seed)
    codes = None if cells == 1 else rng.integers(-1, cells, n)
    weight = rng.uniform(0.1, 2.0, n) if weighted else None
    values = rng.integers(-4, 5, n) / 8
    columns = binned(rng.integers(0, bins, n), values, bins)
    if paired:
        columns = columns.paired(binned(rng.integers(0, bins, n), values[::-1], bins))
    return columns, Cells(np, n, weight, 7, codes, cells)


def dense(columns: Binned, cells: Cells, interval: bool = True) -> Moments:
    return Moments.of(cells, columns[:], interval)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cells", [1, 3])
@pytest.mark.parametrize("bins", [3, 4, 15])
@pytest.mark.parametrize("n", [0, 1, 2, 40, 3000])
def test_moments_are_those_of_the_columns(n, bins, cells, weighted, paired):
    columns, rows = columns_and_cells(n, bins, cells, weighted=weighted, paired=paired)
    found, expected = (m.to_arrays() for m in (columns.moments(rows), dense(columns, rows)))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if name in COUNTED:
            np.testing.assert_array_equal(found[name], values, name)
        else:
            np.testing.assert_allclose(found[name], values, rtol=1e-13, atol=1e-14 * max(n, 1), err_msg=name)


def test_cells_at_a_time_are_those_of_all(monkeypatch):
    columns, rows = columns_and_cells(3000, 15, 7, weighted=True, paired=True)
    every = columns.moments(rows)
    monkeypatch.setattr("losscli.states.binned._AT_ONCE", 1)
    for name, values in columns.moments(rows).to_arrays().items():
        np.testing.assert_array_equal(values, getattr(every, name), name)


def test_parts_merge_as_those_of_the_columns_do():
    parts = [columns_and_cells(300, 5, 2, weighted=True, seed=seed) for seed in range(2)]
    found, expected = (
        of(*parts[0]).merge(of(*parts[1])) for of in (lambda columns, rows: columns.moments(rows), dense)
    )
    np.testing.assert_allclose(found.spread, expected.spread, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.low_row, expected.low_row)


def test_equal_rows_of_one_bin_vary_by_nothing():
    columns = binned(np.full(1000, 2), np.full(1000, -0.3), 15)
    assert not columns.moments(Cells(np, 1000, None, 0)).spread.any()


def test_an_undefined_value_is_an_extreme():
    values = np.array([0.5, np.nan, 0.25, np.inf])
    moments = binned(np.array([0, 1, 1, 2]), values, 4).moments(Cells(np, 4, None, 0))
    assert np.isnan(moments.low[0, 1])
    assert moments.low_row[0, 1] == 1
    assert moments.high[0, 2] == np.inf


def test_no_spread_without_intervals_or_of_too_many_cells():
    columns, rows = columns_and_cells(40, 15, 1, weighted=False)
    assert columns.moments(rows, interval=False).spread is None
    many = Cells(np, 40, None, 0, np.arange(40), 5000)
    assert columns.moments(many).spread is None


def test_columns_are_made_when_they_are_asked_for():
    columns = binned(np.array([0, 1, 1]), np.array([0.5, 0.25, -1.0]), 2)
    assert len(columns) == 4
    np.testing.assert_array_equal(columns[1], [0.0, 0.25, -1.0])
    np.testing.assert_array_equal(columns[-1], [0.0, 1.0, 1.0])
    np.testing.assert_array_equal(columns[:2], [[0.5, 0.0, 0.0], [0.0, 0.25, -1.0]])
    with pytest.raises(IndexError):
        columns[4]


def test_other_columns_of_classes_are_not_of_bins():
    places, ones = np.array([0, 1, 1]), np.ones(3)
    values = Indicators(2, ((places, ones / 2),))
    for columns in (
        (values,),
        (values, ones),
        (values, one_per_row(np, places.copy(), 2)),  # of another class, as far as one can tell
        (values, Indicators(2, ((places, 2 * ones),))),
        (values, one_per_row(np, places, 2), ones),
        (Indicators(2, ((places, ones),), 1.0), one_per_row(np, places, 2)),
    ):
        assert Binned.of(np, columns) is None


def test_the_columns_are_those_in_full():
    places, values = np.array([2, 0, 2, 1]), np.array([0.5, 0.25, -1.0, 0.0])
    columns = Indicators(3, ((places, values),)), one_per_row(np, places, 3)
    np.testing.assert_array_equal(Binned.of(np, columns)[:], in_full(np, columns))
