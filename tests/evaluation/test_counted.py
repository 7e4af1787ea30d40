"""Losses of labels from counts of class pairs: the same results as row by row."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.evaluation import counted
from losscli.evaluation.counted import Pairs
from losscli.evaluation.partial import EvaluationJob, Partial
from losscli.evaluation.storage import from_bytes
from losscli.numeric.arrays import Array
from losscli.plan import plan as plans
from losscli.states.archive import dump, load
from losscli.states.contingency import Contingency
from losscli.states.moments import Moments
from losscli.tasks.base import Labelled
from losscli.tasks.binary import BinaryLabel
from losscli.tasks.classes import MulticlassLabel

ROWS = 5_000
SCORES = sorted(
    {each.name for each in losscli.list_losses(task="multiclass") if issubclass(each.batch, Labelled)}
)


def labels(classes: int, rows: int = ROWS) -> pl.DataFrame:
    """Predicted and true classes, of which the last is rare, with slices and weights."""
    rng = np.random.default_rng(classes)
    names = np.array([f"c{i}" for i in range(classes)])
    y = np.minimum(rng.geometric(0.4, rows) - 1, classes - 1)
    p = np.where(rng.random(rows) < 0.8, y, rng.integers(0, classes, rows))
    slices, weight = rng.integers(0, 4, rows), np.where(rng.random(rows) < 0.05, 0.0, rng.random(rows))
    return pl.DataFrame({"p": names[p], "y": names[y], "s": slices, "w": weight})


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The kind of the first state of each block."""
    seen, complete = list[type](), EvaluationJob.complete

    def recorded(job: EvaluationJob, *args: object) -> Partial:
        part = complete(job, *args)
        seen.append(type(part.overall[0]))
        return part

    monkeypatch.setattr(EvaluationJob, "complete", recorded)
    return seen


def by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute moments row by row."""
    monkeypatch.setattr(Pairs, "has", lambda pairs, choice: False)


def same(a: object, b: object, within: float = 1e-10) -> bool:
    """Whether two results agree but for the rounding of gradients."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=within, abs_tol=1e-14)
    return a == b


def assert_same(found: losscli.Report, expected: losscli.Report) -> None:
    assert found.findings == expected.findings
    assert len(found.results) == len(expected.results)
    for own, other in zip(found.results, expected.results, strict=True):
        assert own.value == other.value
        assert all(same(getattr(own, name), getattr(other, name)) for name in own.__struct_fields__), own


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("loss", SCORES)
@pytest.mark.parametrize(
    "options", [{}, {"by": "s"}, {"by": ["s", "y"]}, {"ci": None}, {"weight": "w", "by": "s"}], ids=str
)
def test_counts_of_pairs_have_the_results_of_rows(monkeypatch, states, classes, loss, options):
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": [loss, "zero_one"], **options}
    found = losscli.evaluate(labels(classes), **given)
    by_row(monkeypatch)
    assert_same(found, losscli.evaluate(labels(classes), **given))
    assert states == [Contingency, Moments]


@pytest.mark.parametrize("params", ["average=micro", "average=weighted", "zero_division=skip", "beta=3"])
def test_averages_follow_from_counts_of_pairs(monkeypatch, params):
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": f"f_beta:{params}", "by": "s"}
    found = losscli.evaluate(labels(12, 60), **given)
    by_row(monkeypatch)
    assert_same(found, losscli.evaluate(labels(12, 60), **given))


