"""Counts of whole numbers in cells, and the moments of what they stand for."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest

from losscli.numeric.indicators import Indicators, in_full, one_per_row
from losscli.states.cells import Cells
from losscli.states.contingency import Contingency
from losscli.states.moments import Moments
from losscli.states.scattered import Scattered

ROWS, CELLS, CLASSES = 400, 3, 5
RNG = np.random.default_rng(2)
NUMBERS = RNG.integers(0, CLASSES**2, ROWS)
CODES = RNG.integers(0, CELLS, ROWS)
CUTS = (slice(0, 7), slice(7, 7), slice(7, 300), slice(300, ROWS))


WEIGHT = RNG.random(ROWS) * 10.0 ** RNG.integers(-6, 6, ROWS)


def counts(part: slice = slice(None), weight: np.ndarray | None = None) -> Contingency:
    own = None if weight is None else weight[part]
    return Contingency.of_rows(NUMBERS[part], own, CODES[part], CELLS)


def assert_equal(found: Contingency, expected: Contingency) -> None:
    assert found.to_arrays().keys() == expected.to_arrays().keys()
    for name, array in expected.to_arrays().items():
        own = getattr(found, name)
        assert own.dtype == array.dtype, name
        if name == "powers":
            np.testing.assert_allclose(own, array, rtol=1e-13, atol=1e-9, err_msg=name)
            np.testing.assert_array_equal(own[0], array[0])
        else:
            np.testing.assert_array_equal(own, array, name)


def test_counts_are_those_of_rows():
    found = counts()
    for cell, number, count in zip(found.cells, found.numbers, found.counts, strict=True):
        assert count == np.sum((cell == CODES) & (number == NUMBERS))
    np.testing.assert_array_equal(found.n, np.bincount(CODES))
    assert found.counts.sum() == ROWS


@pytest.mark.parametrize("far", [1, 10**9])
def test_few_and_many_numbers_are_counted_alike(far):
    found = Contingency.of_rows(NUMBERS * far)
    assert_equal(
        found, Contingency(*(np.array(a) for a in ([ROWS], found.cells, found.numbers, found.counts)))
    )
    np.testing.assert_array_equal(found.numbers, np.unique(NUMBERS) * far)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["ones", "weights"])
def test_any_merge_tree_gives_the_counts_of_all_rows(weight):
    a, b, c, d = (counts(cut, weight) for cut in CUTS)
    for merged in (a.merge(b).merge(c).merge(d), d.merge(c.merge(b.merge(a))), a.merge(c).merge(d.merge(b))):
        assert_equal(merged, counts(weight=weight))


def test_weights_are_summed_without_rounding():
    found = counts(weight=WEIGHT)
    for place, (cell, number) in enumerate(zip(found.cells, found.numbers, strict=True)):
        rows = WEIGHT[(cell == CODES) & (number == NUMBERS)]
        assert found.powers[0, place] == math.fsum(rows)
        exact = sum(map(Fraction, rows.tolist()))
        assert abs(exact - sum(map(Fraction, found.powers[:2, place].tolist()))) < exact / 2**90
        np.testing.assert_allclose(found.powers[2:, place], [np.sum(rows**2), np.sum(rows**3)])
    expected = [math.fsum(WEIGHT[cell == CODES]) for cell in range(CELLS)]
    np.testing.assert_array_equal(found.weights, expected)


def test_cells_of_other_places_merge_with_their_own():
    first, _, *later = map(counts, CUTS)
    places = np.array([1, 2, 0])
    known = first.select(np.array([2, 0]))
    assert_equal(known.merge(first.select(np.array([1])), np.array([2])).select(places), first)
    merged = reduce(lambda a, b: a.merge(b, places), later, first.select(np.array([2, 0, 1])))
    assert_equal(merged.select(places), counts())


def test_selected_cells_are_stacked_to_the_same_counts():
    whole = counts()
    alone = [whole.select(slice(i, i + 1)) for i in range(CELLS)]
    assert_equal(Contingency.stack(alone), whole)
    assert_equal(alone[1], Contingency.of_rows(NUMBERS[CODES == 1]))
    assert_equal(Contingency.from_arrays(whole.to_arrays()), whole)


def test_a_block_of_cells_has_the_counts_of_its_rows():
    codes = np.where(NUMBERS % 3 == 0, -1, CODES)
    cells = Cells(np, ROWS, None, 0, codes, CELLS)
    kept = codes >= 0
    assert_equal(
        Contingency.of(cells, [NUMBERS]), Contingency.of_rows(NUMBERS[kept], None, codes[kept], CELLS)
    )


def columns(numbers: np.ndarray) -> tuple[Indicators | np.ndarray, ...]:
    """Columns of classes, one of which is one where nothing is added, and another column."""
    y, p = np.divmod(numbers, CLASSES)
    wrong = (y != p).astype(float)
    return (
        Indicators(CLASSES, ((y, -np.ones(len(y))), (p, -wrong)), base=1.0),
        one_per_row(np, y, CLASSES),
        Indicators(CLASSES, ((p, 2.0 * wrong),)),
    )


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["ones", "weights"])
@pytest.mark.parametrize("by_class", [False, True])
def test_scattered_columns_have_the_moments_of_full_ones(by_class, weight):
    whole = counts(weight=weight)
    given = columns(whole.numbers) if by_class else (*columns(whole.numbers), 1.0 * (whole.numbers % 4))
    full = np.stack(in_full(np, given))
    if by_class:
        full = full.reshape(3, CLASSES, -1).swapaxes(0, 1).reshape(3 * CLASSES, -1)
    expected, found = whole.moments([*full]), whole.scattered(given, by_class).moments()
    for name in ("n", "low", "high"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
    np.testing.assert_array_equal(found.weight[:, 0], expected.weight[:, 0])
    np.testing.assert_array_equal(found.total[:, 0], expected.total[:, 0])
    np.testing.assert_allclose(found.weight2, expected.weight2, rtol=1e-14)
    np.testing.assert_allclose(
        found.drift / found.weight2[:, None], expected.drift / found.weight2[:, None], atol=1e-14
    )
    np.testing.assert_allclose(found.variances, expected.variances, rtol=1e-12, atol=1e-12)
    direction = RNG.normal(size=expected.drift.shape)
    along = np.einsum("ci,cij,cj->c", direction, expected.spread, direction)
    np.testing.assert_allclose(found.scattered.variance_along(direction), along, rtol=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["ones", "weights"])
def test_classes_are_cells_of_all_rows(weight):
    whole = Contingency.of_rows(NUMBERS, weight)
    given = columns(whole.numbers)
    found = whole.scattered(given, by_class=True).classes()
    full = np.stack(in_full(np, given)).reshape(3, CLASSES, -1)
    expected = Moments.stack([whole.moments([*full[:, own]]) for own in range(CLASSES)])
    for name in ("n", "low", "high"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
    np.testing.assert_array_equal(found.total[:, 0], expected.total[:, 0])
    scale = found.weight2[:, None, None]
    np.testing.assert_allclose(found.spread / scale, expected.spread / scale, rtol=1e-12, atol=1e-15)


def test_columns_of_classes_are_written_in_full():
    y, p = np.array([0, 1, 2, 1]), np.array([0, 2, 2, 0])
    found = in_full(np, columns(y * CLASSES + p)[:1])
    for own, column in enumerate(found):
        np.testing.assert_array_equal(column, (y != own) & (p != own))


def test_a_cell_without_rows_has_no_extremes():
    found = Scattered.of(
        np.array([2, 0]),
        np.array([0]),
        np.array([[2.0], [0.0], [2.0], [2.0]]),
        [one_per_row(np, np.array([1]), 3)],
        by_class=False,
    ).moments()
    np.testing.assert_array_equal(found.low, [[0, 1, 0], [np.inf] * 3])
    np.testing.assert_array_equal(found.high, [[0, 1, 0], [-np.inf] * 3])


def test_numbers_too_large_for_one_of_cell_and_row_are_counted_alike():
    far = 2**61
    found = Contingency.of_rows(NUMBERS + far, None, CODES, CELLS)
    np.testing.assert_array_equal(found.numbers, counts().numbers + far)
    for name in ("n", "cells", "counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(counts(), name), name)


def test_some_cells_of_scattered_columns_are_those_of_their_rows():
    whole, order = counts(), np.array([2, 0])
    found = whole.scattered(columns(whole.numbers), by_class=True).moments().select(order)
    some = whole.select(order)
    expected = some.scattered(columns(some.numbers), by_class=True).moments()
    for name in ("n", "total", "low", "variances"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)


def test_columns_of_classes_are_subtracted_class_by_class():
    a, b = (RNG.integers(0, CLASSES, 60) for _ in range(2))
    y = RNG.integers(0, CLASSES, 60)
    for one, other in zip(columns(y * CLASSES + a), columns(y * CLASSES + b), strict=True):
        difference = other - one
        for own, x, z in zip(*(in_full(np, [each]) for each in (difference, one, other)), strict=True):
            np.testing.assert_array_equal(own, z - x)
        hits = [np.where(added != 0, place, -1) for place, added in difference.parts]
        for row in np.stack(hits, axis=1):
            kept = row[row >= 0]
            assert len({*kept.tolist()}) == len(kept)
