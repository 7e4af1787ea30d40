"""Align two tables as one stream of rows, by position or by key, counting every dropped row.

Columns of the stream are named by side: 'p:NAME' from the predictions, 't:NAME' from the targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from losscli.data import filter as filters
from losscli.data import groups, keys, models
from losscli.data.diagnose import Errors
from losscli.data.filter import Where
from losscli.data.groups import ScatteredError
from losscli.data.join import Keyed, OutOfOrderError, duplicates, join
from losscli.data.keys import Increasing, equal
from losscli.data.models import ModelOrderError, Other
from losscli.data.numbers import Spelling
from losscli.data.stream import ALL_ROWS, NO_ROW, PREDICTION_ROW, TARGET_ROW, Roles
from losscli.data.table import (
    SLICE,
    RereadError,
    Table,
    UnparsedError,
    reading,
    shares_targets,
    side_by_side,
    stream,
)
from losscli.errors import DataError
from losscli.report.findings import Code, Finding, Tally, problem


class Aligned(Struct, frozen=True, eq=False):
    """A description of the aligned rows of a run, which the local engine reads by `frames`.

    `predictions` and `targets` are the same table if one file holds both sides.  Rows are matched by `key`,
    compared in the types `key_types`, or by position without a key; `others` are the predictions of further
    models, matched in the same way.  `roles` name the columns to read and the group column; `where` filters
    the rows.  Rows are in the order of the predictions; if one table holds both sides, its first row has the
    number `first_row`.  Unless `is_grouped`, groups are left as they are.

    The local reading assumes that all files have the same key order and that groups are contiguous.  If not,
    `instead` returns the next reading to try: targets `joined`, the models with these numbers `looked_up`,
    rows `sorted_by_group`.  `findings` are those of its last pass; they are not part of the description.
    """

    predictions: Table
    targets: Table
    roles: Roles
    key: tuple[str, ...] = ()
    where: Where | None = None
    others: tuple[Other, ...] = ()
    key_types: Mapping[str, Any] = field(default_factory=dict)
    joined: bool = False
    looked_up: frozenset[int] = frozenset()
    sorted_by_group: bool = False
    is_grouped: bool = True
    first_row: int = 0
    findings: dict[Finding, Tally] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        predictions: Table,
        targets: Table,
        roles: Roles,
        key: tuple[str, ...] = (),
        where: Where | None = None,
        others: tuple[Other, ...] = (),
    ) -> Aligned:
        """The description with the types of keys.  Raises DataError if keys have no common type."""
        aligned = cls(predictions, targets, roles, key, where, others)
        if aligned.is_one_table:
            return aligned
        return replace(aligned, key_types=keys.common_types(predictions, targets, key))

    @property
    def is_one_table(self) -> bool:
        """Whether one table holds both sides."""
        return self.predictions is self.targets

    @property
    def tables(self) -> list[Table]:
        """The tables to read: one or two, and those of other models."""
        sides = [self.predictions] if self.is_one_table else [self.predictions, self.targets]
        return sides + [other.table for other in self.others]

    def of_tables(self, tables: Sequence[Table]) -> Aligned:
        """The same description with other `tables`, such as parts of its own."""
        left, *rest = tables
        right = left if self.is_one_table else rest.pop(0)
        others = tuple(replace(other, table=table) for other, table in zip(self.others, rest, strict=True))
        return replace(self, predictions=left, targets=right, others=others, findings={})

    def all_key_types(self) -> Mapping[str, Any]:
        """The type in which each key column is compared, between two tables or those of models."""
        if self.key_types or not self.others:
            return self.key_types
        return keys.common_types(self.predictions, self.others[0].table, self.key)

    def joined_in_memory(self) -> Aligned:
        """The reading for unordered tables."""
        numbers = frozenset(other.number for other in self.others) if self.key else frozenset[int]()
        return replace(self, joined=True, looked_up=numbers, sorted_by_group=True)

    def again(self, error: RereadError) -> Aligned:
        """The reading to try after this one, which has to exist."""
        following = self.instead(error)
        assert following is not None
        return following

    @property
    def how(self) -> str:
        """How rows are aligned, in words."""
        if self.is_one_table:
            words = "one file"
        elif self.key:
            order = ", which is not in the same order: joined" if self.joined else ""
            words = f"by key {', '.join(self.key)}{order}"
        else:
            words = "by position"
        names = [other.table.name for other in self.others if other.number in self.looked_up]
        if names:
            words += f"; looked up: {', '.join(names)}"
        if self.sorted_by_group and self.roles.group:
            column = self.roles.group[2:]
            words += f"; groups are not contiguous: sorted by {column}, in memory"
        return words

    def frames(self) -> Iterator[pl.DataFrame]:
        """One pass over the rows, frame by frame.  Raises RereadError if `instead` has to be tried."""
        self.findings.clear()
        frames = self._matched()
        if self.others:
            frames = models.add_models(
                frames, self.predictions, self.others, self.key, self.looked_up, self.findings
            )
        if parsed := self._parsed():
            frames = _certain(frames, parsed)
        if self.where is not None and not self._is_filtered_scan:
            frames = filters.filtered(frames, self.where, self.findings, self.first_row)
        if self.roles.group is None or not self.is_grouped:
            return frames
        if self.roles.group == ALL_ROWS:
            return (frame.with_columns(pl.lit(0).alias(ALL_ROWS)) for frame in frames)
        arranged = groups.gathered if self.sorted_by_group else groups.verified
        return arranged(frames, self.roles.group)

    @property
    def _is_filtered_scan(self) -> bool:
        """Whether the scan itself can filter the rows, and so skip row groups."""
        return self.is_one_table and not self.others and self.where is not None and self.where.is_pushed

    def _matched(self) -> Iterator[pl.DataFrame]:
        """The rows of predictions and targets side by side, with row numbers if they are not consecutive."""
        frames = self._side_by_side()
        return frames if self.predictions.is_numbered else map(unnumbered, frames)

    def _side_by_side(self) -> Iterator[pl.DataFrame]:
        if self.where is not None and self._is_filtered_scan:
            return filters.single(self.predictions, self.roles.read, self.where, self.findings)
        if self.is_one_table:
            if self.predictions.rows is not None:
                return _from_memory([self.predictions.rows] * 2, self.roles.read)
            columns = (pl.col(column[2:]).alias(column) for column in self.roles.read)
            frames = stream(self.predictions.scan.select(columns), self.predictions)
            return _complete(frames, self.predictions)
        sides = (self.predictions, self.targets)
        if not self.key:
            return _complete(_by_position(*sides, self.roles.read), *sides)
        if self.joined:
            return _complete(join(self._keyed(self.key_types), self.findings), self.predictions)
        return _complete(_zip(self._keyed(self._types_of_pairs()), self.findings), *sides)

    def _types_of_pairs(self) -> Mapping[str, Any]:
        """The key types for comparing row by row.

        Integer keys of shared targets are converted to text once, so that text keys of predictions need no
        conversion.
        """
        if not shares_targets(self.predictions, self.targets):
            return self.key_types
        as_text = {
            name: pl.String()
            for name, dtype in self.key_types.items()
            if dtype.is_integer() and self.predictions.dtype(name) == pl.String
        }
        return {**self.key_types, **as_text}

    def _keyed(self, types: Mapping[str, Any]) -> Keyed:
        """Both sides with keys of these types."""
        sides = (self.predictions, self.targets)
        p, t = (self._comparable(*side, types) for side in zip(sides, ("p:", "t:"), strict=True))
        return Keyed(p, t, *sides, types, self.roles)

    def _comparable(self, table: Table, prefix: str, types: Mapping[str, Any]) -> pl.LazyFrame:
        """The columns to read of a side, with its keys in the types in which they are compared."""
        columns = (*self.roles.read, *(prefix + name for name in self.key))
        return _side(table, columns, prefix).with_columns(
            keys.as_key(pl.col(prefix + name), table.dtype(name), dtype) for name, dtype in types.items()
        )

    def instead(self, error: RereadError) -> Aligned | None:
        """The reading to try after this one; None if there is none left."""
        if isinstance(error, UnparsedError):
            return self._unparsed()
        if isinstance(error, ModelOrderError):
            return replace(self, looked_up=self.looked_up | {error.number})
        if isinstance(error, ScatteredError):
            return replace(self, sorted_by_group=True)
        return None if self.joined else replace(self, joined=True)

    def _parsed(self) -> dict[str, Spelling]:
        """The columns of the stream that Polars parses from text, with the spelling of their numbers."""
        sides = [("p:", self.predictions), ("t:", self.targets)]
        sides += [(other.named("p:"), other.table) for other in self.others]
        return {f"{side}{name}": table.spelling for side, table in sides for name in table.parsed}

    def _unparsed(self) -> Aligned:
        """The same rows with text columns read as text."""
        predictions, targets = self.predictions.unparsed(), self.targets.unparsed()
        others = tuple(replace(other, table=other.table.unparsed()) for other in self.others)
        targets = predictions if self.is_one_table else targets
        return replace(self, predictions=predictions, targets=targets, others=others)


def unnumbered(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its row numbers replaced by NO_ROW."""
    numbers = (PREDICTION_ROW, TARGET_ROW) if TARGET_ROW in frame.columns else (PREDICTION_ROW,)
    return frame.with_columns(pl.lit(NO_ROW, pl.Int64()).alias(name) for name in numbers)


