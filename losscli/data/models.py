"""Add the predictions of other models to a stream: zipped if keys are in the same order, else looked up.

Columns of model n, from 1, are named 'np:NAME'; 'np#' holds the row number in its file, if that differs from
the row number in the file of the first model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.data.join import Held, OutOfOrderError, Seen, duplicates, shown_rows
from losscli.data.keys import as_key, common_types, equal, require_plain
from losscli.data.stream import MATCHED, NO_ROW, PREDICTION_ROW
from losscli.data.table import Table, reading, unchecked
from losscli.data.threads import in_order, workers
from losscli.errors import EXAMPLES, DataError
from losscli.numeric.arrays import Array
from losscli.report.findings import Code, Finding, Tally, finding, problem
from losscli.text import shortened


class Other(Struct, frozen=True, eq=False):
    """The predictions of another model: their table, and the columns 'p:NAME' to read.

    `number` is its position among the models, from 1.  `drop` drops rows that not all models have.
    """

    table: Table
    columns: tuple[str, ...]
    number: int
    drop: bool = False

    def named(self, name: str) -> str:
        """The name in the stream of a column 'p:NAME' of its file."""
        return f"{self.number}{name}"


class ModelOrderError(OutOfOrderError):
    """The keys of another model are not in the order of the stream; `number` is that of the model."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def add_models(
    frames: Iterator[pl.DataFrame],
    first: Table,
    others: Sequence[Other],
    key: tuple[str, ...],
    looked_up: frozenset[int],
    findings: dict[Finding, Tally],
) -> Iterator[pl.DataFrame]:
    """Add the columns of other models to frames in the order of the table `first`.

    Without a key, rows are matched by position, and all files must have the same number of rows.  The models
    with the numbers `looked_up` are held in memory; raises ModelOrderError if the keys of any other model are
    in another order.
    """
    tallies: dict[Finding, Tally] = {}
    for other in others:
        if other.number in looked_up:
            frames = _looked_up(frames, first, other, key, tallies)
        else:
            frames = _zipped(frames, first, other, key)
    yield from frames
    for kind, tally in findings.items():
        tallies.setdefault(kind, Tally()).add(tally)
    findings.clear()
    findings.update(tallies)


def _scan(other: Other, key_types: Mapping[str, Any]) -> pl.LazyFrame:
    """The columns of another model, with keys of these types, named as in the stream."""
    table = other.table
    names = dict.fromkeys((*key_types, *(column[2:] for column in other.columns)))
    columns = {
        name: as_key(pl.col(name), table.dtype(name), key_types[name]) if name in key_types else pl.col(name)
        for name in names
    }
    return table.scan.select(column.alias(other.named(f"p:{name}")) for name, column in columns.items())


def _keys(frame: pl.DataFrame, key_types: Mapping[str, Any]) -> pl.DataFrame:
    """The keys of rows of a stream in the types in which they are compared."""
    types = {f"p:{name}": dtype for name, dtype in key_types.items()}
    return frame.select(as_key(pl.col(name), frame.schema[name], dtype) for name, dtype in types.items())