@pytest.mark.parametrize("classes", [2, 3, 4, 12])
@pytest.mark.parametrize("loss", SCORES)
@pytest.mark.parametrize("options", [{}, {"by": ["s", "y"]}, {"by": "s", "weight": "w"}], ids=str)
def test_differences_follow_from_counts_of_two_models(monkeypatch, classes, loss, options):
    frame = labels(classes, 900)
    other = labels(classes + 1, 900)["y"].replace(f"c{classes}", "c0").shuffle(seed=1)
    frame = frame.with_columns(q=pl.when(pl.Series(np.arange(900) % 5 == 0)).then(other).otherwise("y"))
    given = {"target": "y", "task": "multiclass", "loss": [loss, "zero_one"], **options}
    found = losscli.compare(frame, pred=["p", "q"], **given)
    by_row(monkeypatch)
    expected = losscli.compare(frame, pred=["p", "q"], **given)
    assert len(found.comparisons) == len(expected.comparisons)
    for own, other in zip(found.comparisons, expected.comparisons, strict=True):
        assert own.cell == other.cell
        assert own.value_a == other.value_a
        assert own.difference == pytest.approx(other.difference, abs=1e-15)
        names = own.__struct_fields__
        assert all(same(getattr(own, name), getattr(other, name), 1e-7) for name in names), (own, other)


@pytest.mark.parametrize("weights", [{"c0": 2.5}, {"c1": 0.0}])
def test_weights_of_classes_are_those_of_their_rows(monkeypatch, weights):
    losses = ["f1", "accuracy", "balanced_accuracy", "true_positives"]
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": losses, "class_weight": weights}
    found = losscli.evaluate(labels(5), **given, weight="w", by="s")
    by_row(monkeypatch)
    assert_same(found, losscli.evaluate(labels(5), **given, weight="w", by="s"))


BINARY = sorted(
    {each.name for each in losscli.list_losses(task="binary") if issubclass(each.batch, Labelled)}
)


@pytest.mark.parametrize("loss", BINARY)
@pytest.mark.parametrize("options", [{}, {"by": "s"}, {"threshold": 0.7}, {"weight": "w"}], ids=str)
def test_probabilities_are_labels_at_a_threshold(monkeypatch, states, loss, options):
    frame = labels(2).with_columns(y=(pl.col("y") == "c1").cast(pl.Int64))
    frame = frame.with_columns(p=(0.3 * pl.col("y") + 0.7 * pl.Series(np.random.default_rng(1).random(ROWS))))
    given = {
        "pred": "p",
        "target": "y",
        "task": "binary",
        "loss": [loss, "zero_one:threshold=0.5", "binary_cross_entropy"],
        **options,
    }
    found = losscli.evaluate(frame, **given)
    by_row(monkeypatch)
    assert_same(found, losscli.evaluate(frame, **given))
    assert states == [Contingency, Moments]


@pytest.mark.parametrize(("labelled", "kind"), [(True, Contingency), (False, Moments)])
def test_a_loss_of_a_user_is_counted_for_labels_alone(states, labelled, kind):
    def gap(batch: BinaryLabel) -> Array:
        return np.abs(batch.target - batch.probability)

    frame = pl.DataFrame({"y": [0, 1, 1, 0] * 50}).with_columns(p=pl.col("y") * 0.8)
    if labelled:
        frame = pl.DataFrame({"y": ["no", "yes"] * 50, "p": ["no", "no"] * 50})
    options = {"positive": "yes"} if labelled else {}
    found = losscli.evaluate(frame, pred="p", target="y", task="binary", loss=gap, **options)
    assert states == [kind]
    assert found["gap"].value == pytest.approx(0.5 if labelled else 0.1)


@pytest.mark.parametrize("options", [{"cluster": "s"}, {"ci_method": "bootstrap"}], ids=str)
def test_clusters_and_drawn_rows_are_not_counted(states, options):
    losscli.evaluate(labels(3), pred="p", target="y", task="multiclass", loss="f1", **options)
    assert states == [Moments]


def test_a_loss_that_labels_do_not_have_names_its_rows():
    def undefined(batch: MulticlassLabel) -> Array:
        return np.where(batch.code == 1, np.nan, 0.0)

    frame = labels(3).head(400)
    with pytest.raises(losscli.DataError, match=f"row {frame['y'].index_of('c1') + 1}\\b"):
        losscli.evaluate(frame, pred="p", target="y", loss=undefined)


