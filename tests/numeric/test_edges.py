"""Bins of equal width: an edge belongs to the bin above it, in the type of the file."""

import numpy as np
import pytest

from losscli.numeric.edges import edges_below, unit_edges, unit_places


@pytest.mark.parametrize("held", ["float64", "float32", "float16"])
@pytest.mark.parametrize("bins", [1, 2, 7, 10, 15, 100])
def test_places_are_those_of_a_search(bins, held):
    edges = unit_edges(np, bins, held)
    values = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1), np.linspace(0, 1, 999)])
    values = values.clip(0, 1)
    expected = np.minimum(np.searchsorted(edges, values, side="right") - 1, bins - 1)
    assert unit_places(np, values, edges).tolist() == expected.tolist()


@pytest.mark.parametrize("count", [0, 1, 5, 64, 65])
@pytest.mark.parametrize("or_at", [False, True])
def test_edges_below_are_those_of_a_search(count, or_at):
    rng = np.random.default_rng(count)
    edges = np.sort(rng.integers(0, 40, count)) / 8
    values = np.concatenate([rng.integers(-8, 48, 1000) / 8, [-np.inf, np.inf, -0.0]])
    expected = np.searchsorted(edges, values, side="right" if or_at else "left")
    assert edges_below(np, edges, values, or_at=or_at).tolist() == expected.tolist()
