"""--by auto: the columns that could tell where a model is weak, and how each is cut into slices.

A first pass over the files counts their values.  It keeps no more of a column than the values of a category,
or the first and the last day.
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
"""What --by calls all columns that could cut the rows, unless a column is called so."""
_SIDES = {(AUTO,): ("t:", "p:")} | {(f"{side}.{AUTO}",): (prefix,) for side, prefix in SIDES.items()}
"""The sides whose columns are meant: both, or one that is named."""

MOST_VALUES = 50
"""The maximum number of values of a column of text; more are rather names than categories."""
MOST_NUMBERS = 10
"""The maximum number of distinct numbers that are slices themselves; more are in bins."""
BINS = 5
MOST_TIMES = 24
"""The maximum number of units of time: the shortest unit that has no more of them is taken."""
_WORDS = (pl.String, pl.Categorical, pl.Enum)


class Found(Struct, frozen=True):
    """The columns as --by takes them, and those that have too many values."""

    columns: tuple[str, ...]
    left_out: tuple[str, ...]


def with_auto(
    by: Sequence[tuple[str, ...]], predictions: Table, targets: Table, taken: Collection[str]
) -> tuple[tuple[tuple[str, ...], ...], tuple[Note, ...]]:
    """The slices of --by with those that `auto` stands for, and a note on columns that it leaves out.

    `taken` are the columns of the stream that have a role.  Raises UsageError if auto finds no column.
    """
    tables = {"p:": predictions, "t:": targets}
    meant = [
        parts
        for parts in by
        if parts in _SIDES and not any(AUTO in tables[side].schema for side in _SIDES[parts])
    ]
    if not meant:
        return tuple(by), ()
    found = candidates(predictions, targets, taken, {side for parts in meant for side in _SIDES[parts]})
    if not found.columns:
        remedy = (
            f"too many values: {enumerated(found.left_out)}" if found.left_out else "name them: --by region"
        )
        raise UsageError(f"--by {meant[0][0]}: no column cuts the rows into slices", remedy=remedy)
    own = tuple((name,) for name in found.columns)
    every = tuple(each for parts in by for each in (own if parts in meant else (parts,)))
    if not found.left_out:
        return every, ()
    return every, (note(Code.TOO_MANY_VALUES, columns=enumerated(found.left_out), most=MOST_VALUES),)


def candidates(predictions: Table, targets: Table, taken: Collection[str], sides: Collection[str]) -> Found:
    """The columns that cut the rows, without a role or the name of a key; one pass over each file.

    `sides` are those whose columns are looked at, "p:" and "t:"; one file is both.
    """
    columns, left_out = list[str](), list[str]()
    tables = {"t:": targets, "p:": predictions}
    for prefix in ("t:",) if predictions is targets else (side for side in tables if side in sides):
        table = tables[prefix]
        free = [
            name for name in table.schema if not {f"p:{name}", f"t:{name}"} & set(taken) and not is_key(name)
        ]
        other = predictions if prefix == "t:" else targets
        for name, cut in _cuts(table, free):
            if other is not table and name in other.schema and prefix == "p:":
                continue  # a column of both files is that of the targets
            # Of one side that is named, columns stay those of this side also with other files.
            if other is not table and (name in other.schema or len(sides) == 1):
                name = f"{_side(prefix)}.{name}"
            if cut is None:
                left_out.append(name)
            else:
                columns.append(name + cut)
    return Found(tuple(columns), tuple(left_out))


def _side(prefix: str) -> str:
    return next(side for side, own in SIDES.items() if own == prefix)


def _cuts(table: Table, names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """What --by writes behind the name of each column that has several values; None if these are too many."""
    if table.frame is not None:
        raise UsageError("--by auto needs files: these rows are a DataFrame of Spark", remedy="--by region")
    profiles = [_Profile(name, table) for name in names if _could_cut(table.schema[name])]
    if not profiles:
        return
    for frame in stream(table.scan.select(each.name for each in profiles), table):
        for each in profiles:
            each.add(frame[each.name])
    for each in profiles:
        if each.is_several:
            yield each.name, each.cut()


def _could_cut(dtype: Any) -> bool:
    return bool(dtype.is_numeric() or dtype in (*_WORDS, pl.Boolean, pl.Date, pl.Datetime))


class _Profile:
    """What the values of a column show: how many there are, and between which days they are."""

    def __init__(self, name: str, table: Table) -> None:
        self.name, self._spelling, self._dtype = name, table.spelling, table.schema[name]
        self._values: pl.Series | None = None
        self._days: tuple[int, int] | None = None
        self._most = MOST_NUMBERS if self._dtype.is_numeric() else MOST_VALUES
        self._are_many, self._are_dates = False, not (self._dtype.is_numeric() or self._dtype == pl.Boolean)

    def add(self, series: pl.Series) -> None:
        """Take the values of some rows."""
        if self._are_dates:
            self._add_days(series)
        if self._are_many:
            return
        own = series.unique()
        self._values = own if self._values is None else pl.concat([self._values, own]).unique()
        self._are_many = len(self._values) > self._most
        if self._are_many:
            self._values = None

    def _add_days(self, series: pl.Series) -> None:
        days, wrong = times.numbers(series, "day", self._spelling)
        self._are_dates = wrong is None
        if len(known := days.drop_nulls().sort()):
            low, high = self._days or (known[0], known[0])
            self._days = min(low, known[0]), max(high, known[-1])

    @property
    def is_several(self) -> bool:
        """Whether there are at least two values; a missing one counts."""
        return self._are_many or (self._values is not None and len(self._values) > 1)

    def cut(self) -> str | None:
        """What --by writes behind the name; None if the values are too many."""
        if self._are_dates and self._days is not None:
            return f":{_unit(*self._days)}"
        if not self._are_many:
            return ""
        return f":{BINS}" if self._dtype.is_numeric() else None


def _unit(first: int, last: int) -> str:
    """The shortest unit of time that has at most MOST_TIMES between two days; the year if none has."""
    ends = pl.Series("days", [first, last], dtype=pl.Int32).cast(pl.Date)
    for unit in [unit for unit in times.UNITS if unit != "hour"]:
        low, high = times.numbers(ends, unit, Spelling())[0]
        if high - low < MOST_TIMES:
            return unit
    return "year"
