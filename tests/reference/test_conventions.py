"""Conventions that textbooks leave open and libraries choose: a parameter each, with its value."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

import losscli
from losscli.errors import DataError


def value(*args, **options) -> float | None:
    return losscli.evaluate(*args, **options).results[0].value


# Relative errors


@pytest.mark.parametrize("loss", ["mape", "rmspe"])
def test_percentage_errors_without_a_floor_are_infinite_at_zero(loss):
    report = losscli.evaluate([1.0, 2.0], [0.0, 1.0], loss=f"{loss}:epsilon=0")
    assert (report.results[0].value, str(*report.results[0].notes)) == (None, "infinite: first at row 1")
    assert value([2.0, 3.0], [1.0, 2.0], loss="mape:epsilon=0") == 0.75
    with pytest.raises(DataError, match="outside the domain"):
        losscli.evaluate([0.0, 2.0], [0.0, 1.0], loss=f"{loss}:epsilon=0")


def test_the_symmetric_percentage_error_of_zeros_is_zero_or_undefined():
    p, y = [0.0, 2.0], [0.0, 1.0]
    assert value(p, y, loss="smape") == pytest.approx(1 / 3)
    with pytest.raises(DataError, match=r"row 1: prediction 0.0, target 0.0\n  -> -l smape:both_zero=zero"):
        losscli.evaluate(p, y, loss="smape:both_zero=undefined")
    assert value(p, y, loss="smape:both_zero=undefined", domain="drop") == pytest.approx(2 / 3)


@pytest.mark.parametrize(("alpha", "expected"), [(0, 2.0), (1, 0.5), (0.5, 1.25)])
def test_an_expectile_may_be_at_the_end(alpha, expected):
    # alpha e^2 if the prediction is not above the target, else (1 - alpha) e^2
    assert value([3.0, 0.0], [1.0, 1.0], loss=f"expectile:alpha={alpha}") == expected


def test_the_r2_of_one_row_in_scikit_learn_is_no_value():
    assert value([1.0], [1.0], loss="r2:force_finite=true") == 1.0
    report = losscli.evaluate([1.0], [1.0], loss="r2", like="sklearn")
    assert (report.results[0].value, str(*report.results[0].notes)) == (
        None,
        "undefined: r2_score needs 2 rows",
    )
    assert value([1.0, 2.0], [1.0, 1.0], loss="r2", like="sklearn") == 0.0


# Groups: what XGBoost, LightGBM, CatBoost and TREC do

SCORES, GRADES = [0.1, 0.9, 0.1, 0.9], [0, 0, 1, 1]


def ranked(score, relevance, **options) -> float | None:
    rows = pl.DataFrame({"group": [1] * len(score), "score": score, "relevance": relevance})
    return value(rows, group="group", **options)


def test_tied_scores_rank_in_the_order_of_rows_or_share_their_ranks():
    ideal = 1 + 1 / np.log2(3)
    assert ranked(SCORES, GRADES, loss="ndcg:ties=rows") == pytest.approx(
        (1 / np.log2(3) + 1 / np.log2(5)) / ideal, rel=1e-15
    )
    assert ranked(SCORES, GRADES, loss="ndcg:ties=rows") == pytest.approx(0.65092, abs=5e-6)
    assert ranked(SCORES, GRADES, loss="ndcg") == pytest.approx(0.78532, abs=5e-6)
    assert ranked(SCORES, GRADES, loss="ndcg_exponential_gain:ties=rows") == pytest.approx(0.65092, abs=5e-6)
    # Of the order 1, 3, 0, 2 the items at ranks 2 and 4 are relevant.
    assert ranked(SCORES, GRADES, loss="map:ties=rows") == pytest.approx((1 / 2 + 2 / 4) / 2, rel=1e-15)
    assert ranked(SCORES, GRADES, loss="map:ties=rows,k=3") == pytest.approx((1 / 2) / 2, rel=1e-15)


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_average_precision_may_be_divided_by_what_k_ranks_can_hold(k):
    relevance = [1, 0, 1, 1, 0, 1]
    score = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    hits = np.cumsum(relevance)
    found = sum(hits[i] / (i + 1) for i in range(min(k, 6)) if relevance[i])
    assert ranked(score, relevance, loss=f"map:k={k},divisor=min_k") == pytest.approx(found / min(k, 4))
    assert ranked(score, relevance, loss=f"map:k={k}") == pytest.approx(found / 4)
    assert ranked(score, relevance, loss="map:divisor=min_k") == ranked(score, relevance, loss="map")


@pytest.mark.parametrize(("empty", "expected"), [("zero", 0.5), ("one", 1.0), ("skip", 1.0)])
def test_a_group_without_a_relevant_item(empty, expected):
    rows = pl.DataFrame({"group": [1, 1, 2, 2], "score": [2.0, 1.0] * 2, "relevance": [1, 0, 0, 0]})
    for loss in ("map:k=1,divisor=min_k", "ndcg:k=1,ties=rows"):
        assert value(rows, group="group", loss=f"{loss},empty={empty}") == expected


@pytest.mark.parametrize("loss", ["ndcg", "ndcg_exponential_gain", "map"])
def test_a_relevance_of_minus_one_is_not_relevant_where_that_is_asked_for(loss):
    relevance = [-1, 1, 0, -1]
    rows = pl.DataFrame({"group": [1] * 4, "score": SCORES, "relevance": relevance})
    with pytest.raises(DataError, match=r"row 1: -1.0"):
        losscli.evaluate(rows, loss=loss, group="group")
    report = losscli.evaluate(rows, loss=f"{loss}:negative=zero", group="group")
    assert report.results[0].value == ranked(SCORES, [0, 1, 0, 0], loss=loss)
    assert [(n.code, n.count) for n in report.findings if n.count] == [("negative-relevance", 2)]
    wrong = rows.with_columns(relevance=pl.Series([-0.5, 1.0, 0.0, 0.0]))
    with pytest.raises(DataError, match=r"row 1: -0.5"):
        losscli.evaluate(wrong, loss=f"{loss}:negative=zero", group="group")


# Ensembles and counts


@pytest.mark.parametrize("estimator", ["qd", "nrg", "int"])
def test_the_crps_of_one_member_is_the_absolute_error(estimator):
    rows = pl.DataFrame({"m0": [1.0, 2.5], "target": [3.0, 2.0]})
    assert value(rows, loss=f"crps_ensemble:estimator={estimator}") == 1.25
    vector = pl.DataFrame({"m0_d0": [3.0], "m0_d1": [4.0], "y_true_0": [0.0], "y_true_1": [0.0]})
    assert value(vector, loss="energy_score") == 5.0


def crps_of_counts(mass, y):
    """The integral of (F - [y <= x])^2 over all x, of a mass on 0, 1, ..., piece by piece."""
    below = np.cumsum(mass)
    edges = np.arange(len(mass) + 1.0)
    total = max(0.0, -y)
    for low, high, f in zip(edges[:-1], edges[1:], below, strict=True):
        before = np.clip(y, low, high) - low
        total += f * f * before + (1 - f) ** 2 * (high - low - before)
    return total


@pytest.mark.parametrize("y", [-2.5, -1.0, 0.0, 0.25, 3.0, 3.75, 7.0, 7.5, 11.0])
def test_the_crps_of_counts_has_a_value_at_any_target(y):
    k = np.arange(200)
    laws = {
        "crps_poisson": ({"mean": 4.2}, stats.poisson.pmf(k, 4.2)),
        "crps_binomial": ({"n": 7.0, "prob": 0.4}, stats.binom.pmf(k, 7, 0.4)),
        "crps_negbinom": ({"n": 3.5, "prob": 0.4}, stats.nbinom.pmf(k, 3.5, 0.4)),
    }
    for loss, (parameters, mass) in laws.items():
        rows = pl.DataFrame({**{name: [each] for name, each in parameters.items()}, "target": [y]})
        assert value(rows, loss=loss) == pytest.approx(crps_of_counts(mass, y), rel=1e-10), loss


# Thresholds, masks, distributions


@pytest.mark.parametrize("loss", ["zero_one", "balanced_error", "f1_error", "jaccard_distance"])
def test_a_probability_at_the_threshold_may_be_positive(loss):
    p, y = [0.5, 0.5, 0.2, 0.9], [1, 0, 0, 1]
    for inclusive, hard in ((False, [0, 0, 0, 1]), (True, [1, 1, 0, 1])):
        found = value(p, y, loss=f"{loss}:inclusive={str(inclusive).lower()}", task="binary")
        assert found == value([float(each) for each in hard], y, loss=loss, task="binary")
    labels = pl.DataFrame({"a": [0.5, 0.1]}), pl.DataFrame({"a": [1, 0]})
    for loss in ("hamming", "subset_zero_one"):
        found = [
            value(*labels, loss=f"{loss}:inclusive={each}", task="multilabel") for each in ("false", "true")
        ]
        assert found == [0.5, 0.0]


@pytest.mark.parametrize("loss", ["dice", "tversky:fp_weight=0.3,fn_weight=0.7"])
def test_an_image_without_a_true_pixel_costs_the_formula_nothing_or_one(loss):
    p = pl.DataFrame({"a": [1.0, 0.0, 1.0], "b": [1.0, 0.0, 0.0]})
    y = pl.DataFrame({"a": [0.0, 0.0, 1.0], "b": [0.0, 0.0, 0.0]})
    join = "," if ":" in loss else ":"
    found = {
        empty: value(p, y, loss=f"{loss}{join}empty={empty}", task="segmentation")
        for empty in ("formula", "zero", "one")
    }
    assert found == {"formula": 1 / 3, "zero": 0.0, "one": 2 / 3}
    for empty, count in (("formula", 1), ("zero", 2), ("one", 2)):
        report = losscli.evaluate(p, y, loss=f"{loss}{join}empty={empty}", task="segmentation")
        assert [n.count for n in report.findings if n.code == "replaced-value"] == [count]
    whole = value(p, y, loss=f"{loss}{join}empty=zero,aggregate=global", task="segmentation")
    assert whole == 0.0


def test_a_library_takes_targets_that_do_not_sum_to_one_as_amounts():
    # kl_div, KLDivergence, rel_entr of unnormalised rows
    y, q = (pl.DataFrame([dict(zip("abc", row, strict=True))]) for row in ((0.2, 0.8, 0.5), (0.3, 0.6, 0.4)))
    with pytest.raises(DataError, match="target probabilities do not sum to one"):
        losscli.evaluate(q, y, loss="kl_divergence", task="multiclass")
    for library in ("keras", "torch"):
        report = losscli.evaluate(q, y, loss="kl_divergence", task="multiclass", like=library)
        assert report.results[0].value == pytest.approx(0.26062441, rel=1e-6)
        assert f"1 row whose target probabilities do not sum to one, used as {library} does" in " ".join(
            map(str, report.findings)
        )
    amounts = pl.DataFrame({"a": [2.0], "b": [0.5], "c": [0.5]})
    t, p = np.clip([2.0, 0.5, 0.5], 1e-7, 1.0), np.array([0.3, 0.6, 0.4])
    found = value(q, amounts, loss="kl_divergence", task="multiclass", like="keras")
    assert found == pytest.approx((t * np.log(t / p)).sum(), rel=1e-12)
    t = np.array([2.0, 0.5, 0.5])
    found = value(q, amounts, loss="cross_entropy", task="multiclass", like="torch")
    assert found == pytest.approx(-(t * np.log(p)).sum(), rel=1e-12)
    ones = pl.DataFrame({"a": [0.2], "b": [1.0], "c": [0.5]})
    found = value(q, ones, loss="kl_divergence", task="multiclass", like="torch")
    t, p = np.array([0.2, 1.0, 0.5]), np.array([0.3, 0.6, 0.4])
    assert found == pytest.approx((t * np.log(t / p)).sum(), rel=1e-12)
