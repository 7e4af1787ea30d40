"""Compare the keys of two tables: in which type, and whether they are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from losscli.data.table import Table, reading
from losscli.errors import DataError
from losscli.report.findings import Code, problem

_EXACT = 2**53
"""Every whole number below it is exact in float64."""


def require_exact(table: Table, name: str) -> None:
    """Raise DataError for keys that float64 cannot distinguish."""
    with reading(table):
        column = pl.col(name).cast(pl.Float64)
        low, high = table.scan.select(column.min().alias("low"), column.max().alias("high")).collect().row(0)
    if max(-(low or 0.0), high or 0.0) >= _EXACT:
        raise DataError(problem(Code.INEXACT_KEY, f"{table.name}, column {name}"))


def equal(a: pl.Series, b: pl.Series) -> bool:
    """Whether two keys without nulls are equal, row by row."""
    if a.null_count() or b.null_count():
        return False
    if a.dtype.is_integer():
        # NumPy compares without a copy, several times as fast.
        return np.array_equal(a.to_numpy(), b.to_numpy())
    return a.equals(b, check_names=False)


def common_types(predictions: Table, targets: Table, key: tuple[str, ...]) -> dict[str, Any]:
    """The type in which each key column is compared; None if both sides have it already."""
    casts: dict[str, Any] = {}
    for name in key:
        a, b = predictions.schema[name], targets.schema[name]
        casts[name] = common_type(a, b)
        if casts[name] == pl.Float64:
            for table in (predictions, targets):
                require_exact(table, name)
    return casts


def common_type(a: Any, b: Any) -> Any:
    """The type in which keys of two types are compared; None if both have it already."""
    if a == b and not isinstance(a, pl.Categorical | pl.Enum):
        return None
    if a.is_integer() and b.is_integer():
        # Only text holds whole numbers that exceed int64.
        return pl.String if {a, b} & {pl.UInt64, pl.Int128, pl.UInt128} else pl.Int64
    return pl.Float64 if a.is_numeric() and b.is_numeric() else pl.String
