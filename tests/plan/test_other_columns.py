"""Other columns, their order and their names change no number: the same number comes out, or an error."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from support.grids import grid

import losscli
from losscli.api import check
from losscli.errors import LossCliError

N = 12
RNG = np.random.default_rng(41)
SHARES = RNG.dirichlet([2, 2, 2], N)
CODES = RNG.integers(0, 3, N)
NAMES = ("cat", "dog", "fox")
BITS = RNG.integers(0, 2, (N, 2))
ORDER = np.roll(RNG.permutation(N), 1)


class Task(NamedTuple):
    """The predictions and the targets of a task, and a loss."""

    predictions: dict
    targets: dict
    loss: str


VALUE, TRUE = RNG.normal(size=(2, N))
PROB = RNG.uniform(0.05, 0.95, N)
TASKS = {
    "regression": Task({"prediction": VALUE}, {"target": TRUE}, "mae"),
    "regression of one name": Task({"sales": VALUE}, {"sales": TRUE}, "mae"),
    "regression of any name": Task({"forecast": VALUE}, {"actuals": TRUE}, "rmse"),
    "outputs": Task({"y_pred_0": VALUE, "y_pred_1": TRUE}, {"y_true_0": TRUE, "y_true_1": VALUE}, "mae"),
    "binary": Task({"prob": PROB}, {"label": BITS[:, 0]}, "log_loss"),
    "binary of one name": Task({"event": PROB}, {"event": BITS[:, 0]}, "brier"),
    "binary labels": Task({"predicted_label": BITS[:, 1]}, {"label": BITS[:, 0]}, "f1_error"),
    "classes": Task(
        {name: SHARES[:, i] for i, name in enumerate(NAMES)}, {"label": [NAMES[i] for i in CODES]}, "log_loss"
    ),
    "classes of a family": Task(
        {f"prob_{name}": SHARES[:, i] for i, name in enumerate(NAMES)},
        {"label": [NAMES[i] for i in CODES]},
        "log_loss",
    ),
    "predicted classes": Task(
        {"guess": [NAMES[i] for i in np.roll(CODES, 1)]},
        {"truth": [NAMES[i] for i in CODES]},
        "zero_one",
    ),
    "labels": Task({"news": PROB, "sport": 1 - PROB}, {"news": BITS[:, 0], "sport": BITS[:, 1]}, "hamming"),
    "vectors": Task({"e0": VALUE, "e1": TRUE}, {"e0": TRUE, "e1": VALUE}, "euclidean_distance"),
    "quantiles": Task({"q0.1": VALUE - 1, "q0.9": VALUE + 1}, {"y": TRUE}, "multi_quantile"),
    "distribution": Task({"mu": VALUE, "sigma": PROB}, {"y": TRUE}, "crps_normal"),
}
DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(N)]
SPARE = {
    "": list(range(N)),
    "Unnamed: 0": list(range(N)),
    "__index_level_0__": list(range(N)),
    "id": [f"r{i}" for i in range(N)],
    "Id": list(range(100, 100 + N)),
    "customer": [f"c{i}" for i in range(N)],
    "day": DAYS,
    "store": [1, 2, 3] * (N // 3),
    "fold": [0, 1] * (N // 2),
    "age": (20 + 5 * RNG.uniform(size=N)).tolist(),
    "share": RNG.uniform(size=N).tolist(),
    "region": ["eu", "us", "eu"] * (N // 3),
    "empty": [None] * N,
}
"""Columns that have nothing to do with the loss."""


def files(task: Task, spare: str, sides: str, shuffled: bool, how: str, folder):
    """The predictions and targets with one more column, in another order of columns."""
    tables = []
    for side, columns in (("p", task.predictions), ("t", task.targets)):
        own = {spare: SPARE[spare]} if side in sides else {}
        table = pl.DataFrame({**own, **columns} if how == "first" else {**columns, **own})
        table = table.select(reversed(table.columns)) if how == "reversed" else table
        tables.append(table[ORDER] if side == "t" and shuffled else table)
    if folder is None:
        return tables
    for side, table in zip("pt", tables, strict=True):
        table.write_csv(folder / f"{side}.csv")
    return [folder / "p.csv", folder / "t.csv"]


def outcome(function):
    try:
        return function()
    except LossCliError as error:
        return error


SIDES = [("p", False), ("t", False), ("pt", False), ("pt", True)]
"""The sides with the column, and whether the targets are shuffled."""
SAYS_NO_ORDER = ("store", "fold", "region", "empty")
"""The columns that are no key, whose values in another order prove nothing."""


@pytest.mark.parametrize(("name", "spare"), grid(TASKS, SPARE))
def test_a_spare_column_changes_no_number(name, spare, tmp_path):
    task = TASKS[name]
    plain = losscli.evaluate(pl.DataFrame(task.predictions), pl.DataFrame(task.targets), loss=task.loss)
    for place, (sides, shuffled) in enumerate(SIDES):
        if shuffled and spare in SAYS_NO_ORDER:
            continue
        how = ("first", "last", "reversed")[place % 3]
        p, t = files(task, spare, sides, shuffled, how, tmp_path if place % 2 else None)
        found = outcome(lambda p=p, t=t: losscli.evaluate(p, t, loss=task.loss).results[0].value)
        seen = outcome(lambda p=p, t=t: check(predictions=p, targets=t, loss=task.loss))
        assert isinstance(found, LossCliError) == isinstance(seen, LossCliError)
        if not isinstance(found, LossCliError):
            assert found == pytest.approx(plain.results[0].value, rel=1e-12), (sides, shuffled, how)


@pytest.mark.parametrize(("name", "spare"), grid(TASKS, ["", "Id", "customer", "day", "store", "share"]))
def test_several_models_are_read_as_one_is(name, spare):
    task = TASKS[name]
    for sides, shuffled in SIDES:
        p, t = files(task, spare, sides, shuffled, "first", None)
        models = {"a": p, "b": p.reverse() if (spare, sides) == ("Id", "pt") else p}
        alone = outcome(lambda p=p, t=t: losscli.evaluate(p, t, loss=task.loss).results[0].value)
        board = outcome(lambda m=models, t=t: losscli.rank(m, targets=t, loss=task.loss).results)
        both = outcome(lambda m=models, t=t: losscli.compare(m, targets=t, loss=task.loss).results)
        for results in (board, both):
            if isinstance(alone, LossCliError):
                assert isinstance(results, LossCliError)
            elif not isinstance(results, LossCliError):
                values = [each.value for each in results if not each.cell]
                assert values == pytest.approx([alone, alone], rel=1e-12)


def test_most_spare_columns_give_the_number():
    """The law above holds if everything is an error, which would be of no use."""
    refused = []
    for task in TASKS.values():
        for spare in SPARE:
            p, t = files(task, spare, "p", False, "first", None)
            found = outcome(lambda p=p, t=t, loss=task.loss: losscli.evaluate(p, t, loss=loss))
            refused.append(isinstance(found, LossCliError))
    assert np.mean(refused) < 0.15
