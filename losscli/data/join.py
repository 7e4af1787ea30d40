"""Join two tables whose keys are in different orders, in the order of the predictions.

Sorted keys are merged.  Otherwise the targets are held in memory, and the predictions are looked up in an
index of their keys, batch by batch.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data.batches import batches
from losscli.data.diagnose import Errors
from losscli.data.keys import WIDE, Increasing, equal, near_forms, require_plain, whole_numbers
from losscli.data.lookup import Dense, Index, as_run, index_of
from losscli.data.stream import MATCHED, NO_ROW, PREDICTION_ROW, TARGET_ROW, Roles, row_name
from losscli.data.table import RereadError, Table, reading, shares_targets, side_by_side, unchecked
from losscli.data.threads import in_order, workers
from losscli.errors import EXAMPLES
from losscli.numeric.arrays import Array
from losscli.report.findings import Code, Finding, Tally, finding
from losscli.text import shortened

_HEAD = 1000
"""The first rows, whose keys nearly always show whether orders differ."""


class OutOfOrderError(RereadError):
    """The keys of two files are not in the same order: zipping them was not enough."""


class Keyed(Struct, frozen=True, eq=False):
    """Two sides with keys of comparable `types`."""

    p: pl.LazyFrame
    t: pl.LazyFrame
    predictions: Table
    targets: Table
    types: Mapping[str, Any]
    roles: Roles

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key columns."""
        return tuple(self.types)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """As `reading`, but OutOfOrderError if lengths differ."""
        try:
            yield
        except pl.exceptions.ShapeError:
            raise OutOfOrderError from None
        except Errors:
            with reading(self.predictions, self.targets):
                raise

    def keys(self, prefix: str) -> list[str]:
        """The key columns of a side."""
        return [prefix + name for name in self.key]

    def starts_alike(self) -> bool:
        """Whether the first rows of both sides have the same keys.

        Nearly always it is these that show that orders differ, and a stream reads many more before it ends.
        """
        heads = [
            side.select(names).head(_HEAD).collect(engine="streaming")
            for side, names in ((self.p, self.keys("p:")), (self.t, self.keys("t:")))
        ]
        return all(equal(left, right) for left, right in zip(*heads, strict=True))

    def with_numbers(self) -> Keyed:
        """The same sides with a key of text as whole numbers, null if it is not the plain form of one.

        Keys stay text if on both sides they may exceed 64 bits with a sign.
        """
        shown = [table.schema[name] for name in self.key for table in (self.predictions, self.targets)]
        if self.types != {self.key[0]: pl.String} or not all(each.is_integer() for each in shown):
            return self
        if all(each in WIDE for each in shown):
            return self
        (p,), (t,) = self.keys("p:"), self.keys("t:")
        return replace(
            self,
            p=self.p.with_columns(whole_numbers(pl.col(p))),
            t=self.t.with_columns(whole_numbers(pl.col(t))),
            types={self.key[0]: pl.Int64()},
        )

    def held_targets(self) -> Held:
        """The targets in memory, the same ones for all runs that share them."""
        make = partial(Held.of, self.t, self.keys("t:"), self.target_columns)
        return self.targets.made((Held, *self._of_targets), make)

    def pairs(self) -> Iterator[pl.DataFrame]:
        """Row i of one side next to row i of the other: see `side_by_side`."""
        right = self._targets.lazy() if self.shares_targets else self.t
        return side_by_side(self.p, right, self.predictions, self.targets)

    @property
    def shares_targets(self) -> bool:
        """Whether the targets are in memory for several runs: see `table.shares_targets`."""
        return shares_targets(self.predictions, self.targets)

    def targets_increase(self) -> bool:
        """Whether the only key of shared targets increases."""
        keys = self._targets[self.keys("t:")]

        def increase() -> bool:
            increasing = Increasing()
            increasing.add(keys.to_series())
            return increasing.holds

        return keys.width == 1 and self.targets.made((Increasing, *self._of_targets), increase)

    @property
    def _targets(self) -> pl.DataFrame:
        """Shared targets in memory, with keys of the types in which they are compared."""

        def made() -> pl.DataFrame:
            return self.t.collect(engine="in-memory")

        return self.targets.made((pl.DataFrame, *self._of_targets), made)

    @property
    def _of_targets(self) -> tuple[Hashable, ...]:
        """What is read of the targets."""
        return tuple(self.types.items()), tuple(self.target_columns)

    @property
    def target_columns(self) -> list[str]:
        """The target columns to read, without the key."""
        return [name for name in self.roles.read if name.startswith("t:")]


