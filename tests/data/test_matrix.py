"""Columns as one array of numbers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from losscli.data.matrix import matrix_of

ROWS = [[0.5, 2.0], [3.0, None], [5.0, 6.0]]
NUMBERS = np.array([[0.5, 2.0], [3.0, np.nan], [5.0, 6.0]])


@pytest.mark.parametrize("kind", [pl.Float64, pl.Float32])
@pytest.mark.parametrize("dtype", [lambda kind: pl.List(kind), lambda kind: pl.Array(kind, 2)])
def test_lists_and_arrays_of_any_chunks_are_rows(kind, dtype):
    series = pl.Series("x", ROWS, dtype=dtype(kind))
    chunked = pl.concat([series[:1], series[1:]], rechunk=False)
    for own, numbers in ((series, NUMBERS), (chunked, NUMBERS), (series[1:], NUMBERS[1:])):
        values = matrix_of(own.to_frame(), ("x",)).values
        assert values.dtype == (np.float32 if kind == pl.Float32 else np.float64)
        np.testing.assert_array_equal(values, numbers)
    assert matrix_of(series[:0].to_frame(), ("x",)).values.shape == (0, 1)


def test_extremes_are_those_of_all_numbers():
    frame = pl.DataFrame({"x": [1.0, -2.0], "y": [3.0, None]})
    assert matrix_of(frame, ("x",)).extremes == (-2.0, 1.0)
    assert np.isnan(matrix_of(frame, ("y",)).extremes).all()
    assert np.isnan(matrix_of(frame, ("x", "y")).extremes).all()
    assert matrix_of(frame[:0], ("x",)).extremes == (np.inf, -np.inf)
