"""By position only if no column of both files could be the key."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from test_columns import flags, frame, value

import losscli
from losscli.errors import UsageError

N = 8
GUESS, TRUE = np.array([11, 19, 32, 41, 49, 62, 68, 81.0]), np.array([10, 20, 30, 40, 50, 60, 70, 80.0])
MAE = np.abs(GUESS - TRUE).mean()
ORDER = [3, 1, 7, 0, 2, 6, 4, 5]
KEYS = {
    "customer_id": [f"c{i}" for i in range(N)],
    "number": list(range(N)),
    "date": [date(2024, 1, 1 + i) for i in range(N)],
    "float": [float(i) for i in range(N)],
}


def refused(*args, **options) -> str:
    with pytest.raises(UsageError) as error:
        losscli.evaluate(*args, loss="mae", **options)
    return str(error.value)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("text", [False, True])
def test_a_column_that_could_be_the_key_is_an_error(name, text, tmp_path):
    p, t = frame(**{name: KEYS[name]}, prediction=GUESS), frame(**{name: KEYS[name]}, target=TRUE)
    files = (p, t[ORDER])
    if text:
        for table, path in zip(files, ("p.csv", "t.csv"), strict=True):
            table.write_csv(tmp_path / path)
        files = (tmp_path / "p.csv", tmp_path / "t.csv")
    said = refused(*files)
    assert f"both have {name}, whose values differ from row 1 on" in said
    assert f"--on {name} aligns by it; --on position aligns by position" in said
    assert value(*files, loss="mae", on=name) == pytest.approx(MAE)
    shuffled = np.abs(GUESS - TRUE[ORDER]).mean()
    assert value(*files, loss="mae", on="position") == pytest.approx(shuffled)
    assert value(p, t, loss="mae") == pytest.approx(MAE)


def test_the_plan_asks_for_position_where_the_user_did():
    p, t = frame(a=range(N), prediction=GUESS), frame(a=ORDER, target=TRUE)
    assert "--on position" in flags(p, t, loss="mae", on="position")
    assert "--on" not in flags(p, t.with_columns(a=pl.Series(range(N))), loss="mae")
    # Of files that both have a column of this name it is the key.
    p, t = (table.rename({"a": "position"}) for table in (p, t))
    assert value(p, t, loss="mae", on="position") != value(p.drop("position"), t, loss="mae")


def test_names_in_another_case_are_the_same_column():
    p, t = frame(ID=range(N), prediction=GUESS), frame(id=range(N), target=TRUE)
    said = refused(p, t[ORDER])
    assert "write its name alike in both: ID and id" in said
    assert value(p, t, loss="mae") == pytest.approx(MAE)


def test_several_columns_together_could_be_the_key():
    keys = {"store": [1, 1, 1, 1, 2, 2, 2, 2], "day": [0, 1, 2, 3] * 2}
    p, t = frame(**keys, prediction=GUESS), frame(**keys, target=TRUE)
    assert "--on store,day" in refused(p, t[ORDER])
    assert value(p, t[ORDER], loss="mae", on="store,day") == pytest.approx(MAE)
    assert value(p, t, loss="mae") == pytest.approx(MAE)


def test_the_same_values_in_another_order_are_an_error():
    p = frame(age=[33.5, 20.5, 20.5, 41.5] * 2, prediction=GUESS)
    t = frame(age=[20.5, 33.5, 20.5, 41.5] * 2, target=TRUE)
    assert "both have age" in refused(p, t)


def test_other_columns_of_both_files_say_nothing_of_the_order():
    p = frame(version=[1] * N, noise=GUESS / 7, prediction=GUESS)
    t = frame(version=[2] * N, noise=TRUE / 9, target=TRUE)
    assert value(p, t, loss="mae") == pytest.approx(MAE)
    # The prediction, the target and the weight of one file may be columns of the other one.
    p, t = frame(target=range(N), prediction=GUESS), frame(target=TRUE, prediction=range(N))
    assert value(p, t, loss="mae") == pytest.approx(MAE)


def test_the_index_of_a_shuffled_dataframe_is_an_error():
    p, t = frame(**{"": range(N)}, prediction=GUESS), frame(**{"": ORDER}, target=TRUE)
    said = refused(p, t)
    assert "an index without a name" in said
    assert "give it a name in both" in said


def test_check_finds_what_evaluate_refuses():
    from losscli.api import check

    with pytest.raises(UsageError, match="--on a aligns by it"):
        check(
            predictions=frame(a=range(N), prediction=GUESS), targets=frame(a=ORDER, target=TRUE), loss="mae"
        )