class Seen:
    """Which targets were matched by a prediction, and how many predictions matched one.

    Targets are told by their rows, or by places whose rows the array `order` has, -1 for none.  Threads may
    add batches at the same time.
    """

    def __init__(self, places: int, order: Array | None = None) -> None:
        self._places = np.zeros(places, dtype=bool)
        self._order = order
        self._counts = list[int]()

    @property
    def matched(self) -> int:
        """The number of predictions that matched a target."""
        return sum(self._counts)

    def add(self, at: Array | slice) -> None:
        """Record the targets that a batch matched, -1 for none."""
        if not isinstance(at, slice):
            if len(at) and at.min() < 0:
                at = at[at >= 0]
            at = at.astype(np.intp, copy=False)  # NumPy's own cast takes as long as the rest
        self._places[at] = True
        self._counts.append(at.stop - at.start if isinstance(at, slice) else len(at))

    @property
    def repeated(self) -> bool:
        """Whether some target was matched twice."""
        return self.matched > int(np.count_nonzero(self._places))

    def rows(self) -> Array:
        """Whether each row was matched (n,)."""
        if self._order is None:
            return self._places
        rows = np.ones(int(np.count_nonzero(self._order >= 0)), dtype=bool)
        rows[self._order[~self._places & (self._order >= 0)]] = False
        return rows


def join(keyed: Keyed, tallies: dict[Finding, Tally]) -> Iterator[pl.DataFrame]:
    """The predictions with the targets of equal keys; afterwards `tallies` holds findings about keys."""
    total = 0
    require_plain(keyed.types, keyed.predictions, keyed.targets)
    with keyed.reading():
        numbers = keyed.with_numbers()
        rows_if_sorted = _rows_if_sorted(numbers)
        if rows_if_sorted is not None:
            seen, repeated, last = Seen(rows_if_sorted), False, -1
            for frame in _merged(numbers):
                rows = np.concatenate([[last], frame[PREDICTION_ROW].to_numpy().astype(np.int64)])
                repeated |= bool((np.diff(rows) == 0).any())
                last = int(rows[-1])
                seen.add(frame[TARGET_ROW].to_numpy())
                total += frame.height
                yield frame
        else:
            held = keyed.held_targets()
            seen, repeated = held.unseen(), held.index.repeated
            frames = unchecked(keyed.p, keyed.predictions)
            calls = (partial(_with_targets, keyed, held, seen, frame) for frame in frames)
            for frame in in_order(calls, workers()):
                total += frame.height
                yield frame
    rows = seen.rows()
    keyed.targets.require_rows(len(rows))
    if total and not seen.matched:
        _no_match(keyed, total, tallies)
    unseen = np.flatnonzero(~rows)
    if repeated or seen.repeated:
        tallies.update(duplicates(keyed.p, keyed.predictions, keyed.key, "p:"))
        tallies.update(duplicates(keyed.t, keyed.targets, keyed.key, "t:"))
        unseen = _without_seen_keys(keyed, unseen, rows)
    _unseen(keyed, unseen, tallies)


def _with_targets(keyed: Keyed, held: Held, seen: Seen, frame: pl.DataFrame) -> pl.DataFrame:
    """Predictions with the targets of equal keys, which are recorded as seen, and whether there is one."""
    found = held.add_to(frame, frame[keyed.keys("p:")], TARGET_ROW, seen)
    return found.hstack([(found[TARGET_ROW] >= 0).alias(MATCHED)])


