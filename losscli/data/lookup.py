"""The row of each key among keys that are held in memory: dense whole numbers by an array, others by a hash.

An index never changes once it is made, so that several threads can find keys in it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.data.keys import WIDE, whole_numbers
from losscli.data.threads import in_order, workers
from losscli.numeric.arrays import Array

SPARSE = 4
"""The largest range of whole keys, in multiples of their number, that is looked up in an array."""
_LOOSE = 1.25
"""The most places of columns that are put in the order of their keys, in multiples of their rows."""
_HEAD = 1000
"""Keys of text that show whether they are whole numbers."""
_PIECE = 1 << 17
"""Keys that are placed at once, so that intermediate results stay in the cache."""
_LOAD = 2
"""Places of a hash table for each key, at least."""


class Index(Protocol):
    """The keys of the rows of a side."""

    @property
    def repeated(self) -> bool:
        """Whether two rows have the same key."""

    def find(self, keys: pl.DataFrame) -> Array:
        """The row of each key (n,), -1 if it is missing or not among the keys."""


def index_of(keys: pl.DataFrame) -> Index:
    """The index of keys of one column or several; rows where one is missing have no key."""
    return (Dense.of(keys.to_series()) if keys.width == 1 else None) or Hashed.of(keys)


def _whole(keys: pl.Series) -> pl.Series:
    """Keys of text as whole numbers, null if they are not the plain form of one; others as they are."""
    if keys.dtype != pl.String:
        return keys
    return keys.to_frame().select(whole_numbers(pl.col(keys.name))).to_series()


class Dense(Struct, frozen=True, eq=False):
    """The row of each key in a dense range of whole numbers: a join without hashing.

    The place of a key is its distance from the least one, and `rows` has the row at each place, -1 for none.
    """

    low: int
    high: int
    rows: Array
    repeated: bool

    @classmethod
    def of(cls, keys: pl.Series) -> Dense | None:
        """The index of keys; None if they are not whole numbers, or too sparse."""
        if not len(keys) or keys.null_count() or _whole(keys.head(_HEAD)).null_count():
            return None
        keys = _whole(keys)
        if not keys.dtype.is_integer() or keys.null_count():
            return None
        low, high = _extremes(keys)
        if high - low >= SPARSE * len(keys) + 1024:
            return None
        rows: Array = np.full(high - low + 1, -1, dtype=_rows_type(len(keys)))
        calls = [partial(_number, rows, keys, low, first) for first in range(0, len(keys), _PIECE)]
        list(in_order(calls, workers()))
        repeated = int(np.count_nonzero(rows >= 0)) < len(keys)
        if repeated:
            for call in calls:  # so that it is the last row of a key that has a place, whatever the threads
                call()
        return cls(low, high, rows, repeated)

    def find(self, keys: pl.DataFrame) -> Array:
        """The row of each key (n,), -1 if it is missing or not in the table."""
        return self.rows_of(self._within(keys.to_series()))

    def places(self, keys: pl.DataFrame) -> Array:
        """The place of each key (n,), -1 if it is missing or not in the table."""
        places = self._within(keys.to_series())
        places[self.rows[places] < 0] = -1
        return places

    def rows_of(self, places: Array | slice) -> Array:
        """The row at each place (n,), -1 for a place below zero."""
        rows = self.rows[places]
        if not isinstance(places, slice) and len(places) and places.min() < 0:
            rows[places < 0] = -1
        return rows

    def _within(self, keys: pl.Series) -> Array:
        """The distance of each key from the least one (n,), -1 if it is missing or outside of the range."""
        own = _whole(keys)
        if len(own) and not own.null_count():
            low, high = _extremes(own)
            if self.low <= low and high <= self.high:
                return _above(own.to_numpy(), self.low)
        inside = own.is_between(self.low, self.high).fill_null(False).to_numpy()
        places: Array = np.full(len(own), -1, dtype=np.int64)
        places[inside] = _above(own.filter(pl.Series(inside)).to_numpy(), self.low)
        return places

    def arranged(self, keys: pl.Series, columns: pl.DataFrame) -> pl.DataFrame | None:
        """The columns of the indexed rows in the order of the places.

        None unless they hold numbers in each row, and nearly each place has one row.
        """
        if self.repeated or len(self.rows) > _LOOSE * len(keys) or not keys.dtype.is_integer():
            return None
        if not all(_is_plain(column) for column in columns):
            return None
        arrays = [np.zeros(len(self.rows), column.head(0).to_numpy().dtype) for column in columns]
        calls = (
            partial(_put, own, column, keys, self.low, first)
            for own, column in zip(arrays, columns, strict=True)
            for first in range(0, len(keys), _PIECE)
        )
        list(in_order(calls, workers()))
        return pl.DataFrame(dict(zip(columns.columns, arrays, strict=True)))


def as_run(places: Array) -> Array | slice:
    """Places (n,) as a slice if each follows the one before, so that what is there need not be copied."""
    spanned = len(places) and places[0] >= 0 and places[-1] - places[0] == len(places) - 1
    if spanned and (places[1:] - places[:-1] == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _is_plain(column: pl.Series) -> bool:
    """Whether all values of a column are numbers of a type that NumPy has."""
    is_number = column.dtype in (pl.Float32, pl.Float64) or column.dtype.is_integer()
    return is_number and column.dtype not in WIDE and not column.null_count()


def _number(rows: Array, keys: pl.Series, low: int, first: int) -> None:
    """Write the rows of some keys, from the `first` on, to their places."""
    places = _above(keys.slice(first, _PIECE).to_numpy(), low)
    rows[places] = np.arange(first, first + len(places), dtype=rows.dtype)


def _put(own: Array, column: pl.Series, keys: pl.Series, low: int, first: int) -> None:
    """Write some values of a column, from the `first` on, to the places of their keys."""
    places = _above(keys.slice(first, _PIECE).to_numpy(), low)
    own[places] = column.slice(first, _PIECE).to_numpy()


def _above(numbers: Array, low: int) -> Array:
    """Whole numbers (n,) less the smallest, which a narrow type such as int8 may not hold."""
    wide = numbers if numbers.dtype.itemsize == np.int64().itemsize else numbers.astype(np.int64)
    return wide - wide.dtype.type(low)


def _rows_type(rows: int) -> type[np.integer]:
    """The type of the numbers of this many rows."""
    return np.int32 if rows < 2**31 else np.int64


def _extremes(numbers: pl.Series) -> tuple[int, int]:
    """The minimum and maximum of whole numbers, of which there is at least one."""
    low: Any = numbers.min()
    high: Any = numbers.max()
    return low, high


class Hashed(Struct, frozen=True, eq=False):
    """The row of each key in a hash table with linear probing, each step of which is one operation on arrays.

    Under the `seed` no two distinct keys have the same of the `hashes` (rows,).  `places` (2^k,) hold rows at
    the first k bits of their hashes, or beyond if others are there; -1 for no row.
    """

    keys: pl.DataFrame
    seed: int
    hashes: Array
    places: Array
    repeated: bool

    @classmethod
    def of(cls, keys: pl.DataFrame) -> Hashed:
        """The index of keys."""
        keys, seed = keys.rechunk(), 0
        while (found := cls._under(keys, seed)) is None:
            seed += 1
        return found

    @classmethod
    def _under(cls, keys: pl.DataFrame, seed: int) -> Hashed | None:
        """The index under a seed; None if distinct keys have the same hash."""
        hashes, rows = hashed(keys, seed), _complete(keys)
        bits = max(1, (_LOAD * max(1, len(rows)) - 1).bit_length())
        places: Array = np.full(1 << bits, -1, dtype=_rows_type(len(hashes)))
        slots, repeated = _slots(hashes[rows], bits), False
        while len(rows):
            free = places[slots] < 0
            places[slots[free]] = rows[free]
            there = places[slots]
            left = there != rows
            again = left & (hashes[there] == hashes[rows])
            if again.any():
                repeated = True
                if not _alike(keys, rows[again], keys, there[again]).all():
                    return None
                left &= ~again
            rows, slots = rows[left], (slots[left] + 1) & (len(places) - 1)
        return cls(keys, seed, hashes, places, repeated)

    def find(self, keys: pl.DataFrame) -> Array:
        """The row of each key (n,), -1 if it is missing or not in the table."""
        hashes, rows = hashed(keys, self.seed), _complete(keys)
        found: Array = np.full(len(hashes), -1, dtype=self.places.dtype)
        slots = _slots(hashes[rows], len(self.places).bit_length() - 1)
        while len(rows):
            there = self.places[slots]
            taken = there >= 0
            rows, slots, there = rows[taken], slots[taken], there[taken]
            same = self.hashes[there] == hashes[rows]
            found[rows[same]] = there[same]
            rows, slots = rows[~same], (slots[~same] + 1) & (len(self.places) - 1)
        matched = np.flatnonzero(found >= 0)
        found[matched[~_alike(keys, matched, self.keys, found[matched])]] = -1
        return found


def hashed(keys: pl.DataFrame, seed: int) -> Array:
    """The hashes (n,) of keys, as uint64; they last as long as the process."""
    return keys.hash_rows(seed).to_numpy()


def _complete(keys: pl.DataFrame) -> Array:
    """The rows where no key is missing."""
    missing: Array = np.zeros(keys.height, dtype=bool)
    for each in keys:
        if each.null_count():
            missing |= each.is_null().to_numpy()
        if each.dtype.is_float():
            missing |= each.is_nan().fill_null(False).to_numpy()
    return np.flatnonzero(~missing)


def _slots(hashes: Array, bits: int) -> Array:
    return (hashes >> np.uint64(64 - bits)).astype(np.int64)


def _alike(keys: pl.DataFrame, rows: Array, others: pl.DataFrame, at: Array) -> Array:
    """Whether the keys of some rows (n,) are those of other rows `at` (n,)."""
    alike: Array = np.ones(len(rows), dtype=bool)
    for own, other in zip(keys, others, strict=True):
        alike &= (own[rows] == other[at]).to_numpy()
    return alike
