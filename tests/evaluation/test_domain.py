"""Rows outside the domain of a loss: an error with the rows, or left out and counted; never a null."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.catalog import registry
from losscli.errors import DataError, LossCliError
from losscli.report.findings import Code

P, Y = [1.0, -2.0, 3.0, 0.5], [2.0, 1.0, 3.0, -5.0]
INSIDE = [0, 2]
LOG_ERRORS = [(np.log1p(P[i]) - np.log1p(Y[i])) ** 2 for i in INSIDE]


@pytest.mark.parametrize(
    ("loss", "prediction", "target"),
    [
        ("msle", -2.0, 1.0),
        ("rmsle", -1.0, 1.0),
        ("poisson_deviance", 0.0, 1.0),
        ("poisson_deviance", 1.0, -1.0),
        ("gamma_deviance", 1.0, 0.0),
        ("tweedie_deviance:power=1.5", -1.0, 1.0),
        ("d2_tweedie:power=1", 0.0, 1.0),
        ("poisson_nll", -1.0, 1.0),
        ("poisson_nll", 0.0, 1.0),
        ("gamma_nll", 0.0, 1.0),
        ("tweedie_nll", 0.0, 1.0),
        ("expr: log(p)", 0.0, 1.0),
        ("expr: sqrt(p)", -1.0, 1.0),
        ("expr: 1 / y", 1.0, 0.0),
        ("mse", 1e200, 1.0),
    ],
)
@pytest.mark.parametrize("charts", [False, True], ids=["", "charts"])
def test_a_row_outside_the_domain_is_an_error_with_its_row(loss, prediction, target, charts):
    p, y = [1.0, prediction, 2.0], [1.0, target, 3.0]
    with pytest.raises(DataError) as error:
        losscli.evaluate(p, y, loss=loss, charts=charts)
    (problem,) = error.value.problems
    assert problem.code == str(Code.OUTSIDE_DOMAIN)
    assert problem.examples == (f"row 2: prediction {prediction}, target {target}",)
    assert "--domain drop" in problem.remedy
    dropped = losscli.evaluate(p, y, loss=loss, domain="drop")
    alone = losscli.evaluate([1.0, 2.0], [1.0, 3.0], loss=loss)
    assert dropped.results[0].value == alone.results[0].value
    assert [(n.code, n.count) for n in dropped.findings] == [("outside-domain", 1)]


def test_all_losses_that_are_outside_say_so_with_what_takes_the_values():
    with pytest.raises(DataError) as error:
        losscli.evaluate(P, Y, loss=["msle", "gamma_deviance", "mae"])
    first, second = error.value.problems
    assert (
        first.what == "2 rows outside the domain of mean_squared_log_error (targets and predictions above -1)"
    )
    assert first.remedy.startswith("-l msle:floor=0 raises numbers below 0 to 0; ")
    assert second.what == "2 rows outside the domain of mean_gamma_deviance (predictions and targets above 0)"


@pytest.mark.parametrize(("loss", "reduce"), [("msle", np.mean), ("rmsle", lambda x: np.sqrt(np.mean(x)))])
def test_the_floor_takes_them_and_drop_leaves_them_out_of_every_loss(loss, reduce):
    raised = [np.maximum(side, 0.0) for side in (P, Y)]
    expected = reduce((np.log1p(raised[0]) - np.log1p(raised[1])) ** 2)
    found = losscli.evaluate(P, Y, loss=f"{loss}:floor=0").results[0].value
    assert found == pytest.approx(expected, rel=1e-14)
    report = losscli.evaluate(P, Y, loss=[loss, "mae"], domain="drop")
    assert report.results[0].value == pytest.approx(reduce(LOG_ERRORS), rel=1e-14)
    assert (report.results[1].value, report.results[1].rows) == (0.5, 2)


def test_a_row_of_weight_zero_is_not_looked_at():
    weight = [1.0, 0.0, 1.0, 0.0]
    found = losscli.evaluate(P, Y, loss="msle", weight=weight).results[0].value
    assert found == pytest.approx(np.mean(LOG_ERRORS), rel=1e-14)


def test_a_group_leaves_whole():
    rows = pl.DataFrame(
        {"q": [1, 1, 2, 2], "score": [0.0, 1.0, 2.0, 1e200], "relevance": [1.0, 0.0, 1.0, 0.0]}
    )
    with pytest.raises(DataError, match=r"2 rows outside the domain of query_rmse\n  row 3: .*\n  row 4"):
        losscli.evaluate(rows, loss="query_rmse", group="q")
    report = losscli.evaluate(rows, loss="query_rmse", group="q", domain="drop")
    alone = losscli.evaluate(rows[:2], loss="query_rmse", group="q")
    assert report.results[0].value == alone.results[0].value


def test_a_comparison_takes_the_rows_that_all_models_have():
    other = [2.0, 0.0, 1.0, 3.0]
    y = [2.0, 1.0, 3.0, 1.0]
    with pytest.raises(DataError, match=r"1 row outside the domain of mean_squared_log_error"):
        losscli.compare(P, other, targets=y, loss="msle")
    report = losscli.compare(P, other, targets=y, loss="msle", domain="drop")
    kept = [0, 2, 3]
    alone = losscli.compare(
        *(np.array(side)[kept] for side in (P, other)), targets=np.array(y)[kept], loss="msle"
    )
    assert report.comparisons[0].difference == alone.comparisons[0].difference
    assert [result.rows for result in report.results] == [3, 3]


def test_a_submission_outside_the_domain_is_not_ranked():
    report = losscli.rank([1.0, 2.0], [1.0, -2.0], targets=[1.0, 3.0], loss="msle")
    assert [(each.place, bool(each.reason)) for each in report.board] == [(1, False), (None, True)]
    assert "outside the domain of mean_squared_log_error" in report.board[1].reason


def test_check_finds_what_evaluate_refuses_and_tells_a_submitter_no_target(losscli):
    losscli.write(p="prediction\n1\n-2\n", t="target\n2\n7\n")
    losscli.refuses(3, "check", "p.csv", "t.csv", "-l", "msle", said=["outside the domain", "target 7"])
    done = losscli("check", "p.csv", "t.csv", "-l", "msle", "--public")
    assert (done.status, "7" in done.err, "outside the domain of mean_squared_log_error" in done.err) == (
        3,
        False,
        True,
    )


def test_bare_ends_with_status_3_where_a_value_is_not_defined(losscli):
    losscli.write(p="prob,target\n0,1\n0.5,0\n")
    done = losscli("evaluate", "p.csv", "-l", "log_loss", "--eps", "0", "--bare", "-g", "n > 0")
    assert (done.status, done.out) == (3, "nan\n")
    done = losscli("evaluate", "p.csv", "-l", "log_loss", "--eps", "0", "--json")
    assert (done.status, json.loads(done.out)["results"][0]["value"]) == (0, None)


@pytest.mark.parametrize("loss", [each for each in registry.list_losses("regression") if not each.domain])
def test_a_loss_without_a_domain_takes_every_ordinary_number(loss):
    values = np.array([-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0])
    p, y = (side.ravel() for side in np.meshgrid(values, values))
    given = {param.name: _inside(param) for param in loss.params if param.required}
    try:
        scale = {"scale_by": "scale"} if loss.batch.needs else {}
        rows = pl.DataFrame({"y_pred": p, "y_true": y, "scale": 2.0})
        losscli.evaluate(rows, loss=loss.name, **given, **scale)
    except LossCliError as error:
        pytest.fail(f"{loss.name} has a domain and does not say so: {error}")


def _inside(param):
    return 2.0 if param.name not in ("alpha", "q_low") else 0.5


@pytest.mark.parametrize(
    ("loss", "rows", "said"),
    [
        (
            "mape",
            {"prediction": [1.0, 2.0, 0.0], "target": [0.0, 1.0, 0.0]},
            "raises |target| to epsilon=2.22",
        ),
        (
            "rmspe:epsilon=2",
            {"prediction": [1.0, 2.0], "target": [1.0, -1.5]},
            "raises |target| to epsilon=2.0",
        ),
        ("smape", {"prediction": [0.0, 2.0, 0.0], "target": [0.0, 1.0, 0.0]}, "counts 0 / 0 as 0"),
        (
            "msle:floor=1",
            {"prediction": [0.5, 3.0, 2.0], "target": [2.0, 3.0, -1.0]},
            "raises numbers to floor=1.0",
        ),
        (
            "rmsle:floor=1",
            {"prediction": [0.5, 3.0, 2.0], "target": [2.0, 3.0, -1.0]},
            "raises numbers to floor",
        ),
        (
            "gaussian_nll:min_variance=1",
            {"mu": [0.0, 0.0, 0.0], "sigma": [0.5, 2.0, 0.25], "target": [1.0, 1.0, 1.0]},
            "raises the variance to min_variance=1.0",
        ),
    ],
)
def test_a_replaced_number_is_counted_with_its_row(loss, rows, said):
    frame = pl.DataFrame(rows)
    report = losscli.evaluate(frame, loss=loss)
    (found,) = [note for note in report.findings if note.code == "replaced-value"]
    assert (found.count, said in found.text) == (2, True)
    assert found.examples[0].startswith("row 1: ")
    alone = losscli.evaluate(frame[1:2], loss=loss) if loss != "rmspe:epsilon=2" else None
    assert alone is None or not any(note.code == "replaced-value" for note in alone.findings)
    weighted = losscli.evaluate(frame, loss=loss, weight=[0.0] + [1.0] * (frame.height - 1))
    (found,) = [note for note in weighted.findings if note.code == "replaced-value"]
    assert found.count == 1


def test_a_replaced_number_of_several_outputs_and_models_is_counted():
    p = pl.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]})
    y = pl.DataFrame({"a": [0.0, 2.0], "b": [1.0, 0.0]})
    both = losscli.evaluate(p, y, loss="mape", pred="a,b")
    (found,) = [note for note in both.findings if note.code == "replaced-value"]
    assert found.count == 2
    report = losscli.compare([1.0, 2.0], [2.0, 2.0], targets=[0.0, 1.0], loss="mape")
    assert {note.code for note in report.findings} >= {"replaced-value"}