def _no_match(keyed: Keyed, rows: int, tallies: dict[Finding, Tally]) -> None:
    """Say why no key matches: the types of the keys, and some of each side."""
    sides = (keyed.predictions, keyed.targets)
    with reading(*sides):
        heads = [table.scan.select(keyed.key).head(EXAMPLES).collect() for table in sides]
    shown = [
        f"{table.name}: {', '.join('/'.join(map(_shown, row)) for row in head.rows())} "
        f"({', '.join(_named_type(table.dtype(name)) for name in keyed.key)})"
        for table, head in zip(sides, heads, strict=True)
    ]
    alike = [near_forms(*(head[name].cast(pl.String) for head in heads)) for name in keyed.key]
    remedy = f"they match {alike[0]}: write them alike" if all(alike) else "--on names another key"
    tallies[finding(Code.NO_KEY_MATCHES, keyed.roles.place(*keyed.keys("p:")), remedy=remedy)] = Tally(
        rows, shown
    )


def _shown(key: object) -> str:
    return shortened(repr(key) if isinstance(key, str) else str(key))


def _named_type(dtype: Any) -> str:
    return "text" if dtype == pl.String else str(dtype)


def _rows_if_sorted(keyed: Keyed) -> int | None:
    """The number of targets if there is one key, sorted and never missing, on both sides; else None."""
    (left, *more), right = keyed.keys("p:"), keyed.keys("t:")[0]
    # NaN cannot be sorted.
    if more or keyed.types[keyed.key[0]].is_float():
        return None
    sides = (keyed.p.select(left), keyed.t.select(right))
    if not all(side.head(_HEAD).collect().to_series().is_sorted() for side in sides):
        return None
    rows = 0
    for pair in zip_longest(*map(_sorted, sides), fillvalue=0):
        if None in pair:
            return None
        rows += pair[1] or 0
    return rows


def _sorted(column: pl.LazyFrame) -> Iterator[int | None]:
    """The rows of each batch of a column; None for one that is not sorted, or has missing values."""
    last = None
    for frame in batches(column):
        keys = frame.to_series()
        if keys.null_count() or not keys.is_sorted() or (last is not None and len(keys) and keys[0] < last):
            yield None
        yield len(keys)
        last = keys[-1] if len(keys) else last


def _merged(keyed: Keyed) -> Iterator[pl.DataFrame]:
    """A merge of sorted sides, neither of which is held in memory."""
    (left,), (right,) = keyed.keys("p:"), keyed.keys("t:")
    query = (
        keyed.p.with_row_index(PREDICTION_ROW)
        .set_sorted(left)
        .join(
            keyed.t.with_row_index(TARGET_ROW).set_sorted(right),
            left_on=left,
            right_on=right,
            how="left",
            maintain_order="left",
            coalesce=right not in keyed.target_columns,  # unless the key has another role too
        )
        .with_columns(
            pl.col(TARGET_ROW).is_not_null().alias(MATCHED), pl.col(TARGET_ROW).cast(pl.Int64).fill_null(-1)
        )
    )
    return batches(query)


class Held:
    """The columns of one side, held in memory to take rows from, and the index of its keys.

    They are in the order of their keys if a dense index can arrange them so: keys that increase then take
    rows one after the other, and keys without gaps take slices.
    """

    def __init__(self, frame: pl.DataFrame, index: Index, rows: int, arranged: Dense | None = None) -> None:
        self.index, self.rows = index, rows
        self._frame, self._arranged = frame, arranged

    @classmethod
    def of(cls, side: pl.LazyFrame, keys: Sequence[str], wanted: Sequence[str]) -> Held:
        """The `wanted` columns of a side, by its `keys`."""
        held = side.select(list(dict.fromkeys([*keys, *wanted]))).collect(engine="streaming")
        index, columns = index_of(held.select(keys)), held.select(wanted)
        if isinstance(index, Dense):
            arranged = index.arranged(held.get_column(keys[0]), columns)
            if arranged is not None:
                return cls(arranged, index, held.height, index)
        # One chunk, from which rows are taken several times as fast; the keys need no copy.
        return cls(columns.rechunk(), index, held.height)

    def unseen(self) -> Seen:
        """The rows, none of which is matched yet."""
        return Seen(self._frame.height, None if self._arranged is None else self._arranged.rows)

    def add_to(self, frame: pl.DataFrame, keys: pl.DataFrame, number: str, seen: Seen) -> pl.DataFrame:
        """A frame (n,) with the columns of the rows that have the same `keys` (n,), null if there is none.

        The column `number` says which row it is, -1 if none.  These rows are recorded as `seen`.
        """
        if self._arranged is None:
            at = rows = self.index.find(keys)
        else:
            at = as_run(self._arranged.places(keys))
            rows = self._arranged.rows_of(at)
        seen.add(at)
        if not isinstance(at, slice) and len(at) and at.min() < 0:
            # As an index, a number below zero would count from the end; in a cast it becomes null.
            at = pl.Series(at).cast(pl.get_index_type(), strict=False)
        return frame.hstack([*self._frame[at], pl.Series(number, rows)])


