"""--by: the columns and bins that cut the rows into slices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from shlex import quote
from typing import Any

from losscli.data.columns import SIDES, column_of, unknown
from losscli.data.slicing import Slicing
from losscli.data.table import Table
from losscli.data.times import UNITS
from losscli.errors import UsageError, all_of
from losscli.numeric.arrays import np, pl
from losscli.text import either, join_names, split_names

MOST_BINS = 1_000
"""The maximum number of bins of a column."""
MOST_NUMBERS = 1 << 25
"""The maximum number of values of several columns that are held in memory to find the edges of their bins."""
_Cut = tuple[str, int | str | None]
"""A column of the stream, with the number of its bins, its unit of time, or None for its values."""


def slicings(
    by: Sequence[tuple[str, ...]], predictions: Table, targets: Table, key: Sequence[str]
) -> tuple[Slicing, ...]:
    """The slicings of --by; `targets` is `predictions` if one file holds both sides.

    Bin edges are quantiles of the whole column, so that bins have about equal numbers of rows; a column with
    fewer distinct numbers has fewer bins.  Raises UsageError for unknown columns, bins of a non-numeric
    column, and units of time of a column without dates.
    """
    cuts = all_of(*(partial(_cuts, parts, predictions, targets, key) for parts in by))
    edges = _edges(chain(*cuts), predictions, targets)
    return tuple(
        dict.fromkeys(
            Slicing.of_parts([(column, edges.get((column, bins), bins)) for column, bins in parts])
            for parts in cuts
        )
    )


def _cuts(parts: Sequence[str], predictions: Table, targets: Table, key: Sequence[str]) -> list[_Cut]:
    columns = {*predictions.schema, *targets.schema}
    if not columns.issuperset(parts):
        for name in columns:
            if len(parts) > 1 and tuple(split_names(name)) == tuple(parts):
                remedy = f"quote a column whose name has a comma: --by {quote(join_names([name]))}"
                raise UsageError(f"--by {name}: commas separate columns that are crossed", remedy=remedy)
    cuts = all_of(*(partial(_cut, part, predictions, targets, key) for part in parts))
    names = [column for column, _ in cuts]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"--by {','.join(parts)}: name each column once", remedy="--by region,device")
    return cuts


def _cut(text: str, predictions: Table, targets: Table, key: Sequence[str]) -> _Cut:
    flag = f"--by {text}"
    name, bins = parted(text, predictions, targets)
    columns = (*predictions.schema, *targets.schema)
    if predictions.files is None and name.partition(".")[0] not in SIDES and name not in columns:
        # In Python the user may have meant a list of text as the values.
        raise unknown(name, flag, columns, "; values, one per row, are passed as by={'region': values}")
    column = column_of(name, flag, predictions, targets, key)
    if bins is None:
        return column, None
    table = targets if column.startswith("t:") else predictions
    dtype = table.schema[column[2:]]
    if isinstance(bins, str):
        _require_dates(flag, name, dtype, bins)
        return column, bins
    if not dtype.is_numeric():
        what = f"needs numeric columns for bins, but {name} is {dtype}"
        by_unit = f"--by {name}:month, or " if dtype in (pl.Date, pl.Datetime) else ""
        raise UsageError(f"{flag}: {what}", remedy=f"{by_unit}--by {name}")
    if not 2 <= bins <= MOST_BINS:
        what = f"needs at least two bins, and at most {MOST_BINS:,}"
        raise UsageError(f"{flag}: {what}", remedy=f"--by {name}:4, or --by {name}")
    return column, bins


def _require_dates(flag: str, name: str, dtype: Any, unit: str) -> None:
    """Raise UsageError for a column whose type holds no dates; text is checked row by row later."""
    if dtype == pl.Date and unit == "hour":
        what, remedy = f"needs times, but {name} holds dates", f"--by {name}:day"
    elif dtype in (pl.Date, pl.Datetime, pl.String, pl.Categorical, pl.Enum, pl.Null):
        return
    else:
        what, remedy = (
            f"needs dates, but {name} is {dtype}",
            "write them as 2024-03-31",
        )
    raise UsageError(f"{flag}: {what}", remedy=remedy)


def parted(text: str, predictions: Table, targets: Table) -> tuple[str, int | str | None]:
    """The name of a column, and the number of its bins or its unit of time.

    'age:4' is age in 4 bins, and 'day:month' is day by month, unless a column has this name.
    """
    schemas = {"preds": predictions.schema, "targets": targets.schema}
    columns = {*predictions.schema, *targets.schema}
    columns |= {f"{side}.{name}" for side in SIDES for name in schemas[side]}
    name, colon, bins = text.rpartition(":")
    if text in columns or not colon:
        return text, None
    if bins in UNITS:
        return name, bins
    if bins.isdecimal():
        return name, int(bins)
    if name in columns:
        what = f"{bins!r} is neither a number of bins nor a unit of time"
        raise UsageError(f"--by {text}: {what}", remedy=f"--by {name}:4, or {either(UNITS)}")
    return text, None


def _edges(cuts: Iterable[_Cut], predictions: Table, targets: Table) -> dict[_Cut, tuple[float, ...]]:
    """The inner edges of the columns that are cut into bins."""
    binned: dict[str, dict[str, set[int]]] = {"p:": {}, "t:": {}}
    for column, bins in cuts:
        if isinstance(bins, int):
            binned[column[:2]].setdefault(column[2:], set()).add(bins)
    return {
        (side + numbers.name, bins): _quantiles(numbers, bins)
        for (side, bins_of), table in zip(binned.items(), (predictions, targets), strict=True)
        for numbers in _numbers(table, [*bins_of])
        for bins in bins_of[numbers.name]
    }


def _numbers(table: Table, names: Sequence[str]) -> Iterator[pl.Series]:
    """The numbers in columns, read together as far as memory allows: a pass over text reads all of them."""
    rows = table.expected() if names else None
    most = max(1, MOST_NUMBERS // rows) if rows else 1
    for start in range(0, len(names), most):
        for numbers in table.floats(names[start : start + most]):
            yield numbers.drop_nulls().drop_nans()


def _quantiles(numbers: pl.Series, bins: int) -> tuple[float, ...]:
    """The distinct quantiles below the maximum: the edges of bins of about equal size."""
    if not len(numbers):
        return ()
    at = [math.floor((len(numbers) - 1) * (i / bins)) for i in range(1, bins)]
    values = np.partition(numbers.to_numpy(), [*at, -1]) + 0.0  # 0 whatever its sign
    return tuple(sorted({edge for edge in values[at].tolist() if edge < values[-1]}))
