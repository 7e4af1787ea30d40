"""Losses of order: the influence of rows, standard errors and intervals, and all that is made of them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn import metrics
from support.grids import some
from support.samples import LOSSES, ROWS, chosen, rows

import losscli
from losscli.errors import UsageError
from losscli.numeric.ranking import Ties, ordered_pairs
from losscli.plan import plan as plans
from losscli.states import inference
from losscli.states.cells import Cells
from losscli.states.ranks import Ranks

RNG = np.random.default_rng(8)
WEIGHT = RNG.uniform(0.5, 2.0, ROWS)
QUANTILES = {"median_absolute_error", "median_bias_error", "quantile_absolute_error", "error_iqr"}
OF_ORDER = [name for name, entry in LOSSES.items() if entry.order is not None]
SMOOTH = [name for name in OF_ORDER if name not in {*QUANTILES, "lift"} and LOSSES[name].order.noise]
"""The influences of the others depend on a density, which is taken over several rows."""
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _numbers_do_not_depend_on_the_tests_before():
    RNG.bit_generator.state = START


def settled(name, columns, weight, level=0.95):
    bound = chosen(name).reduction.with_pilots((None,))
    return bound, Ranks.of(Cells(np, len(weight), weight, 0), columns).settled(bound, level)


def value(name, columns, weight, level=0.95):
    bound, moments = settled(name, columns, weight, level)
    return inference.value_of(bound, moments)[0]


@pytest.mark.parametrize("tied", [False, True], ids=["distinct", "tied"])
@pytest.mark.parametrize("name", SMOOTH)
def test_the_influence_of_a_row_is_the_derivative_by_its_weight(name, tied):
    columns = chosen(name).columns(rows(name))
    if tied:
        columns = tuple(np.round(column * 2) / 2 if column.dtype == float else column for column in columns)
    bound = chosen(name).reduction.with_pilots((None,))
    state = Ranks.of(Cells(np, ROWS, WEIGHT, 0), columns)
    influence = state.linearised(bound, 0.95) - value(name, columns, WEIGHT)
    step = 1e-5 * np.eye(ROWS)
    up, down = ([value(name, columns, WEIGHT + sign * each, None) for each in step] for sign in (1, -1))
    expected = WEIGHT.sum() * (np.array(up) - np.array(down)) / 2e-5
    # The influence of two classes is inflated by their numbers of rows; each keeps its shape.
    np.testing.assert_allclose(influence, expected, rtol=0.06, atol=0.06 * np.abs(expected).max())
    assert abs(np.average(influence, weights=WEIGHT)) < 1e-12


def test_censored_times_are_compared_where_their_order_is_known():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 25))
        time, event, weight = rng.integers(1, 8, n) * 1.0, rng.random(n) < 0.6, rng.uniform(0.5, 2.0, n)
        predicted = rng.integers(0, 5, n)
        first = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event))
        alike = first * (np.sign(predicted - predicted[:, None]) + 1) / 2
        found = ordered_pairs(time, np.where(event, time, np.inf), Ties.of(predicted, weight))
        expected = [(pairs + pairs.T) @ weight for pairs in (alike, first * 1.0)]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def scores(n=400, seed=3):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    return np.round(rng.normal(size=n) + y, 1), y


def area(score, y):
    """The area under the ROC curve, and its standard error by DeLong, from all pairs."""
    pairs = np.sign(score[y][:, None] - score[~y][None, :]) / 2 + 0.5
    own = (pairs.mean(axis=axis) for axis in (1, 0))
    return pairs.mean(), np.sqrt(sum(each.var(ddof=1) / len(each) for each in own))


def test_the_standard_error_of_an_area_is_that_of_delong():
    score, y = scores()
    found = losscli.evaluate({"score": score, "y": y}, loss="roc_auc").results[0]
    expected = area(score, y)
    assert (found.value, found.se) == (
        pytest.approx(expected[0], rel=1e-14),
        pytest.approx(expected[1], rel=1e-9),
    )
    assert found.higher_is_better


def test_the_difference_of_two_areas_is_that_of_delong():
    score, y = scores()
    other = np.round(score + RNG.normal(size=len(y)), 1)
    targets = pl.DataFrame({"y": y})
    report = losscli.compare(
        {"score": score}, {"score": other}, targets=targets, loss="roc_auc", names=["a", "b"]
    )
    found = report.comparisons[0]
    placements = []
    for each in (score, other):
        pairs = np.sign(each[y][:, None] - each[~y][None, :]) / 2 + 0.5
        placements.append((pairs.mean(axis=1), pairs.mean(axis=0)))
    apart = [b - a for a, b in zip(*placements, strict=True)]
    expected = np.sqrt(sum(each.var(ddof=1) / len(each) for each in apart))
    assert found.difference == pytest.approx(area(other, y)[0] - area(score, y)[0], rel=1e-12)
    assert found.se == pytest.approx(expected, rel=1e-9)
    assert found.contribution is None


def test_ratings_of_hanley_and_mcneil():
    """Computed tomography of 109 patients, rated from 1 to 5: Hanley and McNeil (1982), table I."""
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    score = np.concatenate([np.repeat(np.arange(1, 6), counts) for counts in (normal, abnormal)])
    y = np.arange(109) >= 58
    found = losscli.evaluate({"score": score, "y": y}, loss="roc_auc").results[0]
    assert found.value == pytest.approx(0.893, abs=5e-4)
    assert found.se == pytest.approx(0.032, abs=2e-3)


def test_perfect_order_leaves_doubt():
    y = np.arange(40) >= 30
    found = losscli.evaluate({"score": np.arange(40.0), "y": y}, loss="roc_auc").results[0]
    assert (found.value, found.ci_high, found.notes) == (1.0, 1.0, ())
    assert found.ci_low == pytest.approx(10 / (10 + 1.96**2), abs=1e-4)
    assert found.se > 0


def test_the_interval_of_a_median_ends_at_order_statistics():
    errors = np.sort(RNG.normal(size=100))
    found = losscli.evaluate(errors, np.zeros(100), loss="median_bias_error").results[0]
    assert found.value == (errors[49] + errors[50]) / 2
    # The 40th and the 61st of 100 rows: binomial tables.
    assert (found.ci_low, found.ci_high) == (errors[39], errors[60])
    assert stats.binom.cdf(39, 100, 0.5) < 0.025 < stats.binom.cdf(40, 100, 0.5)


def test_a_quantile_that_no_row_bounds_has_no_interval():
    found = losscli.evaluate(RNG.normal(size=50), np.zeros(50), loss="mae@p95").results[0]
    assert (found.se, found.ci_low, found.ci_high) == (None, None, None)
    assert "too few rows lie beyond this quantile" in str(found.notes[0])
    report = losscli.evaluate(RNG.normal(size=50), np.zeros(50), loss="mae@p95", gate="hi(mae@p95) <= 9")
    assert report.gates[0].status == "error"


@pytest.mark.parametrize("name", ["mae@p90", "roc_auc", "spearman_correlation"])
def test_clusters_of_equal_rows_count_once(name):
    if name == "roc_auc":
        score, y = scores(60)
        data = {"score": score, "y": y * 1}
    else:
        data = {"y_pred": RNG.normal(size=60), "y_true": RNG.normal(size=60)}
    once = pl.DataFrame(data).with_row_index("user")
    alone = losscli.evaluate(once.drop("user"), loss=name).results[0]
    thrice = losscli.evaluate(pl.concat([once] * 3), loss=name, cluster="user").results[0]
    assert (thrice.value, thrice.rows) == (pytest.approx(alone.value, rel=1e-14), 180)
    assert thrice.se == pytest.approx(alone.se, rel=0.03)


@pytest.mark.parametrize(
    "name", some(name for name in OF_ORDER if LOSSES[name].task in ("regression", "binary"))
)
def test_the_size_of_blocks_changes_no_bit(name, monkeypatch):
    score, y = scores(3000)
    frame = pl.DataFrame(
        {"score": score, "y": y * 1, "group": np.arange(3000) % 3, "w": 1.0 + np.arange(3000) % 2}
    )
    if LOSSES[name].task == "regression":
        frame = frame.rename({"score": "y_pred", "y": "y_true"}).with_columns(
            y_true=pl.col("y_pred") + RNG.normal(size=3000)
        )
    given = {"precision": 0.4} if name == "recall_at_precision" else {}
    options = {"loss": name, "weight": "w", "by": "group", **given}
    whole = losscli.evaluate(frame, **options)
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 8 * 512)
    assert losscli.evaluate(frame, **options).results == whole.results
    for key in range(3):
        own = losscli.evaluate(frame.filter(pl.col("group") == key), **{**options, "by": None}).results[0]
        (part,) = (each for each in whole.results if each.cell == {"group": str(key)})
        assert (part.value, part.rows) == (own.value, own.rows)
        assert part.se == own.se
        assert (part.ci_low, part.ci_high) == (own.ci_low, own.ci_high)


def test_a_quantile_of_row_losses_is_that_of_numpy_in_every_output():
    p, y = RNG.normal(size=(2, 501, 2))
    report = losscli.evaluate(p, y, loss="mae@p90")
    expected = np.quantile(np.abs(p - y), 0.9, method="averaged_inverted_cdf", axis=0)
    assert [each.value for each in report.results] == pytest.approx([expected.mean(), *expected], rel=1e-14)


def test_a_leaderboard_of_areas_ties_what_noise_does_not_distinguish():
    score, y = scores()
    boards = {"good": score, "same": score + 1e-6 * RNG.normal(size=len(y)), "bad": RNG.normal(size=len(y))}
    submissions = [pl.DataFrame({"id": np.arange(len(y)), "score": each}) for each in boards.values()]
    targets = pl.DataFrame({"id": np.arange(len(y)), "y": y * 1, "half": np.arange(len(y)) % 2})
    report = losscli.rank(*submissions, targets=targets, loss="roc_auc", names=list(boards), by="half")
    overall = [each for each in report.board if not each.cell]
    assert [each.place for each in overall] == [1, 1, 3]
    assert {each.value for each in overall} == {each.value for each in report.results if not each.cell}


def test_row_losses_are_refused():
    with pytest.raises(UsageError, match="mean_absolute_error@p95 has no value of a single row"):
        losscli.evaluate(RNG.normal(size=50), np.zeros(50), loss="mae@p95", worst=3)


def test_a_loss_whose_noise_is_not_known_has_none_between_clusters():
    score, y = scores()
    frame = pl.DataFrame({"score": score, "y": y * 1, "user": np.arange(len(y)) // 4})
    options = {"loss": "recall_at_precision", "precision": 0.4}
    for found in (losscli.evaluate(frame, **options), losscli.evaluate(frame, cluster="user", **options)):
        assert (found.results[0].se, found.results[0].ci_low) == (None, None)


@pytest.mark.parametrize("name", ["spearman", "roc_auc", "mae@p50"])
def test_values_of_zero_and_one_are_no_rates_of_rows(name):
    """Their differences are no flips of rows, to which McNemar's test applies."""
    y = np.arange(60) % 2 if name == "roc_auc" else np.arange(60.0) % 2
    column = "score" if name == "roc_auc" else "y_pred"
    targets = pl.DataFrame({"y" if name == "roc_auc" else "y_true": y})
    a, b = pl.DataFrame({column: y * 1.0}), pl.DataFrame({column: y + 1.0})
    found = losscli.compare(a, b, targets=targets, loss=name, names=["a", "b"]).comparisons[0]
    assert found.se == 0
    assert found.ci_low == found.ci_high == found.difference