def test_undefined_pairs_are_left_out_on_request():
    def undefined(batch: MulticlassLabel) -> Array:
        return np.where(batch.code == 1, np.nan, 1.0)

    frame = labels(3).head(400)
    found = losscli.evaluate(frame, pred="p", target="y", loss=undefined, domain="drop")
    assert found["undefined"].rows == (frame["y"] != "c1").sum()


@pytest.mark.parametrize(("loss", "height"), [("accuracy", 2048), ("f1", 2048), ("log", 256)])
def test_classes_do_not_shorten_the_blocks_of_pairs(monkeypatch, loss, height):
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 8 * 2048)
    heights, complete = [], EvaluationJob.complete

    def recorded(job: EvaluationJob, taken: object, rows: int) -> Partial:
        heights.append(rows)
        return complete(job, taken, rows)

    def log(batch: MulticlassLabel) -> Array:
        return np.log1p(batch.code)

    monkeypatch.setattr(EvaluationJob, "complete", recorded)
    losses = {"log": log}
    frame = pl.DataFrame({"p": [f"c{i}" for i in range(200)] * 20}).select("p", y="p")
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": losses.get(loss, loss), "threads": 1}
    losscli.evaluate(frame, **given)
    assert heights[0] == height


# Many classes

CLASSES = 900
"""So many classes that their covariances are not kept."""


@pytest.fixture(scope="module")
def many() -> tuple[pl.DataFrame, Array, Array]:
    """Rows of many classes, some of which have no rows; and their true and predicted classes."""
    rng, rows = np.random.default_rng(5), 20_000
    y = np.minimum(rng.gamma(2.0, CLASSES / 6, rows).astype(int), CLASSES - 1)
    p = np.where(rng.random(rows) < 0.7, y, (y + rng.integers(1, 40, rows)) % CLASSES)
    names = np.array([f"c{i:03}" for i in range(CLASSES)])
    return pl.DataFrame({"p": names[p], "y": names[y]}), y, p


def linearised(loss: str, y: Array, p: Array) -> Array:
    """The influence of each row on a loss, by its derivatives."""
    n, right = len(y), (y == p) * 1.0
    true, guessed = (np.bincount(each, minlength=CLASSES) for each in (y, p))
    hits = np.bincount(y, right, CLASSES)
    if loss == "f1":
        both = np.maximum(true + guessed, 1)
        slope = hits / both**2
        return n / (true + guessed > 0).sum() * (2 * right / both[y] - 2 * slope[y] - 2 * slope[p])
    if loss == "balanced_accuracy":
        return n / (true > 0).sum() * (right - (hits / np.maximum(true, 1))[y]) / true[y]
    a, b, found = true / n, guessed / n, right.mean()
    chance = (a * b).sum()
    if loss == "cohen_kappa":
        return (right * (1 - chance) - (1 - found) * (b[y] + a[p])) / (1 - chance) ** 2
    of_true, of_guessed = 1 - (a * a).sum(), 1 - (b * b).sum()
    scale = np.sqrt(of_true * of_guessed)
    return (right - b[y] - a[p]) / scale + (found - chance) / scale * (a[y] / of_true + b[p] / of_guessed)


@pytest.mark.parametrize("loss", ["f1", "balanced_accuracy", "cohen_kappa", "matthews_correlation"])
def test_many_classes_have_the_standard_error_of_their_derivatives(many, loss):
    frame, y, p = many
    found = losscli.evaluate(frame, pred="p", target="y", task="multiclass", loss=loss)[loss]
    influence = linearised(loss, y, p)
    n = len(y)
    se = influence.std(ddof=1) / math.sqrt(n)
    assert found.se == pytest.approx(se, rel=1e-6)
    assert found.ci_low < found.value < found.ci_high
    assert found.ci_high - found.value == pytest.approx(1.96 * se, rel=1e-3)


