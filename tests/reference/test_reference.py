"""Every loss against the numbers of an independent library: overall by the program, and row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from support.cases import CASES
from support.grids import first_of

from losscli.catalog import registry
from losscli.catalog.loss import Choice
from losscli.cli.app import run
from losscli.plan.resolve import prepare
from losscli.tasks.base import Batch
from losscli.tasks.binary import Binary, BinaryLabel, BinaryScore, BinarySoftScore
from losscli.tasks.block import Block
from losscli.tasks.catalog import TASKS
from losscli.tasks.classes import Multiclass, MulticlassLabel, MulticlassScore, OneVsAll
from losscli.tasks.groups import Grouped
from losscli.tasks.multilabel import Multilabel, MultilabelLabel, MultilabelScore
from losscli.tasks.named import Named
from losscli.tasks.regression import Regression

PER_ROW = [case for case in CASES if (case.folder / "per_row.parquet").exists()]


OF_ROWS = {case.loss for case in PER_ROW}


def kind_of(case: Any) -> Any:
    """What decides whether a case runs by default: the batch, or the loss if its rows are not compared."""
    return registry.named(case.loss).batch if case.loss in OF_ROWS else case.loss


def test_every_loss_has_a_case_of_an_independent_library():
    assert {case.loss for case in CASES} == {entry.name for entry in registry.list_losses()}


@pytest.mark.parametrize("case", first_of(kind_of, CASES))
def test_overall_value_is_that_of_the_library(case, monkeypatch, capsys):
    monkeypatch.chdir(case.folder)
    status = run([*case.arguments, "--bare"])
    out, err = capsys.readouterr()
    assert status == 0, err
    assert [float(line) for line in out.splitlines()] == [
        pytest.approx(case.expected, rel=case.rtol, abs=case.atol)
    ]


@pytest.mark.parametrize("case", PER_ROW, ids=lambda case: case.name)
def test_rows_are_those_of_the_library(case):
    choice, batches, factor = read(case)
    columns = [choice.loss.columns(batch, choice.params)[0] for batch in batches]
    expected = parquet(case, "per_row").get_column("loss").to_numpy()
    if isinstance(batches[0], Grouped) and len(expected) == batches[0].items:
        expected = batches[0].sums(expected)
    np.testing.assert_allclose(np.mean(columns, axis=0) * factor, expected, rtol=case.rtol, atol=case.atol)


def read(case: Any) -> tuple[Choice, list[Batch], Any]:
    """The chosen loss, a batch an output, and what the library multiplies a row's loss with."""
    preds = parquet(case, "preds").sort("id").drop("id")
    targets = parquet(case, "targets").sort("id").drop("id", "w", strict=False)
    _, inline = registry.parse(option(case, "-l"))
    entry = registry.named(case.loss)
    choice = registry.choose(entry, inline, {})
    if issubclass(entry.batch, Named):
        return choice, named(case, choice), 1.0
    if entry.task == "regression":
        pairs = zip(preds.iter_columns(), targets.iter_columns(), strict=True)
        return choice, [Regression(np, p.to_numpy(), y.to_numpy()) for p, y in pairs], 1.0
    link = next((link for flag, link in LINKS.items() if flag in case.arguments), "probability")
    if entry.task == "binary":
        link = "logit" if preds.columns == ["logit"] else link
        y, value = targets.to_series().to_numpy().clip(0, 1).astype(float), preds.to_series().to_numpy()
        return choice, [binary(entry.batch, y, value, link)], 1.0
    if entry.task == "multilabel":
        y, value = targets.select(preds.columns).to_numpy().astype(float), preds.to_numpy()
        return choice, [multilabel(entry.batch, y, value, link)], 1.0
    return choice, *multiclass(case, entry.batch, preds, targets, link)


def named(case: Any, choice: Choice) -> list[Batch]:
    """The batches that the program itself makes."""
    preds, targets = (parquet(case, side).sort("id") for side in ("preds", "targets"))
    run = prepare(preds, targets, str(choice), on="id", class_weight=option(case, "--class-weight") or None)
    frame = pl.concat(run.alignment.frames())
    rows = TASKS[choice.loss.task].read(Block(frame, 0, run.plan.roles), np, run.plan.wanted, None)
    return list(rows.parts[choice.loss.batch])


LINKS = {"--from-logits": "logit", "--from-log-probs": "log_prob"}


def parquet(case: Any, name: str) -> pl.DataFrame:
    return pl.read_parquet(case.folder / f"{name}.parquet")


def option(case: Any, flag: str) -> str:
    return case.arguments[case.arguments.index(flag) + 1] if flag in case.arguments else ""


def binary(kind: type[Batch], y: Any, value: Any, link: str) -> Batch:
    if kind is BinaryScore:
        return BinaryScore(np, value, 2 * y - 1)
    if kind is BinarySoftScore:
        return BinarySoftScore(np, value, y)
    return BinaryLabel(np, y, value) if kind is BinaryLabel else Binary(np, y, value, link, 0.0)


def multilabel(kind: type[Batch], y: Any, value: Any, link: str) -> Batch:
    if kind is MultilabelScore:
        return MultilabelScore(np, value, y > 0)
    return MultilabelLabel(np, y, value) if kind is MultilabelLabel else Multilabel(np, y, value, link, 0.0)


def multiclass(
    case: Any, kind: type[Batch], preds: pl.DataFrame, targets: pl.DataFrame, link: str
) -> tuple[list[Batch], Any]:
    # torch's losses of single rows hold the class weight and are zero for the ignored label.
    weights = dict(part.split("=") for part in option(case, "--class-weight").split(",") if part)
    if kind is MulticlassLabel:
        names = sorted(set(preds.to_series()) | set(targets.to_series()))
        codes = [[names.index(label) for label in frame.to_series()] for frame in (preds, targets)]
        return [MulticlassLabel(np, *map(np.array, codes), len(names))], 1.0
    names, score = preds.columns, preds.to_numpy()
    if targets.width > 1:
        distribution = targets.select(names).to_numpy()
        return [kind(np, score, link, 0.0, None, distribution)], 1.0
    labels = targets.to_series()
    code = np.array([names.index(label) for label in labels])
    if kind is OneVsAll:
        return [OneVsAll(np, np.eye(len(names))[code], score, link, 0.0)], 1.0
    class_weight = np.array([float(weights[name]) for name in names]) if weights else None
    factor = np.ones(len(code)) if class_weight is None else class_weight[code]
    factor = np.where(labels == option(case, "--ignore-label"), 0.0, factor)
    if kind is MulticlassScore:
        return [MulticlassScore(np, score, code, class_weight)], factor
    return [Multiclass(np, score, link, 0.0, code, None, class_weight)], factor