def test_the_error_of_a_lift_does_not_depend_on_the_row_at_its_edge():
    rng = np.random.default_rng(4)
    score = rng.normal(size=1000)
    y = rng.random(1000) < 1 / (1 + np.exp(2 - 2 * score))
    edge = np.argsort(-score)[99]
    errors = []
    for label in (False, True):
        y[edge] = label
        errors.append(losscli.evaluate({"score": score, "y": y * 1}, loss="lift").results[0].se)
    assert errors[0] == pytest.approx(errors[1], rel=0.05)


@pytest.mark.parametrize("weight", [1e-60, 1e60, 3.7])
@pytest.mark.parametrize("name", ["spearman", "kendall", "wasserstein", "energy_distance", "mae@p50"])
def test_the_unit_of_weights_changes_nothing(name, weight):
    rng = np.random.default_rng(5)
    y, p = np.round(rng.normal(size=(2, 90)), 1)
    plain = losscli.evaluate(p, y, loss=name).results[0]
    found = losscli.evaluate(p, y, loss=name, weight=np.full(90, weight)).results[0]
    assert found.value == pytest.approx(plain.value, rel=1e-14)
    assert found.se == pytest.approx(plain.se, rel=1e-9)


def test_labels_are_pooled_where_one_of_them_is_absent():
    rng = np.random.default_rng(6)
    y = np.stack([rng.random(80) < 0.4, np.zeros(80)], axis=1) * 1
    p = np.round(rng.uniform(size=(80, 2)), 2)
    for name in ("roc_auc", "average_precision"):
        report = losscli.evaluate(p, y, task="multilabel", loss=f"{name}:average=micro")
        expected = getattr(metrics, f"{name}_score")(y, p, average="micro")
        assert report.results[0].value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("unit", [{}, {"weight": "w"}, {"cluster": "w"}], ids=str)
def test_precision_of_positive_rows_alone_says_nothing(unit):
    frame = pl.DataFrame({"score": np.arange(24.0), "y": np.ones(24, int), "w": np.arange(24) // 4 + 1.0})
    found = losscli.evaluate(frame, loss="average_precision", target="y", pred="score", **unit).results[0]
    assert (found.value, found.ci_low, found.ci_high) == (1.0, 0.0, 1.0)
    assert found.se > 0


@pytest.mark.parametrize(
    "name", ["partial_auc", "average_precision", "spearman", "kendall", "concordance_index"]
)
def test_perfect_order_of_few_rows_leaves_doubt(name):
    y = np.arange(24) >= 12
    if name in ("partial_auc", "average_precision"):
        frame = pl.DataFrame({"score": np.arange(24.0), "y": y * 1})
    else:
        frame = pl.DataFrame({"y_pred": np.arange(24.0), "y_true": np.arange(24.0) ** 2})
    found = losscli.evaluate(frame, loss=name).results[0]
    assert found.value == pytest.approx(1.0, abs=1e-15)
    assert (found.ci_high, found.notes) == (pytest.approx(1.0, abs=1e-15), found.notes)
    assert found.ci_low < 0.9
    assert found.se > 0
