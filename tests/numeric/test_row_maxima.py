"""The place of the maximum of a row is that of argmax, the first of equal ones."""

import numpy as np
import pytest

from losscli.numeric.softmax import row_maxima

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("columns", [1, 2, 10, 254, 255, 256, 300])
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_places_are_those_of_argmax(kind, columns, order):
    values = RNG.integers(0, 7, (500, columns)).astype(kind)
    values[0] = -np.inf
    values[1, -1] = 99
    values = np.asarray(values, order=order)
    place, most = row_maxima(np, values)
    assert place.tolist() == values.argmax(axis=1).tolist()
    assert most.tolist() == values.max(axis=1).tolist()
