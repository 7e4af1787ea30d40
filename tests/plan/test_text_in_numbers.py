"""Text in a column of numbers is an error of that column, which never drops out of the loss for it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from support.grids import grid

import losscli
from losscli.errors import DataError, LossCliError, UsageError

N = 40
RNG = np.random.default_rng(11)
VECTORS, SHARES, BITS = RNG.normal(size=(N, 3)), RNG.dirichlet([1, 1, 1], N), RNG.integers(0, 2, (N, 3))
LABELS = {"label": np.array(["a", "b", "c"])[RNG.integers(0, 3, N)]}


def table(values, *names):
    return pl.DataFrame(np.asarray(values, float), schema=names).with_columns(id=pl.int_range(N))


OUTPUTS = ("y_pred_0", "y_pred_1", "y_pred_2"), ("y_true_0", "y_true_1", "y_true_2")
LEVELS, MEMBERS = ("q0.1", "q0.5", "q0.9"), ("m0", "m1", "m2")
ONE = pl.DataFrame({"id": range(N), "y": VECTORS[:, 0]})
TASKS = {
    "numbered dimensions": ("euclidean", *[table(VECTORS + i, "e0", "e1", "e2") for i in (1, 0)]),
    "dimensions": ("euclidean", *[table(VECTORS + i, "width", "height", "depth") for i in (1, 0)]),
    "labels": ("log_loss", *[table(x, "news", "sport", "tech") for x in (SHARES, BITS)]),
    "two labels": ("hamming", *[table(x[:, :2], "news", "sport") for x in (SHARES, BITS)]),
    "pixels": ("dice", *[table(x, "px0", "px1", "px2") for x in (SHARES, BITS)]),
    "outputs": ("mae", *[table(VECTORS + i, *names) for i, names in enumerate(OUTPUTS)]),
    "levels": ("multi_quantile", table(np.sort(VECTORS), *LEVELS), ONE),
    "members": ("crps_ensemble", table(VECTORS, *MEMBERS), ONE),
    "classes": ("log_loss", table(SHARES, "prob_a", "prob_b", "prob_c"), pl.DataFrame(LABELS)),
}
SHARED = [task for task, (_, p, t) in TASKS.items() if t.width == p.width]
"""The tasks whose targets are as many columns as the predictions."""
FORMS = ["csv", "parquet"]
TEXTS = {
    "nan": lambda values: [str(float("nan")) if i == 5 else repr(v) for i, v in enumerate(values)],
    "a typo": lambda values: ["0.5.1" if i == 5 else repr(v) for i, v in enumerate(values)],
    "no number": lambda values: ["x"] * len(values),
    "nan alone": lambda values: ["nan"] * len(values),
    "nothing": lambda values: [None] * len(values),
}


def with_text(frame, text):
    name = frame.columns[1]
    return frame.with_columns(pl.Series(name, TEXTS[text](frame[name].to_list()), pl.String)), name


@pytest.mark.parametrize(
    ("task", "text", "form", "side"),
    grid(TASKS, TEXTS, FORMS, ["predictions"]) + grid(SHARED, TEXTS, FORMS, ["targets"]),
)
def test_text_in_a_column_of_numbers_is_an_error(task, text, form, side, tmp_path):
    loss, *tables = TASKS[task]
    broken = int(side == "targets")
    frames = [*tables, tables[0]]
    frames[broken], name = with_text(frames[broken], text)
    paths = [tmp_path / f"{each}.{form}" for each in ("p", "t", "honest")]
    for path, frame in zip(paths, frames, strict=True):
        frame.write_csv(path) if form == "csv" else frame.write_parquet(path)
    p, t, honest = paths
    for run in (
        lambda: losscli.evaluate(p, t, loss=loss),
        lambda: losscli.compare(honest, p, targets=t, loss=loss),
        lambda: losscli.rank(p, targets=t, loss=loss),
    ):
        with pytest.raises(LossCliError, match=name) as error:
            run()
        assert isinstance(error.value, DataError)
    if not broken:
        board = losscli.rank(p, honest, targets=t, loss=loss).board
        assert [each.model for each in board if each.place] == [f"honest.{form}"]


CHANGES = {
    "missing": lambda frame, name: frame.drop(name),
    "renamed": lambda frame, name: frame.rename({name: f"{name}x"}),
    "in upper case": lambda frame, name: frame.rename({name: name.upper()}),
    "with a blank": lambda frame, name: frame.rename({name: f"{name} "}),
}


@pytest.mark.parametrize("task", SHARED)
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("change", CHANGES)
def test_both_sides_have_the_same_columns(task, side, change):
    loss, *tables = TASKS[task]
    tables[side] = CHANGES[change](tables[side], tables[side].columns[1])
    with pytest.raises(LossCliError):
        losscli.evaluate(*tables, loss=loss)
    if side == 0:
        entries = {"cheat": tables[0], "honest": TASKS[task][1]}
        board = losscli.rank(entries, targets=tables[1], loss=loss).board
        assert [each.model for each in board if each.place] == ["honest"]


@pytest.mark.parametrize("task", ["levels", "members"])
@pytest.mark.parametrize("change", ["in upper case", "with a blank"])
def test_a_column_spelt_unlike_its_family_is_an_error(task, change):
    loss, p, t = TASKS[task]
    misspelt = CHANGES[change](p, p.columns[1])
    with pytest.raises(UsageError, match="is spelled differently from"):
        losscli.evaluate(misspelt, t, loss=loss)
    names = [p.columns[0], p.columns[2]]
    assert losscli.evaluate(misspelt, t, loss=loss, pred=names).results[0].rows == N
