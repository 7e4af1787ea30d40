"""The mean over outputs, and that weighted by the variance of their targets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

import losscli

RNG = np.random.default_rng(9)
Y = RNG.normal(size=(80, 3)) * [1.0, 6.0, 0.0] + [0.0, 100.0, 5.0]
P = Y + RNG.normal(size=Y.shape)
SCORES = {"r2": metrics.r2_score, "explained_variance": metrics.explained_variance_score}


@pytest.mark.parametrize("loss", SCORES)
def test_outputs_may_be_weighted_by_the_variance_of_their_targets(loss):
    for columns in ([0, 1], [1, 0], [0, 1, 2]):
        y, p = Y[:, columns], P[:, columns]
        report = losscli.evaluate(p, y, loss=f"{loss}:average=variance")
        expected = SCORES[loss](y, p, multioutput="variance_weighted")
        assert report.results[0].value == pytest.approx(expected, rel=1e-12)
        assert report.results[0].ci_low < expected < report.results[0].ci_high
    each = [result.value for result in report.results if result.cell]
    assert each[:2] == pytest.approx(SCORES[loss](Y[:, :2], P[:, :2], multioutput="raw_values"), rel=1e-12)
    assert each[2] is None


@pytest.mark.parametrize("loss", SCORES)
def test_outputs_of_equal_targets_have_no_value_unless_it_is_forced(loss):
    y, p = np.ones((5, 2)), np.tile([1.0, 2.0], (5, 1))
    for average in ("uniform", "variance"):
        assert losscli.evaluate(p, y, loss=f"{loss}:average={average}").results[0].value is None
    found = losscli.evaluate(p, y, loss=f"{loss}:force_finite=true").results[0].value
    assert found == SCORES[loss](y, p)


@pytest.mark.parametrize("size", [2.0**-600, 2.0**600])
def test_the_units_of_outputs_cancel(size):
    p, y = P[:, :2] * [1.0, size], Y[:, :2] * [1.0, size]
    whole = losscli.evaluate(p, y, loss="r2:average=variance").results[0].value
    alone = losscli.evaluate(P[:, :2], Y[:, :2], loss="r2").results
    # One of the outputs has all the variance.
    assert whole == pytest.approx(alone[2 if size > 1 else 1].value, rel=1e-12)


def test_r2_is_adjusted_for_the_number_of_predictors():
    y, p = Y[:, 0], P[:, 0]
    plain = losscli.evaluate(p, y, loss="r2").results[0].value
    found = losscli.evaluate(p, y, loss="adjusted_r2:predictors=4").results[0].value
    assert found == pytest.approx(1 - (1 - plain) * 79 / 75, rel=1e-14)
    report = losscli.evaluate(p[:5], y[:5], loss="adjusted_r2:predictors=4")
    assert "no row is left beyond the predictors" in str(*report.results[0].notes)
    slices = losscli.evaluate(
        {"y_pred": p}, {"y_true": y, "g": np.arange(80) % 2}, loss="adjusted_r2:predictors=4", by="g"
    )
    r2 = losscli.evaluate(p[::2], y[::2], loss="r2").results[0].value
    (even,) = (result for result in slices.results if result.cell == {"g": "0"})
    assert even.value == pytest.approx(1 - (1 - r2) * 39 / 35, rel=1e-13)


def test_the_kling_gupta_efficiency_is_one_without_error_and_sees_bias_spread_and_correlation():
    y = Y[:, 1]
    assert losscli.evaluate(y, y, loss="kge").results[0].value == 1.0
    for p in (1.1 * y, y + 20.0, 200.0 - y):
        terms = (np.corrcoef(y, p)[0, 1] - 1, p.std() / y.std() - 1, p.mean() / y.mean() - 1)
        expected = 1 - np.sqrt(np.square(terms).sum())
        assert losscli.evaluate(p, y, loss="kge").results[0].value == pytest.approx(expected, rel=1e-9)
    far = losscli.evaluate(y + 1e9 + 1.0, y + 1e9, loss="kge").results[0].value
    assert far == pytest.approx(1 - 1e-9, abs=1e-12)
