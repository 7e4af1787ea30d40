"""Compare the keys of two tables: in which type, and whether they are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from losscli.data.labels import plain_label
from losscli.data.numbers import EXACT
from losscli.data.table import Table, reading
from losscli.errors import EXAMPLES, DataError
from losscli.report.findings import Code, Tally, finding, problem
from losscli.text import shortened

_TEXT = (pl.String, pl.Categorical, pl.Enum)
_LARGE = (pl.Int128, pl.UInt128)
"""Whole numbers that NumPy does not hold."""
WIDE = (pl.UInt64, *_LARGE)
"""Whole numbers that int64 does not hold."""
_UNITS = ("ms", "us", "ns")
_UUID = 16
"""Bytes of a UUID."""


def equal(a: pl.Series, b: pl.Series) -> bool:
    """Whether two keys without nulls are equal, row by row."""
    if a.null_count() or b.null_count():
        return False
    if a.dtype.is_integer():
        # NumPy compares without a copy, several times as fast.
        return np.array_equal(a.to_numpy(), b.to_numpy())
    return a.equals(b, check_names=False)


def common_types(predictions: Table, targets: Table, key: Sequence[str]) -> dict[str, Any]:
    """The type in which each key column is compared.

    Raises DataError for keys that cannot be compared without a wrong match.
    """
    return {name: _common_type(predictions, targets, name) for name in key}


def _common_type(left: Table, right: Table, name: str) -> Any:
    common = _common(left.dtype(name), right.dtype(name))
    for table in (left, right):
        own = table.dtype(name)
        if common == pl.Float64 and own not in _TEXT:
            _require_exact(table, name)
        elif common.is_temporal() and _is_aware(own) != _is_aware(common):
            raise DataError(problem(Code.KEY_WITHOUT_ZONE, f"{table.name}, column {name}"))
    return common


def _common(a: Any, b: Any) -> Any:
    if a in _TEXT and b in _TEXT:
        return pl.String()
    if a == b:
        return pl.String() if a in _LARGE else a
    if a in _TEXT or b in _TEXT:
        other = b if a in _TEXT else a
        return _whole(other, other) if other.is_integer() else other if other.is_float() else pl.String()
    if a.is_integer() and b.is_integer():
        return _whole(a, b)
    if a.is_decimal() and b.is_decimal():
        return pl.Decimal(38, max(a.scale, b.scale))
    if a.is_numeric() and b.is_numeric():
        return pl.Float64()
    if isinstance(a, pl.Date | pl.Datetime) and isinstance(b, pl.Date | pl.Datetime):
        units = [each.time_unit for each in (a, b) if isinstance(each, pl.Datetime)]
        zone = "UTC" if _is_aware(a) or _is_aware(b) else None
        return pl.Datetime(max(units, key=_UNITS.index), zone)
    return pl.String()


def _whole(a: Any, b: Any) -> Any:
    """Only text holds whole numbers that exceed int64."""
    return pl.String() if any(each in WIDE for each in (a, b)) else pl.Int64()


def _is_aware(dtype: Any) -> bool:
    return dtype == pl.Datetime and dtype.time_zone is not None


def as_key(column: pl.Expr, own: Any, common: Any) -> pl.Expr:
    """A key column of the type `own` in the type in which it is compared.

    Text that is compared with numbers is null unless it is the plain form of one, so that 007 and 7 never
    match: see `require_plain`.
    """
    if own == common:
        return column
    if own == pl.Binary:
        return _uuid(column)
    if own in _TEXT and common.is_numeric():
        return whole_numbers(column.cast(pl.String)).cast(common)
    return column.cast(common)


def _uuid(column: pl.Expr) -> pl.Expr:
    """Bytes as text: those of a UUID in groups, as it is written, others in hexadecimal."""
    digits = column.bin.encode("hex")
    grouped = digits.str.replace(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")
    return pl.when(column.bin.size() == _UUID).then(grouped).otherwise(digits)


_FORMS: dict[str, Callable[[str], str]] = {
    "without the blanks around them": str.strip,
    "in another case": lambda key: key.strip().casefold(),
    "without leading zeros": lambda key: key.strip().lstrip("0"),
    "as whole numbers": lambda key: plain_label(key.strip()),
}


def near_forms(left: pl.Series, right: pl.Series) -> str:
    """How some keys of two columns of text would match, in words; empty if in no way that is known."""
    a, b = left.drop_nulls().to_list(), right.drop_nulls().to_list()
    return next((how for how, form in _FORMS.items() if {*map(form, a)} & {*map(form, b)}), "")


def whole_numbers(text: pl.Expr) -> pl.Expr:
    """Text as whole numbers of 64 bits; null if it is not the plain form of one, so that 007 is not 7."""
    zero = text.str.starts_with("0") & (text != "0")
    sign = text.str.starts_with("+") | text.str.starts_with("-0")
    return pl.when(~(zero | sign)).then(text.cast(pl.Int64, strict=False))


class Increasing:
    """Whether the keys of a stream increase strictly, so that no two are equal.

    Text increases as in a dictionary, or as written numbers do: shorter text comes first.
    """

    def __init__(self) -> None:
        self.holds = True
        self._order: _Order | None = None
        self._last: pl.Series | None = None

    def add(self, keys: pl.Series) -> None:
        """Take the next keys, which are not null."""
        if not self.holds or not len(keys):
            return
        parts = [keys] if self._last is None else [keys, pl.concat([self._last, keys.head(1)])]
        if self._order is None:
            orders = (_shortest_first, _ascending) if keys.dtype == pl.String else (_ascending,)
            self._order = next((order for order in orders if order(keys)), None)
        self.holds = self._order is not None and all(map(self._order, parts))
        self._last = keys.tail(1)


_Order = Callable[[pl.Series], bool]


def _ascending(keys: pl.Series) -> bool:
    if keys.dtype.is_integer():
        whole = keys.to_numpy()
        return bool((whole[1:] > whole[:-1]).all())
    return bool((keys.slice(1) > keys.slice(0, len(keys) - 1)).all())


def _shortest_first(keys: pl.Series) -> bool:
    sizes = keys.str.len_bytes().to_numpy()
    rise = (keys.slice(1) > keys.slice(0, len(keys) - 1)).to_numpy()
    return bool(((sizes[1:] > sizes[:-1]) | (rise & (sizes[1:] == sizes[:-1]))).all())


def require_plain(types: Mapping[str, Any], *tables: Table) -> None:
    """Raise DataError for keys of text that are compared with numbers and are not the plain form of one.

    It takes a pass over the keys, which those that are equal in each row need not.
    """
    for name, common in types.items():
        for table in tables:
            if table.dtype(name) in _TEXT and common.is_numeric():
                _require_plain(table, name)


def _require_plain(table: Table, name: str) -> None:
    text = pl.col(name).cast(pl.String)
    with reading(table):
        rows = table.scan.select(text).with_row_index("row", 1)
        odd = rows.filter(pl.col(name).is_not_null() & whole_numbers(pl.col(name)).is_null())
        first = odd.head(EXAMPLES).collect()
        count = odd.select(pl.len()).collect(engine="streaming").item() if first.height else 0
    if count:
        kind = finding(Code.KEY_NOT_PLAIN, f"{table.name}, column {name}")
        examples = [f"row {row}: {shortened(repr(key))}" for row, key in first.rows()]
        raise DataError(kind.problem(Tally(count, examples)))


def _require_exact(table: Table, name: str) -> None:
    """Raise DataError for keys that float64 cannot distinguish."""
    with reading(table):
        column = pl.col(name).cast(pl.Float64)
        low, high = table.scan.select(column.min().alias("low"), column.max().alias("high")).collect().row(0)
    if max(-(low or 0.0), high or 0.0) >= EXACT:
        raise DataError(problem(Code.INEXACT_KEY, f"{table.name}, column {name}"))
