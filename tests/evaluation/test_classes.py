"""Losses of classes, labels and distributions on inputs of their own: amounts, order, class weights, ties."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from support.samples import softmax

import losscli
from losscli.catalog import registry
from losscli.errors import DataError
from losscli.tasks.binary import BinaryScore
from losscli.tasks.multilabel import MultilabelScore

RNG = np.random.default_rng(23)
N = 60
NAMES = ["cat", "dog", "owl"]
LOGITS = RNG.normal(size=(N, 3))
CODE = RNG.integers(0, 3, N)
AMOUNTS = RNG.gamma(1.0, size=(2, N, 3))


def classes(values) -> pl.DataFrame:
    return pl.DataFrame({name: values[:, i] for i, name in enumerate(NAMES)})


def labels(code=CODE) -> pl.DataFrame:
    return pl.DataFrame({"label": [NAMES[c] for c in code]})


def evaluated(predictions, targets, loss, **options) -> float:
    return losscli.evaluate(predictions, targets, loss=loss, **options).results[0].value


# Amounts


def generalized_kl(target, prediction):
    return (target * np.log(target / prediction) - target + prediction).sum(axis=1)


def test_generalized_divergence_takes_amounts_that_do_not_sum_to_one():
    target, prediction = 10 * AMOUNTS
    expected = pytest.approx(generalized_kl(target, prediction).mean(), rel=1e-12)
    assert evaluated(classes(prediction), classes(target), "generalized_kl_divergence") == expected
    logs = classes(np.log(prediction))
    assert evaluated(logs, classes(target), "generalized_kl_divergence", from_log_probs=True) == expected


def test_amounts_whose_greatest_is_one_are_not_taken_for_labels():
    target, prediction = np.array([[1.0, 0.5, 0.25]]), np.array([[0.5, 0.5, 0.5]])
    found = evaluated(classes(prediction), classes(target), "generalized_kl_divergence", ci=None)
    assert found == pytest.approx(generalized_kl(target, prediction)[0], rel=1e-12)


def test_a_class_weight_weighs_a_row_of_amounts_by_its_shares():
    target, prediction = AMOUNTS
    found = evaluated(
        classes(prediction), classes(target), "generalized_kl_divergence", class_weight={"dog": 3.0}
    )
    weight = (target * [1, 3, 1]).sum(axis=1) / target.sum(axis=1)
    assert found == pytest.approx(np.average(generalized_kl(target, prediction), weights=weight), rel=1e-12)


def test_amounts_below_zero_are_an_error_that_names_their_rows():
    wrong = AMOUNTS[1].copy()
    wrong[4, 2] = -0.5
    for files in ((wrong, AMOUNTS[0]), (AMOUNTS[0], wrong)):
        with pytest.raises(DataError, match="1 amount below 0 or infinite") as error:
            losscli.evaluate(*map(classes, files), loss="generalized_kl_divergence")
        assert "row 5: -0.5" in str(error.value)


def test_other_divergences_need_rows_that_sum_to_one():
    target, prediction = softmax(LOGITS), AMOUNTS[1] / AMOUNTS[1].sum(axis=1, keepdims=True)
    with pytest.raises(DataError, match="do not sum to one"):
        losscli.evaluate(classes(2 * prediction / 3), classes(target), loss="kl_divergence")
    found = evaluated(classes(2 * prediction), classes(target), "kl_divergence", normalize=True)
    exact = (target * np.log(target / prediction)).sum(axis=1).mean()
    assert found == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("loss", ["kl_divergence", "jensen_shannon_divergence", "ranked_logarithmic_score"])
def test_a_distribution_may_be_written_as_probabilities_logits_or_logarithms(loss):
    target = classes(AMOUNTS[0] / AMOUNTS[0].sum(axis=1, keepdims=True))
    p = softmax(LOGITS)
    expected = evaluated(classes(p), target, loss)
    assert evaluated(classes(LOGITS), target, loss, from_logits=True) == pytest.approx(expected, rel=1e-12)
    assert evaluated(classes(np.log(p)), target, loss, from_log_probs=True) == pytest.approx(
        expected, rel=1e-12
    )


def test_divergence_from_a_label_is_its_cross_entropy():
    report = losscli.evaluate(classes(LOGITS), labels(), loss=["kl_divergence", "log_loss"], from_logits=True)
    assert report.results[0].value == pytest.approx(report["categorical_cross_entropy"].value, rel=1e-14)


def test_a_clipped_probability_is_said_and_an_exact_one_makes_infinity():
    target, prediction = np.array([[0.5, 0.5, 0.0]] * 2), np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    report = losscli.evaluate(classes(prediction), classes(target), loss="kl_divergence")
    assert report.results[0].value == pytest.approx(
        0.5 * np.log(0.5 / 2**-52) / 2 + 0.25 * np.log(0.5), rel=1e-9
    )
    assert any("1 probability clipped" in note.text for note in report.findings)
    exact = losscli.evaluate(classes(prediction), classes(target), loss="kl_divergence", eps=0)
    assert exact.results[0].value is None
    assert tuple(map(str, exact.results[0].notes)) == ("infinite: first at row 1",)


# Classes


def test_multi_margin_is_divided_by_the_weights_of_rows_alone():
    own = LOGITS[np.arange(N), CODE]
    cost = np.maximum(LOGITS - own[:, None] + 1.0, 0.0)
    cost[np.arange(N), CODE] = 0.0
    by_class, by_row = np.array([1.0, 2.5, 0.4]), RNG.uniform(0.1, 3.0, N)
    expected = (by_row * by_class[CODE] * cost.mean(axis=1)).sum() / by_row.sum()
    found = evaluated(
        classes(LOGITS),
        labels().with_columns(w=pl.Series(by_row)),
        "multi_margin",
        from_logits=True,
        weight="w",
        class_weight=dict(zip(NAMES, by_class, strict=True)),
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_one_vs_all_takes_probabilities_of_classes_that_do_not_exclude_each_other():
    p = 1 / (1 + np.exp(-LOGITS))
    target = np.eye(3)[CODE]
    expected = metrics.log_loss(target.ravel(), p.ravel())
    for values, options in (
        (p, {}),
        (LOGITS, {"from_logits": True}),
        (np.log(p), {"from_log_probs": True}),
    ):
        found = evaluated(classes(values), labels(), "one_vs_all_log_loss", **options)
        assert found == pytest.approx(expected, rel=1e-12)


def test_one_vs_all_counts_every_clipped_probability():
    p = np.array([[1.0, 1.0, 0.5], [0.5, 0.5, 0.5]])
    report = losscli.evaluate(classes(p), labels([0, 1]), loss="one_vs_all_log_loss", classes=NAMES)
    assert any("clipped" in note.text and note.count == 1 for note in report.findings)


def test_balanced_error_is_the_mean_over_classes_that_have_rows():
    guess = RNG.integers(0, 3, N)
    code = np.where(CODE == 2, 0, CODE)
    frame = labels(guess).rename({"label": "label_pred"})
    found = evaluated(frame, labels(code), "multiclass_balanced_error")
    rates = [(guess[code == c] != c).mean() for c in (0, 1)]
    assert found == pytest.approx(np.mean(rates), rel=1e-12)


def test_ranked_scores_depend_on_the_order_of_classes():
    p = softmax(LOGITS)
    below = np.cumsum(p, axis=1)[:, :-1]
    reached = CODE[:, None] <= np.arange(2)
    expected = ((below - reached) ** 2).sum(axis=1).mean()
    assert evaluated(classes(p), labels(), "ranked_probability_score") == pytest.approx(expected, rel=1e-12)
    other = evaluated(classes(p), labels(), "ranked_probability_score", classes="dog,cat,owl")
    assert other != pytest.approx(expected, rel=1e-3)


def test_d2_brier_of_soft_targets_measures_against_their_mean():
    target, p = AMOUNTS[0] / AMOUNTS[0].sum(axis=1, keepdims=True), softmax(LOGITS)
    expected = 1 - ((p - target) ** 2).sum() / ((target - target.mean(axis=0)) ** 2).sum()
    assert evaluated(classes(p), classes(target), "d2_brier") == pytest.approx(expected, rel=1e-12)
    binary = pl.DataFrame({"p": p[:, 0], "y": target[:, 0]})
    expected = 1 - ((p - target)[:, 0] ** 2).sum() / ((target[:, 0] - target[:, 0].mean()) ** 2).sum()
    assert evaluated(binary, None, "d2_brier") == pytest.approx(expected, rel=1e-12)


# Scores


def test_exponential_takes_signs_bits_and_fractions():
    score, bit = LOGITS[:, 0], CODE > 0
    exact = np.exp(np.where(bit, -score, score)).mean()
    for y in (bit * 1, np.where(bit, 1, -1)):
        found = evaluated(pl.DataFrame({"score": score}), pl.DataFrame({"y": y}), "exponential")
        assert found == pytest.approx(exact, rel=1e-12)
    soft = RNG.uniform(size=N)
    found = evaluated(pl.DataFrame({"score": score}), pl.DataFrame({"y": soft}), "exponential")
    assert found == pytest.approx((soft * np.exp(-score) + (1 - soft) * np.exp(score)).mean(), rel=1e-12)


def test_a_loss_of_signs_still_refuses_fractions():
    frame = pl.DataFrame({"score": LOGITS[:, 0], "y": RNG.uniform(size=N)})
    with pytest.raises(DataError, match="soft labels"):
        losscli.evaluate(frame, loss=["soft_margin", "exponential"])


def test_sparsemax_of_two_classes_is_that_of_their_difference():
    entry = {entry.name: entry for entry in registry.list_losses()}
    sign = np.where(CODE > 0, 1.0, -1.0)
    two = evaluated(
        pl.DataFrame({"no": LOGITS[:, 0], "yes": LOGITS[:, 1]}),
        pl.DataFrame({"label": np.where(CODE > 0, "yes", "no")}),
        "sparsemax",
        from_logits=True,
    )
    (column,) = entry["sparsemax_binary"].columns(BinaryScore(np, LOGITS[:, 1] - LOGITS[:, 0], sign), {})
    assert two == pytest.approx(column.mean(), rel=1e-12)


# Labels


SCORES = RNG.integers(0, 4, (N, 5)) * 1.0
RELEVANT = RNG.uniform(size=(N, 5)) < 0.4
RELEVANT[:4] = [[True] * 5, [False] * 5, [True] + [False] * 4, [False] + [True] * 4]


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("coverage_error", metrics.coverage_error),
        ("label_ranking", metrics.label_ranking_loss),
        ("label_ranking_average_precision", metrics.label_ranking_average_precision_score),
    ],
)
def test_ties_and_rows_with_no_label_or_all_of_them(name, library):
    (entry,) = (entry for entry in registry.list_losses() if entry.name == name)
    (column,) = entry.columns(MultilabelScore(np, SCORES, RELEVANT), {})
    assert column.mean() == pytest.approx(library(RELEVANT, SCORES), rel=1e-12)
    for i in range(N):
        assert column[i] == pytest.approx(library(RELEVANT[i : i + 1], SCORES[i : i + 1]), rel=1e-12)


def test_multilabel_margin_sums_over_pairs():
    (entry,) = (entry for entry in registry.list_losses() if entry.name == "multilabel_margin")
    (column,) = entry.columns(MultilabelScore(np, SCORES, RELEVANT), {})
    for score, own, found in zip(SCORES, RELEVANT, column, strict=True):
        pairs = itertools.product(score[own], score[~own])
        assert found == pytest.approx(sum(max(0.0, 1 - (a - b)) for a, b in pairs) / 5, rel=1e-12)


def test_losses_of_the_order_of_labels_have_no_cell_for_one_label_alone():
    names = list("abcde")
    predictions = pl.DataFrame({name: SCORES[:, i] / 4 for i, name in enumerate(names)})
    targets = pl.DataFrame({name: RELEVANT[:, i] * 1 for i, name in enumerate(names)})
    report = losscli.evaluate(predictions, targets, loss=["label_ranking", "hamming"])
    assert [result.loss for result in report.results] == ["label_ranking", *["hamming"] * 6]
