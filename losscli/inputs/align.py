"""Two tables to one stream of rows, by position or by key; nothing is dropped without being counted.

Columns of the stream are named by side: 'p:NAME' from the predictions, 't:NAME' from the targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from losscli.errors import DataError, Problem, UsageError
from losscli.inputs.formats import Table, reading
from losscli.tasks.base import EXAMPLES, Finding, Tally

MATCHED = "matched"
"""The column that is false where a prediction has no target."""


@dataclass
class Alignment:
    """How two tables become one stream.

    `frames()` starts a pass and yields frames in the order of the predictions; after it, `tallies` holds
    what keys showed: duplicates, and keys on one side only.  `how` says in words what was done.  Where
    `frames` raises OutOfOrderError, `otherwise` is the way that always works.
    """

    frames: Callable[[], Iterator[pl.DataFrame]]
    how: str
    tallies: dict[Finding, Tally] = field(default_factory=dict)
    otherwise: Alignment | None = None


class OutOfOrderError(Exception):
    """The keys of two files are not in the same order: zipping them was not enough."""


def stream(query: pl.LazyFrame, *tables: Table) -> Iterator[pl.DataFrame]:
    """The rows of a query in order, batch by batch with back-pressure."""
    with reading(*tables):
        yield from query.collect_batches(maintain_order=True, engine="streaming")


def _side(table: Table, columns: tuple[str, ...], prefix: str) -> pl.LazyFrame:
    names = [column[2:] for column in columns if column.startswith(prefix)]
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
            yield from query.collect_batches(maintain_order=True, engine="streaming")
        except (pl.exceptions.PolarsError, OSError):
            with reading(predictions, targets):
                _require_equal_counts(predictions, targets)
                raise

    return Alignment(frames, "by position")


def _require_equal_counts(predictions: Table, targets: Table) -> None:
    n, m = predictions.count(), targets.count()
    if n != m:
        raise DataError(
            Problem(
                f"{n} rows of predictions and {m} rows of targets cannot be aligned by position",
                f"{predictions.name} and {targets.name}",
                "name the key column that both files have: --on id",
            )
        )


def by_key(
    predictions: Table, targets: Table, columns: tuple[str, ...], key: tuple[str, ...], drop_unmatched: bool
) -> Alignment:
    """Rows of equal keys: zipped and verified while both are in the same order, else joined."""
    casts = _common_types(predictions, targets, key)
    left = tuple(dict.fromkeys((*columns, *(f"p:{name}" for name in key))))
    right = tuple(dict.fromkeys((*columns, *(f"t:{name}" for name in key))))
    p = _side(predictions, left, "p:").with_columns(pl.col(f"p:{n}").cast(t) for n, t in casts.items() if t)
    t = _side(targets, right, "t:").with_columns(pl.col(f"t:{n}").cast(d) for n, d in casts.items() if d)
    words = f"by key {', '.join(key)}"
    joined: dict[Finding, Tally] = {}
    zipped: dict[Finding, Tally] = {}
    join = Alignment(
        lambda: _join(p, t, predictions, targets, key, drop_unmatched, joined),
        f"{words}, joined: orders differ",
        joined,
    )
    return Alignment(
        lambda: _zip(p, t, predictions, targets, key, zipped), f"{words}, same order", zipped, join
    )


def _zip(
    p: pl.LazyFrame,
    t: pl.LazyFrame,
    predictions: Table,
    targets: Table,
    key: tuple[str, ...],
    tallies: dict[Finding, Tally],
) -> Iterator[pl.DataFrame]:
    """Row i with row i, verified by key.  Raises OutOfOrderError where the keys differ."""
    increasing, last = len(key) == 1, None
    try:
        for frame in pl.concat([p, t], how="horizontal").collect_batches(
            maintain_order=True, engine="streaming"
        ):
            for name in key:
                if not _equal(frame[f"p:{name}"], frame[f"t:{name}"]):
                    raise OutOfOrderError
            if increasing and frame.height:
                own = frame[f"p:{key[0]}"]
                increasing, last = _increasing(own, last), own[-1]
            yield frame
    except pl.exceptions.ShapeError:
        raise OutOfOrderError from None
    except (pl.exceptions.PolarsError, OSError):
        with reading(predictions, targets):
            raise
    if not increasing:
        # Keys that only ever grow cannot repeat; others are looked through once more.
        tallies.update(_duplicates(p, predictions, key, "p:"))


def _equal(a: pl.Series, b: pl.Series) -> bool:
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
        for table in (predictions, targets):
            if name not in table.schema:
                raise UsageError(
                    f"{table.name} has no key column {name!r}; it has: {', '.join(table.schema)}"
                )
        a, b = predictions.schema[name], targets.schema[name]
        if a == b:
            casts[name] = None
        elif a.is_integer() and b.is_integer():
            casts[name] = pl.Int64
        elif a.is_numeric() and b.is_numeric():
            casts[name] = pl.Float64
        else:
            casts[name] = pl.String
    return casts


def _show(frame: pl.DataFrame, names: list[str], row: str) -> list[str]:
    return [
        f"row {entry[row] + 1} (" + ", ".join(f"{name[2:]} {entry[name]}" for name in names) + ")"
        for entry in frame.head(EXAMPLES).iter_rows(named=True)
    ]


def _duplicates(side: pl.LazyFrame, table: Table, key: tuple[str, ...], prefix: str) -> dict[Finding, Tally]:
    """The rows whose key an earlier row has."""
    names = [prefix + name for name in key]
    query = side.select(names).with_row_index("row").filter(~pl.struct(names).is_first_distinct())
    with reading(table):
        rows = query.collect(engine="streaming").sort("row")
    if not rows.height:
        return {}
    finding = Finding(
        "rows with a key that an earlier row has",
        f"{table.name}, column {', '.join(key)}",
        "a key stands once",
    )
    return {finding: Tally(rows.height, _show(rows, names, "row"))}


def _join(
    p: pl.LazyFrame,
    t: pl.LazyFrame,
    predictions: Table,
    targets: Table,
    key: tuple[str, ...],
    drop: bool,
    tallies: dict[Finding, Tally],
) -> Iterator[pl.DataFrame]:
    """The targets' rows at the predictions' keys, in the order of the predictions."""
    left, right = [f"p:{name}" for name in key], [f"t:{name}" for name in key]
    query = p.with_row_index("p#").join(
        t.with_row_index("t#"), left_on=left, right_on=right, how="left", maintain_order="left"
    )
    seen = np.zeros(targets.count(), dtype=bool)
    last, repeated_left, repeated_right = -1, False, False
    for frame in stream(query, predictions, targets):
        at = frame["t#"]
        found = at.drop_nulls().to_numpy()
        before = int(seen.sum()) if len(found) else 0
        seen[found] = True
        repeated_left |= int(seen.sum()) - before < len(found)
        rows = np.concatenate([[last], frame["p#"].to_numpy().astype(np.int64)])
        repeated_right |= bool((np.diff(rows) == 0).any())
        last = int(rows[-1])
        yield frame.with_columns(at.is_not_null().alias(MATCHED)).drop("t#", "p#")
    if repeated_left:
        tallies.update(_duplicates(p, predictions, key, "p:"))
    if repeated_right:
        tallies.update(_duplicates(t, targets, key, "t:"))
    lonely = np.flatnonzero(~seen)
    if len(lonely) and not repeated_right:
        picked = pl.Series(lonely[:EXAMPLES], dtype=pl.get_index_type())
        with reading(targets):
            rows_of = (
                t.select(right).with_row_index("row").filter(pl.col("row").is_in(picked.implode())).collect()
            )
        where = f"{targets.name}, column {', '.join(key)}"
        tallies[unmatched("targets", where, drop)] = Tally(len(lonely), _show(rows_of, right, "row"))


def unmatched(side: str, where: str, drop: bool) -> Finding:
    """The finding of keys that only one side has."""
    other = "prediction" if side == "targets" else "target"
    if drop:
        return Finding(f"{side} without a {other} were left out", fatal=False)
    return Finding(f"{side} without a {other}", where, "--unmatched drop leaves them out")
