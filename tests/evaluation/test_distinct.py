"""Blocks of labels are evaluated as their distinct rows, with the results of all rows."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.evaluation import distinct
from losscli.evaluation.block import Taken
from losscli.evaluation.distinct import Distinct
from losscli.evaluation.partial import EvaluationJob, Partial
from losscli.numeric.arrays import Array
from losscli.plan import plan as plans
from losscli.tasks.base import Coded
from losscli.tasks.binary import BinaryLabel
from losscli.tasks.classes import MulticlassLabel

ROWS = 5_000
SCORES = sorted(
    {each.name for each in losscli.list_losses(task="multiclass") if issubclass(each.batch, Coded)}
)


def labels(classes: int) -> pl.DataFrame:
    """Predicted and true classes, of which the last is rare, with slices and weights."""
    rng = np.random.default_rng(classes)
    names = np.array([f"c{i}" for i in range(classes)])
    y = np.minimum(rng.geometric(0.4, ROWS) - 1, classes - 1)
    p = np.where(rng.random(ROWS) < 0.8, y, rng.integers(0, classes, ROWS))
    slices, weight = rng.integers(0, 4, ROWS), rng.integers(1, 3, ROWS)
    return pl.DataFrame({"p": names[p], "y": names[y], "s": slices, "w": weight})


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each block, whether its distinct rows were evaluated."""
    seen, of = list[bool](), Distinct.of

    def recorded(block: object, assignment: object) -> Distinct | None:
        rows = of(block, assignment)
        seen.append(rows is not None)
        return rows

    monkeypatch.setattr(Distinct, "of", recorded)
    return seen


def same(a: object, b: object) -> bool:
    """Whether two results agree to the last digits."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-10, abs_tol=1e-14)
    return a == b


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("loss", SCORES)
@pytest.mark.parametrize("options", [{}, {"by": "s"}, {"by": ["s", "y"]}, {"ci": None}], ids=str)
def test_distinct_rows_have_the_results_of_all_rows(monkeypatch, taken, classes, loss, options):
    given = {"pred": "p", "target": "y", "task": "multiclass", "loss": [loss, "zero_one"], **options}
    found = losscli.evaluate(labels(classes), **given)
    assert taken == [True]
    monkeypatch.setattr(distinct, "_FEW", 0.0)
    expected = losscli.evaluate(labels(classes), **given)
    assert taken == [True, False]
    assert found.findings == expected.findings
    assert len(found.results) == len(expected.results)
    for own, other in zip(found.results, expected.results, strict=True):
        assert own.value == other.value
        assert all(same(getattr(own, name), getattr(other, name)) for name in own.__struct_fields__)


BINARY = sorted({each.name for each in losscli.list_losses(task="binary") if issubclass(each.batch, Coded)})


@pytest.mark.parametrize("loss", BINARY)
@pytest.mark.parametrize("options", [{}, {"by": "s"}, {"threshold": 0.7}], ids=str)
def test_probabilities_are_few_rows_by_their_thresholds(monkeypatch, taken, loss, options):
    frame = labels(2).with_columns(y=(pl.col("y") == "c1").cast(pl.Int64))
    frame = frame.with_columns(p=(0.3 * pl.col("y") + 0.7 * pl.Series(np.random.default_rng(1).random(ROWS))))
    given = {
        "pred": "p",
        "target": "y",
        "task": "binary",
        "loss": [loss, "zero_one:threshold=0.5"],
        **options,
    }
    found = losscli.evaluate(frame, **given)
    assert taken == [True]
    monkeypatch.setattr(distinct, "_FEW", 0.0)
    for own, other in zip(found.results, losscli.evaluate(frame, **given).results, strict=True):
        assert own.value == other.value
        assert all(same(getattr(own, name), getattr(other, name)) for name in own.__struct_fields__)


@pytest.mark.parametrize("p", ["0.8 where 1", "1 where 1"])
def test_a_loss_of_a_user_has_few_rows_of_labels_alone(taken, p):
    def gap(batch: BinaryLabel) -> Array:
        return np.abs(batch.target - batch.probability)

    frame = pl.DataFrame({"y": [0, 1, 1, 0] * 50}).with_columns(p=pl.col("y") * float(p.split()[0]))
    found = losscli.evaluate(frame, pred="p", target="y", loss=gap)
    assert taken == [p == "1 where 1"]
    assert found[gap.__name__].value == pytest.approx((1 - float(p.split()[0])) / 2)


@pytest.mark.parametrize("options", [{"weight": "w"}, {"cluster": "s"}, {"ci_method": "bootstrap"}], ids=str)
def test_weighted_and_drawn_rows_are_taken_one_by_one(taken, options):
    losscli.evaluate(labels(3), pred="p", target="y", task="multiclass", loss="f1", **options)
    assert taken == [False]


def test_the_extremes_are_those_of_the_first_rows(monkeypatch, taken):
    parts, complete = list[Partial](), EvaluationJob.complete

    def recorded(job: EvaluationJob, block: Taken, height: int) -> Partial:
        parts.append(complete(job, block, height))
        return parts[-1]

    monkeypatch.setattr(EvaluationJob, "complete", recorded)
    for few in (distinct._FEW, 0.0):
        monkeypatch.setattr(distinct, "_FEW", few)
        losscli.evaluate(labels(5), pred="p", target="y", task="multiclass", loss=["zero_one", "f1"], by="s")
    assert taken == [True, False]
    own, other = ((*part.overall, part.cells[0], *part.slices[0].states) for part in parts)
    for found, expected in zip(own, other, strict=True):
        for name in ("n", "low", "high", "low_row", "high_row"):
            assert np.array_equal(getattr(found, name), getattr(expected, name))


def test_a_loss_that_labels_do_not_have_names_its_rows():
    def undefined(batch: MulticlassLabel) -> Array:
        return np.where(batch.code == 1, np.nan, 0.0)

    frame = labels(3).head(400)
    with pytest.raises(losscli.DataError, match=f"row {frame['y'].index_of('c1') + 1}\\b"):
        losscli.evaluate(frame, pred="p", target="y", loss=undefined)


@pytest.mark.parametrize(("classes", "height"), [(40, 2048), (200, 256)])
def test_few_classes_do_not_shorten_blocks(monkeypatch, classes, height):
    monkeypatch.setattr(plans, "BLOCK_NUMBERS", 8 * 2048)
    heights = []
    monkeypatch.setattr(Distinct, "of", lambda taken, _: heights.append(taken.block.height))
    frame = pl.concat(
        [labels(40), pl.DataFrame({"p": [f"c{i}" for i in range(classes)]}).select("p", y="p")],
        how="diagonal",
    )
    losscli.evaluate(frame, pred="p", target="y", task="multiclass", loss="accuracy", threads=1)
    assert heights[0] == height
