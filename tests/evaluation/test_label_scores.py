"""Scores of predicted labels: averages over classes, values of each class, and what divides zero by zero."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from support.grids import grid
from support.samples import LOSSES, value

import losscli
from losscli.losses.rates import NOWHERE
from losscli.numeric.scores import share_interval
from losscli.numeric.student import quantile
from losscli.tasks.binary import BinaryAgreement, BinaryOutcome

NAMES = np.array(["ant", "bird", "cat", "dog"])
RATES = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
}
NORMAL = quantile(0.95, math.inf)
DIVISION = {"zero": 0.0, "one": 1.0, "skip": math.nan}


def labels(seed: int, classes: int = 4, rows: int = 40) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Labels of which some class may be predicted or true alone."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet([0.4] * classes, 2)
    p, y = (NAMES[rng.choice(classes, rows, p=each)] for each in share)
    y = np.where(rng.random(rows) < 0.5, p, y)
    weight = rng.gamma(2.0, size=rows)
    return pl.DataFrame({"predicted_label": p}), pl.DataFrame({"label": y, "w": weight})


def evaluated(frames: tuple[pl.DataFrame, pl.DataFrame], loss: str, **options) -> list[float | None]:
    """The overall value, and that of each class."""
    given = {"task": "multiclass", "classes": list(NAMES), "weight": "w", "ci": None, **options}
    return [result.value for result in losscli.evaluate(*frames, loss=loss, **given).results]


@pytest.mark.parametrize(
    ("loss", "division", "average"), grid(RATES, DIVISION, ["macro", "micro", "weighted"])
)
def test_rates_of_classes_are_those_of_scikit_learn(loss, division, average):
    for seed in range(8):
        p, y = frames = labels(seed)
        sides, weight = (y["label"].to_numpy(), p["predicted_label"].to_numpy()), y["w"].to_numpy()
        given = {"sample_weight": weight, "zero_division": DIVISION[division]}
        if loss == "jaccard" and division == "skip":
            given["zero_division"] = 0.0  # a class that occurs has a union
        found, *of_classes = evaluated(frames, f"{loss}:average={average},zero_division={division}")
        assert found == pytest.approx(RATES[loss](*sides, average=average, **given), rel=1e-12)
        occur = np.union1d(*sides)
        alone = RATES[loss](*sides, average=None, labels=occur, **given)
        expected = dict(zip(occur, alone, strict=True))
        for name, own in zip(NAMES, of_classes, strict=True):
            wanted = expected.get(name, math.nan)
            assert own == (None if math.isnan(wanted) else pytest.approx(wanted, rel=1e-12))


@pytest.mark.parametrize("average", ["positive", "macro", "micro", "weighted"])
@pytest.mark.parametrize("loss", RATES)
def test_rates_of_two_classes_are_those_of_scikit_learn(loss, average):
    rng = np.random.default_rng(3)
    y, p = (rng.random(50) < 0.3) * 1, rng.random(50)
    report = losscli.evaluate(p, y, loss=f"{loss}:average={average}", task="binary")
    named = "binary" if average == "positive" else average
    assert report.results[0].value == pytest.approx(RATES[loss](y, p > 0.5, average=named), rel=1e-12)
    each = [result.value for result in report.results if result.cell]
    assert each == pytest.approx(RATES[loss](y, p > 0.5, average=None), rel=1e-12)


def test_a_score_is_one_minus_its_error():
    rng = np.random.default_rng(5)
    y, p = (rng.random(50) < 0.3) * 1, rng.random(50)
    pairs = {"accuracy": "zero_one", "balanced_accuracy": "balanced_error", "f1": "f1_error"}
    for score, error in {**pairs, "jaccard": "jaccard_distance"}.items():
        found = losscli.evaluate(p, y, loss=[score, error], task="binary")
        one, other = (result for result in found.results if not result.cell)
        assert one.value == pytest.approx(1 - other.value, abs=1e-15)
        if score != "jaccard":  # which is a share of rows, and has the score interval of one
            assert one.ci_low == pytest.approx(1 - other.ci_high, abs=2e-3)
        assert one.higher_is_better
        assert not other.higher_is_better


def test_each_class_has_its_rate_with_an_interval_also_of_clusters_slices_and_differences():
    p, y = labels(1, rows=400)
    rng = np.random.default_rng(2)
    y = y.with_columns(store=pl.Series(np.arange(400) // 5), region=pl.Series(rng.integers(0, 2, 400)))
    found = losscli.evaluate(p, y, loss=["precision", "accuracy"], cluster="store", by="region", weight="w")
    plain = losscli.evaluate(p, y, loss=["precision", "accuracy"], by="region", weight="w")
    for one, other in zip(found.results, plain.results, strict=True):
        assert (one.loss, one.cell, one.value) == (other.loss, other.cell, other.value)
        assert one.se is not None
        assert one.se != other.se
    for region in (0, 1):
        own = y["region"] == region
        alone = losscli.evaluate(p.filter(own), y.filter(own), loss="precision", weight="w")
        (cell,) = (
            r for r in plain.results if r.loss.endswith("precision") and r.cell == {"region": str(region)}
        )
        assert (cell.value, cell.se) == pytest.approx((alone.results[0].value, alone.results[0].se))


def test_models_are_compared_by_the_rate_of_each_class():
    a, y = labels(1, rows=200)
    b = labels(2, rows=200)[0]
    report = losscli.compare(a, b, targets=y, loss="recall", weight="w")
    overall, *classes = report.comparisons
    assert [each.cell for each in classes] == [{"class": name} for name in sorted({*y["label"]})]
    for each in (overall, *classes):
        assert each.difference == pytest.approx(each.value_b - each.value_a)
    assert overall.se > 0


def test_what_needs_all_classes_has_no_value_of_one():
    frames = labels(1)
    assert len(evaluated(frames, "cohen_kappa:weighting=linear")) == 1
    assert len(evaluated(frames, "mcc")) == 1 + len(NAMES)
    rng = np.random.default_rng(3)
    report = losscli.evaluate(rng.random(20), np.arange(20) % 2, loss=["mcc", "kappa"], task="binary")
    assert [result.cell for result in report.results] == [{}, {}]


def test_the_correlation_of_a_class_is_that_against_all_others():
    p, y = frames = labels(1)
    _, *classes = evaluated(frames, "mcc")
    for name, own in zip(NAMES, classes, strict=True):
        hits = (y["label"] == name).to_numpy(), (p["predicted_label"] == name).to_numpy()
        if all(0 < each.sum() < len(p) for each in hits):
            expected = metrics.matthews_corrcoef(*hits, sample_weight=y["w"].to_numpy())
            assert own == pytest.approx(expected, rel=1e-12)


def test_one_class_has_no_correlation_and_no_agreement():
    report = losscli.evaluate([0.2, 0.3], [0, 0], loss=["mcc", "kappa", "balanced_accuracy"], task="binary")
    notes = {result.loss: str(*result.notes) for result in report.results if not result.cell}
    assert notes == {
        "matthews_correlation": "undefined: all rows have one class, or one prediction",
        "cohen_kappa": "undefined: all rows have one class, in truth and by prediction",
        "balanced_accuracy": "undefined: it needs rows of both classes",
    }


# Exactness: against fractions of the counts, for common and for rare classes


def outcome_rows(tp: int, fp: int, fn: int, tn: int) -> tuple[np.ndarray, np.ndarray]:
    counts = (tp, fp, fn, tn)
    return np.repeat([1.0, 0.0, 1.0, 0.0], counts), np.repeat([1.0, 1.0, 0.0, 0.0], counts)


def ulps(found: float, expected: float) -> float:
    return abs(found - expected) / math.ulp(expected)


@pytest.mark.parametrize(
    "counts", [(3, 1, 2, 7), (1, 2, 1, 99_999), (99_999, 1, 2, 1), (7, 0, 5, 12_345), (1, 0, 33_333, 1)]
)
def test_scores_of_counts_are_exact(counts):
    tp, fp, fn, tn = counts
    n = sum(counts)
    y, p = outcome_rows(*counts)
    f2 = Fraction(5 * tp, 5 * tp + fp + 4 * fn)
    by_chance = Fraction((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn), n * n)
    rates = {
        "precision": Fraction(tp, tp + fp),
        "recall": Fraction(tp, tp + fn),
        "specificity": Fraction(tn, tn + fp),
        "negative_predictive_value": Fraction(tn, tn + fn),
        "f_beta": f2,
        "jaccard_index": Fraction(tp, tp + fp + fn),
        "accuracy": Fraction(tp + tn, n),
        "cohen_kappa": 1 - Fraction(fp + fn, n) / by_chance,
    }
    for name, exact in rates.items():
        kind = BinaryAgreement if name == "cohen_kappa" else BinaryOutcome
        given = {"beta": 2.0} if name == "f_beta" else {}
        found = value(name, kind(np, y, p), **given)
        # A kappa near 0 is a difference of numbers near 1.
        assert abs(found - float(exact)) <= 4 * math.ulp(max(float(exact), 0.5 if "kappa" in name else 0)), (
            name
        )
    squared = Fraction(tp * tn - fp * fn) ** 2 / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    found = value("matthews_correlation", BinaryAgreement(np, y, p))
    assert ulps(found, math.sqrt(squared)) <= 4


@pytest.mark.parametrize(
    ("beta", "as_good_as"), [(0.0, "precision"), (1e200, "recall"), (1e-200, "precision")]
)
def test_the_extremes_of_an_f_score_are_precision_and_recall(beta, as_good_as):
    y, p = outcome_rows(3, 1, 2, 7)
    batch = BinaryOutcome(np, y, p)
    assert value("f_beta", batch, beta=beta) == value(as_good_as, batch)


def test_scores_lie_in_their_range():
    for name in ("precision", "accuracy", "f_beta", "jaccard_index", "balanced_accuracy"):
        assert LOSSES[name].bounds == (0.0, 1.0)
    for name in ("matthews_correlation", "cohen_kappa"):
        assert LOSSES[name].bounds == (-1.0, 1.0)
    y, p = outcome_rows(20, 0, 1, 20)
    report = losscli.evaluate(p, y, loss=["precision", "recall", "mcc"], task="binary")
    assert all(0 <= result.ci_low <= result.ci_high <= 1 for result in report.results if result.ci_low)


# Intervals of the rate of one class: those of a share of the rows that it divides by


def test_a_rate_has_the_score_interval_of_the_rows_that_it_divides_by():
    y, p = outcome_rows(18, 4, 2, 76)
    report = losscli.evaluate(p, y, loss=["precision", "recall", "jaccard", "specificity"], task="binary")
    rows = {"precision": (18, 22), "recall": (18, 20), "jaccard_index": (18, 24), "specificity": (76, 80)}
    for name, (hits, whole) in rows.items():
        low, high = share_interval(hits / whole, whole, NORMAL)
        assert (report[name].ci_low, report[name].ci_high) == pytest.approx((low, high), rel=1e-12)


def test_a_rate_without_a_miss_has_an_interval_also_of_a_class_and_of_weighted_rows():
    y, p = outcome_rows(20, 0, 5, 20)
    targets = {"y": y, "w": np.where(y == 1, 3.0, 1.0), "g": np.arange(45) // 3}
    low, _ = share_interval(1.0, 20, NORMAL)
    plain = losscli.evaluate({"p": p}, targets, loss="precision", task="binary")
    assert (plain.results[0].ci_low, plain.results[0].ci_high) == (pytest.approx(low), 1.0)
    (positive,) = (result for result in plain.results if result.cell == {"class": "1"})
    assert (positive.ci_low, positive.ci_high) == (plain.results[0].ci_low, 1.0)
    weighted = losscli.evaluate({"p": p}, targets, loss="precision", task="binary", weight="w").results[0]
    assert weighted.ci_low == pytest.approx(low, abs=0.01)
    clustered = losscli.evaluate({"p": p}, targets, loss="precision", task="binary", cluster="g").results[0]
    assert clustered.ci_low < low
    assert clustered.ci_high == 1.0


def test_what_counts_zero_over_zero_says_so():
    y, p = np.array([1.0, 1.0, 0.0]), np.array([0.2, 0.3, 0.1])
    for loss, told in (
        ("precision", "0 / 0 counts as 0 (zero_division=zero)"),
        ("precision:zero_division=one", "0 / 0 counts as 1 (zero_division=one)"),
        ("precision:average=macro", "0 / 0 counts as 0 (zero_division=zero)"),
        ("precision:zero_division=skip", f"undefined: {NOWHERE}"),
        ("recall", ""),
        ("precision:average=micro", ""),
        ("f1", ""),
    ):
        notes = [str(n) for n in losscli.evaluate(p, y, loss=loss, task="binary").results[0].notes]
        assert (told in notes) if told else not any("0 / 0" in n for n in notes), (loss, notes)
    whole = losscli.evaluate(np.array([0.9, 0.8]), np.ones(2), loss="specificity", task="binary").results[0]
    assert (whole.value, str(whole.notes[0])) == (0.0, "0 / 0 counts as 0 (zero_division=zero)")


# Counts


def test_counts_are_whole_numbers_of_each_class_and_sums_of_weights():
    names = ["true_positives", "false_positives", "false_negatives", "true_negatives"]
    p, y = labels(1, rows=123)
    guess, true = p["predicted_label"].to_numpy(), y["label"].to_numpy()
    classes = np.union1d(guess, true)
    matrix = metrics.multilabel_confusion_matrix(true, guess, labels=classes)
    cells = {"true_positives": (1, 1), "false_positives": (0, 1), "false_negatives": (1, 0)}
    cells["true_negatives"] = (0, 0)
    for name in names:
        overall, *each = losscli.evaluate(p, y, loss=name, ci=None).results
        expected = matrix[:, *cells[name]]
        assert [result.value for result in each] == expected.tolist()
        assert overall.value == expected.sum()
        weighted = losscli.evaluate(p, y, loss=name, weight="w").results[0]
        found = metrics.multilabel_confusion_matrix(
            true, guess, labels=classes, sample_weight=y["w"].to_numpy()
        )
        assert weighted.value == pytest.approx(found[:, *cells[name]].sum(), rel=1e-12)
        assert weighted.se > 0


def test_a_count_can_be_a_gate():
    y, p = outcome_rows(20, 3, 4, 20)
    report = losscli.evaluate(p, y, task="binary", loss="fn", gate=["fn <= 4", "true_negatives >= 21"])
    assert [verdict.status for verdict in report.gates] == ["pass", "fail"]


COUNTS = ("tp", "fp", "fn", "tn")


def counted(frame, **options):
    """The four counts of a frame with y and p, overall."""
    report = losscli.evaluate(frame, target="y", pred="p", loss=list(COUNTS), **options)
    return dict(zip(COUNTS, (each for each in report.results if not each.cell), strict=True))


@pytest.mark.parametrize("weight", [1.0, 0.1, 7.0])
def test_a_count_has_the_score_interval_of_its_share_of_the_rows(weight):
    y, p = np.repeat([1, 1, 0], [20, 10, 20]), np.repeat([0.9, 0.2, 0.1], [20, 10, 20])
    frame = pl.DataFrame({"y": y, "p": p, "w": np.full(50, weight)})
    found = counted(frame, task="binary", weight="w")
    for name, rows in {"tp": 20, "fp": 0, "fn": 10, "tn": 20}.items():
        low, high = share_interval(rows / 50, 50, NORMAL)
        expected = [rows * weight, low * 50 * weight, high * 50 * weight]
        each = found[name]
        assert [each.value, each.ci_low, each.ci_high] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert each.notes == ()
    assert found["fp"].ci_high / (50 * weight) == pytest.approx(0.0713, abs=1e-4)
    assert found["fp"].se > 0


def test_counts_of_classes_are_shares_of_the_rows_and_never_exceed_them():
    y = np.repeat(["a", "b", "c"], 20)
    report = losscli.evaluate(
        pl.DataFrame({"p": y}), pl.DataFrame({"y": y}), loss=list(COUNTS), task="multiclass"
    )
    low, _ = share_interval(1.0, 60, NORMAL)
    ends = {(each.loss.split("_", 1)[1], each.cell.get("class")): (each.ci_low, each.ci_high)
            for each in report.results}  # fmt: skip
    assert ends["true_positives", None] == pytest.approx((60 * low, 60))
    assert ends["false_positives", None] == ends["false_negatives", None] == pytest.approx((0, 60 - 60 * low))
    # Each row is a true negative of one class, or if it is wrong of one less.
    assert ends["true_negatives", None] == pytest.approx((60 + 60 * low, 120))
    one, two = (share_interval(share, 60, NORMAL) for share in (1 / 3, 2 / 3))
    assert ends["true_positives", "b"] == pytest.approx((60 * one[0], 60 * one[1]))
    assert ends["true_negatives", "b"] == pytest.approx((60 * two[0], 60 * two[1]))


def test_counts_of_labels_stay_within_what_rows_may_have():
    rng = np.random.default_rng(2)
    y = pl.DataFrame((rng.random((40, 3)) < 0.5) * 1, schema=["a", "b", "c"])
    for probabilities in (pl.all() * 0.8 + 0.1, pl.all() * -0.8 + 0.9):
        p = y.select(probabilities)
        for each in losscli.evaluate(p, y, loss=list(COUNTS), task="multilabel").results:
            assert 0 <= each.ci_low < each.ci_high <= (40 if each.cell else 120)
            assert each.ci_low <= each.value <= each.ci_high


def test_counts_of_clusters_have_wider_intervals():
    rng = np.random.default_rng(3)
    actual, cluster = np.repeat(rng.random(30) < 0.4, 5) * 1, np.repeat(np.arange(30), 5)
    frame = pl.DataFrame({"y": actual, "p": np.full(150, 0.9), "k": cluster})
    apart, together = (counted(frame, task="binary", **more)["tp"] for more in ({}, {"cluster": "k"}))
    assert together.value == apart.value
    assert together.ci_high - together.ci_low > 1.8 * (apart.ci_high - apart.ci_low)


@pytest.mark.parametrize("loss", COUNTS)
def test_a_difference_of_counts_is_that_of_shares_times_the_rows(loss):
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 80)
    a, b = (np.where(rng.random(80) < share, y, 1 - y) * 0.8 + 0.1 for share in (0.9, 0.7))
    shares = {
        "tp": "expr: where(p > 0.5, y, 0)",
        "fp": "expr: where(p > 0.5, 1 - y, 0)",
        "fn": "expr: where(p > 0.5, 0, y)",
        "tn": "expr: where(p > 0.5, 0, 1 - y)",
    }
    names = [loss, shares[loss]]
    count, share = (
        each
        for each in losscli.compare(a, b, targets=y, loss=names, task="binary").comparisons
        if not each.cell
    )
    assert count.p_value == pytest.approx(share.p_value, rel=1e-12)
    for field in ("difference", "se", "ci_low", "ci_high"):
        assert getattr(count, field) == pytest.approx(80 * getattr(share, field), rel=1e-9)


def test_a_difference_of_counts_of_classes_is_that_of_accuracy():
    rng = np.random.default_rng(5)
    y = NAMES[rng.integers(0, 4, 80)]
    a, b = (np.where(rng.random(80) < share, y, NAMES[rng.integers(0, 4, 80)]) for share in (0.9, 0.5))
    accuracy, right, rejected = (
        each
        for each in losscli.compare(
            *(pl.DataFrame({"label": each}) for each in (a, b)),
            targets=pl.DataFrame({"y": y}), loss=["accuracy", "tp", "tn"], task="multiclass",
        ).comparisons
        if not each.cell
    )  # fmt: skip
    for count in (right, rejected):
        assert count.p_value == pytest.approx(accuracy.p_value, rel=1e-12)
        for field in ("difference", "se", "ci_low", "ci_high"):
            assert getattr(count, field) == pytest.approx(80 * getattr(accuracy, field), rel=1e-9)


@pytest.mark.parametrize("actual", [[1, 0] * 20, [1] * 40, [0, 1] + [0] * 38])
def test_the_jaccard_distance_has_the_interval_of_one_minus_the_index(actual):
    p = np.where(np.arange(40) < 10, 0.9, 0.2)
    report = losscli.evaluate(p, np.array(actual), loss=["jaccard_distance", "jaccard_index"], task="binary")
    distance, index = report["jaccard_distance"], report["jaccard_index"]
    assert (distance.value, distance.se) == pytest.approx((1 - index.value, index.se))
    assert (distance.ci_low, distance.ci_high) == pytest.approx((1 - index.ci_high, 1 - index.ci_low))
    assert distance.ci_low < distance.ci_high
