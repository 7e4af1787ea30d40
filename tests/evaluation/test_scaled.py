"""Scaled errors: by a column of scales, or by the errors of a naive forecast of the same rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.cli.app import run
from losscli.errors import DataError, UsageError

RNG = np.random.default_rng(4)
N = 60
SERIES = np.repeat(["a", "b", "c"], N // 3)
Y = RNG.normal(size=N).cumsum() + 10
NAIVE = np.concatenate([[10.0], Y[:-1]])
SCALE = np.repeat([0.5, 1.5, 4.0], N // 3)
P = Y + SCALE * RNG.normal(size=N)
PREDICTIONS = pl.DataFrame({"y_pred": P, "lower": P - SCALE, "upper": P + SCALE})
TARGETS = pl.DataFrame({"y_true": Y, "naive": NAIVE, "scale": SCALE, "series": SERIES})
E, R = abs(P - Y), abs(NAIVE - Y)


def value(loss: str, preds=PREDICTIONS, targets=TARGETS, **options) -> float | None:
    return losscli.evaluate(preds, targets, loss=loss, **options).results[0].value


def test_errors_are_scaled_by_a_column_or_by_those_of_a_naive_forecast():
    points = PREDICTIONS.select("y_pred")
    assert value("mase", points, scale_by="scale") == pytest.approx(np.mean(E / SCALE), rel=1e-14)
    assert value("mase", points, naive="naive") == pytest.approx(E.sum() / R.sum(), rel=1e-14)
    rmsse = np.sqrt(np.mean((E / SCALE) ** 2))
    assert value("rmsse", points, scale_by="scale") == pytest.approx(rmsse, rel=1e-14)
    assert value("rmsse", points, naive="naive") == pytest.approx(np.sqrt(sum(E**2) / sum(R**2)), rel=1e-14)
    assert value("mrae", points, naive="naive") == pytest.approx(np.mean(E / R), rel=1e-14)
    assert value("gmrae", points, naive="naive") == pytest.approx(np.exp(np.mean(np.log(E / R))), rel=1e-14)


def test_one_scale_divides_the_unscaled_loss():
    targets = TARGETS.with_columns(scale=pl.lit(2.0))
    for scaled, plain in (("mase", "mae"), ("rmsse", "rmse"), ("msis:alpha=0.1", "interval_score:alpha=0.1")):
        preds = PREDICTIONS.select("lower", "upper") if "alpha" in scaled else PREDICTIONS.select("y_pred")
        one, other = (
            losscli.evaluate(preds, targets, loss=loss, **given).results[0]
            for loss, given in ((scaled, {"scale_by": "scale"}), (plain, {}))
        )
        assert one.value == pytest.approx(other.value / 2, rel=1e-15)
        assert one.ci_low == pytest.approx(other.ci_low / 2, rel=1e-6)


def test_a_slice_has_its_own_naive_error():
    report = losscli.evaluate(PREDICTIONS.select("y_pred"), TARGETS, loss="mase", naive="naive", by="series")
    found = {result.cell["series"]: result.value for result in report.results if result.cell}
    for name in "abc":
        own = name == SERIES
        assert found[name] == pytest.approx(E[own].sum() / R[own].sum(), rel=1e-14)


@pytest.mark.parametrize("size", [2.0**-660, 2.0**660])
def test_errors_of_any_size_have_a_ratio(size):
    preds, targets = (
        PREDICTIONS.select(pl.col("y_pred") * size),
        TARGETS.with_columns(pl.col("y_true", "naive") * size, scale=pl.col("scale") * size),
    )
    for loss in ("mase", "rmsse", "mrae", "gmrae"):
        plain = value(loss, PREDICTIONS.select("y_pred"), naive="naive")
        assert value(loss, preds, targets, naive="naive") == pytest.approx(plain, rel=1e-13)
    for loss in ("mase", "rmsse"):
        plain = value(loss, PREDICTIONS.select("y_pred"), scale_by="scale")
        assert value(loss, preds, targets, scale_by="scale") == pytest.approx(plain, rel=1e-13)


def test_models_are_compared_by_scaled_errors():
    points = PREDICTIONS.select("y_pred")
    report = losscli.compare(
        points, points.with_columns(pl.col("y_pred") + 0.1), targets=TARGETS, loss="mase", naive="naive"
    )
    (found,) = report.comparisons
    assert found.difference == pytest.approx((abs(P + 0.1 - Y).sum() - E.sum()) / R.sum(), rel=1e-12)
    own = points.with_columns(last=pl.lit(10.0))
    with pytest.raises(UsageError, match="--naive: last is a prediction, and each model has its own"):
        losscli.compare(own, own, targets=TARGETS, loss="mase", naive="last")


def test_what_scales_is_asked_for_and_refused_where_nothing_takes_it():
    points = PREDICTIONS.select("y_pred")
    with pytest.raises(UsageError, match=r"error needs --scale-by or --naive\n  -> --scale-by COLUMN: "):
        value("mase", points)
    with pytest.raises(UsageError, match="mean_relative_absolute_error needs --naive"):
        value("mrae", points, scale_by="scale")
    with pytest.raises(UsageError, match="--naive: no chosen loss takes it\n  -> it belongs to mean_abs"):
        value("mae", points, naive="naive")
    with pytest.raises(UsageError, match="--scale-by and --naive exclude each other"):
        value("mase", points, naive="naive", scale_by="scale")
    with pytest.raises(UsageError, match="--naive scales forecasts, but this is a binary task"):
        value("log_loss", [0.5], pl.DataFrame({"y": [1], "n": [1]}), naive="n", task="binary")
    two = pl.DataFrame({"y_pred_0": P, "y_pred_1": P}), pl.DataFrame({"y_true_0": Y, "y_true_1": Y, "n": Y})
    with pytest.raises(UsageError, match="2 outputs, but a scale or a naive forecast for only one"):
        value("mase", *two, naive="n")


def test_a_scale_that_is_no_positive_number_is_an_error_with_its_row():
    points = PREDICTIONS.select("y_pred")
    wrong = TARGETS.with_columns(scale=pl.Series([0.0, *SCALE[1:]]), naive=pl.Series([*NAIVE[:-1], np.inf]))
    with pytest.raises(DataError, match=r"column scale: 1 value that is not a number > 0\n  row 1: 0.0"):
        value("mase", points, wrong, scale_by="scale")
    with pytest.raises(DataError, match=r"column naive: .*\n  row 60"):
        value("mase", points, wrong, naive="naive")
    gap = TARGETS.with_columns(naive=pl.Series([None, *NAIVE[1:]]))
    with pytest.raises(DataError, match="column naive: 1 missing value"):
        value("mase", points, gap, naive="naive")
    dropped = value("mase", points, gap, naive="naive", missing="drop")
    assert dropped == pytest.approx(E[1:].sum() / R[1:].sum(), rel=1e-14)


def test_a_naive_forecast_that_is_exact_everywhere_leaves_no_ratio():
    points = PREDICTIONS.select("y_pred")
    exact = TARGETS.with_columns(naive=pl.col("y_true"))
    report = losscli.evaluate(points, exact, loss="mase", naive="naive")
    assert (report.results[0].value, str(*report.results[0].notes)) == (
        None,
        "undefined: its denominator is zero",
    )
    with pytest.raises(DataError, match="outside the domain"):
        value("mrae", points, exact, naive="naive")


def test_the_page_of_a_loss_says_which_option_it_needs(capsys):
    assert run(["explain", "mase"]) == 0
    assert "needs   --scale-by or --naive" in capsys.readouterr().out
    assert run(["explain", "mrae"]) == 0
    assert "needs   --naive" in capsys.readouterr().out
