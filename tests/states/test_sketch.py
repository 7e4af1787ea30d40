"""Losses of order in bounded memory: what merging keeps, and how far from the exact value they can be."""

from __future__ import annotations

from functools import reduce

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from support.samples import LOSSES, chosen

import losscli
from losscli.errors import UsageError
from losscli.numeric.bins import digits_apart, ends_of, keys_of
from losscli.states import inference, sketch
from losscli.states.cells import Cells
from losscli.states.ranks import Ranks
from losscli.states.sketch import Sketch

BINNED = [name for name, entry in LOSSES.items() if entry.order is not None and entry.order.binned]
EXTREMES = np.array([-np.inf, -1.8e308, -1e308, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1e-310, 1.0, 1e308, np.inf])


def settled(name, state, level=0.95):
    bound = chosen(name).reduction.with_pilots((None,))
    moments = state.settled(bound, level)
    return moments, float(inference.value_of(bound, moments)[0])


def columns_of(name, values, positive):
    if LOSSES[name].task == "binary":
        return values, positive
    return (values if name in ("median_bias_error", "error_iqr") else np.abs(values),)


def states_of(name, values, positive, weight=None, most=sketch.MAX_BINS):
    cells, columns = Cells(np, len(values), weight, 0), columns_of(name, values, positive)
    return Ranks.of(cells, columns), replace(Sketch.of(cells, columns), most=most)