def _zipped(
    stream: Iterator[pl.DataFrame], first: Table, other: Other, key: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """The stream with the rows of another model, paired in order.  Raises ModelOrderError if keys differ."""
    rows, pieces, types = 0, _Rows(other), dict[str, Any]()
    keys = [other.named(f"p:{name}") for name in key]
    with reading(other.table):
        for frame in stream:
            if pieces.frames is None:
                types = common_types(first, other.table, key)
                pieces.frames = unchecked(_scan(other, types), other.table)
            piece = pieces.take(frame.height)
            rows += piece.height
            if piece.height < frame.height:
                break
            if key:  # which the stream has already; a query of no columns would take time too
                if not _keys_match(_keys(frame, types), piece, key, other):
                    break
                piece = piece.drop(keys)
            yield frame.hstack(piece)
        else:
            if not pieces.rest().height:
                other.table.require_rows(rows)
                return
    if key:
        raise ModelOrderError(other.number)
    n, m = first.count(), other.table.count()
    raise DataError(
        problem(
            Code.DIFFERENT_ROW_COUNTS,
            f"{first.name} and {other.table.name}",
            remedy="a key column in all files aligns them: --on COLUMN",
            counts=f"{n} rows and {m} rows",
        )
    )


def _keys_match(frame: pl.DataFrame, piece: pl.DataFrame, key: Sequence[str], other: Other) -> bool:
    return all(equal(frame[f"p:{name}"], piece[other.named(f"p:{name}")]) for name in key)


class _Rows:
    """The rows of another model, in pieces of any length."""

    def __init__(self, other: Other) -> None:
        self.frames: Iterator[pl.DataFrame] | None = None
        self._pending: list[pl.DataFrame] = []

    def take(self, rows: int) -> pl.DataFrame:
        """The next rows, fewer at the end."""
        assert self.frames is not None
        height = sum(frame.height for frame in self._pending)
        while height < rows and (frame := next(self.frames, None)) is not None:
            self._pending.append(frame)
            height += frame.height
        if not self._pending:
            return pl.DataFrame()
        pending = self._pending[0] if len(self._pending) == 1 else pl.concat(self._pending)
        self._pending = [pending.slice(rows)] if height > rows else []
        return pending.head(rows)

    def rest(self) -> pl.DataFrame:
        """The next row, if there is one."""
        return self.take(1) if self.frames is not None else pl.DataFrame()


def _looked_up(
    stream: Iterator[pl.DataFrame],
    first: Table,
    other: Other,
    key: Sequence[str],
    tallies: dict[Finding, Tally],
) -> Iterator[pl.DataFrame]:
    """The stream with the rows of equal keys from another model, which is held in memory."""
    left, right = [f"p:{name}" for name in key], [other.named(f"p:{name}") for name in key]
    place = f"{other.table.name}, column{'s' if len(key) > 1 else ''} {', '.join(key)}"
    head = next(stream, None)
    if head is None:
        return
    types = common_types(first, other.table, key)
    require_plain(types, first, other.table)
    side = _scan(other, types)
    with reading(other.table):
        other_rows = Held.of(side, right, [other.named(column) for column in other.columns])
    other.table.require_rows(other_rows.rows)
    seen, missing, rows, number = other_rows.unseen(), Tally(), 0, f"{other.number}{PREDICTION_ROW}"

    def look_up(frame: pl.DataFrame) -> pl.DataFrame:
        return other_rows.add_to(frame, _keys(frame, types), number, seen)

    for joined in in_order((partial(look_up, frame) for frame in chain([head], stream)), workers()):
        at = joined[number].to_numpy()
        if PREDICTION_ROW not in joined.columns:
            joined = joined.with_row_index(PREDICTION_ROW, rows)
        rows += joined.height
        if not other.table.is_numbered:
            joined = joined.with_columns(pl.lit(NO_ROW, pl.Int64()).alias(number))
        yield _matched(joined, at, left, missing)
    tallies.update(_unmatched(other, side, right, seen, missing, place))
    if other_rows.index.repeated or seen.repeated:
        keys = first.scan.select(
            as_key(pl.col(name), first.dtype(name), types[name]).alias(f"p:{name}") for name in key
        )
        tallies.update(duplicates(keys, first, tuple(key), "p:"))
        tallies.update(duplicates(side, other.table, tuple(key), other.named("p:")))


def _matched(frame: pl.DataFrame, at: Array, keys: Sequence[str], tally: Tally) -> pl.DataFrame:
    """The rows that the other model has, or that have no target; others are counted in `tally`."""
    keep = at >= 0
    if keep.all():
        return frame
    missing = ~keep
    if MATCHED in frame.columns:
        missing &= frame[MATCHED].to_numpy()
    missing_keys = frame.filter(pl.Series(missing)).select(keys)
    shown = [
        ", ".join(f"{name[2:]} {shortened(str(value))}" for name, value in row.items())
        for row in missing_keys.head(EXAMPLES).iter_rows(named=True)
    ]
    tally.add(Tally(int(missing.sum()), shown))
    return frame.filter(pl.Series(keep | ~missing))


def _unmatched(
    other: Other, side: pl.LazyFrame, keys: Sequence[str], seen: Seen, missing: Tally, place: str
) -> dict[Finding, Tally]:
    """The findings on keys that only the other model has, and on keys missing in it."""
    findings = {}
    if missing.count:
        findings[_unmatched_finding(Code.UNMATCHED_TARGET, other, place)] = missing
    unseen, prefix = np.flatnonzero(~seen.rows()), other.named("p:")
    if len(unseen):
        first = pl.Series(unseen[:EXAMPLES], dtype=pl.get_index_type())
        with reading(other.table):
            rows = side.select(keys).with_row_index("row").filter(pl.col("row").is_in(first.implode()))
            shown = shown_rows(other.table, rows.collect(), prefix)
        findings[_unmatched_finding(Code.UNMATCHED_PREDICTION, other, place)] = Tally(len(unseen), shown)
    return findings


def _unmatched_finding(code: Code, other: Other, place: str) -> Finding:
    """The finding for keys that not all files have."""
    if other.drop:
        preposition = "in" if code is Code.UNMATCHED_TARGET else "of"
        return finding(code, fatal=False, of=f" {preposition} {other.table.name}")
    return finding(code, place, remedy="--unmatched drop drops what not all files have")
