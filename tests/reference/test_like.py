"""--like gives the numbers of scikit-learn, PyTorch and Keras.

Numbers of the tables were measured with scikit-learn 1.9.1, torch 2.13.0 and keras 3.15.1 (jax backend) by
the calls that stand beside them; scikit-learn is called again, on random data.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import losscli as api
from losscli.catalog import registry
from losscli.catalog.conventions.libraries import LIBRARIES
from losscli.errors import UsageError

FLOAT32 = 1e-6
"""What is left of float32 arithmetic: Keras computes in it."""
INFINITE = None


def number(library, loss, columns, **options):
    """The overall value of rows given as columns."""
    frame = pl.DataFrame(columns)
    return api.evaluate(frame, loss=loss, like=library, ci=None, **options).results[0].value


def columns(text, *rows):
    """Rows of numbers as named columns: 'y p w'."""
    return dict(zip(text.split(), map(list, zip(*rows, strict=True)), strict=True))


BINARY = [
    # sklearn log_loss, torch BCELoss, keras BinaryCrossentropy of (y, p), in float64 and in float32
    ("sklearn", pl.Float64, 1.0, 0.0, 36.04365339),
    ("sklearn", pl.Float64, 0.0, 1.0, 36.04365339),
    ("sklearn", pl.Float32, 1.0, 0.0, 15.94238472),
    ("sklearn", pl.Float32, 0.0, 1.0, 15.94238472),
    ("sklearn", pl.Float64, 0.0, 0.0, 2.220446049e-16),
    ("torch", pl.Float64, 1.0, 0.0, 100.0),
    ("torch", pl.Float64, 0.0, 1.0, 100.0),
    ("torch", pl.Float32, 1.0, 0.0, 100.0),
    ("torch", pl.Float64, 0.3, 0.0, 30.0),
    ("torch", pl.Float64, 0.0, 0.0, 0.0),
    ("keras", pl.Float32, 1.0, 0.0, 16.1180954),
    ("keras", pl.Float32, 0.0, 1.0, 15.94238472),
    ("keras", pl.Float64, 1.0, 0.0, 16.1180954),
    ("keras", pl.Float64, 0.0, 1.0, 15.94238472),  # the loss casts to float32 before it clips
    ("keras", pl.Float64, 0.0, 0.0, 1.000000083e-07),
]


@pytest.mark.parametrize(("library", "dtype", "y", "p", "expected"), BINARY)
def test_binary_log_loss_of_a_certain_prediction(library, dtype, y, p, expected):
    frame = pl.DataFrame({"y": [y], "p": [p]}, schema={"y": pl.Float64, "p": dtype})
    found = api.evaluate(frame, loss="log_loss", like=library, task="binary")["log_loss"].value
    assert found == pytest.approx(expected, rel=2e-7)


REGRESSION = [
    # huber_loss(delta=.5), Huber(.5), smooth_l1_loss(beta=.5) of errors .3 and 2
    ("torch", "huber:delta=0.5", (0.0, 0.3), 0.045),
    ("torch", "huber:delta=0.5", (0.0, 2.0), 0.875),
    ("keras", "huber:delta=0.5", (0.0, 2.0), 0.875),
    ("torch", "smooth_l1:beta=0.5", (0.0, 0.3), 0.09),
    ("torch", "smooth_l1:beta=0.5", (0.0, 2.0), 1.75),
    # mean_absolute_percentage_error, MeanAbsolutePercentageError
    ("sklearn", "mape", (0.0, 1.0), 4.503599627e15),
    ("sklearn", "mape", (0.2, 0.3), 0.5),
    ("keras", "mape", (0.0, 1.0), 1e9),
    ("keras", "mape", (0.2, 0.3), 50.0),
    # mean_squared_log_error, MeanSquaredLogarithmicError
    ("sklearn", "msle", (1.0, -0.5), 1.921812056),
    ("keras", "msle", (1.0, -0.5), 0.4804528654),
    ("keras", "msle", (1.0, -1.5), 0.4804528654),
    ("keras", "msle", (0.0, 1e-9), 0.0),
    ("sklearn", "msle", (0.0, 1e-9), 9.99999999e-19),
    # poisson_nll_loss(log_input=False, full=False), the same with full=True, Poisson
    ("torch", "poisson_nll:log_input=false", (0.0, 3.0), 3.0),
    ("torch", "poisson_nll:log_input=false", (1.0, 3.0), 1.901387708),
    ("torch", "poisson_nll:log_input=false", (2.0, 3.0), 0.802775416),
    ("torch", "poisson_nll:log_input=false", (5.0, 3.0), -2.49306146),
    ("torch", "poisson_nll:log_input=false", (2.0, 0.0), 36.84136149),
    ("torch", "poisson_nll", (2.0, np.log(3.0)), 3.0 - 2.0 * np.log(3.0)),
    ("torch", "poisson_nll_stirling:log_input=false", (0.0, 3.0), 3.0),
    ("torch", "poisson_nll_stirling:log_input=false", (1.0, 3.0), 1.901387708),
    ("torch", "poisson_nll_stirling:log_input=false", (2.0, 3.0), 1.454581901),
    ("torch", "poisson_nll_stirling:log_input=false", (5.0, 3.0), 2.277785592),
    ("keras", "poisson_nll", (1.0, 3.0), 1.901387691),
    ("keras", "poisson_nll", (5.0, 3.0), -2.493061543),
    ("keras", "poisson_nll", (2.0, 0.0), 32.2361908),
    # mean_poisson_deviance, mean_tweedie_deviance, mean_pinball_loss
    ("sklearn", "mean_poisson_deviance", (5.0, 3.0), 1.108256238),
    ("sklearn", "mean_tweedie_deviance:power=1.5", (2.0, 3.0), 0.2332968848),
    ("sklearn", "mean_tweedie_deviance:power=2", (2.0, 3.0), 0.1442635495),
    ("sklearn", "pinball:alpha=0.9", (1.0, 0.0), 0.9),
    ("sklearn", "pinball", (1.0, 0.0), 0.5),
]


@pytest.mark.parametrize(("library", "loss", "row", "expected"), REGRESSION)
def test_regression_loss_of_one_row(library, loss, row, expected):
    found = number(library, loss, columns("y p", row), task="regression")
    rel = FLOAT32 if library == "keras" else 2e-9
    assert found == pytest.approx(expected, rel=rel, abs=1e-25)


WEIGHTED = [
    # mean_squared_error(sample_weight), mse_loss(weight), MeanSquaredError()(sample_weight), ... of rows
    # with errors 1, 1 and 3 and weights 1, 2 and 3
    ("sklearn", "mse", 5.0),
    ("torch", "mse", 5.0),
    ("keras", "mse", 10.0),
    ("torch", "mae", 2.0),
    ("keras", "mae", 4.0),
    ("torch", "huber", 3.0),
    ("keras", "huber", 3.0),
    ("keras", "rmse", 5.0**0.5),
]


@pytest.mark.parametrize(("library", "loss", "expected"), WEIGHTED)
def test_what_a_weighted_mean_divides_by(library, loss, expected):
    rows = columns("y p w", (0.0, 1.0, 1.0), (0.0, 1.0, 2.0), (0.0, 3.0, 3.0))
    assert number(library, loss, rows, weight="w") == pytest.approx(expected, rel=1e-12)


def test_torch_weighs_rows_of_binary_cross_entropy_over_their_number():
    rows = columns("y p w", (1.0, 0.5, 1.0), (0.0, 0.5, 2.0), (1.0, 0.5, 3.0))
    found = number("torch", "log_loss", rows, weight="w", task="binary")
    assert found == pytest.approx(1.386294361, rel=1e-9)


def test_the_interval_of_a_mean_over_rows_is_that_of_the_weighted_losses():
    rng = np.random.default_rng(1)
    y, p, w = rng.normal(size=(3, 50))
    w = np.where(rng.uniform(size=50) < 0.2, 0.0, w * w)
    weighted = w * (p - y) ** 2
    frame = pl.DataFrame({"y": y, "p": p, "w": w})
    result = api.evaluate(frame, loss="mse", like="keras", weight="w")["mse"]
    assert result.rows == 50
    assert result.value == pytest.approx(weighted.mean(), rel=1e-14)
    assert result.se == pytest.approx(weighted.std(ddof=1) / 50**0.5, rel=1e-6)
    twice = api.evaluate(frame, loss=["mse", "rmse"], like="keras", weight="w")
    assert twice["mse"] == result
    assert twice["rmse"].value == pytest.approx((weighted.sum() / w.sum()) ** 0.5, rel=1e-14)
    assert any("weight zero counted as zero loss" in note.text for note in twice.findings)


def test_a_slice_divides_by_its_own_rows():
    rows = columns("y p w part", (0.0, 1.0, 1.0, "a"), (0.0, 3.0, 0.0, "a"), (0.0, 3.0, 3.0, "b"))
    report = api.evaluate(pl.DataFrame(rows), loss="mse", like="keras", weight="w", by="part")
    found = {result.cell.get("part"): result.value for result in report.results}
    assert found == pytest.approx({None: 28.0 / 3.0, "a": 0.5, "b": 27.0})


def test_class_weights_of_torch():
    labels = columns("label logit_a logit_b logit_c", ("a", 1.0, 0.0, 0.0), ("b", 0.0, 1.0, 0.0))
    given = {"class_weight": "a=1,b=3,c=1"}
    assert number("torch", "cross_entropy", labels, **given) == pytest.approx(0.5514447139, rel=1e-9)
    # cross_entropy of one-hot rows, multi_margin_loss: both divide by the number of rows
    soft = {"a": [1.0, 0.0], "b": [0.0, 1.0], "c": [0.0, 0.0]}
    logits = pl.DataFrame(labels).drop("label")
    report = api.evaluate(logits, pl.DataFrame(soft), loss="cross_entropy", like="torch", **given)
    assert report.results[0].value == pytest.approx(1.102889428, rel=1e-9)
    # losses of 0 and 1, and a weight of 5 for the class of the second
    scores = columns("label score_a score_b", ("a", 1.0, 0.0), ("b", 1.0, 0.0))
    found = number("torch", "multi_margin", scores, class_weight="b=5", pred="score_a,score_b", classes="a,b")
    assert found == pytest.approx(2.5, rel=1e-12)


def test_ignored_rows_do_not_count():
    rows = columns(
        "label logit_a logit_b logit_c", ("a", 1.0, 0.0, 0.0), ("b", 0.0, 1.0, 0.0), ("c", 5.0, 1.0, 0.0)
    )
    for library in ("torch", "keras"):
        found = number(library, "cross_entropy", rows, ignore_label="c")
        assert found == pytest.approx(0.5514447139, rel=1e-9)
    smoothed = number("torch", "cross_entropy:label_smoothing=0.1", rows, ignore_label="c")
    assert smoothed == pytest.approx(0.6181113806, rel=1e-9)


MULTICLASS = [
    # log_loss, CategoricalCrossentropy, nll_loss(log P) of rows that do not sum to one
    ("sklearn", "cross_entropy", (0.5, 0.3, 0.4), 0.6931471806),
    ("keras", "cross_entropy", (0.5, 0.3, 0.4), 0.8754687374),
    ("keras", "focal:alpha=1,gamma=0", (0.5, 0.3, 0.4), 0.8754687374),
    ("keras", "gce:q=1e-9", (0.5, 0.3, 0.4), 0.6931472063),
    ("torch", "cross_entropy", (0.5, 0.3, 0.4), 0.6931471806),
    ("sklearn", "brier", (0.5, 0.3, 0.4), 0.5),
    # the same where the true class has probability 0
    ("sklearn", "cross_entropy", (0.0, 0.6, 0.4), 36.04365339),
    ("keras", "cross_entropy", (0.0, 0.6, 0.4), 16.11809565),
    ("torch", "cross_entropy", (0.0, 0.6, 0.4), INFINITE),
    ("keras", "gce", (0.0, 0.6, 0.4), 2.0),
    # CategoricalHinge, hinge_loss, multi_margin_loss
    ("keras", "categorical_hinge", (0.2, -3.0, -4.0), 0.8),
    ("sklearn", "hinge", (0.2, -3.0, -4.0), 0.0),
    ("torch", "multi_margin", (0.2, -3.0, -4.0), 0.0),
]


@pytest.mark.parametrize(("library", "loss", "row", "expected"), MULTICLASS)
def test_multiclass_loss_of_one_row(library, loss, row, expected):
    found = number(library, loss, columns("label prob_a prob_b prob_c", ("a", *row)))
    assert found == (expected if expected is None else pytest.approx(expected, rel=1e-7, abs=1e-15))


def test_float32_probabilities_of_classes_are_clipped_at_their_epsilon():
    frame = pl.DataFrame({"label": ["a"], "prob_a": [0.0], "prob_b": [1.0]})
    frame = frame.with_columns(pl.col("prob_a", "prob_b").cast(pl.Float32))
    found = api.evaluate(frame, loss="cross_entropy", like="sklearn").results[0].value
    assert found == pytest.approx(15.94238472, rel=1e-7)


DIVERGENCE = [
    # KLDivergence, kl_div(reduction="batchmean")
    ("keras", (0.5, 0.5), (1.0, 0.0), 7.365900645),
    ("torch", (0.5, 0.5), (1.0, 0.0), INFINITE),
    ("keras", (1.0, 0.0), (1.0, 0.0), 0.0),
]


@pytest.mark.parametrize(("library", "target", "prediction", "expected"), DIVERGENCE)
def test_divergence_of_one_row(library, target, prediction, expected):
    p, y = (pl.DataFrame({"a": [row[0]], "b": [row[1]]}) for row in (prediction, target))
    found = api.evaluate(p, y, loss="kl_divergence", like=library, task="multiclass").results[0].value
    assert found == (expected if expected is None else pytest.approx(expected, rel=1e-6))


def test_label_smoothing():
    # cross_entropy(label_smoothing=.1), without and with weights of classes; CategoricalCrossentropy
    rows = columns("label logit_a logit_b logit_c", ("a", 2.0, -1.0, 0.5))
    for library in ("torch", "keras"):
        found = number(library, "cross_entropy:label_smoothing=0.1", rows)
        assert found == pytest.approx(0.3913112967, rel=1e-9)
    weighted = number("torch", "cross_entropy:label_smoothing=0.1", rows, class_weight="a=1,b=2.5,c=0.4")
    assert weighted == pytest.approx(0.5185506356, rel=1e-9)
    rows = columns("y p", (1.0, 0.8))
    found = number("keras", "log_loss:label_smoothing=0.1", rows, task="binary")
    assert found == pytest.approx(0.292458266, rel=FLOAT32)


def test_focal_loss_of_keras():
    p = 1 / (1 + np.exp(-0.4))
    for rows in (columns("y logit", (1.0, 0.4)), columns("y p", (1.0, p))):
        assert number("keras", "focal", rows, task="binary") == pytest.approx(0.08262192458, rel=FLOAT32)
    balanced = number("keras", "focal:alpha=0.25", columns("y p", (1.0, p)), task="binary")
    assert balanced == pytest.approx(0.02065548114, rel=FLOAT32)
    found = number("keras", "focal", columns("label prob_a prob_b", ("a", p, 1 - p)))
    assert found == pytest.approx(0.02065548106, rel=FLOAT32)


def test_epsilon_of_a_poisson_likelihood_stands_under_its_logarithm():
    rows = columns("y p", (4.0, 0.5))
    expected = 0.5 - 4.0 * np.log(0.75)
    stirling = 4.0 * np.log(4.0) - 4.0 + np.log(8.0 * np.pi) / 2
    for loss, more in (
        ("poisson_nll", 0.0),
        ("poisson_nll:full=true", np.log(24.0)),
        ("poisson_nll_stirling", stirling),
    ):
        joint = "," if ":" in loss else ":"
        found = number(None, f"{loss}{joint}epsilon=0.25", rows, task="regression")
        assert found == pytest.approx(expected + more, rel=1e-14)


def test_labels_of_a_row_are_clipped_alike():
    # binary_cross_entropy, BinaryCrossentropy of two labels, one of them certain and wrong
    p, y = pl.DataFrame({"a": [0.0], "b": [0.5]}), pl.DataFrame({"a": [1.0], "b": [1.0]})
    for library, surprise in (("torch", 100.0), ("keras", -np.log(1e-7))):
        report = api.evaluate(p, y, loss="log_loss", like=library, task="multilabel")
        assert report["log_loss"].value == pytest.approx((surprise + np.log(2.0)) / 2, rel=1e-9)
        assert report["log_loss", {"label": "a"}].value == pytest.approx(surprise, rel=1e-9)


def test_gaussian_likelihood_of_torch():
    # gaussian_nll_loss of y=1 and (mean, deviation)
    for loss, row, expected in (
        ("gaussian_nll", (1.0, 0.0, 2.0), 0.8181471806),
        ("gaussian_nll:full=true", (1.0, 0.0, 2.0), 1.737085714),
        ("gaussian_nll", (1.0, 1.0, 1e-6), -6.907755279),
    ):
        found = number("torch", loss, columns("y mu sigma", row))
        assert found == pytest.approx(expected, rel=1e-9)


def test_triplets_of_torch():
    # triplet_margin_loss of anchor 0, positive (1, 1) and negative (1, -1), less 1
    rows = columns("a_0 a_1 p_0 p_1 n_0 n_1", (0.0, 0.0, 1.0, 1.0, 1.0, -1.0))
    frame = pl.DataFrame(rows).rename(lambda name: NAMES[name[0]] + name[1:])
    found = api.evaluate(frame, loss="triplet_margin", like="torch").results[0].value
    assert found - 1.0 == pytest.approx(-1.414214269e-06, rel=1e-6)


NAMES = {"a": "anchor", "p": "positive", "n": "negative"}


@pytest.mark.parametrize("library", ["sklearn", "keras"])
@pytest.mark.parametrize("labels", [(0, 1, 1), (-1, 1, 1)])
def test_hinge_takes_both_kinds_of_labels(library, labels):
    rows = {"y": labels, "score": [-2.0, 0.5, 3.0]}
    assert number(library, "hinge", rows, task="binary") == pytest.approx(0.1666666667, rel=1e-9)


def test_several_outputs():
    rows = {"y_true_0": [0.0], "y_true_1": [0.0], "y_pred_0": [1.0], "y_pred_1": [3.0]}
    assert number("sklearn", "rmse", rows) == 2.0
    assert number("keras", "rmse", rows) == pytest.approx(2.236067977, rel=1e-9)


def test_brier_score_of_sklearn():
    three = columns("label prob_a prob_b prob_c", ("a", 0.5, 0.3, 0.2))
    half = 0.5 * (0.25 + 0.09 + 0.04)
    assert number("sklearn", "brier", three) == pytest.approx(2 * half)
    assert number("sklearn", "brier:scale_by_half=true", three) == pytest.approx(half)
    two = columns("label prob_a prob_b", ("a", 0.3, 0.7))
    assert number("sklearn", "brier", two) == pytest.approx(0.49)
    assert number("sklearn", "brier:scale_by_half=false", two) == pytest.approx(0.98)


def test_constant_targets():
    for loss in ("r2", "explained_variance"):
        wrong, exact = columns("y p", (2, 1), (2, 3)), columns("y p", (2, 2), (2, 2))
        assert number("sklearn", loss, wrong) == 0.0
        assert number("sklearn", loss, exact) == 1.0
        assert number("sklearn", f"{loss}:force_finite=false", wrong) is None
        assert number(None, loss, exact) is None
    tiny = columns("y p", (1e-4, 3e-4), (2e-4, 1e-4), (3e-4, 2e-4))
    for library in ("sklearn", "keras"):
        assert number(library, "r2", tiny) == pytest.approx(-2.0)


def test_a_tie_is_the_negative_class():
    assert number("keras", "zero_one", columns("y p", (1.0, 0.5)), task="binary") == 1.0


def sample(n=200, k=3, seed=5):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(k), n)
    p[:4] = np.eye(k)[[0, 1, 2, 0]]
    return rng, p, rng.integers(0, k, n), rng.uniform(0.5, 3.0, n)


OF_REGRESSION = {
    "mean_squared_error": metrics.mean_squared_error,
    "root_mean_squared_error": metrics.root_mean_squared_error,
    "mean_absolute_error": metrics.mean_absolute_error,
    "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error,
    "mean_squared_log_error": metrics.mean_squared_log_error,
    "root_mean_squared_log_error": metrics.root_mean_squared_log_error,
    "r2": metrics.r2_score,
    "explained_variance": metrics.explained_variance_score,
    "pinball": metrics.mean_pinball_loss,
    "mean_poisson_deviance": metrics.mean_poisson_deviance,
    "mean_gamma_deviance": metrics.mean_gamma_deviance,
    "mean_tweedie_deviance": metrics.mean_tweedie_deviance,
    "d2_tweedie": metrics.d2_tweedie_score,
}


@pytest.mark.parametrize("loss", OF_REGRESSION)
@pytest.mark.parametrize("weighted", [False, True])
def test_regression_like_sklearn(loss, weighted):
    rng, _, _, w = sample()
    y, p = rng.gamma(2.0, size=(2, 200)) + 0.1
    found = number("sklearn", loss, {"y": y, "p": p, "w": w}, **({"weight": "w"} if weighted else {}))
    expected = OF_REGRESSION[loss](y, p, sample_weight=w if weighted else None)
    assert found == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_probabilities_like_sklearn(weighted, dtype):
    rng, p, code, w = sample()
    p = p.astype(dtype)
    weight, options = (w, {"weight": "w"}) if weighted else (None, {})
    rel = 1e-10 if dtype == np.float64 else 1e-6
    frame = {"label": [f"c{c}" for c in code], "w": w, **{f"prob_c{c}": p[:, c] for c in range(3)}}
    of_classes = {
        "cross_entropy": metrics.log_loss,
        "brier": metrics.brier_score_loss,
        "d2_log_loss": metrics.d2_log_loss_score,
    }
    for loss, function in of_classes.items():
        expected = float(function(code, p, sample_weight=weight))
        assert number("sklearn", loss, frame, **options) == pytest.approx(expected, rel=rel), loss
    y = rng.integers(0, 2, 200)
    event = np.where(p[:, 0] > 0.9, np.round(p[:, 0]), p[:, 0])
    of_events = {**of_classes, "log_loss": metrics.log_loss, "d2_brier": metrics.d2_brier_score}
    for loss, function in of_events.items():
        expected = float(function(y, event, sample_weight=weight))
        found = number("sklearn", loss, {"y": y, "prob": event, "w": w}, task="binary", **options)
        assert found == pytest.approx(expected, rel=rel), loss


LABEL_CALLS = {
    "specificity": lambda y, p, w: metrics.recall_score(y, p, pos_label=0, zero_division=0, sample_weight=w),
    "npv": lambda y, p, w: metrics.precision_score(y, p, pos_label=0, zero_division=0, sample_weight=w),
    "fpr": lambda y, p, w: 1 - metrics.recall_score(y, p, pos_label=0, zero_division=0, sample_weight=w),
    "false_omission_rate": lambda y, p, w: (
        1 - metrics.precision_score(y, p, pos_label=0, zero_division=0, sample_weight=w)
    ),
    "fnr": lambda y, p, w: 1 - metrics.recall_score(y, p, zero_division=0, sample_weight=w),
    "fdr": lambda y, p, w: 1 - metrics.precision_score(y, p, zero_division=0, sample_weight=w),
    "tp": lambda y, p, w: metrics.confusion_matrix(y, p, labels=[0, 1], sample_weight=w)[1, 1],
    "fp": lambda y, p, w: metrics.confusion_matrix(y, p, labels=[0, 1], sample_weight=w)[0, 1],
}


@pytest.mark.parametrize("loss", LABEL_CALLS)
def test_rates_and_counts_like_sklearn(loss):
    rng = np.random.default_rng(6)
    y, p, w = rng.integers(0, 2, 40), rng.random(40), rng.uniform(0.5, 2.0, 40)
    for actual, predicted in ((y, p), (y, p * 0.4), (y, p * 0.4 + 0.6), (0 * y + 1, p)):
        expected = LABEL_CALLS[loss](actual, predicted > 0.5, w)
        frame = {"y": actual, "p": predicted, "w": w}
        assert number("sklearn", loss, frame, weight="w", task="binary") == pytest.approx(expected)


def test_labels_like_sklearn():
    _, p, code, w = sample()
    frame = {"label": [f"c{c}" for c in code], "w": w, **{f"prob_c{c}": p[:, c] for c in range(3)}}
    guess = p.argmax(axis=1)
    found = number("sklearn", "zero_one", frame, weight="w")
    assert found == pytest.approx(metrics.zero_one_loss(code, guess, sample_weight=w))
    found = number("sklearn", "balanced_error", frame, weight="w")
    assert found == pytest.approx(1 - metrics.balanced_accuracy_score(code, guess, sample_weight=w))
    found = number("sklearn", "multiclass_hinge", frame, weight="w")
    assert found == pytest.approx(metrics.hinge_loss(code, p, sample_weight=w))


@pytest.mark.parametrize("library", LIBRARIES)
def test_conventions_are_of_losses_and_parameters_that_there_are(library):
    entries = {entry.name: entry for entry in registry.list_losses()}
    for name, own in LIBRARIES[library].losses.items():
        known = {param.name for param in entries[name].params}
        assert {*own.params, *own.lacks} <= known, name
        registry.choose(entries[name], {}, {}, own.params)


def test_the_plan_can_be_pasted_and_is_signed(losscli):
    losscli.write(r="y,p\n1,2\n2,4\n0,3\n")
    plan = losscli(
        "evaluate", "r.csv", "--like", "keras", "-l", "mape:epsilon=1e-3", "-l", "mse", "--dry-run"
    )
    flags = plan.err.splitlines()[0].removeprefix("losscli: plan: ")
    assert "--like keras" in flags
    assert "mean_absolute_percentage_error:epsilon=0.001,percent=true" in flags
    first = losscli("evaluate", "r.csv", "--like", "keras", "-l", "mape:epsilon=1e-3", "-l", "mse", "--json")
    again = losscli("evaluate", "r.csv", *flags.split(), "--json")
    named, canonical = (json.loads(report.out) for report in (first, again))
    for result in (*named["results"], *canonical["results"]):
        del result["label"]  # the name as the user wrote it
    assert {**named, "names": {}} == canonical
    plain = losscli("evaluate", "r.csv", *flags.replace("--like keras", "").split(), "--json")
    assert json.loads(plain.out)["signature"] != json.loads(first.out)["signature"]
    assert flags in losscli("check", "r.csv", *flags.split()).out


def test_notes_say_what_was_chosen(losscli):
    losscli.write(r="y,p,w\n0,1,1\n2,4,2\n")
    argv = ("evaluate", "r.csv", "--like", "keras", "-l", "mape", "-l", "mse", "-w", "w", "--json")
    assert [each["text"] for each in json.loads(losscli(*argv).out)["findings"]] == [
        "mean_absolute_percentage_error as Keras's MeanAbsolutePercentageError: epsilon=1e-07; percent=true; "
        "the mean divides by the number of rows",
        "mean_squared_error as Keras's MeanSquaredError: the mean divides by the number of rows",
        "Keras: computed in float32 there: its numbers agree to about seven digits",
        "1 row on which mean_absolute_percentage_error:epsilon=1e-07,percent=true raises |target| to "
        "epsilon=1e-07, e.g. row 1: p 1.0, y 0.0",
    ]


CLIPS = {
    "sklearn": "log_loss: probabilities clipped at 2.22e-16 on both sides",
    "torch": "binary_cross_entropy: logarithms of probabilities not below -100",
    "keras": "BinaryCrossentropy: probabilities clipped at 1e-07 and at 1 - 1.19e-07",
}


@pytest.mark.parametrize("library", CLIPS)
def test_notes_say_where_probabilities_are_clipped(library):
    frame = pl.DataFrame({"y": [1, 0], "p": [0.0, 0.4]})
    report = api.evaluate(frame, loss="log_loss", like=library, task="binary")
    assert CLIPS[library] in report.findings[0].text
    assert f"(as {library} does), e.g. row 1" in report.findings[-1].text
    logits = api.evaluate(frame, loss="log_loss", like=library, task="binary", from_logits=True)
    assert "clipped" not in " ".join(map(str, logits.findings))


def test_rows_that_do_not_sum_to_one_are_named():
    frame = pl.DataFrame(columns("label prob_a prob_b", ("a", 0.5, 0.7), ("a", 0.5, 0.5)))
    report = api.evaluate(frame, loss="cross_entropy", like="keras")
    assert "rows of probabilities divided by their sum" in report.findings[0].text
    said = "1 row whose probabilities do not sum to one, used as keras does, e.g. row 1"
    assert said in map(str, report.findings)


REFUSED = [
    ("torch", "max_error", {}, "PyTorch has no equivalent of max_error"),
    ("torch", "smooth_l1", {"weight": "w"}, "smooth_l1_loss of PyTorch takes no weights of rows"),
    ("torch", "poisson_nll:full=true", {}, "poisson_nll_loss of PyTorch has no full"),
    ("keras", "expr: abs(e)", {}, "Keras has no equivalent of"),
    ("sklearn", "specificity:average=macro", {"task": "binary"}, "of scikit-learn has no average"),
    ("sklearn", "msle:floor=0", {}, "mean_squared_log_error of scikit-learn has no floor"),
    ("jax", "mse", {}, "--like must be sklearn, torch or keras"),
    ("keras", "mse", {"eps": 0.1}, "--eps and --like"),
]


@pytest.mark.parametrize(("library", "loss", "options", "said"), REFUSED)
def test_what_a_library_does_not_have_is_refused(library, loss, options, said):
    with pytest.raises(UsageError, match=said):
        number(library, loss, columns("y p w", (1.0, 2.0, 1.0)), **options)


def test_usual_losses_are_those_that_the_library_has():
    frame = pl.DataFrame(columns("y_true y_pred", (1.0, 2.0), (2.0, 2.5)))
    names = [result.loss for result in api.evaluate(frame, like="torch").results]
    assert names == ["mean_absolute_error", "huber"]