def sample(seed, n=1500):
    """Values with and without ties, of one and of many scales, and a class that depends on them."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n)
    values = (values, np.round(values, 1), np.sign(values) * np.exp(6 * values), np.abs(values) ** 5)[
        seed % 4
    ]
    return values, rng.random(n) < 1 / (1 + np.exp(-np.clip(values, -5, 5))), rng.uniform(0.1, 3.0, n)


def test_keys_have_the_order_of_the_numbers():
    keys = keys_of(EXTREMES)
    np.testing.assert_array_equal(keys[:, None] < keys[None, :], EXTREMES[:, None] < EXTREMES[None, :])
    np.testing.assert_array_equal(keys[:, None] == keys[None, :], EXTREMES[:, None] == EXTREMES[None, :])


@pytest.mark.parametrize("coarse", [0, 1, 30, 52, 60, 63])
def test_numbers_lie_between_the_ends_of_their_bin(coarse):
    rng = np.random.default_rng(1)
    values = np.concatenate([EXTREMES, rng.normal(size=200) * 10.0 ** rng.integers(-300, 300, 200)])
    low, high = ends_of(keys_of(values), coarse)
    assert (low <= values).all()
    assert (values <= high).all()
    if coarse == 0:
        np.testing.assert_array_equal(low, values)
        np.testing.assert_array_equal(high, values)


def test_the_bits_in_which_keys_differ_are_counted():
    keys = np.array([0, 0, 1, 3, -1, (1 << 62) + 1, 1 << 62, (1 << 53) - 1, 1 << 53])
    pairs = zip(keys.tolist(), keys[1:].tolist(), strict=False)
    expected = [((a ^ b) & (1 << 64) - 1).bit_length() for a, b in pairs]
    assert digits_apart(keys).tolist() == [64, *expected]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", BINNED)
def test_the_exact_value_is_within_the_stated_error(name, weighted):
    errors = []
    for seed in range(24):
        values, positive, weight = sample(seed)
        most = (3, 20, 150)[seed % 3]
        exact, approximate = states_of(name, values, positive, weight if weighted else None, most)
        (_, expected), (moments, found) = settled(name, exact), settled(name, approximate)
        assert abs(found - expected) <= moments.error[0] + 1e-14 * abs(expected)
        errors += [moments.error[0] / max(abs(expected), 1.0)] * (most == 150)
    assert np.median(errors) < 0.2  # and the bound says something


@pytest.mark.parametrize("name", BINNED)
def test_few_distinct_values_lose_nothing(name):
    values, positive, weight = sample(1)
    for own in (None, weight):
        exact, approximate = states_of(name, values, positive, own)
        (whole, expected), (moments, found) = settled(name, exact), settled(name, approximate)
        assert moments.error[0] == 0
        assert found == expected if own is None else found == pytest.approx(expected, rel=1e-13)
        assert moments.n[0] == len(values)
        bound = chosen(name).reduction.with_pilots((None,))
        (mine,), (theirs,) = (each.estimates(bound, 0.95) for each in (moments, whole))
        for field in ("se", "ci_low", "ci_high"):
            other = getattr(theirs, field)
            assert getattr(mine, field) == (None if other is None else pytest.approx(other, rel=1e-9))


@pytest.mark.parametrize("name", ["roc_auc", "error_iqr"])
def test_any_order_and_any_tree_leave_the_same_bins(name):
    values, positive, _ = sample(2)
    weight = np.random.default_rng(3).integers(1, 5, len(values)) * 1.0
    whole = states_of(name, values, positive, weight, 100)[1].to_arrays()
    assert whole["limits"][1] > 0
    rng = np.random.default_rng(4)
    for _ in range(5):
        order, cuts = rng.permutation(len(values)), np.sort(rng.integers(0, len(values), 6))
        parts = [
            states_of(name, values[own], positive[own], weight[own], 100)[1] for own in np.split(order, cuts)
        ]
        parts = [part.binned() if place % 2 else part for place, part in enumerate(parts)]
        a, b, c, d, *others = parts
        for merged in (
            reduce(Sketch.merge, parts),
            reduce(Sketch.merge, reversed(parts)),
            a.merge(b).binned().merge(c.merge(d.merge(reduce(Sketch.merge, others)).binned())),
        ):
            found = merged.to_arrays()
            assert found.keys() == whole.keys()
            for key, array in whole.items():
                np.testing.assert_array_equal(found[key], array, key)


@pytest.mark.parametrize("most", [1, 4, 8, 100])
@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "ks_statistic", "mae@p50"])
def test_extreme_values_are_binned_too(name, most):
    rng = np.random.default_rng(5)
    values = rng.choice(EXTREMES, 300)
    if name == "mae@p50":
        columns, bound = (np.abs(values),), chosen("median_absolute_error").reduction.with_pilots((None,))
    else:
        columns, bound = (values, rng.random(300) < 0.4), chosen(name).reduction.with_pilots((None,))
    cells = Cells(np, 300, None, 0)
    exact = inference.value_of(bound, Ranks.of(cells, columns).settled(bound, None))[0]
    moments = replace(Sketch.of(cells, columns), most=most).settled(bound, None)
    assert abs(inference.value_of(bound, moments)[0] - exact) <= moments.error[0]


def test_memory_is_bounded_whatever_the_number_of_rows(monkeypatch):
    monkeypatch.setattr(sketch, "WAITING", 2)
    whole = None
    for seed in range(20):
        part = states_of("roc_auc", *sample(4 * seed, 500), most=300)[1]
        whole = part if whole is None else whole.merge(part)
        assert sum(len(each.codes) for each in whole.parts) <= 600
    assert whole.n.tolist() == [10_000]


def frame(n=3000, seed=7):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    return pl.DataFrame(
        {"score": rng.normal(size=n) + y, "y": y * 1, "group": np.arange(n) % 3, "user": np.arange(n) // 4}
    )


def test_a_report_says_how_far_an_approximate_value_can_be(monkeypatch):
    exact = losscli.evaluate(frame(), loss="roc_auc", by="group")
    whole = losscli.evaluate(frame(), loss="roc_auc", by="group", approximate=True)
    assert [each.max_error for each in whole.results] == [0.0] * 4
    assert [each.value for each in whole.results] == [each.value for each in exact.results]
    assert "approximate" not in str(whole)
    monkeypatch.setattr(sketch, "MAX_BINS", 64)
    monkeypatch.setattr(sketch, "MAX_PAIRS", 64)
    found = losscli.evaluate(frame(), loss="roc_auc", by="group", approximate=True)
    for own, other in zip(found.results, exact.results, strict=True):
        assert 0 < abs(own.value - other.value) <= own.max_error < 0.2
        assert own.se == pytest.approx(other.se, rel=0.1)
        assert own.notes[0].code == "approximate"
    assert "approximate, within" in str(found)


def test_losses_of_two_orders_are_refused_together():
    data = {"y_pred": [1.0, 2.0, 3.0], "y_true": [1.0, 2.0, 4.0]}
    losses = ["spearman", "mae@p50", "kendall", "mae", "wasserstein"]
    with pytest.raises(UsageError, match=r"not spearman_correlation, kendall_tau_b, wasserstein_distance\n"):
        losscli.evaluate(data, loss=losses, approximate=True)


def test_an_approximation_of_losses_of_means_would_change_nothing():
    with pytest.raises(UsageError, match="none is chosen"):
        losscli.evaluate(frame(), loss="brier", approximate=True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cluster": "user"}, "does not support clusters for roc_auc"),
        ({"ci_method": "bootstrap"}, "does not support a bootstrap for roc_auc"),
    ],
)
def test_intervals_that_need_every_row_are_refused(options, reason):
    with pytest.raises(UsageError, match=reason):
        losscli.evaluate(frame(), loss="roc_auc", approximate=True, **options)


def test_several_outputs_are_refused():
    p = np.random.default_rng(8).normal(size=(2, 50, 2))
    with pytest.raises(UsageError, match="supports one output, and mean_absolute_error@p90 has 2"):
        losscli.evaluate(p[0], p[1], loss="mae@p90", approximate=True)


def test_rows_of_two_models_cannot_be_paired():
    targets = frame().select("y")
    models = [frame().select("score"), frame(seed=9).select("score")]
    with pytest.raises(UsageError, match="a comparison pairs the rows of two models"):
        losscli.compare(*models, targets=targets, loss="roc_auc", names=["a", "b"], approximate=True)
    with pytest.raises(UsageError, match="a leaderboard pairs the rows of two models"):
        losscli.rank(*models, targets=targets, loss="roc_auc", names=["a", "b"], approximate=True)
    with pytest.raises(UsageError, match="none is chosen"):
        losscli.compare(*models, targets=targets, loss="log_loss", from_logits=True, approximate=True)


@pytest.mark.parametrize("unit", [1e-60, 1e60, 1e-200, 1e200])
@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_the_unit_of_weights_changes_nothing(name, unit, monkeypatch):
    monkeypatch.setattr(sketch, "MAX_BINS", 100)
    weight = np.random.default_rng(10).uniform(0.5, 2.0, 3000)
    one, other = (
        losscli.evaluate(frame(), loss=name, weight=each, approximate=True).results[0]
        for each in (weight, weight * unit)
    )
    for field in ("value", "se", "max_error", "ci_low", "ci_high"):
        assert getattr(other, field) == pytest.approx(getattr(one, field), rel=1e-9)