@pytest.mark.parametrize("loss", ["f1", "balanced_accuracy", "cohen_kappa", "matthews_correlation"])
def test_differences_of_many_classes_have_the_standard_error_of_both(many, loss):
    frame, y, p = many
    q = np.where(np.arange(len(y)) % 3 == 0, (y + 1) % CLASSES, p)
    frame = frame.with_columns(q=pl.Series([f"c{i:03}" for i in q]))
    classes = [f"c{i:03}" for i in range(CLASSES)]
    report = losscli.compare(frame, pred=["p", "q"], target="y", loss=loss, classes=classes)
    found = report.comparisons[0]
    influence = linearised(loss, y, q) - linearised(loss, y, p)
    assert found.se == pytest.approx(influence.std(ddof=1) / math.sqrt(len(y)), rel=1e-6)
    contributions = [each.contribution for each in report.comparisons if each.cell]
    if loss == "balanced_accuracy":
        assert sum(filter(None, contributions)) == pytest.approx(found.difference)


def test_each_of_many_classes_has_an_interval(many):
    frame, y, p = many
    report = losscli.evaluate(
        frame, pred="p", target="y", task="multiclass", loss=["recall", "balanced_error", "true_negatives"]
    )
    counts, n = np.bincount(y, minlength=CLASSES), len(y)
    hits = np.bincount(y[y == p], minlength=CLASSES)
    for each in report.results:
        if not each.cell:
            continue
        own = int(each.cell["class"][1:])
        if each.loss == "true_negatives":
            neither = np.sum((y != own) & (p != own))
            assert each.value == neither
            assert each.se == pytest.approx(math.sqrt(neither * (n - neither) / (n - 1)))
        elif each.loss == "balanced_error" and counts[own] > 1 and 0 < hits[own] < counts[own]:
            share = hits[own] / counts[own]
            assert each.rows == counts[own]
            assert each.value == pytest.approx(1 - share)
            assert each.se == pytest.approx(math.sqrt(share * (1 - share) / (counts[own] - 1)), rel=1e-6)
        elif each.loss == "recall" and counts[own]:
            assert each.value == hits[own] / counts[own]
            assert each.ci_low <= each.value <= each.ci_high


# States


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("loss", [["f1", "zero_one"], ["cohen_kappa"]], ids=str)
def test_states_of_parts_merge_to_that_of_all_rows(tmp_path, loss, weight):
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": loss, "by": "s", "weight": weight}
    frame = labels(12)
    frame.write_parquet(tmp_path / "whole.parquet")
    whole = losscli.evaluate(tmp_path / "whole.parquet", **given, state=tmp_path / "whole.state")
    parts = []
    for number, start in enumerate((0, 1_000, 1_001)):
        own = tmp_path / f"{number}.parquet"
        frame[start : (1_000, 1_001, ROWS)[number]].write_parquet(own)
        parts.append(tmp_path / f"{number}.state")
        losscli.evaluate(own, plan=tmp_path / "whole.state", part=f"{number + 1}/3", state=parts[-1])
    merged = losscli.merge(*parts)
    assert [each.value for each in merged.results] == [each.value for each in whole.results]
    ends = zip(merged.results, whole.results, strict=True)
    assert all(same(own.ci_low, other.ci_low) for own, other in ends)


def test_states_of_parts_of_a_comparison_merge(tmp_path):
    given = {"target": "y", "task": "multiclass", "loss": ["f1", "zero_one"], "by": "s"}
    frame = labels(5).with_columns(q=pl.col("p").shift(1).fill_null("c0"))
    frame.write_parquet(tmp_path / "whole.parquet")
    plan = tmp_path / "whole.state"
    whole = losscli.compare(tmp_path / "whole.parquet", pred=["p", "q"], **given, state=plan)
    parts = []
    for number, start in enumerate((0, 1_500)):
        own = tmp_path / f"{number}.parquet"
        frame[start : (1_500, ROWS)[number]].write_parquet(own)
        parts.append(tmp_path / f"{number}.state")
        losscli.compare(own, pred=["p", "q"], plan=plan, part=f"{number + 1}/2", state=parts[-1])
    merged = losscli.merge(*parts)
    assert [each.ci_low for each in merged.comparisons] == [each.ci_low for each in whole.comparisons]


