"""Rows in the order of their cells."""

import numpy as np
import pytest

from losscli.numeric.segments import stable_order


@pytest.mark.parametrize("count", [3, 300, 70_000])
def test_rows_of_a_cell_keep_their_order(count: int) -> None:
    codes = np.random.default_rng(0).integers(0, count, 100_000)
    assert np.array_equal(stable_order(np, codes, count), np.argsort(codes, kind="stable"))


def test_no_rows_have_no_order() -> None:
    assert not len(stable_order(np, np.zeros(0, dtype=np.int64), 70_000))
