"""Resampled states: sums in replicates, their merges, and the intervals that they give."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats

from losscli.catalog import registry
from losscli.numeric.poisson import Resampling, counts
from losscli.states import draws as draws_module
from losscli.states import inference
from losscli.states.cells import Cells
from losscli.states.draws import Counts, Draws
from losscli.states.moments import Moments
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction, Reduction, mean, ratio

N, REPLICATES = 300, 200
RNG = np.random.default_rng(2)
X = RNG.gamma(2.0, size=(2, N))
WEIGHT = RNG.uniform(0.5, 2.0, N)
CODES = RNG.integers(-1, 3, N)
KEYS = Resampling(REPLICATES, seed=4).keys(np.arange(N))
TIMES = counts(np, KEYS, REPLICATES).astype(float)
CUTS = (slice(0, 40), slice(40, 40), slice(40, 41), slice(41, N))
MEAN = BoundReduction(mean, {})


def state(columns, part=slice(N), weight=None, codes=None, kind=Moments, keys=KEYS, replicates=REPLICATES):
    drawn = Draws(Counts(np, keys[part], replicates))
    w, own = (None if each is None else each[part] for each in (weight, codes))
    count = 1 if codes is None else 3
    cells = Cells(np, len(columns[0][part]), w, part.start or 0, own, count, draws=drawn)
    return kind.of(cells, [column[part] for column in columns])


def replicate_means(found: Moments) -> np.ndarray:
    return found.mean[:, :, None] + found.draws[:, 1:] / found.draws[:, :1]


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_sums_in_replicates_are_those_of_numpy(weight, offset):
    """At a distance of 1e9 too, where sums of uncentred values have no digits left for their noise."""
    found = state(X + offset, weight=weight, codes=CODES)
    w = np.ones(N) if weight is None else weight
    for cell in range(3):
        own = cell == CODES
        drawn = TIMES[own] * w[own, None]
        np.testing.assert_allclose(found.draws[cell, 0], drawn.sum(axis=0), rtol=1e-13)
        apart = (X[:, own] + offset - found.mean[cell, :, None]) @ drawn
        np.testing.assert_allclose(found.draws[cell, 1:], apart, atol=1e-11 * max(1.0, offset * 1e-5))


@pytest.mark.parametrize("codes", [None, CODES], ids=["overall", "by cell"])
def test_any_merge_tree_gives_the_draws_of_all_rows(codes):
    whole = state(X, weight=WEIGHT, codes=codes)
    a, b, c, d = (state(X, part, WEIGHT, codes) for part in CUTS)
    for merged in (a.merge(b).merge(c).merge(d), a.merge(b.merge(c.merge(d))), a.merge(b).merge(c.merge(d))):
        np.testing.assert_allclose(replicate_means(merged), replicate_means(whole), rtol=1e-12)


def test_cells_of_other_places_merge_with_their_own():
    whole = state(X, weight=WEIGHT, codes=CODES)
    parts, places = [state(X, part, WEIGHT, CODES) for part in CUTS], np.array([1, 2, 0])
    first = parts[0].select(np.array([2])).merge(parts[0].select(np.array([0, 1])), places[:2])
    merged = reduce(lambda a, b: a.merge(b, places), parts[1:], first).select(places)
    np.testing.assert_allclose(replicate_means(merged), replicate_means(whole), rtol=1e-12)


def test_columns_and_outputs_have_the_draws_of_their_own():
    whole, second = state(X), state(X[1:])
    np.testing.assert_array_equal(whole.output(1, 2).draws, second.draws)
    stacked = Moments.stack([whole.columns(0, 1), second])
    np.testing.assert_array_equal(stacked.draws[1], second.draws[0])


@pytest.mark.parametrize("kind", [Moments, Ranks])
def test_arrays_restore_the_draws(kind):
    found = state(X, weight=WEIGHT, codes=CODES, kind=kind)
    again = kind.from_arrays(found.to_arrays())
    assert again.replicates == REPLICATES
    assert {name: array.tobytes() for name, array in again.to_arrays().items()} == {
        name: array.tobytes() for name, array in found.to_arrays().items()
    }


def test_too_many_sums_are_not_kept(monkeypatch):
    """Once the cells are too many, whichever blocks they came up in; a note says so."""
    monkeypatch.setattr(draws_module, "MAX_DRAWS", 2 * REPLICATES * 2)
    one, three = state(X[:1]), state(X[:1], codes=CODES)
    assert (one.replicates, three.replicates) == (REPLICATES, 0)
    grown = one.merge(one, np.array([1])).merge(one, np.array([2])).merge(one, np.array([0]))
    assert grown.replicates == 0
    for found in grown.estimates(MEAN, 0.95):
        assert (found.se, [each.code for each in found.notes]) == (None, ["not-resampled"])


def bound_of(function) -> BoundReduction:
    return BoundReduction(Reduction(function), {})


@pytest.mark.parametrize(
    ("bound", "statistic", "columns"),
    [
        (MEAN, lambda x, axis: x.mean(axis), X[:1]),
        (BoundReduction(ratio, {}), lambda x, y, axis: x.mean(axis) / y.mean(axis), X),
        (
            bound_of(lambda xp, m: m[..., 0] / (m[..., 1] - m[..., 0] ** 2)),
            lambda x, y, axis: x.mean(axis) / (y.mean(axis) - x.mean(axis) ** 2),
            np.stack([X[0], X[0] ** 2]),
        ),
    ],
    ids=["mean", "ratio", "mean over variance"],
)
def test_intervals_are_those_of_scipy_widened_for_the_size(bound, statistic, columns):
    many, deviate = 8_000, stats.t.ppf(0.975, N - 1) * np.sqrt(N / (N - 1))
    (found,) = state(columns, keys=Resampling(many).keys(np.arange(N)), replicates=many).estimates(
        bound, 0.95
    )
    level = 1 - 2 * stats.norm.sf(deviate)
    reference = stats.bootstrap(
        tuple(columns), statistic, n_resamples=many, method="BCa", paired=True, confidence_level=level, rng=1
    )
    assert found.se == pytest.approx(reference.standard_error * np.sqrt(N / (N - 1)), rel=0.04)
    ends = reference.confidence_interval
    assert found.ci_low == pytest.approx(ends.low, abs=0.15 * found.se)
    assert found.ci_high == pytest.approx(ends.high, abs=0.15 * found.se)


def test_a_loss_of_order_is_settled_again_in_each_replicate():
    """The median is that of the drawn rows, not of its linearised influences."""
    bound = registry.choose(registry.named("median_absolute_error"), {}, {}).reduction.with_pilots((None,))
    found = state(X[:1], kind=Ranks).settled(bound, 0.95)
    medians = [np.median(np.repeat(X[0], TIMES[:, place].astype(int))) for place in range(REPLICATES)]
    np.testing.assert_allclose(replicate_means(found)[0, 0], medians, rtol=1e-14)


def codes_of(found):
    return [each.code for each in found.notes]


def test_replicates_without_noise_leave_the_analytic_interval():
    """No error in 50 rows: no replicate has one either, but the score interval is not 0 to 0."""
    bound, none = replace(MEAN, bounds=(0.0, 1.0)), np.zeros((1, 50))
    (found,) = state(none, slice(50)).estimates(bound, 0.95)
    (analytic,) = replace(state(none, slice(50)), draws=None).estimates(bound, 0.95)
    assert (found.ci_low, found.ci_high, found.se) == (analytic.ci_low, analytic.ci_high, analytic.se)
    assert found.ci_high == pytest.approx(0.0713, abs=1e-4)
    assert codes_of(found) == ["alike-replicates"]
    (equal,) = state(none + 2.5, slice(50)).estimates(MEAN, 0.95)
    assert (equal.se, codes_of(equal)) == (0.0, ["zero-variance"])


def test_replicates_without_a_value_are_left_out_and_said():
    share = np.zeros((2, 60))
    share[:, 3], share[1, 5], share[1, 9] = 1.0, 1.0, 1.0
    (found,) = state(share, slice(60)).estimates(BoundReduction(ratio, {}), 0.95)
    lost = int((TIMES[[3, 5, 9]].sum(axis=0) == 0).sum())
    assert lost > 0.01 * REPLICATES
    assert "undefined-replicates" in codes_of(found)
    assert str(next(each for each in found.notes if each.code == "undefined-replicates")).startswith(
        str(lost)
    )
    rarely = replace(state(share, slice(60)), draws=state(share, slice(60)).draws * (TIMES.sum(axis=0) > 310))
    (none,) = rarely.estimates(BoundReduction(ratio, {}), 0.95)
    assert (none.ci_low, codes_of(none)) == (None, ["mostly-undefined"])


def test_an_interval_beyond_the_replicates_is_said_and_ends_in_the_bounds():
    bound = replace(MEAN, bounds=(0.0, np.inf))
    (found,) = state(X[:1]).estimates(bound, 0.9999)
    assert codes_of(found) == ["beyond-replicates"]
    (wide,) = state(X[:1] ** 4, slice(20)).estimates(bound, 0.9999)
    assert 0.0 <= wide.ci_low <= wide.value <= wide.ci_high


def test_a_few_rows_have_the_analytic_interval():
    few = state(X[:1], slice(14))
    (found,), (analytic,) = (each.estimates(MEAN, 0.95) for each in (few, replace(few, draws=None)))
    assert (found.ci_low, found.ci_high, found.se) == (analytic.ci_low, analytic.ci_high, analytic.se)
    assert codes_of(found) == ["few-units", "few-to-resample"]


def test_one_row_has_no_interval():
    (found,) = state(X[:1], slice(1)).estimates(MEAN, 0.95)
    assert (found.se, codes_of(found)) == (None, ["one-unit"])


@pytest.mark.parametrize("shift", [-0.6, -0.2, 0.0, 0.2, 0.6])
def test_an_interval_that_excludes_zero_is_a_difference(shift):
    """Whatever the level: the p-value is the level at which the interval ends at zero."""
    pair = state(np.stack([X[0] - X[1] + shift]))
    a, b = state(X[:1]), state(X[1:])
    for level in (0.5, 0.8, 0.95, 0.99, 0.9999):
        (found,) = inference.differences(MEAN, pair, a, b, level)
        assert (found.ci_low <= 0 <= found.ci_high) == (found.p_value >= 1 - level)
    (analytic,) = inference.differences(MEAN, replace(pair, draws=None), a, b, 0.95)
    assert found.p_value == pytest.approx(analytic.p_value, rel=0.9, abs=0.06)


def test_a_difference_of_equal_models_has_no_noise():
    pair, a = state(X[:1] * 0), state(X[:1])
    (found,) = inference.differences(MEAN, pair, a, a, 0.95)
    assert (found.value, found.se, found.p_value) == (0.0, 0.0, 1.0)
