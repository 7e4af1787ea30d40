"""How losses scale, and that a formula gives one value however its input is written."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from support.samples import CLASSES, LOSSES, ROWS, arrays, chosen, sample, softmax, value

import losscli
from losscli.tasks.binary import Binary, BinaryLabel
from losscli.tasks.classes import Multiclass, MulticlassScore
from losscli.tasks.multilabel import Multilabel, MultilabelLabel
from losscli.tasks.regression import Pilot, Regression

# Scaling


@pytest.mark.parametrize(
    ("name", "power", "given", "scaled"),
    [
        ("mean_squared_error", 2, {}, {}),
        ("half_squared_error", 2, {}, {}),
        ("root_mean_squared_error", 1, {}, {}),
        ("mean_absolute_error", 1, {}, {}),
        ("mean_bias_error", 1, {}, {}),
        ("max_error", 1, {}, {}),
        ("pinball", 1, {"alpha": 0.3}, {"alpha": 0.3}),
        ("huber", 2, {"delta": 0.7}, {"delta": 2.1}),
        ("smooth_l1", 1, {"beta": 0.7}, {"beta": 2.1}),
        ("pseudo_huber", 2, {"delta": 0.7}, {"delta": 2.1}),
        ("mean_absolute_percentage_error", 0, {}, {}),
        ("symmetric_mean_absolute_percentage_error", 0, {}, {}),
        ("weighted_mean_absolute_percentage_error", 0, {}, {}),
        ("r2", 0, {}, {}),
        ("explained_variance", 0, {}, {}),
        ("root_mean_squared_percentage_error", 0, {}, {}),
        ("lq", 1.5, {"q": 1.5}, {"q": 1.5}),
        ("minkowski_distance", 1, {}, {}),
        ("num_errors", 0, {"greater_than": 0.5}, {"greater_than": 1.5}),
        ("error_variance", 2, {}, {}),
        ("error_std", 1, {}, {}),
        ("multi_rmse", 1, {}, {}),
        ("fair", 2, {"c": 0.7}, {"c": 2.1}),
        ("cauchy", 2, {"delta": 0.7}, {"delta": 2.1}),
        ("arctan", 2, {"delta": 0.7}, {"delta": 2.1}),
        ("ramsay_e", 2, {"a": 0.7}, {"a": 0.7 / 3}),
        ("andrew_wave", 2, {"a": 0.3}, {"a": 0.9}),
        ("truncated_quadratic", 2, {"c": 0.7}, {"c": 2.1}),
        ("hampel", 2, {"a": 0.3, "b": 0.6, "c": 1}, {"a": 0.9, "b": 1.8, "c": 3}),
        ("tukey_biweight", 2, {"c": 0.7}, {"c": 2.1}),
        ("tukey_quartic", 2, {"c": 0.7}, {"c": 2.1}),
        ("student_t", 2, {"c": 0.7}, {"c": 2.1}),
        ("epsilon_insensitive", 1, {"eps": 0.2}, {"eps": 0.6}),
        ("squared_epsilon_insensitive", 2, {"eps": 0.2}, {"eps": 0.6}),
        ("expectile", 2, {"alpha": 0.2}, {"alpha": 0.2}),
        ("m_quantile_huber", 2, {"delta": 0.7}, {"delta": 2.1}),
        ("normalized_rmse", 0, {}, {}),
        ("normalized_rmse", 0, {"normalization": "range"}, {"normalization": "range"}),
        ("normalized_rmse", 0, {"normalization": "std"}, {"normalization": "std"}),
        ("normalized_rmse", 0, {"normalization": "l2"}, {"normalization": "l2"}),
        ("relative_squared_error", 0, {}, {}),
        ("root_relative_squared_error", 0, {}, {}),
        ("pearson_correlation", 0, {}, {}),
        ("concordance_correlation", 0, {}, {}),
        ("concordance_correlation_population", 0, {}, {}),
        ("critical_success_index", 0, {"threshold": 1}, {"threshold": 3}),
        ("d2_tweedie", 0, {"power": 1.5}, {"power": 1.5}),
        ("tweedie_nll", 0.5, {}, {}),
        ("mean_gamma_deviance", 0, {}, {}),
        ("mean_poisson_deviance", 1, {}, {}),
        ("mean_tweedie_deviance", 0.5, {"power": 1.5}, {"power": 1.5}),
        ("mean_tweedie_deviance", 3, {"power": -1}, {"power": -1}),
    ],
)
def test_a_unit_three_times_smaller_makes_the_loss(name, power, given, scaled):
    batch = sample(Regression)
    triple = replace(batch, **{name: 3 * array for name, array in arrays(batch).items()}, pilot=Pilot(4.0))
    assert value(name, triple, **scaled) == pytest.approx(3**power * value(name, batch, **given), rel=1e-12)


CENTRED = [
    "r2",
    "explained_variance",
    "relative_squared_error",
    "root_relative_squared_error",
    "error_std",
    "pearson_correlation",
    "concordance_correlation",
    "d2_tweedie",
]


@pytest.mark.parametrize("name", CENTRED)
@pytest.mark.parametrize("centre", [0.0, 1.4, 1e4])
def test_the_centre_changes_no_value(name, centre):
    batch = sample(Regression)
    moved = replace(batch, pilot=Pilot(centre, centre / 10))
    assert value(name, moved) == pytest.approx(value(name, batch), rel=1e-6 if centre > 2 else 1e-12)


def test_explained_variance_is_r2_without_the_bias():
    batch = sample(Regression)
    unbiased = replace(batch, prediction=batch.prediction - batch.error.mean())
    assert value("explained_variance", batch) == pytest.approx(value("r2", unbiased), rel=1e-12)
    assert value("explained_variance", batch) > value("r2", batch) + 1e-6


def test_losses_of_all_outputs_together_and_of_each():
    errors = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 2.0]])
    report = losscli.evaluate(errors, np.zeros((3, 2)), ["multi_rmse", "rmse"], ci=None)
    together = [r.value for r in report.results if r.loss == "multi_rmse"]
    alone = [r.value for r in report.results if r.loss == "root_mean_squared_error"]
    assert together == pytest.approx([30**0.5 / 3**0.5, (10 / 3) ** 0.5, (20 / 3) ** 0.5], rel=1e-15)
    assert alone[1:] == together[1:]
    assert alone[0] == pytest.approx((alone[1] + alone[2]) / 2, rel=1e-15)


def test_a_range_is_that_of_all_rows():
    y = np.arange(200_000.0)
    found = losscli.evaluate(y + 1.0, y, "normalized_rmse:normalization=range", threads=2)
    assert found["normalized_rmse"].value == 1.0 / 199_999.0


def test_student_t_of_one_degree_of_freedom_is_cauchy():
    batch = sample(Regression)
    cauchy = value("cauchy", batch, delta=0.7)
    assert value("student_t", batch, c=0.7, df=1.0) == pytest.approx(cauchy, rel=1e-15)


def test_one_row_has_no_sample_variance():
    report = losscli.evaluate(np.ones(1), np.zeros(1), "concordance_correlation")
    assert report["concordance_correlation"].value is None
    assert "one row" in report["concordance_correlation"].notes[0].text


# One formula, however it is written


def as_binary(batch: Multilabel) -> Binary:
    return Binary(np, batch.target.ravel(), batch.prediction.ravel(), batch.link, 0.0)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_focal", "brier"])
def test_a_logit_is_its_probability(name):
    batch = sample(Binary)
    logit = np.log(batch.prediction) - np.log1p(-batch.prediction)
    soft = replace(batch, target=np.linspace(0, 1, ROWS))
    for given in (batch, soft):
        logits = replace(given, prediction=logit, link="logit")
        assert value(name, logits) == pytest.approx(value(name, given), rel=1e-12)


@pytest.mark.parametrize("name", ["categorical_cross_entropy", "categorical_focal", "multiclass_brier"])
@pytest.mark.parametrize("soft", [False, True])
def test_logits_are_log_probabilities_are_probabilities_of_classes(name, soft):
    batch = sample(Multiclass)
    if soft:
        batch = replace(batch, code=None, soft=softmax(np.random.default_rng(2).normal(size=(ROWS, CLASSES))))
    log_prob = np.log(batch.prediction)
    logit = log_prob + np.linspace(-30, 30, ROWS)[:, None]
    for link, prediction in (("log_prob", log_prob), ("logit", logit)):
        same = replace(batch, prediction=prediction, link=link)
        assert value(name, same) == pytest.approx(value(name, batch), rel=1e-12)


@pytest.mark.parametrize("name", ["categorical_cross_entropy", "categorical_focal", "multiclass_brier"])
def test_the_order_of_classes_does_not_matter(name):
    batch = sample(Multiclass)
    order = np.array([2, 0, 3, 1])
    turned = replace(batch, prediction=batch.prediction[:, order], code=np.argsort(order)[batch.code])
    assert value(name, turned) == pytest.approx(value(name, batch), rel=1e-13)


@pytest.mark.parametrize(
    "name", ["categorical_cross_entropy", "categorical_focal", "multiclass_brier", "d2_log_loss_multiclass"]
)
def test_one_hot_targets_are_labels(name):
    batch = sample(Multiclass)
    one_hot = replace(batch, code=None, soft=np.eye(CLASSES)[batch.code])
    assert value(name, one_hot) == pytest.approx(value(name, batch), rel=1e-13)


@pytest.mark.parametrize(
    ("binary", "multiclass", "factor"),
    [
        ("binary_cross_entropy", "categorical_cross_entropy", 1.0),
        ("binary_focal", "categorical_focal", 0.25),
        ("brier", "multiclass_brier", 2.0),
        ("d2_log_loss", "d2_log_loss_multiclass", 1.0),
    ],
)
def test_two_classes_are_binary(binary, multiclass, factor):
    one = sample(Binary)
    p = np.stack([1 - one.prediction, one.prediction], axis=1)
    two = Multiclass(np, p, "probability", 0.0, one.target.astype(int), None)
    assert value(multiclass, two) == pytest.approx(factor * value(binary, one), rel=1e-12)


def test_multilabel_losses_are_the_mean_of_the_labels():
    batch = sample(Multilabel)
    for given in ({}, {"label_smoothing": 0.2}):
        assert value("multilabel_binary_cross_entropy", batch, **given) == pytest.approx(
            value("binary_cross_entropy", as_binary(batch), **given), rel=1e-13
        )
    labels = sample(MultilabelLabel)
    flat = BinaryLabel(np, labels.target.ravel(), labels.probability.ravel())
    assert value("hamming", labels, threshold=0.3) == pytest.approx(value("zero_one", flat, threshold=0.3))


@pytest.mark.parametrize(
    ("name", "given"),
    [("binary_cross_entropy", {}), ("binary_focal", {"gamma": 1.5}), ("brier", {}), ("d2_log_loss", {})],
)
def test_either_class_may_be_the_positive_one(name, given):
    batch = sample(Binary)
    turned = replace(batch, target=1 - batch.target, prediction=1 - batch.prediction)
    assert value(name, turned, **given) == pytest.approx(value(name, batch, **given), rel=1e-12)


def test_class_weights_of_soft_targets_are_those_of_labels():
    # What a row loses, times the weight of its class, is the same however its target is written.
    batch = replace(sample(Multiclass), class_weight=np.array([1.0, 2.5, 0.4, 3.0]))
    one_hot = replace(batch, code=None, soft=np.eye(CLASSES)[batch.code])
    for given in ({}, {"label_smoothing": 0.1}):
        assert value("categorical_cross_entropy", one_hot, **given) == pytest.approx(
            value("categorical_cross_entropy", batch, **given), rel=1e-13
        )


@pytest.mark.parametrize("name", ["binary_cross_entropy", "categorical_cross_entropy"])
def test_probabilities_are_clipped_at_eps_under_a_logarithm(name):
    eps = 1e-6
    if name == "binary_cross_entropy":
        batch = Binary(np, np.array([1.0, 0.0]), np.array([0.0, 1.0]), "probability", eps)
    else:
        batch = Multiclass(np, np.eye(2), "probability", eps, np.array([1, 0]), None)
    assert value(name, batch) == pytest.approx(-np.log(eps), rel=1e-9)
    with np.errstate(divide="ignore"):
        (column,) = LOSSES[name].columns(replace(batch, eps=0.0), chosen(name).params)
    assert (column == np.inf).all()


def test_top_k_counts_ties_in_the_order_of_the_classes():
    score, code = np.array([[1.0, 1.0, 1.0, 0.0]] * 4), np.arange(4)
    batch = MulticlassScore(np, score, code)
    for k, wrong in ((1, [0, 1, 1, 1]), (2, [0, 0, 1, 1]), (3, [0, 0, 0, 1]), (4, [0, 0, 0, 0])):
        assert LOSSES["top_k_error"].columns(batch, {"k": k})[0].tolist() == wrong


def test_a_probability_at_the_threshold_is_negative():
    batch = BinaryLabel(np, np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    assert LOSSES["zero_one"].columns(batch, {"threshold": 0.5})[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "prediction", "target"),
    [
        ("mean_squared_log_error", [-1.0, 1.0, -2.0, 0.5], [1.0, -1.0, -3.0, 0.5]),
        ("mean_poisson_deviance", [0.0, 1.0, -1.0, 0.5], [1.0, -1.0, 1.0, 0.5]),
        ("mean_gamma_deviance", [0.0, 1.0, -1.0, 0.5], [1.0, 0.0, 1.0, 0.5]),
    ],
)
def test_a_row_outside_the_domain_is_not_a_number(name, prediction, target):
    assert LOSSES[name].domain
    with np.errstate(all="ignore"):
        (column,) = LOSSES[name].columns(Regression(np, np.array(prediction), np.array(target)), {})
    assert np.isnan(column).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("power", "prediction", "target", "defined"),
    [
        (0, -1, -1, 1),
        (-1, 1, -1, 1),
        (-1, 0, 1, 0),
        (1, 1, 0, 1),
        (1.5, 1, 0, 1),
        (1.5, 1, -1, 0),
        (2, 1, 0, 0),
        (3, 1, 0, 0),
    ],
)
def test_the_domain_of_tweedie_deviance_depends_on_its_power(power, prediction, target, defined):
    batch = Regression(np, np.array([float(prediction)]), np.array([float(target)]))
    with np.errstate(all="ignore"):
        (column,) = LOSSES["mean_tweedie_deviance"].columns(batch, {"power": power})
    assert np.isfinite(column[0]) == bool(defined)
