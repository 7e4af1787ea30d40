"""Survival times: the intervals of observed and censored times, and the columns that hold them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.errors import DataError, UsageError

RNG = np.random.default_rng(9)
P = pl.DataFrame({"id": range(40), "log_time": RNG.normal(size=40)})
TIME, EVENT = RNG.gamma(2.0, size=40), RNG.integers(0, 2, 40)
INTERVALS = pl.DataFrame({"id": range(40), "lower": TIME, "upper": np.where(EVENT > 0, TIME, np.inf)})


def value(targets: pl.DataFrame, loss: str = "aft_nll", **options) -> float | None:
    return losscli.evaluate(P, targets, loss=loss, on="id", **options).results[0].value


@pytest.mark.parametrize(
    ("time", "event"), [("time", "event"), ("duration", "observed"), ("lower", "status")]
)
def test_times_and_events_are_intervals(time, event):
    targets = pl.DataFrame({"id": range(40), time: TIME, event: EVENT})
    assert value(targets) == value(INTERVALS)
    assert value(targets, "aft_interval_distance") == value(INTERVALS, "aft_interval_distance")


def test_times_without_events_are_all_observed():
    both = INTERVALS.with_columns(upper="lower")
    assert value(pl.DataFrame({"id": range(40), "time": TIME})) == value(both)


def test_an_upper_end_says_more_than_an_event():
    assert value(INTERVALS.with_columns(event=pl.lit(1))) == value(INTERVALS)


def test_flags_name_the_ends_in_their_order():
    named = INTERVALS.rename({"lower": "from", "upper": "to"})
    assert value(named, target=("from", "to")) == value(INTERVALS)
    with pytest.raises(UsageError, match="name them in this order: -y LOWER,UPPER"):
        value(named)


def test_infinity_is_read_from_text(losscli):
    losscli.write(p="id,log_time\n1,0\n2,1\n", t="id,lower,upper\n1,1,inf\n2,2,2\n")
    done = losscli("evaluate", "p.csv", "t.csv", "--bare", "-l", "aft_nll")
    assert float(done.out) == pytest.approx(
        (np.log(2) + 0.5 * np.log(2 * np.pi) + np.log(2) + (1 - np.log(2)) ** 2 / 2) / 2
    )


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [
        (-1.0, 2.0, "not a number >= 0"),
        (np.inf, np.inf, "not a number >= 0"),
        (0.0, 0.0, "not a number > 0, or inf"),
        (1.0, -1.0, "not a number > 0, or inf"),
        (3.0, 2.0, "lower bound"),
        (1.0, None, "missing value"),
    ],
)
def test_what_is_no_interval_is_an_error(lower, upper, words):
    wrong = pl.DataFrame(
        {"id": [0], "lower": [lower], "upper": [upper]}, schema_overrides={"upper": pl.Float64}
    )
    with pytest.raises(DataError, match=words):
        losscli.evaluate(P[:1], wrong, loss="aft_nll", on="id")
    if lower == 0.0:
        with pytest.raises(DataError, match="not a number > 0"):
            losscli.evaluate(P[:1], pl.DataFrame({"id": [0], "time": [0.0]}), loss="aft_nll", on="id")
