"""What holds for every pair of a loss and a state: states of the rows of a loss merge to that of all rows."""

from __future__ import annotations

import io
from functools import lru_cache, reduce

import numpy as np
import pytest
from msgspec.structs import replace
from support.samples import LOSSES, ROWS, chosen, rows

from losscli.states.base import State
from losscli.states.cells import Cells
from losscli.states.clusters import HASH_BITS, Block, Clusters, Totals, pairs_of
from losscli.states.histogram import Histogram
from losscli.states.moments import Moments
from losscli.states.order import Order, quantile_of
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction, mean
from losscli.states.sketch import Sketch
from losscli.states.top import Top

STATES = (Moments, Histogram, Top, Ranks, Sketch)
CELLS = 3
CODES = np.random.default_rng(4).integers(-1, CELLS, ROWS)
WEIGHT = np.random.default_rng(5).uniform(0.5, 2.0, ROWS)
CUTS = (slice(0, 7), slice(7, 7), slice(7, 30), slice(30, ROWS))
"""Blocks of unequal length, one of which has no rows."""

FIRST_OF_TASKS = {entry.task: name for name, entry in reversed(LOSSES.items())}.values()
FIRST_OF_BATCHES = {(entry.batch, entry.state): name for name, entry in reversed(LOSSES.items())}.values()


def fits(state, entry) -> bool:
    """Whether a state can hold the columns of a loss."""
    if state is Sketch:
        return entry.order is not None and entry.order.binned
    return state is not Moments or entry.order is None


def pairs():
    """Each loss with its own state, and some with others, for which only the shape of columns counts."""
    for state in STATES:
        for name, entry in LOSSES.items():
            is_own = state in (entry.state, Sketch)
            fast, slow = (FIRST_OF_BATCHES, LOSSES) if is_own else (FIRST_OF_TASKS, FIRST_OF_BATCHES)
            if fits(state, entry) and name in slow:
                marks = () if name in fast else pytest.mark.slow
                yield pytest.param(state, name, id=f"{state.__name__}-{name}", marks=marks)


every_pair = pytest.mark.parametrize(("state", "name"), list(pairs()))


@lru_cache
def columns_of(name: str, state: type[State]) -> tuple[np.ndarray, ...]:
    """The row columns of a loss; a histogram has the places of the rows, the loss and a part of the rows."""
    with np.errstate(all="ignore"):
        columns = chosen(name).columns(rows(name))
    if state is Histogram:
        return columns[0], columns[0], columns[0] > np.median(columns[0])
    return columns


def state_of(name: str, state: type[State], part: slice = slice(ROWS), codes=CODES) -> State:
    columns = tuple(column[part] for column in columns_of(name, state))
    count = 1 if codes is None else CELLS
    own = None if codes is None else codes[part]
    cells = Cells(np, len(columns[0]), WEIGHT[part], part.start or 0, own, count)
    with np.errstate(all="ignore"):
        return state.of(cells, columns)


def parts_of(name: str, state: type[State]) -> list[State]:
    return [state_of(name, state, part) for part in CUTS]


def bound_of(name: str, state: type[State]) -> BoundReduction:
    """What a state is reduced by: of the ranks of a loss without an order, the median of the first column."""
    bound = chosen(name).reduction.with_pilots((getattr(rows(name), "pilot", None),))
    if state is not Ranks or bound.order is not None:
        return bound
    return replace(
        bound, reduction=mean, order=Order(lambda s: quantile_of(replace(s, columns=s.columns[:1]), 0.5))
    )


def assert_same(name: str, found: State, expected: State) -> None:
    """The rows, weights, values and intervals of all cells agree."""
    np.testing.assert_array_equal(found.n, expected.n)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-14)
    bound = bound_of(name, type(found))
    for mine, theirs in zip(found.estimates(bound, 0.9), expected.estimates(bound, 0.9), strict=True):
        assert mine.notes == theirs.notes
        for field in ("value", "se", "ci_low", "ci_high"):
            own, other = getattr(mine, field), getattr(theirs, field)
            near = None if other is None else pytest.approx(other, rel=1e-9 if field != "value" else 1e-12)
            assert own == near or abs(own - other) < 1e-12, field


