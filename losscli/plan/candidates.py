"""--by auto: select the columns that may show where a model is weak, and choose how each one is sliced.

A first pass over the files counts distinct values.  Per column it holds only the values of a category, or the
first and the last day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from losscli.data import times
from losscli.data.columns import SIDES
from losscli.data.numbers import Spelling
from losscli.data.table import Table, stream
from losscli.errors import UsageError
from losscli.numeric.arrays import pl
from losscli.plan.columns import is_key
from losscli.report.findings import Code, Note, note
from losscli.text import enumerated

AUTO = "auto"
"""The word for all suitable columns in --by, unless a column has this name."""
_SIDES = {(AUTO,): ("t:", "p:")} | {(f"{side}.{AUTO}",): (prefix,) for side, prefix in SIDES.items()}
"""The sides searched for columns, by the word in --by: both, or the one it names."""

MOST_VALUES = 50
"""Maximum number of distinct values in a text column; with more, they are likely names, not categories."""
MOST_NUMBERS = 10
"""Maximum number of distinct numbers that become one slice each; more are binned."""
BINS = 5
MOST_TIMES = 24
"""Maximum number of time units; the shortest unit within this limit is chosen."""
_HEAD = 100
"""The first rows, in which most columns of text show that they hold no dates."""
_WORDS = (pl.String, pl.Categorical, pl.Enum)


class Candidates(Struct, frozen=True):
    """The columns as written in --by, and those left out because they have too many values."""

    columns: tuple[str, ...]
    left_out: tuple[str, ...]


def with_auto(
    by: Sequence[tuple[str, ...]], predictions: Table, targets: Table, used: Collection[str]
) -> tuple[tuple[tuple[str, ...], ...], tuple[Note, ...]]:
    """The slices of --by with `auto` expanded, and a note on the columns that it leaves out.

    `used` are the columns of the stream that have a role.  Raises UsageError if no column is suitable.
    """
    tables = {"p:": predictions, "t:": targets}
    auto = [
        parts
        for parts in by
        if parts in _SIDES and not any(AUTO in tables[side].schema for side in _SIDES[parts])
    ]
    if not auto:
        return tuple(by), ()
    candidates = find_candidates(
        predictions, targets, used, {side for parts in auto for side in _SIDES[parts]}
    )
    if not candidates.columns:
        remedy = (
            f"too many values: {enumerated(candidates.left_out)}"
            if candidates.left_out
            else "name them: --by region"
        )
        raise UsageError(f"--by {auto[0][0]}: no column cuts the rows into slices", remedy=remedy)
    auto_columns = tuple((name,) for name in candidates.columns)
    slices = tuple(names for parts in by for names in (auto_columns if parts in auto else (parts,)))
    if not candidates.left_out:
        return slices, ()
    return slices, (note(Code.TOO_MANY_VALUES, columns=enumerated(candidates.left_out), most=MOST_VALUES),)


def find_candidates(
    predictions: Table, targets: Table, used: Collection[str], sides: Collection[str]
) -> Candidates:
    """Find the columns suitable for slices: no role, and not named like a key; one pass over each file.

    `sides` are the sides to search, "p:" and "t:"; a single file is searched once.
    """
    columns, left_out = list[str](), list[str]()
    tables = {"t:": targets, "p:": predictions}
    for prefix in ("t:",) if predictions is targets else (side for side in tables if side in sides):
        table = tables[prefix]
        free = [
            name for name in table.schema if not {f"p:{name}", f"t:{name}"} & set(used) and not is_key(name)
        ]
        other = predictions if prefix == "t:" else targets
        for name, cut in _suffixes(table, free):
            if other is not table and name in other.schema and prefix == "p:":
                continue  # for a column of both files, that of the targets is used
            # With a side given, the names keep it, so that they mean the same with other files.
            if other is not table and (name in other.schema or len(sides) == 1):
                name = f"{_side_name(prefix)}.{name}"
            if cut is None:
                left_out.append(name)
            else:
                columns.append(name + cut)
    return Candidates(tuple(columns), tuple(left_out))


def _side_name(prefix: str) -> str:
    return next(side for side, side_prefix in SIDES.items() if side_prefix == prefix)


def _suffixes(table: Table, names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each column that has several values, with its suffix in --by; None if they are too many."""
    if table.frame is not None:
        raise UsageError("--by auto needs files: these rows are a DataFrame of Spark", remedy="--by region")
    profiles = [_Profile(name, table) for name in names if _could_cut(table.schema[name])]
    if not profiles:
        return
    for frame in stream(table.scan.select(profile.name for profile in profiles), table):
        for profile in profiles:
            profile.add(frame[profile.name])
    for profile in profiles:
        if profile.is_several:
            yield profile.name, profile.cut()


def _could_cut(dtype: Any) -> bool:
    return bool(dtype.is_numeric() or dtype in (*_WORDS, pl.Boolean, pl.Date, pl.Datetime))


class _Profile:
    """Statistics of a column: its distinct values up to a limit, and the range of days."""

    def __init__(self, name: str, table: Table) -> None:
        self.name, self._spelling, self._dtype = name, table.spelling, table.schema[name]
        self._values: pl.Series | None = None
        self._days: tuple[int, int] | None = None
        self._most = MOST_NUMBERS if self._dtype.is_numeric() else MOST_VALUES
        self._are_many, self._are_dates = False, not (self._dtype.is_numeric() or self._dtype == pl.Boolean)

    def add(self, series: pl.Series) -> None:
        """Add the values of some rows."""
        if self._are_dates:
            self._add_days(series)
        if self._are_many:
            return
        values = series.unique()
        self._values = values if self._values is None else pl.concat([self._values, values]).unique()
        self._are_many = len(self._values) > self._most
        if self._are_many:
            self._values = None

    def _add_days(self, series: pl.Series) -> None:
        for some in (series.head(_HEAD), series):  # text seldom begins with dates if it is none
            days, wrong = times.numbers(some, "day", self._spelling)
            if wrong is not None:
                self._are_dates = False
                return
        if len(known := days.drop_nulls().sort()):
            low, high = self._days or (known[0], known[0])
            self._days = min(low, known[0]), max(high, known[-1])

    @property
    def is_several(self) -> bool:
        """Whether there are at least two distinct values; a missing value counts as one."""
        return self._are_many or (self._values is not None and len(self._values) > 1)

    def cut(self) -> str | None:
        """The suffix of the name in --by; None if there are too many values."""
        if self._are_dates and self._days is not None:
            return f":{_time_unit(*self._days)}"
        if not self._are_many:
            return ""
        return f":{BINS}" if self._dtype.is_numeric() else None


def _time_unit(first: int, last: int) -> str:
    """The shortest unit of time with at most MOST_TIMES units between two days, else the year."""
    ends = pl.Series("days", [first, last], dtype=pl.Int32).cast(pl.Date)
    for unit in [unit for unit in times.UNITS if unit != "hour"]:
        low, high = times.numbers(ends, unit, Spelling())[0]
        if high - low < MOST_TIMES:
            return unit
    return "year"
