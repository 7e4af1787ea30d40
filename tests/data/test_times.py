"""--by day:month: slices by time, of dates and of text, in order of time."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest

import losscli
from losscli.data import times
from losscli.data.numbers import Spelling
from losscli.data.times import UNITS, gaps
from losscli.errors import DataError, UsageError
from losscli.render import render

INSTANTS = [
    datetime(2023, 12, 31, 23),
    datetime(2024, 1, 1, 0),
    datetime(2024, 2, 29, 5),
    datetime(2024, 12, 30),
]
LABELS = {
    "hour": ["2023-12-31T23", "2024-01-01T00", "2024-02-29T05", "2024-12-30T00"],
    "day": ["2023-12-31", "2024-01-01", "2024-02-29", "2024-12-30"],
    "week": ["2023-W52", "2024-W01", "2024-W09", "2025-W01"],
    "month": ["2023-12", "2024-01", "2024-02", "2024-12"],
    "quarter": ["2023-Q4", "2024-Q1", "2024-Q4"],
    "year": ["2023", "2024"],
}


def evaluated(day: object, by: str, **options: object) -> losscli.Report:
    frame = pl.DataFrame(
        {"y_pred": [1.0, 3.0, 2.0, 5.0], "y_true": 0.0, "day": day, "region": ["eu", "us"] * 2}
    )
    return losscli.evaluate(frame, loss="mae", by=by, **options)


def labels(report: losscli.Report) -> list[str]:
    return [result.cell["day"] for result in report.results if result.cell]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "form",
    [
        pl.Series(INSTANTS),
        pl.Series(INSTANTS, dtype=pl.Datetime("ns")),
        pl.Series([each.isoformat() for each in INSTANTS]),
        pl.Series([f"{each:%Y-%m-%d %H:%M}" for each in INSTANTS]),
        pl.Series([f"{each:%Y-%m-%dT%H:%M:%S.5}-11:00" for each in INSTANTS]),
        pl.Series([f"{each:%Y-%m-%dT%H}Z" for each in INSTANTS], dtype=pl.Categorical),
        pl.Series(INSTANTS).dt.replace_time_zone("Asia/Tokyo"),
    ],
    ids=["datetime", "nanoseconds", "iso", "minutes", "offset", "categorical", "zone"],
)
def test_labels_are_those_of_the_times_as_written_in_their_order(form, unit):
    report = evaluated(form, f"day:{unit}")
    assert labels(report) == LABELS[unit]
    assert report.times == {"day": unit}
    assert sum(result.rows for result in report.results if result.cell) == 4


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "hour"])
@pytest.mark.parametrize("cast", [pl.Date, pl.String])
def test_dates_have_no_hours(cast, unit):
    days = pl.Series([each.date() for each in INSTANTS]).cast(cast)
    assert labels(evaluated(days, f"day:{unit}")) == LABELS[unit]


def test_dates_before_1970_are_in_order_too():
    days = [date(1969, 12, 28), date(1969, 12, 29), date(1970, 1, 4), date(1970, 1, 5)]
    assert labels(evaluated(days, "day:week")) == ["1969-W52", "1970-W01", "1970-W02"]
    assert labels(evaluated([datetime(1969, 12, 31, hour) for hour in (0, 1, 22, 23)], "day:hour")) == [
        f"1969-12-31T{hour:02}" for hour in (0, 1, 22, 23)
    ]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "hour"])
@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime("ms"), pl.Datetime("ns")])
def test_dates_looked_up_in_a_calendar_have_the_units_of_single_dates(dtype, unit):
    instants = [datetime(1968, 2, 28, 23, 59, 59) + timedelta(hours=5 * step) for step in range(6000)]
    several, none = times.numbers(pl.Series("d", instants).cast(dtype), unit, Spelling())
    assert several.dtype == pl.Int64
    assert none is None
    for place in range(0, 6000, 61):
        alone, _ = times.numbers(pl.Series("d", instants[place : place + 1], dtype=dtype), unit, Spelling())
        assert alone.item() == several[place]


WRITTEN = ["2024-01-05", " 2024-02-29 ", "2023-02-29", "2024-1-5", "", None, "NA", "2024-01-05T10:00", "x"]
WRITTEN += ["2024-01-05 23:59:59.5+02:00", "2024-01-05T25:00", "2024-13-01", " ", "1969-12-31"]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_texts_that_recur_have_the_units_of_single_texts(unit, dtype):
    several, wrong = times.numbers(pl.Series("d", WRITTEN * 9, dtype=dtype), unit, Spelling())
    for place, text in enumerate(WRITTEN):
        alone, is_wrong = times.numbers(pl.Series("d", [text], dtype=dtype), unit, Spelling())
        assert [alone.item()] * 9 == several[place :: len(WRITTEN)].to_list()
        assert wrong is not None
        assert {*wrong[place :: len(WRITTEN)].tolist()} == {is_wrong is not None}


def test_missing_dates_are_a_slice_and_the_last():
    assert labels(evaluated(["2024-03-01", None, "", "2024-02-01"], "day:month")) == [
        "2024-02",
        "2024-03",
        "(missing)",
    ]


def test_times_are_crossed_with_other_columns():
    report = evaluated(INSTANTS, "region,day:quarter")
    cells = [tuple(result.cell.values()) for result in report.results if result.cell]
    assert cells == [("eu", "2023-Q4"), ("eu", "2024-Q1"), ("us", "2024-Q1"), ("us", "2024-Q4")]


def test_months_without_rows_are_said():
    report = evaluated(["2023-11-05", "2024-01-05", "2024-02-05", "2024-07-05"], "day:month")
    (found,) = report.findings
    assert found.code == "empty-times"
    assert found.text == "day: no rows in 2023-12, 2024-03 to 2024-06"


@pytest.mark.parametrize("unit", UNITS)
def test_gaps_are_what_labels_leave_out(unit):
    numbers = pl.Series("n", range(-3_000, 300_000, 101))
    own = times.labels(numbers, unit).to_list()
    assert [UNITS[unit].read(label) for label in own] == numbers.to_list()
    assert own == sorted(own) or unit in ("year", "month", "quarter")
    first, second, third, fourth = times.labels(pl.Series("n", [7999, 8000, 8001, 8002]), unit)
    assert gaps([fourth, first], unit) == [f"{second} to {third}"]
    assert gaps([third, first, fourth, third], unit) == [second]
    assert gaps([second, first], unit) == gaps([], unit) == []


def test_text_that_is_no_date_is_named_with_its_row(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("y_pred,y_true,day\n1,2,2024-01-31\n1,2,2024-02-30\n1,2,31.1.2024\n1,2,NA\n")
    with pytest.raises(DataError) as error:
        losscli.evaluate(path, loss="mae", by="day:month")
    (problem,) = error.value.problems
    assert problem.code == "not-a-date"
    assert problem.examples == ("row 2: '2024-02-30'", "row 3: '31.1.2024'")


def test_hours_need_a_time_of_day():
    with pytest.raises(DataError):
        evaluated(["2024-01-31T10:00", "2024-01-31", "2024-01-31T11:00", None], "day:hour")
    with pytest.raises(UsageError, match="needs times, but day holds dates"):
        evaluated([date(2024, 1, 31)] * 4, "day:hour")


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [timedelta(1)] * 4, [True] * 4])
def test_columns_of_other_types_hold_no_dates(values):
    with pytest.raises(UsageError, match="needs dates, but day is"):
        evaluated(values, "day:month")


def test_a_word_after_a_colon_is_a_unit_or_an_error():
    with pytest.raises(UsageError, match="'minute' is neither a number of bins nor a unit of time"):
        evaluated(INSTANTS, "day:minute")


def test_a_column_with_the_name_of_a_unit_comes_first():
    frame = pl.DataFrame({"y_pred": [1.0, 2.0], "y_true": 0.0, "day:month": ["a", "b"]})
    report = losscli.evaluate(frame, loss="mae", by="day:month")
    assert [result.cell for result in report.results[1:]] == [{"day:month": "b"}, {"day:month": "a"}]


def test_the_days_themselves_stay_as_they_are_written():
    written = ["2024-01-31T10:00Z", "2024-01-31", "2024-02-01", "2024-02-02"]
    report = evaluated(written, ["day:month", "day"])
    assert sorted(label for label in labels(report) if len(label) > 7) == sorted(written)


def test_comparisons_and_boards_are_in_order_of_time():
    frame = pl.DataFrame(
        {"a": [1.0, 5, 2, 3], "b": [1.5, 2, 2, 9], "y": 0.0, "day": [d.date() for d in INSTANTS]}
    )
    report = losscli.compare(frame, pred="a,b", target="y", loss="mae", by="day:month")
    assert [each.cell["day"] for each in report.comparisons if each.cell] == LABELS["month"]
    assert report.times == {"day": "month"}
    models = {name: frame.select(pl.col(name).alias("pred")) for name in "ab"}
    board = losscli.rank(models, targets=frame.select("y", "day"), loss="mae", by="day:month", target="y")
    days = [each.cell["day"] for each in board.board if each.cell]
    assert list(dict.fromkeys(days)) == LABELS["month"]


def test_gates_judge_months_by_name():
    report = evaluated(INSTANTS, "day:month", gate="mae[day=2024-02] <= 2.5")
    assert [verdict.status for verdict in report.gates] == ["pass"]


def test_the_trend_is_drawn_and_a_short_table_keeps_the_latest():
    report = evaluated(INSTANTS, "day:month", ci=None)
    rows = [line for line in render(report, "table").splitlines() if line.startswith("202")]
    assert [row.index("●") - rows[0].index("●") for row in rows] == [0, 9, 5, 18]
    short = render(report, "table", cells=2)
    assert [line[:7] for line in short.splitlines() if line.startswith("202")] == ["2024-02", "2024-12"]


def test_parts_have_the_same_slices_and_a_plan_keeps_its_unit(tmp_path):
    frame = pl.DataFrame({"y_pred": [1.0, 3.0, 2.0, 5.0], "y_true": 0.0, "day": INSTANTS})
    places = [tmp_path / f"{part}.state" for part in (1, 2)]
    for part, place in enumerate(places):
        own = frame[2 * part : 2 * part + 2]
        losscli.evaluate(own, loss="mae", by="day:month", part=f"{part + 1}/2", state=place)
    whole = losscli.evaluate(frame, loss="mae", by="day:month")
    assert losscli.merge(*places).results == whole.results
    assert losscli.merge(*places).times == {"day": "month"}
    with pytest.raises(UsageError, match="another one than the plan"):
        losscli.evaluate(frame, loss="mae", by="day:week", plan=places[0])


def dates_of(days: list[int | None], dtype: pl.DataType) -> pl.Series:
    """Dates so many days after 1970, as a type that holds them."""
    if dtype == pl.Date:
        return pl.Series(days, dtype=pl.Int32).cast(pl.Date)
    return (pl.Series(days, dtype=pl.Int64) * 86_400_000).cast(pl.Datetime("ms"))


@pytest.mark.parametrize("unit", ["", *(f":{unit}" for unit in UNITS if unit != "hour")])
@pytest.mark.parametrize("dtype", [pl.Date(), pl.Datetime("ms")], ids=["date", "time"])
@pytest.mark.parametrize("day", [2**31 - 1, -(2**31), 2_932_897, -719_163])
def test_dates_without_a_year_of_four_digits_are_named_with_their_rows(day, dtype, unit):
    with pytest.raises(DataError) as error:
        evaluated(dates_of([0, day, None, 1], dtype), f"day{unit}")
    (problem,) = error.value.problems
    assert problem.code == "date-out-of-range"
    (example,) = problem.examples
    assert example.startswith("row 2: ")


@pytest.mark.parametrize("dtype", [pl.Date(), pl.Datetime("ms")], ids=["date", "time"])
def test_the_first_and_the_last_date_have_labels(dtype):
    report = evaluated(dates_of([-719_162, 2_932_896, 0, 0], dtype), "day:day")
    assert labels(report) == ["0001-01-01", "1970-01-01", "9999-12-31"]
