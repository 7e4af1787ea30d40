"""Units of time: the hour, day, week, month, quarter or year of dates, as a number and as a label.

Times are taken as written: offsets and time zones move no row to another day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from losscli.data.numbers import Spelling
from losscli.numeric.arrays import Array, pl

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3])(?::?[0-5][0-9](?::?[0-5][0-9](?:[.,][0-9]+)?)?)?"
_ZONE = r"(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?"
_DATE = rf"^{_DAY}(?:[T ]{_CLOCK}{_ZONE})?$"
_TIME = rf"^{_DAY}[T ]{_CLOCK}{_ZONE}$"
"""Dates and times of ISO 8601."""
_FEW = 1 / 4
"""The distinct texts of a column, per row, up to which only they are read: ten times as fast."""
_MONDAY = 3
"""Days from the last Monday before 1970 to its first day, a Thursday."""
_FIRST, _END = -719_162, 2_932_897
"""The days of 0001-01-01 and of the one after 9999-12-31, from 1970 on."""
_TICKS = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
"""How many units of a time are a day."""


class Unit(Struct, frozen=True):
    """A unit of time: how days and hours are numbered, and how its labels are written and read."""

    number: Callable[[pl.Expr, pl.Expr], pl.Expr]
    label: Callable[[pl.Expr], pl.Expr]
    read: Callable[[str], int]


def _dates(days: pl.Expr) -> pl.Expr:
    return days.cast(pl.Int32).cast(pl.Date)


def _year(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int64)


def _padded(number: pl.Expr, width: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(width)


def _read_day(label: str) -> int:
    return (date.fromisoformat(label) - date(1970, 1, 1)).days


UNITS = {
    "hour": Unit(
        lambda day, hour: day.cast(pl.Int64) * 24 + hour,
        lambda n: _dates(n // 24).dt.to_string("%Y-%m-%d") + "T" + _padded(n % 24, 2),
        lambda label: _read_day(label[:-3]) * 24 + int(label[-2:]),
    ),
    "day": Unit(
        lambda day, hour: day.cast(pl.Int64),
        lambda n: _dates(n).dt.to_string("%Y-%m-%d"),
        _read_day,
    ),
    "week": Unit(
        lambda day, hour: (day.cast(pl.Int64) + _MONDAY) // 7,
        lambda n: _dates(n * 7 - _MONDAY).dt.to_string("%G-W%V"),
        lambda label: (_read_day(label + "-1") + _MONDAY) // 7,
    ),
    "month": Unit(
        lambda day, hour: _year(day) * 12 + day.dt.month() - 1,
        lambda n: _padded(n // 12, 4) + "-" + _padded(n % 12 + 1, 2),
        lambda label: int(label[:-3]) * 12 + int(label[-2:]) - 1,
    ),
    "quarter": Unit(
        lambda day, hour: _year(day) * 4 + day.dt.quarter() - 1,
        lambda n: _padded(n // 4, 4) + "-Q" + (n % 4 + 1).cast(pl.String),
        lambda label: int(label[:-3]) * 4 + int(label[-1]) - 1,
    ),
    "year": Unit(
        lambda day, hour: _year(day),
        lambda n: _padded(n, 4),
        int,
    ),
}
"""The units of --by COLUMN:UNIT, from the shortest; labels sorted as text are in order of time."""


def numbers(series: pl.Series, unit: str, spelling: Spelling) -> tuple[pl.Series, Array | None]:
    """The number of the hour, day, ... of each row (n,), null if missing, and a mask of invalid dates.

    Consecutive units have consecutive numbers.  Text may be no date, and dates `out_of_range`; the mask is
    None if there are none.
    """
    if series.dtype == pl.Null:
        return pl.Series(series.name, [None] * len(series), dtype=pl.Int64), None
    if (outside := out_of_range(series)) is not None:
        series = series.to_frame().select(pl.when(pl.Series(~outside)).then(pl.col(series.name))).to_series()
        return _of_dates(series, unit, spelling), outside
    if series.dtype.is_temporal():
        return _of_dates(series, unit, spelling), None
    texts = series.drop_nulls().unique()
    if len(texts) > len(series) * _FEW:
        return _numbers(series, unit, spelling)
    units, wrong = _numbers(texts, unit, spelling)
    numbers = series.replace_strict(texts, units, default=None, return_dtype=pl.Int64)
    if wrong is None:
        return numbers, None
    return numbers, series.is_in(texts.filter(pl.Series(wrong)).implode()).fill_null(False).to_numpy()


def _of_dates(series: pl.Series, unit: str, spelling: Spelling) -> pl.Series:
    """The unit numbers of dates or times."""
    if unit != "hour" and (days := _days(series)) is not None:
        return _of_days(days, unit)
    return _numbers(series, unit, spelling)[0]


def out_of_range(series: pl.Series) -> Array | None:
    """A mask of dates and times (n,) outside of the years 1 to 9999; None if there are none."""
    if series.dtype not in (pl.Date, pl.Datetime):
        return None
    ticks = _TICKS[series.dtype.time_unit] if isinstance(series.dtype, pl.Datetime) else 1
    instants, first, end = series.cast(pl.Int64), _FIRST * ticks, _END * ticks
    low: Any = instants.min()
    high: Any = instants.max()
    if low is None or (first <= low and high < end):
        return None
    return ~instants.is_between(first, end, closed="left").fill_null(True).to_numpy()


def _numbers(series: pl.Series, unit: str, spelling: Spelling) -> tuple[pl.Series, Array | None]:
    """As `numbers`, row by row."""
    name, is_text = series.name, not series.dtype.is_temporal()
    column = pl.col(name)
    day, hour, written = column.dt.date(), pl.lit(0), pl.lit(None)
    if is_text:
        written = spelling.stripped(column.cast(pl.String))
        plain = pl.when(written.str.contains(_TIME if unit == "hour" else _DATE)).then(written)
        day = plain.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        hour = plain.str.slice(11, 2).cast(pl.Int64, strict=False)
    elif series.dtype == pl.Datetime:
        hour = column.dt.hour().cast(pl.Int64)
    number = UNITS[unit].number(day, hour).alias(name)
    columns = series.to_frame().select(number, (written.is_not_null() & number.is_null()).alias("#wrong"))
    wrong = columns["#wrong"]
    return columns[name], wrong.to_numpy() if is_text and wrong.any() else None


def _days(series: pl.Series) -> pl.Series | None:
    """A column of dates, or of times without a time zone, as dates; None if it is empty or has gaps."""
    dtype = series.dtype
    has_days = dtype == pl.Date or (isinstance(dtype, pl.Datetime) and dtype.time_zone is None)
    return series.cast(pl.Date) if has_days and len(series) and not series.null_count() else None


def _of_days(days: pl.Series, unit: str) -> pl.Series:
    """The unit numbers of dates, looked up in a calendar from the first date to the last if it is short."""
    numbers = days.cast(pl.Int32).to_numpy()
    first, last = int(numbers.min()), int(numbers.max())
    if last - first >= len(days):
        return days.to_frame().select(UNITS[unit].number(pl.col(days.name), pl.lit(0))).to_series()
    calendar = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date)
    units = calendar.to_frame("day").select(UNITS[unit].number(pl.col("day"), pl.lit(0))).to_series()
    return pl.Series(days.name, units.to_numpy()[numbers - first])


def labels(units: pl.Series, unit: str) -> pl.Series:
    """The labels of unit numbers: '2024-03' for a month, '2024-W09' for a week; null for null."""
    return _labels((*units,), unit).alias(units.name)


@lru_cache(maxsize=8)
def _labels(units: tuple[int | None, ...], unit: str) -> pl.Series:
    """As `labels`, once for all blocks that have the same units."""
    numbers = pl.Series("n", units, dtype=pl.Int64).to_frame()
    return numbers.select(UNITS[unit].label(pl.col("n"))).to_series()


def gaps(known: Iterable[str], unit: str) -> list[str]:
    """The units without a label between the first and the last one: '2024-05', '2024-07 to 2024-09'."""
    try:
        present = sorted(UNITS[unit].read(label) for label in set(known))
    except ValueError:
        return []  # years beyond the calendar of datetime
    holes = [(a + 1, b - 1) for a, b in pairwise(present) if b - a > 1]
    if not holes:
        return []
    first, last = (labels(pl.Series("n", ends, dtype=pl.Int64), unit) for ends in zip(*holes, strict=True))
    return [a if a == b else f"{a} to {b}" for a, b in zip(first, last, strict=True)]