def duplicates(side: pl.LazyFrame, table: Table, key: tuple[str, ...], prefix: str) -> dict[Finding, Tally]:
    """The rows with a duplicate key; those without a key, which match none, are missing values."""
    names = [prefix + name for name in key]
    is_missing = pl.any_horizontal(pl.col(names).is_null())
    again = ~pl.struct(names).is_first_distinct() & ~is_missing
    query = side.select(names).with_row_index("row").filter(again)
    with reading(table):
        rows = query.collect(engine="streaming").sort("row")
    if not rows.height:
        return {}
    where = f"{table.name}, column{'s' if len(key) > 1 else ''} {', '.join(key)}"
    return {finding(Code.DUPLICATE_KEY, where): Tally(rows.height, shown_rows(table, rows, prefix))}


def shown_rows(table: Table, rows: pl.DataFrame, prefix: str) -> list[str]:
    """The first rows of a table by their numbers in the column "row" and their keys, whose names start so."""

    def name(row: int, *keys: object) -> str:
        ids = ", ".join(
            f"{column.removeprefix(prefix)} {shortened(str(key))}"
            for column, key in zip(columns, keys, strict=True)
        )
        return row_name(row if table.is_numbered else NO_ROW, ids)

    columns = [column for column in rows.columns if column != "row"]
    return [name(*row) for row in rows.select("row", *columns).head(EXAMPLES).iter_rows()]


def _without_seen_keys(keyed: Keyed, unseen: Array, seen: Array) -> Array:
    """The targets that no prediction matched, less those with the key of one that a prediction did match."""
    if not len(unseen):
        return unseen
    keys = keyed.keys("t:")
    with reading(keyed.targets):
        rows = keyed.t.select(keys).with_row_index("row").collect(engine="streaming")
    lonely = rows[unseen].join(rows.filter(pl.Series(seen)), on=keys, how="anti")
    return lonely["row"].sort().to_numpy()


def _unseen(keyed: Keyed, unseen: Array, tallies: dict[Finding, Tally]) -> None:
    """Count the targets without a prediction, those with a missing key apart."""
    if not len(unseen):
        return
    keys, roles = keyed.keys("t:"), keyed.roles
    rows = keyed.t.select(keys).with_row_index("row")
    with reading(keyed.targets):
        keyless = rows.filter(pl.any_horizontal(pl.col(keys).is_null())).collect()
        lonely = unseen[~np.isin(unseen, keyless["row"].to_numpy())]
        examples = pl.Series(lonely[:EXAMPLES], dtype=pl.get_index_type())
        shown = rows.filter(pl.col("row").is_in(examples.implode())).collect()
    where = roles.place(*keys)
    if keyless.height:
        drop = roles.drop_missing
        missing = finding(Code.MISSING_VALUE, "" if drop else where, fatal=not drop)
        tallies[missing] = Tally(keyless.height, shown_rows(keyed.targets, keyless, "t:"))
    if len(lonely):
        drop = roles.drop_unmatched
        unmatched = finding(Code.UNMATCHED_TARGET, "" if drop else where, fatal=not drop, of="")
        tallies[unmatched] = Tally(len(lonely), shown_rows(keyed.targets, shown, "t:"))
