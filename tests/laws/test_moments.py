"""The laws of moments: exact sums, centred squares, and a merge that forgets how rows were cut."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.samples import moments

from losscli.states.moments import Moments
from losscli.states.reductions import BoundReduction
from losscli.states.reductions import mean as mean_of_one_column

EXACT = ("n", "low", "high", "low_row", "high_row")
BLOCK = 32_768

numbers = st.floats(-1e30, 1e30, allow_subnormal=False)
columns = arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 60)), elements=numbers)
seeds = st.integers(0, 2**32 - 1)
examples = settings(max_examples=60, deadline=None)


def of(x, weight=None, first_row=0, **options) -> Moments:
    x = np.atleast_2d(x)
    return moments(tuple(x), weight, first_row, **options)


def blocks(x, cuts, weight=None) -> list[Moments]:
    edges = [0, *sorted(cuts), np.shape(x)[-1]]
    return [
        of(np.atleast_2d(x)[:, a:b], None if weight is None else weight[a:b], a) for a, b in pairwise(edges)
    ]


def data(seed: int, n: int, k: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Columns of both signs, large against their spread, and weights."""
    rng = np.random.default_rng(seed)
    scales = np.array([1.0, 1e6, 1e-6])[:k, None]
    return scales * (rng.normal(size=(k, n)) + rng.normal(scale=30, size=(k, 1))), rng.uniform(0.1, 3, n)


def exact_square(x, weight) -> tuple[Fraction, Fraction]:
    """The mean under squared weights, and sum w^2 (x - mean)^2, in exact fractions."""
    x, w2 = [Fraction(float(v)) for v in x], [Fraction(float(v)) ** 2 for v in weight]
    mean = sum(a * b for a, b in zip(w2, x, strict=True)) / sum(w2)
    return mean, sum(b * (a - mean) ** 2 for a, b in zip(x, w2, strict=True))


def assert_same(a: Moments, b: Moments, rtol: float = 2e-15, spread: float = 1e-12) -> None:
    for name in EXACT:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_allclose(a.mean, b.mean, rtol=rtol)
    np.testing.assert_allclose(a.weight.sum(axis=1), b.weight.sum(axis=1), rtol=rtol)
    np.testing.assert_allclose(a.weight2, b.weight2, rtol=1e-14)
    scale = np.sqrt(np.diagonal(b.spread, axis1=1, axis2=2))
    size = scale[:, :, None] * scale[:, None, :]
    np.testing.assert_array_less(np.abs(a.spread - b.spread), spread * size + 1e-300)
    np.testing.assert_allclose(a.drift, b.drift, atol=1e-12 * (scale * np.sqrt(b.weight2)[:, None]).max())


# Sums


