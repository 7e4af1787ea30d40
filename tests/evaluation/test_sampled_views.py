"""Charts of more rows than are counted one by one: estimates that say so, but for what must be exact."""

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

import losscli
from losscli.evaluation.views import base
from losscli.plan import plan as plans
from losscli.states.sampled import RATE

N, EVERY = 320_000, 16_384
RNG = np.random.default_rng(5)
Y = RNG.normal(5, 3, N)
P = Y + RNG.normal(0.5, 1 + np.abs(Y) / 5, N)
SCORE = RNG.random(N)
LABEL = (RNG.random(N) < SCORE).astype(int)


@pytest.fixture(autouse=True)
def few_rows_are_counted_one_by_one(monkeypatch):
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 32_768)
    monkeypatch.setattr(base, "EVERY_ROW", EVERY)


def charts(columns, **options):
    report = losscli.evaluate(pl.DataFrame(columns), target="y", pred="p", charts=True, **options)
    return {chart.name: chart for chart in report.charts}


def numbers(chart, name):
    return np.array(chart.columns[name], dtype=float)


@pytest.mark.parametrize("weighted", [False, True], ids=["no weights", "weights"])
def test_bias_is_that_of_all_rows_within_its_interval(weighted):
    weight = RNG.integers(0, 4, N) * 0.5 if weighted else np.ones(N)
    options = {"weight": "w"} if weighted else {}
    found = charts({"p": P, "y": Y, "w": weight}, loss="mae", **options)
    bias, (note,) = found["bias"], found["bias"].notes
    edges = numbers(bias, "prediction_high")[:-1]
    place = np.searchsorted(edges, P, side="right")
    total, residual, size = (
        np.bincount(place, each) for each in (weight, weight * (P - Y), (weight > 0).astype(float))
    )
    assert note.code == "sampled-chart"
    for name, own, each in (("weight", total, weight), ("rows", size, weight > 0)):
        errors = np.sqrt(RATE * np.bincount(place, each.astype(float) ** 2))
        assert (abs(numbers(bias, name) - own) < 4 * errors).all()
    outside = (residual / total < numbers(bias, "ci_low")) | (residual / total > numbers(bias, "ci_high"))
    assert outside.sum() <= 2  # of 15 intervals at 95 %
    # The width is that of the rows that were drawn, not of those that they stand for, by Kish's formula.
    whole = np.sqrt(np.bincount(place, weight**2 * (P - Y) ** 2)) / total
    width = (numbers(bias, "ci_high") - numbers(bias, "ci_low")) / 2 / 1.96
    assert np.median(width / whole) == pytest.approx(np.sqrt((EVERY + (N - EVERY) * RATE) / N), rel=0.15)


def test_all_charts_of_a_sample_say_so():
    found = charts({"p": P, "y": Y}, loss="mae")
    assert set(found) == {"residuals", "bias", "residual_distribution", "loss_distribution"}
    for name in ("bias", "residual_distribution"):
        assert sum(numbers(found[name], "rows")) == pytest.approx(N, rel=0.001)
    for chart in found.values():
        assert chart.notes[-1].code == "sampled-chart"
        assert chart.notes[-1].text.startswith("estimated from ")
    assert pytest.approx(EVERY + (N - EVERY) / RATE, abs=100) == int(
        found["bias"].notes[-1].text.split()[2].replace(",", "")
    )


def test_data_that_repeat_are_drawn_evenly():
    """Each row at a distance of RATE alone would give a residual of one kind."""
    period = RATE // 4
    y = np.tile(np.arange(period), N // period).astype(float)
    found = charts({"p": 2 * y, "y": y}, loss="mae")["residual_distribution"]
    assert sum(rows > 0 for rows in found.columns["rows"]) == period


@pytest.mark.parametrize("weighted", [False, True], ids=["no weights", "weights"])
def test_the_greatest_losses_are_all_counted(weighted):
    error = RNG.exponential(1, N)
    error[280_001] = error.sum()
    weight = RNG.integers(0, 4, N) * 0.5 if weighted else np.ones(N)
    weight[280_001] = 1.0
    options = {"weight": "w"} if weighted else {}
    found = charts({"p": error, "y": np.zeros(N), "w": weight}, loss="mae", **options)["loss_distribution"]
    assert numbers(found, "rows")[-1] == 1
    expected = error[280_001] / (weight * error).sum()
    assert numbers(found, "top_loss_share")[-1] == pytest.approx(expected, rel=0.02)
    assert sum(numbers(found, "rows")) == pytest.approx((weight > 0).sum(), rel=0.03)


def test_equal_losses_have_their_shares():
    found = charts({"p": (LABEL + (RNG.random(N) < 0.3)) % 2, "y": LABEL}, loss="zero_one")
    assert numbers(found["loss_distribution"], "share")[-1] == pytest.approx(0.3, abs=0.02)


def test_confusion_and_coverage_count_all_rows():
    found = charts({"p": SCORE, "y": LABEL}, task="binary")
    expected = metrics.confusion_matrix(LABEL, SCORE > 0.5).ravel()
    assert found["confusion"].columns["rows"] == expected.tolist()
    assert found["confusion"].notes == ()
    assert found["reliability"].notes[-1].code == "sampled-chart"
    assert numbers(found["reliability"], "observed") == pytest.approx(np.arange(10) / 10 + 0.05, abs=0.06)
    report = losscli.evaluate(
        pl.DataFrame({"q_0.5": P, "y": Y}), target="y", task="quantile", charts=True, loss="pinball"
    )
    (coverage,) = (chart for chart in report.charts if chart.name == "coverage")
    assert coverage.columns["observed"] == [pytest.approx((Y <= P).mean(), abs=1e-12)]


def test_soft_labels_are_sampled_too():
    found = charts({"p": SCORE, "y": np.where(RNG.random(N) < 0.5, LABEL, 0.25)}, loss="log_loss")
    assert sum(numbers(found["score_distribution"], "weight")) == pytest.approx(N, rel=0.01)


def test_threads_and_parts_change_nothing(tmp_path):
    frame = pl.DataFrame({"p": P, "y": Y})
    given = {"target": "y", "pred": "p", "loss": "mae", "charts": True}
    whole = losscli.evaluate(frame, **given)
    assert losscli.evaluate(frame, **given, threads=1).charts == whole.charts
    half = N // 2
    for name, rows in (("a", frame[:half]), ("b", frame[half:])):
        losscli.evaluate(rows, **given, state=tmp_path / f"{name}.state")
    merged = losscli.merge(tmp_path / "a.state", tmp_path / "b.state")
    (bias,) = (chart for chart in merged.charts if chart.name == "bias")
    assert sum(numbers(bias, "rows")) == pytest.approx(N, rel=0.001)
    small = losscli.merge(_state(frame[:12_000], given, tmp_path / "c.state"), tmp_path / "a.state")
    assert small.charts[0].notes[-1].code == "sampled-chart"  # one part without, and one with a sample


def _state(frame, given, path):
    losscli.evaluate(frame, **given, state=path)
    return path


def test_few_groups_in_a_block_are_drawn_as_often():
    rows = pl.DataFrame(
        {
            "q": np.repeat(np.arange(N // 500), 500),
            "p": RNG.normal(size=N),
            "y": RNG.integers(0, 3, N),
        }
    )
    report = losscli.evaluate(rows, target="y", pred="p", group="q", loss="ndcg", charts=True)
    gain = next(chart for chart in report.charts if chart.name == "gain")
    assert gain.columns["rows"][0] == N // 500
