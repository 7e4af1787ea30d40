"""The one rule for columns that users name: -w, --by, --cluster, --group and --where."""

from __future__ import annotations

import polars as pl
import pytest

import losscli
from losscli.errors import UsageError

PREDICTIONS = pl.DataFrame({"id": [1, 2], "pred": [1.0, 2.0], "w": [1, 1], "q": ["a", "b"]})
TARGETS = pl.DataFrame({"id": [1, 2], "y": [1.0, 2.5], "w": [1, 9], "q": ["a", "a"]})
RANKED = {"on": "id", "loss": "ndcg", "pred": "pred", "target": "y"}


@pytest.mark.parametrize(
    ("option", "name", "more"),
    [
        ("weight", "w", {}),
        ("by", "q", {}),
        ("cluster", "q", {}),
        ("where", "w > 0", {}),
        ("group", "q", RANKED),
    ],
)
def test_a_column_of_both_files_is_an_error_that_says_how_to_choose(option, name, more):
    column = name[0]
    with pytest.raises(UsageError, match=f"both files have a column {column}") as caught:
        losscli.evaluate(PREDICTIONS, TARGETS, **{"loss": "mae", "on": "id", option: name, **more})
    (problem,) = caught.value.problems
    assert problem.remedy == f"preds.{column} or targets.{column}"
    for remedy in problem.remedy.split(" or "):
        chosen = name.replace(column, remedy, 1)
        losscli.evaluate(PREDICTIONS, TARGETS, **{"loss": "mae", "on": "id", option: chosen, **more})


def test_the_side_that_is_chosen_is_the_one_that_is_taken():
    def value(weight: str) -> float | None:
        return losscli.evaluate(PREDICTIONS, TARGETS, loss="mae", on="id", weight=weight)["mae"].value

    assert value("preds.w") == pytest.approx(0.25)
    assert value("targets.w") == pytest.approx(0.45)


def test_the_plan_names_the_side_where_it_matters(losscli):
    losscli.write(p=PREDICTIONS, t=TARGETS)
    done = losscli(
        "evaluate", "p.csv", "t.csv", "-l", "mae", "-w", "targets.w", "--by", "preds.q", "--dry-run"
    )
    assert "-w targets.w --by preds.q" in done.err


def test_a_key_means_the_same_in_both_files():
    report = losscli.evaluate(PREDICTIONS, TARGETS, loss="mae", on="id", by="id")
    assert [dict(result.cell) for result in report.results[1:]] == [{"id": "2"}, {"id": "1"}]


def test_models_that_are_compared_may_have_the_column_too():
    report = losscli.compare(
        PREDICTIONS, PREDICTIONS, targets=TARGETS, names=("a", "b"), loss="mae", on="id", weight="targets.w"
    )
    assert report.results[0].value == pytest.approx(0.45)