@examples
@given(columns)
def test_mean_is_exact(x):
    for column, mean in zip(x, of(x).mean[0], strict=True):
        true = sum(map(Fraction, column.tolist())) / len(column)
        assert abs(Fraction(float(mean)) - true) <= 2 * math.ulp(true) + 1e-22 * np.abs(column).max()


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.gamma(0.5, size=n),
        lambda rng, n: -rng.lognormal(sigma=5, size=n),
        lambda rng, n: np.full(n, 0.1),
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: 1e295 * rng.uniform(size=n),
        lambda rng, n: 1e-290 * rng.uniform(-1, 1, size=n),
    ],
    ids=["gamma", "heavy tail below zero", "constant", "normal", "huge", "tiny"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_mean_of_many_blocks_is_that_of_fsum(draw, weighted):
    rng = np.random.default_rng(7)
    n = 200_000
    x, weight = draw(rng, n), rng.uniform(0.5, 2e4, n) if weighted else None
    whole = reduce(Moments.merge, blocks(x, range(BLOCK, n, BLOCK), weight))
    terms = x if weight is None else weight * x
    true = math.fsum(terms) / (n if weight is None else math.fsum(weight))
    assert abs(whole.mean[0, 0] - true) <= 4 * math.ulp(true) + 1e-19 * math.fsum(np.abs(terms)) / n


def test_mean_survives_cancellation_that_leaves_one_digit_in_1e17():
    rng = np.random.default_rng(1)
    n = 1_000_000
    half = rng.normal(size=n // 2) * 1e16
    x = rng.permutation(np.concatenate([half, -half])) + 0.0
    x[:1000] -= rng.integers(1, 5, 1000) * 64.0
    true = math.fsum(x) / n
    assert -0.2 < true < -0.1
    whole = reduce(Moments.merge, blocks(x, range(BLOCK, n, BLOCK)))
    assert whole.mean[0, 0] == pytest.approx(true, rel=1e-9)


# Centred squares


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e14])
@pytest.mark.parametrize("weighted", [False, True])
def test_second_moments_keep_their_digits_far_from_zero(offset, weighted):
    rng = np.random.default_rng(3)
    n = 3000
    x, weight = offset + rng.normal(size=n), rng.uniform(0.1, 3, n) if weighted else None
    mean, square = exact_square(x, np.ones(n) if weight is None else weight)
    for parts in ([of(x, weight)], blocks(x, range(100, n, 100), weight)):
        whole = reduce(Moments.merge, parts)
        # Whatever the last digit of the mean is: drift and spread are about it as it was rounded.
        shift, centre = whole.drift[0, 0] / whole.weight2[0], whole.mean[0, 0]
        about_mean = whole.spread[0, 0, 0] - shift * whole.drift[0, 0]
        assert about_mean == pytest.approx(float(square), rel=1e-12)
        assert shift == pytest.approx(float(mean - Fraction(float(centre))), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("k", [1, 2, 30, 120])
def test_weighted_moments_are_their_formula(k):
    rng = np.random.default_rng(k)
    mix, n = rng.normal(size=(k, k)), 5000
    x, w = mix @ rng.normal(size=(k, n)) + rng.normal(size=(k, 1)), rng.uniform(0.1, 3, n)
    found = of(x, w)
    mean = np.average(x, axis=1, weights=w)
    centred = x - mean[:, None]
    np.testing.assert_allclose(found.mean[0], mean, rtol=1e-12)
    np.testing.assert_allclose(found.weight[0].sum(), w.sum(), rtol=1e-14)
    np.testing.assert_allclose(found.weight2[0], (w * w).sum(), rtol=1e-14)
    np.testing.assert_allclose(found.drift[0], (w * w * centred).sum(axis=1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.spread[0], (w * w * centred) @ centred.T, rtol=1e-9, atol=1e-9)
    assert found.n.tolist() == [n]
    assert of(x, w, interval=False).spread is None


# Weights


@examples
@given(seeds, st.integers(1, 300))
def test_unit_weights_are_none(seed, n):
    x, _ = data(seed, n)
    assert_same(of(x, np.ones(n)), of(x))


@examples
@given(seeds, st.integers(1, 300))
def test_weight_two_is_the_row_twice(seed, n):
    x, weight = data(seed, n)
    counts = np.random.default_rng(seed).integers(1, 4, n)
    twice = np.repeat(x, counts, axis=1)
    np.testing.assert_allclose(of(x, counts * 1.0).mean, of(twice).mean, rtol=2e-15)
    np.testing.assert_allclose(
        of(x, weight * counts).mean, of(twice, np.repeat(weight, counts)).mean, rtol=1e-14
    )


# Merge


@examples
@given(seeds, st.integers(2, 400), st.booleans(), st.lists(st.integers(0, 400), max_size=8), st.randoms())
def test_any_blocks_in_any_merge_tree_are_the_whole(seed, n, weighted, cuts, random):
    x, weight = data(seed, n, k=3)
    weight = weight if weighted else None
    parts = blocks(x, [min(cut, n) for cut in cuts], weight)
    while len(parts) > 1:
        at = random.randrange(len(parts) - 1)
        parts[at : at + 2] = [Moments.merge(*parts[at : at + 2])]
    assert_same(parts[0], of(x, weight))


def test_merge_of_no_rows_changes_nothing():
    x, weight = data(5, 50)
    some, none = of(x, weight), of(x[:, :0], weight[:0])
    assert none.n == 0
    for merged in (some.merge(none), none.merge(some)):
        assert_same(merged, some, rtol=2e-16)
    assert np.isnan(none.merge(none).mean).all()


# Cells


@examples
@given(seeds, st.integers(1, 400), st.integers(1, 300), st.booleans(), st.integers(1, 3))
def test_a_cell_is_the_block_filtered_to_it(seed, n, cells, weighted, k):
    x, weight = data(seed, n, k)
    weight = weight if weighted else None
    codes = np.random.default_rng(seed).integers(-1, cells, n)
    rows = np.arange(100, 100 + n)
    found = moments(tuple(x), weight, rows, codes, cells)
    assert found.n.sum() == (codes >= 0).sum()
    for cell in range(0, cells, max(1, cells // 10)):
        inside = codes == cell
        alone = moments(tuple(x[:, inside]), None if weight is None else weight[inside], rows[inside])
        assert_same(found.cell(cell), alone)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_cell_of_many_rows_is_the_block_filtered_to_it(weighted):
    """Extremes of many rows are found cell by cell, with ties and with values that are no numbers."""
    rng = np.random.default_rng(5)
    x, weight = np.round(rng.normal(size=(2, 40_000)), 1), rng.uniform(0.1, 3, 40_000)
    weight, codes = weight if weighted else None, rng.integers(0, 2, 40_000)
    x[1, np.flatnonzero(codes == 1)[[70, 90]]] = math.nan
    found = of(x, weight, 100, codes=codes, cells=2)
    for cell in range(2):
        inside = codes == cell
        rows = 100 + np.flatnonzero(inside)
        alone = moments(tuple(x[:, inside]), None if weight is None else weight[inside], rows)
        assert_same(found.cell(cell).columns(0, 1), alone.columns(0, 1))
        for name in EXACT:
            np.testing.assert_array_equal(getattr(found.cell(cell), name), getattr(alone, name), err_msg=name)
    assert found.low_row[1, 1] == 100 + np.flatnonzero(codes == 1)[70]


def test_cells_merge_one_by_one():
    x, _ = data(1, 90)
    codes = np.repeat([2, 0, 2], 30)
    first = of(x[:, :45], codes=codes[:45], cells=3)
    second = of(x[:, 45:], first_row=45, codes=codes[45:], cells=3)
    whole = first.merge(second)
    assert whole.n.tolist() == [30, 0, 60]
    assert_same(whole.cell(0), of(x[:, 30:60], first_row=30))
    assert np.isnan(whole.mean[1]).all()
    assert whole.low_row[1].tolist() == [-1, -1]


@pytest.mark.parametrize("kept", [(True, False), (False, True)], ids=["earlier", "later"])
@pytest.mark.parametrize("places", [[1, 0], [2, 0], [1, 2]], ids=str)
def test_slices_without_second_moments_on_one_side_merge_to_slices_without(kept, places):
    """As blocks do of which one has more slices than second moments are kept of."""
    x, _ = data(3, 80)
    codes, places = np.arange(80) % 2, np.array(places)
    sides = (slice(0, 40), slice(40, 80))
    first, later = (
        of(x[:, side], first_row=side.start, codes=codes[side], cells=2, interval=interval)
        for side, interval in zip(sides, kept, strict=True)
    )
    merged = first.merge(later, places)
    whole = of(x, codes=np.append(codes[:40], places[codes[40:]]), cells=int(max(1, *places)) + 1)
    assert merged.spread is None
    for name in EXACT:
        np.testing.assert_array_equal(getattr(merged, name), getattr(whole, name), err_msg=name)
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=2e-15)
    (estimate, *_) = merged.estimates(BoundReduction(mean_of_one_column, {}, pilots=(None, None)), 0.95)
    assert (estimate.se, [each.code for each in estimate.notes]) == (None, ["too-many-columns"])


def test_columns_and_stacks_are_parts():
    x, weight = data(2, 40, k=3)
    whole = of(x, weight)
    assert_same(whole.columns(1, 3), of(x[1:], weight))
    pile = Moments.stack([whole, of(2 * x, weight)])
    np.testing.assert_allclose(pile.mean[1], 2 * pile.mean[0], rtol=1e-15)
    assert_same(pile.cell(0), whole)


# Extremes


def test_extremes_stand_where_they_first_occur():
    x = np.array([3.0, 1.0, 9.0, 1.0, 9.0, 5.0])
    for cut in range(7):
        whole = reduce(Moments.merge, blocks(x, [cut]))
        assert (whole.low[0, 0], whole.low_row[0, 0]) == (1.0, 1)
        assert (whole.high[0, 0], whole.high_row[0, 0]) == (9.0, 2)


def rows_of(bad, found: Moments, cell: int) -> set[int]:
    rows = {-math.inf: [found.low_row], math.inf: [found.high_row]}
    return {int(row[cell, 0]) for row in rows.get(bad, [found.low_row, found.high_row])}


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_a_value_that_is_no_number_spoils_its_column_and_cell_alone_and_is_named(bad, weighted, grouped):
    x, weight = data(9, 40)
    x[0, [17, 23]] = bad
    codes = np.arange(40) % 2 if grouped else None
    options = {"codes": codes, "cells": 2 if grouped else 1}
    weight = weight if weighted else None
    found = of(x, weight, **options)
    cell = 1 if grouped else 0
    assert rows_of(bad, found, cell) == {17}
    np.testing.assert_equal(found.mean[cell, 0], bad)
    assert np.isfinite(found.mean[:, 1]).all()
    assert np.isfinite(found.mean[:cell]).all()
    parts = [of(x[:, i : i + 10], first_row=i) for i in range(0, 40, 10)]
    merged = reduce(Moments.merge, parts)
    assert rows_of(bad, merged, 0) == {17}
    np.testing.assert_equal(merged.mean[0, 0], bad)
    np.testing.assert_allclose(merged.spread[0, 1, 1], of(x[1]).spread[0, 0, 0], rtol=1e-12)


def test_infinities_of_both_signs_have_no_mean():
    found = reduce(Moments.merge, blocks(np.array([1.0, math.inf, 2.0, -math.inf]), [2]))
    assert np.isnan(found.mean[0, 0])
    assert (found.low_row[0, 0], found.high_row[0, 0]) == (3, 1)


def test_a_sum_beyond_the_largest_float_is_infinite():
    found = reduce(Moments.merge, blocks(np.full(4, 1.5e308), [1, 2]))
    assert found.mean[0, 0] == math.inf
    assert found.high[0, 0] == 1.5e308
