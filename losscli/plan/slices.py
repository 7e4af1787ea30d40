"""--by: the columns and bins that cut the rows into slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from losscli.data.columns import SIDES, column_of, unknown
from losscli.data.slicing import Slicing
from losscli.data.table import Table, reading
from losscli.errors import UsageError, all_of

MOST_BINS = 1_000
"""The maximum number of bins of a column."""


def slicings(
    by: Sequence[tuple[str, ...]], predictions: Table, targets: Table, key: Sequence[str]
) -> tuple[Slicing, ...]:
    """The slicings of --by; `targets` is `predictions` if one file holds both sides.

    The edges of bins are quantiles of the whole column, so that bins have about equal numbers of rows; a
    column with fewer distinct numbers has fewer bins.  Raises UsageError for unknown columns, and for bins of
    a column that is not numeric.
    """
    found = all_of(*(partial(_slicing, parts, predictions, targets, key) for parts in by))
    return tuple(dict.fromkeys(found))


def _slicing(parts: Sequence[str], predictions: Table, targets: Table, key: Sequence[str]) -> Slicing:
    cut = all_of(*(partial(_column, part, predictions, targets, key) for part in parts))
    names = [column for column, _ in cut]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"--by {','.join(parts)}: name each column once", remedy="--by region,device")
    return Slicing(tuple(names), tuple(edges for _, edges in cut))


def _column(
    text: str, predictions: Table, targets: Table, key: Sequence[str]
) -> tuple[str, tuple[float, ...] | None]:
    """The column of the stream, and the edges of its bins."""
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
    if not 2 <= bins <= MOST_BINS or not dtype.is_numeric():
        what = f"needs numeric columns for bins, but {name} is {dtype}"
        if not 2 <= bins <= MOST_BINS:
            what = f"needs at least two bins, and at most {MOST_BINS:,}"
        raise UsageError(f"{flag}: {what}", remedy=f"--by {name}:4, or --by {name}")
    return column, _edges(table, column[2:], bins)


def parted(text: str, predictions: Table, targets: Table) -> tuple[str, int | None]:
    """The name of a column, and the number of its bins: 'age:4' is age in 4, unless a column is called so."""
    name, colon, number = text.rpartition(":")
    if text in (*predictions.schema, *targets.schema) or not colon or not number.isdecimal():
        return text, None
    return name, int(number)


def _edges(table: Table, name: str, bins: int) -> tuple[float, ...]:
    column = table.number(name)
    with reading(table):
        # Sorted once: a quantile each would sort it for each edge.
        query = table.scan.select(column.filter(column.is_not_nan()).sort().alias(name))
        values = query.collect(engine="streaming")[name]
    if not len(values):
        return ()
    at = [math.floor((len(values) - 1) * (i / bins)) for i in range(1, bins)]
    return tuple(sorted({edge for edge in values.gather(at) if edge < values[-1]}))
