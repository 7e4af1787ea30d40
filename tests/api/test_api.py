"""The Python API: paths, frames and arrays in, typed results out, the same bits whatever the threads."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from msgspec.structs import asdict
from scipy import stats
from sklearn import metrics
from support import hall

import losscli
from losscli.engines import blocks, local
from losscli.errors import DataError, UsageError
from losscli.evaluation import partial as partials
from losscli.plan.resolve import prepare
from losscli.report.model import Report, Result

N = 100_000
"""More rows than three blocks hold."""
RNG = np.random.default_rng(23)
Y = RNG.normal(size=N)
PRED = Y + RNG.normal(scale=0.5, size=N)
CODE = RNG.integers(0, 3, N)
PROBS = RNG.dirichlet([2, 2, 2], N)


def test_paths_frames_and_arrays_are_one(tmp_path):
    p, t = pl.DataFrame({"pred": PRED}), pl.DataFrame({"y": Y})
    p.write_csv(tmp_path / "p.csv")
    t.write_parquet(tmp_path / "t.parquet")
    expected = losscli.evaluate(PRED, Y, loss="huber").results
    for predictions, targets in (
        (p, t),
        (p.lazy(), t),
        (tmp_path / "p.csv", t.lazy()),
        (str(tmp_path / "p.csv"), tmp_path / "t.parquet"),
        (PRED.tolist(), Y.tolist()),
        (PRED, t),
    ):
        assert losscli.evaluate(predictions, targets, loss="huber").results == expected


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_arrays_are_computed_in_float64(dtype):
    predictions, targets = (PRED * 3).astype(dtype), (Y * 3).astype(dtype)
    report = losscli.evaluate(predictions, targets, loss="mse", task="regression")
    expected = metrics.mean_squared_error(targets.astype(float), predictions.astype(float))
    assert report["mse"].value == pytest.approx(expected, rel=1e-13)


def test_matrices_are_probabilities_of_classes_or_outputs():
    report = losscli.evaluate(PROBS, CODE, loss=["log_loss", "zero_one"])
    assert report["log_loss"].value == pytest.approx(metrics.log_loss(CODE, PROBS), rel=1e-13)
    assert report["zero_one"].value == pytest.approx(metrics.zero_one_loss(CODE, PROBS.argmax(axis=1)))
    assert [r.cell["class"] for r in report.results[1:4]] == ["0", "1", "2"]
    one_hot = losscli.evaluate(PROBS, np.eye(3)[CODE], loss=["log_loss", "zero_one"])
    assert one_hot.results == report.results
    logits = losscli.evaluate(np.log(PROBS) - 300, CODE, loss="log_loss", from_logits=True)
    assert logits["log_loss"].value == pytest.approx(metrics.log_loss(CODE, PROBS), rel=1e-12)
    named = losscli.evaluate(PROBS, np.array(["a", "b", "c"])[CODE], loss="log_loss", classes=["a", "b", "c"])
    assert named["log_loss", {"class": "b"}].value == report["log_loss", {"class": 1}].value


def test_two_matrices_are_outputs_or_labels_as_the_loss_says():
    report = losscli.evaluate(np.stack([PRED, PRED + 1], axis=1), np.stack([Y, Y], axis=1), loss="mae")
    expected = [np.abs(PRED - Y).mean(), np.abs(PRED + 1 - Y).mean()]
    assert [r.value for r in report.results] == pytest.approx([np.mean(expected), *expected])
    bits = np.stack([CODE > 0, CODE > 1], axis=1)
    hamming = losscli.evaluate(PROBS[:, 1:], bits, loss="hamming")
    assert hamming["hamming"].value == pytest.approx(metrics.hamming_loss(bits, PROBS[:, 1:] > 0.5))
    column = losscli.evaluate(PRED[:, None], Y[:, None], loss="mae")
    assert column.results == losscli.evaluate(PRED, Y, loss="mae").results


def test_masked_and_none_are_missing():
    masked = np.ma.array(PRED[:3], mask=[False, True, False])
    for predictions in (masked, np.array([PRED[0], None, PRED[2]], dtype=object)):
        report = losscli.evaluate(predictions, Y[:3], loss="mae", missing="drop")
        assert report["mae"].value == pytest.approx(np.abs(PRED - Y)[[0, 2]].mean())
        assert tuple(map(str, report.findings)) == ("1 row with missing values dropped, e.g. row 2",)


def test_a_report_is_typed_plain_frozen_data():
    report = losscli.evaluate(PRED, Y, loss=["huber:delta=0.5", "mae"], gate="mae < 9")
    assert isinstance(report, losscli.Report)
    result = report["huber"]
    assert isinstance(result, losscli.Result)
    assert (result.loss, dict(result.params), result.rows, result.level) == ("huber", {"delta": 0.5}, N, 0.95)
    assert isinstance(result.value, float)
    assert result.ci_low < result.value < result.ci_high
    assert report["mae"] is report["mean_absolute_error"]
    assert report.gates[0].status == "pass"
    assert Report.from_dict(json.loads(report.to_json())) == report
    with pytest.raises(AttributeError):
        result.value = 0.0
    with pytest.raises(KeyError, match=r"no result of 'mse'.*; losses: huber:delta=0.5, mae"):
        report["mse"]


def test_options_are_keywords_of_the_same_names():
    frame = pl.DataFrame({"id": range(N), "pred": PRED, "y": Y, "w": np.abs(Y)})
    report = losscli.evaluate(frame, loss="huber", delta=0.5, weight="w", on="id", ci=None, threads=2)
    error = np.abs(PRED - Y)
    rows = np.where(error <= 0.5, error**2 / 2, 0.5 * (error - 0.25))
    assert report["huber"].value == pytest.approx(np.average(rows, weights=np.abs(Y)), rel=1e-13)
    assert (report["huber"].se, report["huber"].level) == (None, None)


def test_losses_are_the_catalog():
    catalog = losscli.list_losses()
    assert {entry.name for entry in catalog} >= {"huber", "binary_cross_entropy", "top_k_error", "hamming"}
    assert {entry.task for entry in losscli.list_losses("binary")} == {"binary"}
    (huber,) = (entry for entry in catalog if entry.name == "huber")
    assert (huber.task, huber.unit, huber.best) == ("regression", "target^2", 0.0)
    assert [(param.name, param.default, param.describe()) for param in huber.params] == [
        ("delta", 1.0, "a number > 0")
    ]


def test_wrong_data_raise_data_error_with_problems():
    bad = PRED.copy()
    bad[[3, 7]] = np.nan, np.inf
    with pytest.raises(DataError) as caught:
        losscli.evaluate(bad, Y, loss="mae")
    missing, infinite = caught.value.problems
    assert (missing.what, missing.where, missing.examples) == (
        "1 missing value",
        "predictions, column prediction",
        ("row 4",),
    )
    assert missing.remedy == "--missing drop drops these rows"
    assert (infinite.what, infinite.examples) == ("1 infinite value", ("row 8: inf",))


WRONG_SOURCES = {
    "unequal lengths": (PRED, Y[:-1], "100000 rows of predictions and 99999 rows of targets"),
    "three dimensions": (np.zeros((2, 2, 2)), Y, "an array of 3 dimensions"),
    "a number": (1.0, Y, "an array of 0 dimensions"),
    "nothing": (np.array([]), Y, "no rows"),
    "complex numbers": (PRED * 1j, Y, "type complex128"),
    "no file": ("no.csv", Y, "no.csv: no such file"),
    "text": (["a", "b"], [1.0, 2.0], "values of type String, but numbers are needed"),
    "rows of unequal length": ([[1.0], [1.0, 2.0]], [1.0, 2.0], "not an array: .*inhomogeneous"),
    "dates": (np.array(["2020-01-01"], "datetime64[D]"), [1.0], "type datetime64"),
    "a set": ({1.0}, [1.0], "an array of 0 dimensions and type object"),
}


@pytest.mark.parametrize(("predictions", "targets", "said"), WRONG_SOURCES.values(), ids=WRONG_SOURCES)
def test_wrong_sources(predictions, targets, said):
    with pytest.raises(DataError, match=said):
        losscli.evaluate(predictions, targets, loss="mae")


def test_lists_of_text_are_no_probabilities():
    with pytest.raises(DataError, match=r"column probs: values of type List\(String\), but numbers"):
        losscli.evaluate(pl.DataFrame({"probs": [["a", "b"]]}), pl.DataFrame({"label": [0]}), loss="log_loss")


def test_wrong_requests_raise_usage_error_with_every_problem():
    with pytest.raises(UsageError) as caught:
        losscli.evaluate(PRED, Y, loss=["hubber", "mae"], classess="a", ci=7)
    said = [problem.what for problem in caught.value.problems]
    assert said == [
        "unknown loss 'hubber'. Did you mean huber, hubert or huberloss?",
        "--ci must be a number > 0, < 1, or none, got 7",
        "no option or loss parameter 'classess'. Did you mean classes, num_classes or class_weight?",
    ]


def test_names_of_no_column_may_be_meant_as_values():
    with pytest.raises(UsageError, match=r"--by eu: no column 'eu'.*\n.*passed as by=\{'region': values\}"):
        losscli.evaluate([1.0, 2.0], [1.0, 3.0], loss="mae", by=["eu", "us"])
    report = losscli.evaluate([1.0, 2.0], [1.0, 3.0], loss="mae", by={"region": ["eu", "us"]})
    assert report["mae", {"region": "us"}].value == 1.0


REGRESSION = (PRED, Y, ["huber", "r2", "max_error"])
MULTICLASS = (PROBS, CODE, ["log_loss", "zero_one", "d2_log_loss_multiclass"])


@pytest.mark.parametrize(("predictions", "targets", "losses"), [REGRESSION, MULTICLASS])
def test_any_number_of_threads_gives_the_same_bits(predictions, targets, losses):
    one, *others = (losscli.evaluate(predictions, targets, losses, threads=n).to_dict() for n in (1, 2, 7))
    assert others == [one, one]


@pytest.mark.parametrize("size", [1000, 32_768, 40_000, N])
def test_blocks_lie_on_a_fixed_grid_however_the_reader_cuts_frames(size):
    run = prepare(PRED, Y, "r2")
    whole = next(iter(run.alignment.frames())).head(0)
    rows = pl.concat([whole, *run.alignment.frames()])
    frames = [rows.slice(at, size) for at in range(0, N, size)]
    step = run.plan.block_rows
    cut = list(blocks.blocks(iter(frames), step))
    assert [first for first, _ in cut] == list(range(0, N, step))
    assert pl.concat([block for _, block in cut]).equals(rows)
    part = local.fold(partials.EvaluationJob(run.plan, kept=True), iter(frames))
    assert part is not None
    (found,), (expected,) = (
        part.overall,
        local.fold(partials.EvaluationJob(run.plan, kept=True), iter([rows])).overall,
    )
    for name, array in asdict(expected).items():
        assert np.array_equal(getattr(found, name), array), name


def test_findings_of_blocks_are_counted_together():
    bad = PRED.copy()
    at = RNG.choice(N, 2000, replace=False)
    bad[at] = np.inf
    with pytest.raises(DataError) as caught:
        losscli.evaluate(bad, Y, loss="mae")
    (problem,) = caught.value.problems
    first = sorted(at)[:5]
    assert problem.what == "2000 infinite values"
    assert problem.examples == (*(f"row {row + 1}: inf" for row in first), "... and 1995 more")


def test_merging_parts_leaves_them_as_they_were():
    run = prepare(PRED, Y, "mae")
    frames = pl.concat(list(run.alignment.frames()))
    one, other = (
        local.fold(partials.EvaluationJob(run.plan, kept=True), iter([part]))
        for part in (frames[: N // 2], frames[N // 2 :])
    )
    assert one is not None
    assert other is not None
    before = one.overall[0].total.copy()
    merged = partials.merge(one, other)
    assert merged.rows == N
    assert np.array_equal(one.overall[0].total, before)


def test_results_have_the_documented_fields():
    fields = {
        *("loss", "params", "model", "cell", "value", "se", "ci_low", "ci_high", "level"),
        *("rows", "weight", "notes"),
    }
    assert fields <= set(Result.__struct_fields__)


@pytest.mark.parametrize("rows", [2, 3, 10])
def test_the_interval_is_that_of_hall_by_student_s_t(rows):
    loss = 2 * np.arange(rows) ** 2.0
    result = losscli.evaluate(loss, np.zeros(rows), loss="mae", ci=0.9)["mae"]
    low, high = hall.interval(loss, 0.9)
    assert (result.ci_low, result.ci_high) == pytest.approx((max(0.0, low), high), rel=1e-10)


def test_without_skewness_the_interval_is_that_of_student_s_t():
    bias = np.array([-2.0, -1.0, 0.5, 0.5, 2.5, -0.5, 1.0, 2.0, -2.5, -0.5])
    bias = np.concatenate([bias, -bias])
    result = losscli.evaluate(bias, np.zeros(20), loss="bias", ci=0.9)["bias"]
    expected = stats.t.interval(0.9, 19, loc=bias.mean(), scale=stats.sem(bias))
    assert (result.ci_low, result.ci_high) == pytest.approx(expected, rel=1e-10)
