"""What charts show, from the same pass as the losses: against scikit-learn, and by the laws of states."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from support import cupy_stub

import losscli
from losscli.errors import DataError
from losscli.plan import plan as plans
from losscli.report.charts import KINDS

SAMPLES = Path(__file__).parents[2] / "sample_data"
CANCER = SAMPLES / "breast_cancer"
RNG = np.random.default_rng(11)
N = 3_000
LABELS = np.arange(N) % 2
SCORES = np.random.default_rng(12).dirichlet(np.ones(3), N)


def charts_of(report, name, **cell):
    return [chart for chart in report.charts if chart.name == name and chart.cell == cell]


def chart_of(report, name, **cell):
    (chart,) = charts_of(report, name, **cell)
    return {column: np.array(values, dtype=object) for column, values in chart.columns.items()}


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


@pytest.fixture(scope="module")
def cancer():
    """The report of a sample model, its targets and its probabilities."""
    rows = pl.read_csv(CANCER / "logistic.csv").join(pl.read_csv(CANCER / "targets.csv"), on="id")
    (score,) = (name for name, kind in rows.schema.items() if kind == pl.Float64)
    files = (CANCER / "logistic.csv", CANCER / "targets.csv")
    report = losscli.evaluate(*files, positive="malignant", charts=True)
    return report, (rows["label"] == "malignant").to_numpy().astype(int), rows[score].to_numpy()


def test_reliability_is_the_calibration_curve_of_scikit_learn(cancer):
    report, y, p = cancer
    found = chart_of(report, "reliability")
    observed, predicted = calibration_curve(y, p, n_bins=10)
    np.testing.assert_allclose(numbers(found["observed"]), observed, rtol=1e-14)
    np.testing.assert_allclose(numbers(found["probability"]), predicted, rtol=1e-14)
    assert sum(found["rows"]) == len(y)


def check_curves(report, y, score, weight=None, **cell):
    """Points of both curves are those of scikit-learn at their thresholds, and reach both ends."""
    weight = np.ones(len(y)) if weight is None else weight
    found = chart_of(report, "roc", **cell)
    false, true, thresholds = metrics.roc_curve(y, score, sample_weight=weight, drop_intermediate=False)
    at = at_or_above(thresholds, found["threshold"])
    np.testing.assert_allclose(numbers(found["false_positive_rate"]), false[at], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(numbers(found["true_positive_rate"]), true[at], rtol=1e-12, atol=1e-15)
    assert (found["true_positive_rate"][0], found["true_positive_rate"][-1]) == (0, 1)

    found = chart_of(report, "precision_recall", **cell)
    precision, recall, thresholds = metrics.precision_recall_curve(y, score, sample_weight=weight)
    at = at_or_above(np.r_[np.inf, thresholds[::-1]], found["threshold"])
    np.testing.assert_allclose(numbers(found["precision"]), precision[::-1][at], rtol=1e-12)
    np.testing.assert_allclose(numbers(found["recall"]), recall[::-1][at], rtol=1e-12)


def at_or_above(thresholds, shown):
    """The last of descending thresholds that is at least each shown one; the first is of no row."""
    shown = [np.inf if value is None else value for value in shown]
    return np.searchsorted(-thresholds, -np.array(shown, dtype=float), side="right") - 1


def test_curves_are_those_of_scikit_learn_on_the_sample_data(cancer):
    check_curves(*cancer)


@pytest.mark.parametrize("kind", ["probabilities", "printed", "logits", "scores"])
def test_curves_are_those_of_scikit_learn_with_weights(kind):
    logit = RNG.normal(0, 3, N)
    y = (RNG.random(N) < 1 / (1 + np.exp(-logit))).astype(int)
    weight = RNG.integers(0, 4, N) * 0.5
    p = 1 / (1 + np.exp(-logit))
    score = {"probabilities": p, "printed": p.round(2), "logits": logit, "scores": logit.round(1)}[kind]
    options = {"logits": {"from_logits": True}, "scores": {"loss": "hinge"}}.get(kind, {})
    report = losscli.evaluate(score, y, task="binary", weight=weight, charts=True, **options)
    check_curves(report, y, score, weight)
    if kind == "probabilities":
        found = chart_of(report, "reliability")
        place = np.minimum((score * 10).astype(int), 9)
        total = np.bincount(place, weight)
        np.testing.assert_allclose(numbers(found["observed"]), np.bincount(place, weight * y) / total)
        np.testing.assert_allclose(numbers(found["probability"]), np.bincount(place, weight * p) / total)
        np.testing.assert_allclose(numbers(found["weight"]), total)
        assert found["rows"].tolist() == np.bincount(place[weight > 0]).tolist()
    if kind == "scores":
        assert not charts_of(report, "reliability")
    spread = chart_of(report, "score_distribution")
    for name in ("0", "1"):
        own = spread["class"] == name
        assert sum(spread["weight"][own]) == weight[y == int(name)].sum()


def test_costs_are_the_errors_at_each_threshold():
    p, y = RNG.random(N).round(3), RNG.integers(0, 2, N)
    found = chart_of(losscli.evaluate(p, y, loss="log_loss", charts=True), "threshold_cost")
    for threshold, cost in zip(found["threshold"][1:], found["cost"][1:], strict=True):
        assert cost == pytest.approx(((p >= threshold) != y).mean())


def test_soft_labels_count_in_both_classes():
    p, y = RNG.random(N), RNG.random(N)
    report = losscli.evaluate(p, y, loss="log_loss", charts=True)
    found = chart_of(report, "reliability")
    place = np.minimum((p * 10).astype(int), 9)
    np.testing.assert_allclose(numbers(found["observed"]), np.bincount(place, y) / np.bincount(place))
    assert sum(found["rows"]) == N


@pytest.mark.parametrize("classes", [5, 30])
def test_confusion_is_that_of_scikit_learn(classes):
    scores = RNG.random((N, classes))
    y = RNG.integers(0, classes, N)
    scores[np.arange(N), y] += 0.5
    weight = RNG.integers(0, 3, N).astype(float)
    columns = {f"p_{place}": scores[:, place] / scores.sum(axis=1) for place in range(classes)}
    frame = pl.DataFrame({**columns, "y": y, "w": weight})
    pred = list(columns)
    report = losscli.evaluate(frame, target="y", pred=pred, task="multiclass", weight="w", charts=True)
    found = chart_of(report, "confusion")
    expected = metrics.confusion_matrix(y, scores.argmax(axis=1), sample_weight=weight)
    names = report.to_dict()["charts"] and sorted({*found["actual"], *found["predicted"]}, key=int)
    for actual, predicted, own, share in zip(
        found["actual"], found["predicted"], found["weight"], found["share"], strict=True
    ):
        row = expected[int(actual)]
        assert own == row[int(predicted)]
        assert share == pytest.approx(row[int(predicted)] / row.sum())
    if classes <= 20:
        assert len(names) == classes
        assert sum(found["weight"]) == weight.sum()
    else:
        worst = np.sort(expected[~np.eye(classes, dtype=bool)])[::-1][:20]
        assert found["weight"].tolist() == worst.tolist()


def test_confusion_of_a_sample_model():
    files = (SAMPLES / "digits" / "logistic.parquet", SAMPLES / "digits" / "targets.parquet")
    report = losscli.evaluate(*files, loss="log_loss", charts=True)
    predictions, targets = map(pl.read_parquet, files)
    rows = predictions.join(targets, on="id")
    names = [name for name in predictions.columns if name != "id"]
    label = next(name for name in targets.columns if name != "id")
    guess = rows.select(names).to_numpy().argmax(axis=1)
    expected = metrics.confusion_matrix(rows[label].to_numpy(), guess)
    assert chart_of(report, "confusion")["rows"].tolist() == expected.ravel().tolist()


def test_residuals_and_their_bias():
    p = RNG.gamma(3, 50, N)
    y = p + RNG.standard_cauchy(N)
    weight = RNG.integers(0, 3, N).astype(float)
    report = losscli.evaluate(p, y, weight=weight, loss="mae", charts=True)
    residual, counted = p - y, weight > 0
    found = chart_of(report, "bias")
    edges = np.r_[numbers(found["prediction_low"]), np.inf]
    place = np.searchsorted(edges, p, side="right") - 1
    total = np.bincount(place[counted], weight[counted])
    np.testing.assert_allclose(numbers(found["weight"]), total)
    np.testing.assert_allclose(numbers(found["residual"]), np.bincount(place, weight * residual) / total)
    np.testing.assert_allclose(numbers(found["prediction"]), np.bincount(place, weight * p) / total)
    assert sum(found["rows"]) == counted.sum()
    # Few rows lie far away: they are counted, and do not coarsen what is shown of the others.
    spread = charts_of(report, "residual_distribution")[0]
    shown = sum(spread.columns["weight"])
    inside = (residual >= spread.columns["residual_low"][0]) & (
        residual < spread.columns["residual_high"][-1]
    )
    assert shown == weight[inside].sum()
    assert shown >= 0.99 * weight.sum()
    assert [note.code for note in spread.notes] == ["beyond-chart"]
    assert len(spread.columns["rows"]) > 20


def test_a_prediction_far_from_all_others_is_said_and_does_not_coarsen_the_others():
    p, y = np.random.default_rng(5).normal(10, 3, (2, N))
    p[7] = 40000
    report = losscli.evaluate(p, y, loss="mae", charts=True)
    said = "1 row (0.03 %) is outside the plotted range: predictions are from"
    for name in ("residuals", "bias"):
        (chart,) = charts_of(report, name)
        assert max(chart.columns["prediction_high"]) <= 32
        assert sum(chart.columns["rows"]) == N - 1
        (note,) = chart.notes
        assert note.text.startswith(said)
        assert "to 40000" in note.text
    assert len(set(charts_of(report, "residuals")[0].columns["prediction_low"])) >= 10
    assert max(map(abs, chart_of(report, "bias")["residual"])) < 10


def test_the_error_of_the_bias_is_nearly_exact():
    p = RNG.uniform(100, 200, N)
    y = p + RNG.normal(0, 5, N)
    found = chart_of(losscli.evaluate(p, y, loss="mae", charts=True), "bias")
    edges = np.r_[numbers(found["prediction_low"]), np.inf]
    place = np.searchsorted(edges, p, side="right") - 1
    for group in range(len(found["rows"])):
        own = (p - y)[place == group]
        half = 1.96 * own.std(ddof=1) / np.sqrt(len(own))
        assert found["ci_high"][group] - found["residual"][group] == pytest.approx(half, rel=0.03)


def test_the_greatest_losses_have_their_share():
    y = RNG.standard_t(3, N)
    report = losscli.evaluate(np.zeros(N), y, loss=["mae", "mse", "rmse"], charts=True)
    assert [chart.loss for chart in report.charts if chart.name == "loss_distribution"] == [
        "mae",
        "mse",
        "rmse",
    ]
    found = chart_of(losscli.evaluate(np.zeros(N), y, loss="mse", charts=True), "loss_distribution")
    loss = y**2
    for low, share, of_loss in zip(
        found["loss_low"], found["top_share"], found["top_loss_share"], strict=True
    ):
        assert share == pytest.approx((loss >= low).mean())
        assert of_loss == pytest.approx(loss[loss >= low].sum() / loss.sum())
    assert sum(found["rows"]) == N


def test_labels_have_charts_of_their_own():
    y = RNG.integers(0, 2, (N, 2))
    p = (y + RNG.random((N, 2))) / 2
    frame = pl.DataFrame({"a": p[:, 0], "b": p[:, 1]})
    targets = pl.DataFrame({"a": y[:, 0], "b": y[:, 1]})
    report = losscli.evaluate(frame, targets, task="multilabel", pred="a,b", target="a,b", charts=True)
    for place, name in enumerate("ab"):
        check_curves(report, y[:, place], p[:, place], label=name)


def test_coverage_counts_targets_at_or_below_each_quantile():
    y = RNG.normal(0, 1, N).round(1)
    frame = pl.DataFrame({"q0.1": np.full(N, -1.3), "q0.9": np.full(N, 1.0), "y": y})
    found = chart_of(losscli.evaluate(frame, target="y", charts=True), "coverage")
    assert found["nominal"].tolist() == [0.1, 0.9]
    assert found["observed"].tolist() == [(y <= -1.3).mean(), (y <= 1.0).mean()]


def test_the_pit_of_calibrated_distributions_is_uniform():
    y = RNG.normal(2, 3, N)
    frame = pl.DataFrame({"mu": np.full(N, 2.0), "sigma": np.full(N, 3.0), "y": y})
    found = chart_of(losscli.evaluate(frame, target="y", loss="crps_normal", charts=True), "pit")
    assert sum(found["rows"]) == N
    inside = sum(low <= 1 <= high for low, high in zip(found["ci_low"], found["ci_high"], strict=True))
    assert inside >= 17
    counts = pl.DataFrame({"mean": np.full(N, 2.5), "y": RNG.poisson(2.5, N)})
    found = chart_of(losscli.evaluate(counts, target="y", loss="crps_poisson", charts=True), "pit")
    assert np.abs(numbers(found["density"]) - 1).max() < 0.2
    assert sum(numbers(found["weight"])) == pytest.approx(N)


def test_ranks_in_an_ensemble_with_ties():
    members = np.sort(RNG.integers(0, 4, (N, 3)), axis=1).astype(float)
    y = RNG.integers(0, 4, N).astype(float)
    frame = pl.DataFrame({f"m{place}": members[:, place] for place in range(3)} | {"y": y})
    found = chart_of(losscli.evaluate(frame, target="y", loss="crps_ensemble", charts=True), "rank_histogram")
    expected = np.zeros(4)
    for row, target in zip(members, y, strict=True):
        below, tied = (row < target).sum(), (row == target).sum()
        expected[below : below + tied + 1] += 1 / (tied + 1)
    np.testing.assert_allclose(numbers(found["weight"]), expected)


def test_bins_of_a_logarithmic_axis_are_about_equally_wide():
    loss = np.exp(np.random.default_rng(1).normal(0, 1, 20_000))
    report = losscli.evaluate(loss, np.zeros(len(loss)), loss="mae", charts=True)
    found = chart_of(report, "loss_distribution")
    low, high = numbers(found["loss_low"])[1:], numbers(found["loss_high"])[1:]
    widths = np.log2(high / low)
    assert widths.min() > 0.2
    assert widths.max() < 0.3


def test_gain_is_the_mean_relevance_at_each_rank():
    groups = np.repeat(np.arange(N // 6), 6)[:N]
    relevance, score = RNG.integers(0, 4, N), RNG.random(N)
    frame = pl.DataFrame({"qid": groups, "score": score, "y": relevance})
    report = losscli.evaluate(frame, target="y", group="qid", loss="ndcg", charts=True)
    found = chart_of(report, "gain")
    order = np.lexsort([-score, groups])
    expected = relevance[order].reshape(-1, 6)
    np.testing.assert_allclose(numbers(found["relevance"]), expected.mean(axis=0))
    ideal = -np.sort(-expected, axis=1)
    np.testing.assert_allclose(numbers(found["ideal"]), ideal.mean(axis=0))
    assert found["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert report.unit == report.charts[0].unit == "groups"


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 2048)


FRAMES = {
    "regression": ({"p": RNG.normal(5, 3, N), "y": RNG.normal(5, 4, N)}, {"loss": "mae"}),
    "binary": ({"p": RNG.random(N), "y": RNG.integers(0, 2, N)}, {"task": "binary"}),
    "multiclass": (
        {
            **{f"p_{i}": column for i, column in enumerate(RNG.normal(0, 1, (3, N)))},
            "y": RNG.integers(0, 3, N),
        },
        {"task": "multiclass", "pred": "p_0,p_1,p_2", "from_logits": True},
    ),
}


@pytest.mark.parametrize("place", [5, 1500, N - 1], ids=["first block", "inner block", "last block"])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_soft_labels_may_be_in_some_blocks_alone(task, place, small_blocks, tmp_path):
    if task == "binary":
        columns, expected = {"y": np.where(np.arange(N) == place, 0.3, LABELS), "p": SCORES[:, 0]}, 7
        given = {"target": "y", "pred": "p", "loss": "log_loss", "charts": True}
    else:
        target = np.eye(3)[LABELS]
        target[place] = [0.2, 0.3, 0.5]
        columns = {f"y_{i}": target[:, i] for i in range(3)} | {f"p_{i}": SCORES[:, i] for i in range(3)}
        given = {"target": "y_0,y_1,y_2", "pred": "p_0,p_1,p_2", "loss": "log_loss", "charts": True}
        given["task"], expected = "multiclass", 2
    frame = pl.DataFrame(columns)
    found = losscli.evaluate(frame, **given).charts
    assert len(found) == expected
    ones = losscli.evaluate(frame.with_columns(w=1.0), weight="w", **given).charts
    for chart, other in zip(found, ones, strict=True):
        for name in chart.columns:
            np.testing.assert_allclose(numbers(chart.columns[name]), numbers(other.columns[name]))
    paths = [tmp_path / f"{part}.state" for part in "ab"]
    for path, rows in zip(paths, (frame[: N // 2], frame[N // 2 :]), strict=True):
        losscli.evaluate(rows, **given, state=path)
    assert [chart.name for chart in losscli.merge(*paths).charts] == [chart.name for chart in found]


@pytest.mark.parametrize(("columns", "options"), FRAMES.values(), ids=FRAMES)
def test_charts_depend_on_the_rows_alone(columns, options, small_blocks, tmp_path):
    frame = pl.DataFrame({**columns, "w": RNG.integers(0, 3, N) * 0.5})
    given = {"target": "y", "pred": "p", "weight": "w", "charts": True, **options}
    whole = losscli.evaluate(frame, **given)
    assert whole.charts
    assert losscli.evaluate(frame, **given, threads=1).charts == whole.charts
    parts = []
    for place, rows in enumerate(np.array_split(np.arange(N), 3)):
        parts.append(tmp_path / f"{place}.state")
        losscli.evaluate(frame[rows], **given, state=parts[-1])
    merged = losscli.merge(*reversed(parts))
    for own, chart in zip(merged.charts, whole.charts, strict=True):
        assert (own.name, own.cell, own.columns.keys()) == (chart.name, chart.cell, chart.columns.keys())
        for name, values in own.columns.items():
            if chart.kind.columns and name in ("rows", "weight", "actual", "class"):
                assert values == chart.columns[name]
            elif not isinstance(values[0], str):
                np.testing.assert_allclose(numbers(values), numbers(chart.columns[name]), rtol=1e-12)


def test_parts_without_charts_do_not_merge_with_those_that_have_them(tmp_path):
    frame = pl.DataFrame({"p": RNG.random(9), "y": RNG.random(9)})
    for name, charts in (("a", True), ("b", False)):
        losscli.evaluate(
            frame[: 4 + charts], target="y", loss="mae", charts=charts, state=tmp_path / f"{name}.state"
        )
    with pytest.raises(DataError, match="give all parts --charts, or none"):
        losscli.merge(tmp_path / "a.state", tmp_path / "b.state")


def test_each_model_of_a_comparison_has_its_charts():
    models = {"a": RNG.normal(0, 1, N), "b": RNG.normal(0, 2, N)}
    y = RNG.normal(0, 1, N)
    report = losscli.compare(models, targets=y, loss="mae", charts=True)
    for name, predictions in models.items():
        alone = losscli.evaluate(predictions, y, loss="mae", charts=True)
        own = [chart.columns for chart in report.charts if chart.model == name]
        assert own == [chart.columns for chart in alone.charts]


def test_nothing_is_counted_where_nobody_asks(monkeypatch):
    monkeypatch.setattr("losscli.evaluation.views.taken", None)
    assert losscli.evaluate([1.0, 2.0], [1.5, 2.5], loss="mae").charts == ()


@pytest.mark.parametrize(("columns", "options"), FRAMES.values(), ids=FRAMES)
def test_a_device_gives_the_same_charts(columns, options):
    given = {"target": "y", "pred": "p", "charts": True, **options}
    here = losscli.evaluate(pl.DataFrame(columns), **given)
    with cupy_stub.installed(devices=1):
        there = losscli.evaluate(pl.DataFrame(columns), **given, device="cuda")
    for own, chart in zip(there.charts, here.charts, strict=True):
        for name, values in own.columns.items():
            if not isinstance(values[0], str):
                np.testing.assert_allclose(numbers(values), numbers(chart.columns[name]), rtol=1e-9)


def test_every_chart_has_the_columns_of_its_kind():
    for columns, options in FRAMES.values():
        report = losscli.evaluate(
            pl.DataFrame(columns), **{"target": "y", "pred": "p", "charts": True, **options}
        )
        for chart in report.charts:
            assert list(chart.columns) == [column.name for column in KINDS[chart.name].columns]
        assert losscli.Report.from_json(report.to_json()) == report


def test_each_output_has_its_charts():
    frame = pl.DataFrame({"a": RNG.normal(0, 1, N), "b": RNG.normal(5, 1, N)})
    targets = pl.DataFrame({"a": RNG.normal(0, 1, N), "b": RNG.normal(5, 1, N)})
    report = losscli.evaluate(frame, targets, pred="a,b", target="a,b", loss="mae", charts=True)
    for name in "ab":
        alone = losscli.evaluate(frame[name], targets[name], loss="mae", charts=True)
        assert (
            chart_of(report, "bias", output=name)["residual"].tolist()
            == chart_of(alone, "bias")["residual"].tolist()
        )


def test_rows_of_clusters_have_no_intervals():
    frame = pl.DataFrame({"p": RNG.random(N), "y": RNG.integers(0, 2, N), "c": np.arange(N) // 10})
    given = {"target": "y", "pred": "p", "task": "binary", "loss": "log_loss", "charts": True}
    own, clustered = (losscli.evaluate(frame, **given, **more) for more in ({}, {"cluster": "c"}))
    assert set(chart_of(clustered, "reliability")["ci_low"]) == {None}
    assert None not in set(chart_of(own, "reliability")["ci_low"])
    assert set(chart_of(losscli.evaluate(frame, **given, ci=None), "reliability")["ci_low"]) == {None}


def test_slices_and_dropped_rows_change_no_chart():
    frame = pl.DataFrame({"p": RNG.random(N), "y": RNG.random(N), "s": np.arange(N) % 3})
    gaps = pl.concat([frame, pl.DataFrame({"p": [None], "y": [1.0], "s": [0]})], how="vertical_relaxed")
    plain = losscli.evaluate(frame, target="y", pred="p", loss="mae", charts=True)
    other = losscli.evaluate(gaps, target="y", pred="p", loss="mae", charts=True, by="s", missing="drop")
    assert other.charts == plain.charts


def test_an_infinite_loss_is_counted_apart():
    p, y = np.array([0.0, 0.5, 0.9]), np.array([1, 1, 1])
    report = losscli.evaluate(p, y, task="binary", loss="log_loss", eps=0, charts=True)
    (chart,) = charts_of(report, "loss_distribution")
    assert [note.text for note in chart.notes] == ["1 row has an infinite loss, which is not plotted"]
    assert sum(chart.columns["rows"]) == 2


@pytest.mark.parametrize("largest", [1e300, 1.7e308])
def test_weights_may_be_as_large_as_floats_are(largest):
    columns = {"y": RNG.normal(size=50), "p": RNG.normal(size=50), "w": RNG.random(50) * largest}
    report = losscli.evaluate(
        pl.DataFrame(columns), target="y", pred="p", loss="mae", weight="w", charts=True
    )
    found = chart_of(report, "residual_distribution")
    assert sum(found["share"]) == pytest.approx(1)
    assert all(weight <= report["mae"].weight for weight in found["weight"])


def test_one_row_has_charts():
    for columns, options in FRAMES.values():
        report = losscli.evaluate(
            pl.DataFrame(columns)[:1], **{"target": "y", "pred": "p", "charts": True, **options}
        )
        assert report.charts


@pytest.mark.parametrize("loss", ["log_loss", "multiclass_brier"])
def test_the_most_probable_class_of_logits_has_its_probability(loss):
    rng = np.random.default_rng(14)
    logits = rng.normal(0, 3, (N, 4))
    logits[:5, 0] = -np.inf
    y = rng.integers(0, 4, N)
    frame = pl.DataFrame({f"p_{i}": column for i, column in enumerate(logits.T)} | {"y": y})
    given = {"target": "y", "pred": "p_0,p_1,p_2,p_3", "task": "multiclass", "loss": loss}
    found = chart_of(losscli.evaluate(frame, **given, from_logits=True, charts=True), "reliability")
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    place = (share.max(axis=1) * 10).astype(int)
    mean = np.bincount(place, share.max(axis=1))[2:] / np.bincount(place)[2:]
    np.testing.assert_allclose(numbers(found["probability"]), mean, rtol=1e-12)
