"""Products of columns, whatever the number of columns and rows."""

from __future__ import annotations

import numpy as np
import pytest

from losscli.numeric.products import products


@pytest.mark.parametrize("rows", [1, 700])
@pytest.mark.parametrize("k", [1, 5, 40, 41, 97])
def test_tiles_add_up_to_all_products(k, rows):
    rng = np.random.default_rng(k)
    a, b = rng.normal(size=(2, k, rows))
    assert products(np, a, b) == pytest.approx(a @ b.T, rel=1e-12, abs=1e-12)
    own = products(np, a, a)
    assert own == pytest.approx(a @ a.T, rel=1e-12, abs=1e-12)
    assert np.array_equal(own, own.T)