def _complete(frames: Iterator[pl.DataFrame], *tables: Table) -> Iterator[pl.DataFrame]:
    """The same frames.  Raises DataError if the stream ends early, which Polars may do without an error."""
    rows = 0
    for frame in frames:
        rows += frame.height
        yield frame
    for table in tables:
        table.require_rows(rows)


def _certain(frames: Iterator[pl.DataFrame], spellings: Mapping[str, Spelling]) -> Iterator[pl.DataFrame]:
    """The same frames.  Raises UnparsedError for numbers that may differ from the text of their column."""
    for frame in frames:
        if not all(
            spelling.is_certain(frame[name]) for name, spelling in spellings.items() if name in frame.columns
        ):
            raise UnparsedError
        yield frame


def _side(table: Table, columns: tuple[str, ...], prefix: str) -> pl.LazyFrame:
    names = dict.fromkeys(column[2:] for column in columns if column.startswith(prefix))
    return table.scan.select(pl.col(name).alias(prefix + name) for name in names)


def _by_position(predictions: Table, targets: Table, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Pair row i with row i.  Raises DataError if the numbers of rows differ."""
    if predictions.rows is not None and targets.rows is not None:
        _require_equal_counts(predictions, targets)
        yield from _from_memory((predictions.rows, targets.rows), columns)
        return
    left, right = _side(predictions, columns, "p:"), _side(targets, columns, "t:")
    try:
        yield from side_by_side(left, right, predictions, targets)
    except Errors:
        with reading(predictions, targets):
            _require_equal_counts(predictions, targets)
            raise


def _from_memory(sides: Sequence[pl.DataFrame], columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The columns of sides of equal length in memory, without the overhead of a query."""
    series = (sides[column.startswith("t:")].get_column(column[2:]).alias(column) for column in columns)
    return pl.DataFrame(list(series)).iter_slices(SLICE)


def _require_equal_counts(predictions: Table, targets: Table) -> None:
    n, m = predictions.count(), targets.count()
    if n == m:
        return
    shared = [name for name in predictions.schema if name in targets.schema]
    remedy = f"align them by a column that both files have: --on {shared[0]}" if shared else None
    where = f"{predictions.name} and {targets.name}"
    counts = f"{n} rows of predictions and {m} rows of targets"
    blank = [each for table in (predictions, targets) for each in table.uneven(blank=True)]
    raise DataError([problem(Code.DIFFERENT_ROW_COUNTS, where, remedy=remedy, counts=counts), *blank])


def _zip(keyed: Keyed, tallies: dict[Finding, Tally]) -> Iterator[pl.DataFrame]:
    """Pair row i with row i, verified by key.  Raises OutOfOrderError if the keys differ."""
    key = keyed.key
    increasing, is_shared = Increasing(), keyed.shares_targets
    with keyed.reading():
        if not is_shared and not keyed.starts_alike():
            raise OutOfOrderError
        for frame in keyed.pairs():
            for name in key:
                if not equal(frame[f"p:{name}"], frame[f"t:{name}"]):
                    raise OutOfOrderError
            if len(key) == 1 and not is_shared:
                increasing.add(frame[f"p:{key[0]}"])
            yield frame
    if len(key) > 1 or not (keyed.targets_increase() if is_shared else increasing.holds):
        # Strictly increasing keys are unique; any others need one more pass.
        tallies.update(duplicates(keyed.p, keyed.predictions, key, "p:"))
        tallies.update(duplicates(keyed.t, keyed.targets, key, "t:") if tallies else {})