@pytest.mark.parametrize("compared", [False, True], ids=["evaluate", "compare"])
@pytest.mark.parametrize("at_once", [1 << 22, 100])
def test_counts_merge_with_the_moments_of_a_part_on_a_device(monkeypatch, tmp_path, at_once, compared):
    monkeypatch.setattr(counted, "_NUMBERS", at_once)
    run = losscli.compare if compared else losscli.evaluate
    losses = ["f1", "zero_one", "balanced_error", "true_positives"]
    given = {"target": "y", "task": "multiclass", "loss": losses, "by": "s", "weight": "w"}
    given |= {"pred": ["p", "q"] if compared else "p"}
    frame = labels(4, 400).with_columns(q=pl.col("p").shift(1).fill_null("c0"))
    frame.write_parquet(tmp_path / "whole.parquet")
    whole = run(tmp_path / "whole.parquet", **given, state=tmp_path / "whole.state")
    parts, has = [], Pairs.has
    for number, rows in enumerate((slice(0, 150), slice(150, 400))):
        frame[rows].write_parquet(tmp_path / f"{number}.parquet")
        parts.append(tmp_path / f"{number}.state")
        monkeypatch.setattr(Pairs, "has", (has, lambda pairs, choice: False)[number])
        own = {"plan": tmp_path / "whole.state", "part": f"{number + 1}/2", "state": parts[-1]}
        run(tmp_path / f"{number}.parquet", pred=given["pred"], **own)
    merged = losscli.merge(*parts)
    for found, expected in ((merged.results, whole.results), (merged.comparisons, whole.comparisons)):
        assert len(found) == len(expected)
        for own, other in zip(found, expected, strict=True):
            assert own.cell == other.cell
            names = ("value", "difference", "se", "ci_low", "ci_high")
            values = [[getattr(each, name, None) for name in names] for each in (own, other)]
            assert all(same(*pair, 1e-7) for pair in zip(*values, strict=True)), (own, other)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("numbers", 144),
        ("numbers", -1),
        ("counts", 0),
        ("counts", 7_777),
        ("cells", 4),
        ("n", 1),
        ("powers", np.nan),
    ],
)
def test_damaged_counts_are_refused(tmp_path, name, change):
    path = tmp_path / "labels.state"
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": "f1", "by": "s"}
    losscli.evaluate(labels(12), **given, weight="w" if name == "powers" else None, state=path)
    header, arrays = load(path.read_bytes())
    damaged = arrays[f"slice.0.0.{name}"].copy()
    damaged[..., -1] = change
    with pytest.raises(losscli.DataError, match="damaged"):
        from_bytes(dump(header, arrays | {f"slice.0.0.{name}": damaged}))


def test_counts_without_the_weights_of_their_plan_are_refused(tmp_path):
    path = tmp_path / "labels.state"
    losscli.evaluate(labels(3), pred="p", target="y", task="multiclass", loss="f1", weight="w", state=path)
    header, arrays = load(path.read_bytes())
    with pytest.raises(losscli.DataError, match="damaged"):
        from_bytes(dump(header, {name: each for name, each in arrays.items() if "powers" not in name}))


def test_segments_are_contrasted_by_the_moments_of_labels():
    frame = labels(3).with_columns(p=pl.when(pl.col("s") == 2).then(pl.lit("c0")).otherwise("p"))
    found = losscli.weak(frame, pred="p", target="y", task="multiclass", loss="f1", by="s")
    assert [each.cell for each in found.segments] == [{"s": "2"}]
