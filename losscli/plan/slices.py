"""--by: the columns and bins that cut the rows into slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from shlex import quote
from typing import Any

from losscli.data.columns import SIDES, column_of, unknown
from losscli.data.slicing import Bins, Slicing
from losscli.data.table import Table, reading
from losscli.data.times import UNITS
from losscli.errors import UsageError, all_of
from losscli.numeric.arrays import pl
from losscli.text import either, join_names, split_names

MOST_BINS = 1_000
"""The maximum number of bins of a column."""


def slicings(
    by: Sequence[tuple[str, ...]], predictions: Table, targets: Table, key: Sequence[str]
) -> tuple[Slicing, ...]:
    """The slicings of --by; `targets` is `predictions` if one file holds both sides.

    Bin edges are quantiles of the whole column, so that bins have about equal numbers of rows; a column with
    fewer distinct numbers has fewer bins.  Raises UsageError for unknown columns, bins of a non-numeric
    column, and units of time of a column without dates.
    """
    parsed = all_of(*(partial(_slicing, parts, predictions, targets, key) for parts in by))
    return tuple(dict.fromkeys(parsed))


def _slicing(parts: Sequence[str], predictions: Table, targets: Table, key: Sequence[str]) -> Slicing:
    columns = {*predictions.schema, *targets.schema}
    if not columns.issuperset(parts):
        for name in columns:
            if len(parts) > 1 and tuple(split_names(name)) == tuple(parts):
                remedy = f"quote a column whose name has a comma: --by {quote(join_names([name]))}"
                raise UsageError(f"--by {name}: commas separate columns that are crossed", remedy=remedy)
    cut = all_of(*(partial(_column_and_bins, part, predictions, targets, key) for part in parts))
    names = [column for column, _ in cut]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"--by {','.join(parts)}: name each column once", remedy="--by region,device")
    return Slicing(tuple(names), tuple(bins for _, bins in cut))


def _column_and_bins(text: str, predictions: Table, targets: Table, key: Sequence[str]) -> tuple[str, Bins]:
    """The column of the stream, and the edges of its bins or its unit of time."""
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
    return column, _edges(table, column[2:], bins)


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


def _edges(table: Table, name: str, bins: int) -> tuple[float, ...]:
    column = table.number(name)
    with reading(table):
        # Sort once: a separate quantile per edge would sort the column each time.
        query = table.scan.select(column.filter(column.is_not_nan()).sort().alias(name))
        values = query.collect(engine="streaming")[name]
    if not len(values):
        return ()
    at = [math.floor((len(values) - 1) * (i / bins)) for i in range(1, bins)]
    return tuple(sorted({edge for edge in values.gather(at) if edge < values[-1]}))