def assert_equal_bits(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes(), name


@every_pair
def test_any_merge_tree_gives_the_state_of_all_rows(name, state):
    whole, (a, b, c, d) = state_of(name, state), parts_of(name, state)
    for merged in (a.merge(b).merge(c).merge(d), a.merge(b.merge(c.merge(d))), a.merge(b).merge(c.merge(d))):
        assert_same(name, merged, whole)


@every_pair
def test_a_state_of_no_rows_changes_nothing(name, state):
    whole, empty = state_of(name, state), state_of(name, state, slice(0, 0))
    assert_same(name, whole.merge(empty), whole)
    assert_same(name, empty.merge(whole), whole)
    assert not empty.n.any()


@every_pair
def test_a_selected_cell_is_the_state_of_its_rows(name, state):
    whole = state_of(name, state)
    for cell in range(CELLS):
        alone = state_of(name, state, codes=np.where(cell == CODES, 0, -1)).select(slice(0, 1))
        assert_same(name, whole.select(slice(cell, cell + 1)), alone)
    assert_same(name, state.stack([whole.select(slice(i, i + 1)) for i in range(CELLS)]), whole)
    order = np.array([2, 0])
    picked = whole.select(order)
    for place, cell in enumerate(order):
        assert_same(name, picked.select(slice(place, place + 1)), whole.select(slice(cell, cell + 1)))


@every_pair
def test_cells_of_other_places_merge_with_their_own(name, state):
    """As slices do that come up in a later block: cells 2 and 0 were known, cell 1 is new."""
    whole, (first, _, *later) = state_of(name, state), parts_of(name, state)
    places = np.array([1, 2, 0])
    known = first.select(np.array([2, 0]))
    assert_same(name, known.merge(first.select(np.array([1])), np.array([2])).select(places), first)
    merged = reduce(lambda a, b: a.merge(b, places), later, first.select(np.array([2, 0, 1])))
    assert_same(name, merged.select(places), whole)


@every_pair
def test_merging_leaves_the_parts_as_they_were(name, state):
    first, later = state_of(name, state, slice(0, 20)), state_of(name, state, slice(20, ROWS))
    before = [{key: array.copy() for key, array in each.to_arrays().items()} for each in (first, later)]
    first.merge(later), first.merge(later, np.array([2, 1, 0]))
    for state_now, arrays in zip((first, later), before, strict=True):
        assert_equal_bits(state_now.to_arrays(), arrays)


@every_pair
def test_arrays_restore_a_state_to_the_last_bit(name, state):
    """Written and read without running code; merging what was restored gives the same bits too."""
    first, later = state_of(name, state, slice(0, 20)), state_of(name, state, slice(20, ROWS))
    again = [state.from_arrays(stored(each.to_arrays())) for each in (first, later)]
    assert_equal_bits(again[0].to_arrays(), first.to_arrays())
    assert_equal_bits(again[0].merge(again[1]).to_arrays(), first.merge(later).to_arrays())


CLUSTERS = np.random.default_rng(6).integers(0, 1 << HASH_BITS, 7)[np.arange(ROWS) % 7]


def totals_of(part: slice = slice(ROWS), codes=CODES) -> Totals:
    block = Block(pairs_of(Clusters.of(CLUSTERS[part]), {0: codes[part]}))
    columns = tuple(column[part] for column in columns_of("mean_absolute_error", Moments))
    block.add(0, columns, WEIGHT[part], None)
    return block.totals()[0]


def assert_same_totals(found: Totals, expected: Totals) -> None:
    np.testing.assert_array_equal(found.keys, expected.keys)
    assert (found.most, found.coarse) == (expected.most, expected.coarse)
    for own, other in zip(found.sums, expected.sums, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12)


def test_any_merge_tree_gives_the_totals_of_all_clusters():
    whole, (a, b, c, d) = totals_of(), map(totals_of, CUTS)
    for merged in (a.merge(b).merge(c).merge(d), a.merge(b.merge(c.merge(d))), a.merge(b).merge(c.merge(d))):
        assert_same_totals(merged, whole)


def test_totals_of_cells_at_other_places_merge_with_their_own():
    places = np.array([1, 2, 0])
    moved = np.append(CODES[:20], np.where(CODES[20:] < 0, -1, places[CODES[20:]]))
    merged = totals_of(slice(0, 20)).merge(totals_of(slice(20, ROWS)), places)
    assert_same_totals(merged, totals_of(codes=moved))


def test_arrays_restore_the_totals_of_clusters_to_the_last_bit():
    totals = totals_of()
    again = Totals.from_arrays(stored(totals.to_arrays()))
    assert_equal_bits(again.merge(totals).to_arrays(), totals.merge(totals).to_arrays())


def stored(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays as a file that runs no code gives them back."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as found:
        return dict(found)
