"""Two tables to one stream of rows, by position or by key; nothing is dropped without being counted.

Columns of the stream are named by side: 'p:NAME' from the predictions, 't:NAME' from the targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct, field

from losscli.data.batches import batches
from losscli.data.join import Keyed, OutOfOrderError, duplicates, join
from losscli.data.stream import Roles
from losscli.data.table import Table, reading
from losscli.errors import DataError, Problem
from losscli.report.findings import Finding, Tally


class Alignment(Struct):
    """How two tables become one stream.

    `frames()` starts a pass and yields frames in the order of the predictions; after it, `tallies` holds
    what keys showed: duplicates, and keys on one side only.  `how` says in words what was done.  Where
    `frames` raises OutOfOrderError, `instead` of that error is the way to try next.
    """

    frames: Callable[[], Iterator[pl.DataFrame]]
    how: str
    tallies: dict[Finding, Tally] = field(default_factory=dict)
    instead: Callable[[OutOfOrderError], Alignment | None] = lambda error: None


def stream(query: pl.LazyFrame, *tables: Table) -> Iterator[pl.DataFrame]:
    """The rows of a query in order, batch by batch with back-pressure."""
    with reading(*tables):
        yield from batches(query)


def _side(table: Table, columns: tuple[str, ...], prefix: str) -> pl.LazyFrame:
    names = dict.fromkeys(column[2:] for column in columns if column.startswith(prefix))
    return table.scan.select(pl.col(name).alias(prefix + name) for name in names)


def single(table: Table, columns: tuple[str, ...]) -> Alignment:
    """One table that holds both sides."""
    query = table.scan.select(pl.col(column[2:]).alias(column) for column in columns)
    return Alignment(lambda: stream(query, table), "one file")


def by_position(predictions: Table, targets: Table, columns: tuple[str, ...]) -> Alignment:
    """Row i with row i; the counts of rows must be equal."""

    def frames() -> Iterator[pl.DataFrame]:
        query = pl.concat(
            [_side(predictions, columns, "p:"), _side(targets, columns, "t:")], how="horizontal"
        )
        try:
            yield from batches(query)
        except (pl.exceptions.PolarsError, OSError):
            with reading(predictions, targets):
                _require_equal_counts(predictions, targets)
                raise

    return Alignment(frames, "by position")


def _require_equal_counts(predictions: Table, targets: Table) -> None:
    n, m = predictions.count(), targets.count()
    if n == m:
        return
    both = [name for name in predictions.schema if name in targets.schema]
    remedy = "a key column in both files aligns them: --on COLUMN"
    if both:
        remedy = f"align them by a column that both files have: --on {both[0]}"
    what = f"{n} rows of predictions and {m} rows of targets cannot be aligned by position"
    blank = [problem for table in (predictions, targets) for problem in table.uneven(blank=True)]
    raise DataError([Problem(what, f"{predictions.name} and {targets.name}", remedy), *blank])


def by_key(predictions: Table, targets: Table, roles: Roles, key: tuple[str, ...]) -> Alignment:
    """Rows of equal keys: zipped and verified while both are in the same order, else joined.

    Keys that are whole numbers in the first rows of a text file, and text further down, are read as text.
    """
    types = {
        name: pl.String()
        for name in key
        if any(table.separator and table.schema[name].is_integer() for table in (predictions, targets))
    }
    text = None
    if types:
        text = _by_key(predictions.with_types(types), targets.with_types(types), roles, key, None)
    return _by_key(predictions, targets, roles, key, text)


def _by_key(
    predictions: Table, targets: Table, roles: Roles, key: tuple[str, ...], text: Alignment | None
) -> Alignment:
    casts = _common_types(predictions, targets, key)
    p = _side(predictions, (*roles.read, *(f"p:{name}" for name in key)), "p:")
    t = _side(targets, (*roles.read, *(f"t:{name}" for name in key)), "t:")
    keyed = Keyed(
        p.with_columns(pl.col(f"p:{name}").cast(dtype) for name, dtype in casts.items() if dtype),
        t.with_columns(pl.col(f"t:{name}").cast(dtype) for name, dtype in casts.items() if dtype),
        predictions,
        targets,
        key,
        roles,
        text is not None,
    )
    words = f"by key {', '.join(key)}"
    joined: dict[Finding, Tally] = {}
    zipped: dict[Finding, Tally] = {}
    how = f"{words}, which is not in the same order: joined"
    otherwise = Alignment(lambda: join(keyed, joined), how, joined, lambda error: text)
    return Alignment(lambda: _zip(keyed, zipped), words, zipped, lambda error: otherwise)


_EXACT = 2**53
"""Up to here every whole number has a float of its own."""


def require_exact(table: Table, name: str) -> None:
    """Raise DataError for keys that are too large to be told apart as floats: two could seem equal."""
    with reading(table):
        column = pl.col(name).cast(pl.Float64)
        low, high = table.scan.select(column.min().alias("low"), column.max().alias("high")).collect().row(0)
    if max(-(low or 0.0), high or 0.0) >= _EXACT:
        what = "whole numbers in one file and fractions in the other, too large to be told apart as fractions"
        remedy = "write the key as whole numbers, or as text, in both files"
        raise DataError(Problem(f"the key is {what}", f"{table.name}, column {name}", remedy))


def _zip(keyed: Keyed, tallies: dict[Finding, Tally]) -> Iterator[pl.DataFrame]:
    """Row i with row i, verified by key.  Raises OutOfOrderError where the keys differ."""
    key = keyed.key
    increasing, last = len(key) == 1, None
    with keyed.reading():
        query = pl.concat([keyed.p, keyed.t], how="horizontal")
        for frame in batches(query):
            for name in key:
                if not equal(frame[f"p:{name}"], frame[f"t:{name}"]):
                    raise OutOfOrderError
            if increasing and frame.height:
                own = frame[f"p:{key[0]}"]
                increasing, last = _increasing(own, last), own[-1]
            yield frame
    if not increasing:
        # Keys that only ever grow cannot repeat; others are looked through once more.
        tallies.update(duplicates(keyed.p, keyed.predictions, key, "p:"))
        tallies.update(duplicates(keyed.t, keyed.targets, key, "t:") if tallies else {})


def equal(a: pl.Series, b: pl.Series) -> bool:
    """Whether two keys without nulls are equal, row by row."""
    if a.null_count() or b.null_count():
        return False
    if a.dtype.is_integer():
        # NumPy compares without a copy, in a fraction of the time.
        return np.array_equal(a.to_numpy(), b.to_numpy())
    return a.equals(b, check_names=False)


def _increasing(values: pl.Series, last: Any) -> bool:
    """Whether a key grows from row to row, and from the last of the rows before."""
    if last is not None and not values[0] > last:
        return False
    if values.dtype.is_integer():
        numbers = values.to_numpy()
        return bool((numbers[1:] > numbers[:-1]).all())
    return bool((values.slice(1) > values.slice(0, len(values) - 1)).all())


def _common_types(predictions: Table, targets: Table, key: tuple[str, ...]) -> dict[str, Any]:
    """The type in which each key column is compared; None where both sides have it already."""
    casts: dict[str, Any] = {}
    for name in key:
        a, b = predictions.schema[name], targets.schema[name]
        casts[name] = common_type(a, b)
        if casts[name] == pl.Float64:
            for table in (predictions, targets):
                require_exact(table, name)
    return casts


def common_type(a: Any, b: Any) -> Any:
    """The type in which keys of two types are compared; None where both have it already."""
    if a == b and not isinstance(a, pl.Categorical | pl.Enum):
        return None
    if a.is_integer() and b.is_integer():
        # Text holds the whole numbers that are beyond 64 bits with a sign.
        return pl.String if {a, b} & {pl.UInt64, pl.Int128, pl.UInt128} else pl.Int64
    return pl.Float64 if a.is_numeric() and b.is_numeric() else pl.String
