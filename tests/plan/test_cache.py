"""The plan cache: equal options and columns have one plan, which holds no rows."""

import gc
import weakref

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError, LossCliError, UsageError
from losscli.plan.resolve import prepare, settled
from losscli.tasks.regression import Regression

IMPORT = "from losscli.tasks.regression import Regression\n\n\n"

P, Y = np.array([1.0, 2.5, 3.0]), np.array([1.0, 2.0, 4.0])
LABELS = {"p": ["a", "b", "a"], "y": ["a", "b", "b"]}
OTHERS = {"p": ["c", "d", "c"], "y": ["c", "d", "d"]}


def test_equal_calls_have_one_plan():
    first = prepare(P, Y, loss="huber", delta=2.0)
    again = prepare(P + 1, Y[:2], loss="huber", delta=2.0)
    assert again.plan is first.plan
    assert again.tables[0].rows is not None
    assert again.tables[0].rows["prediction"].to_list() == (P + 1).tolist()


def test_tables_are_those_of_the_call():
    evaluate = [losscli.evaluate(P + more, Y, loss="mae")["mae"] for more in (0, 1, 0)]
    assert [each.value for each in evaluate] == [0.5, 0.8333333333333334, 0.5]
    one = pl.DataFrame({"pred": P, "y": Y})
    assert [losscli.evaluate(each, loss="mae")["mae"].rows for each in (one, one[:2])] == [3, 2]
    found = prepare(one, loss="mae")
    assert found.tables[0] is found.tables[1]
    assert found.alignment.is_one_table


@pytest.mark.parametrize(
    "others",
    [
        {"loss": "mae"},
        {"loss": "huber", "delta": 2.0},
        {"loss": "huber", "delta": 1, "ci": None},
        {"loss": "huber", "delta": 1, "by": "y"},
    ],
)
def test_other_options_are_another_plan(others):
    first = prepare(P, {"y": Y}, loss="huber", delta=1)
    assert prepare(P, {"y": Y}, **others).plan is not first.plan


def test_options_that_are_equal_numbers_of_other_types_are_told_apart():
    prepare(P, Y, loss="huber", delta=1, threads=1)
    with pytest.raises(UsageError, match="threads"):
        prepare(P, Y, loss="huber", delta=1, threads=True)


@pytest.mark.parametrize(
    "p", [P.astype("float32"), {"pred": P}, {"prediction": P, "x": P}, P[:, None].repeat(2, axis=1)]
)
def test_other_columns_are_another_plan(p):
    first = prepare(P, Y, loss="mae")
    y = Y if np.ndim(p) < 2 else Y[:, None].repeat(2, axis=1)
    assert prepare(p, y, loss="mae").plan is not first.plan


def test_a_plan_that_depends_on_rows_is_made_of_those_of_each_call():
    for data, names in ((LABELS, ("a", "b")), (OTHERS, ("c", "d")), (LABELS, ("a", "b"))):
        found = prepare(data, loss="accuracy", task="multiclass", pred="p", target="y")
        assert found.plan.roles.names == names
        report = losscli.evaluate(data, loss="accuracy", task="multiclass", pred="p", target="y")
        assert [each.cell for each in report.results[1:]] == [{"class": name} for name in names]


def test_slices_that_rows_choose_are_those_of_each_call():
    values, bins = np.arange(60.0), []
    for z in (values % 3, values % 3 + 5):
        data = {"pred": values, "y": values + 1, "z": z}
        slices = {each.cell["z"] for each in losscli.evaluate(data, loss="mae", by="auto").results[1:]}
        assert slices == {f"{each:g}" for each in z}
        bins += [each.cell["z"] for each in losscli.evaluate(data, loss="mae", by="z:2").results[1:]]
    assert len({*bins}) == 4


def test_arrays_that_are_options_are_told_apart():
    w = pl.Series("w", [1.0, 1.0, 2.0])
    weighted = losscli.evaluate(P, Y, loss="mae", weight=w)
    clustered = losscli.evaluate(P, Y, loss="mae", cluster=w)
    sliced = losscli.evaluate(P, Y, loss="mae", by=w)
    assert weighted["mae"].weight == 4
    assert clustered["mae"].weight == 3
    assert [each.cell for each in sliced.results[1:]] == [{"w": "2"}, {"w": "1"}]


def test_no_rows_are_kept():
    p = P.copy()
    alive = weakref.ref(p)
    losscli.evaluate(p, Y, loss="mae")
    del p
    gc.collect()
    assert alive() is None


def test_changes_of_a_report_do_not_reach_the_next_one():
    first = losscli.evaluate(P, Y, loss="l1")
    first.names.clear()
    losscli.evaluate(P, Y, loss="huber").results[0].params.clear()
    assert losscli.evaluate(P, Y, loss="l1").names == {"l1": "mean_absolute_error"}
    assert losscli.evaluate(P, Y, loss="huber").results[0].params == {"delta": 1.0}


def test_a_list_that_changes_is_another_request():
    losses = ["mae"]
    assert len(losscli.evaluate(P, Y, loss=losses).results) == 1
    losses.append("mse")
    assert len(losscli.evaluate(P, Y, loss=losses).results) == 2


def test_functions_and_files_are_read_each_time(tmp_path):
    file = tmp_path / "own.py"
    for factor in (1, 2):

        def scaled(batch: Regression):
            return factor * batch.abs_error  # noqa: B023  called before the next one

        assert losscli.evaluate(P, Y, loss=scaled)["scaled"].value == 0.5 * factor
        file.write_text(f"{IMPORT}def own(batch: Regression):\n    return {factor} * batch.abs_error\n")
        assert losscli.evaluate(P, Y, loss=f"{file}:own")["own"].value == 0.5 * factor


def test_the_device_of_the_environment_counts(monkeypatch):
    assert not prepare(P, Y, loss="mae").plan.place.why
    monkeypatch.setenv("LOSSCLI_DEVICE", "auto")
    assert prepare(P, Y, loss="mae").plan.place.why


def test_problems_are_reported_together_also_later():
    losscli.evaluate(P, Y, loss="mae")
    with pytest.raises(DataError):
        losscli.evaluate(np.zeros(0), Y, loss="mae")
    with pytest.raises(DataError, match="3 rows of targets"):
        losscli.evaluate(P[:2], Y, loss="mae")
    with pytest.raises(LossCliError) as error:
        losscli.evaluate(np.zeros(0), Y, loss="mae", missing="what")
    assert len(error.value.problems) == 2


def test_comparisons_use_the_cache_too():
    first = settled(P, Y, "mae")
    again = settled(P, Y, "mae")
    assert again.roles is first.roles
    reports = [losscli.compare(P, P + more, targets=Y, loss="mae") for more in (0.0, 1.0)]
    assert reports[0].comparisons[0].difference == 0.0
    assert reports[1].comparisons[0].difference > 0.3
