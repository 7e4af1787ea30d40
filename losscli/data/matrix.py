"""Read columns of a frame as one array of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from losscli.numeric.arrays import Array, np, pl

MANY = 64
"""With more columns than this, Polars' own threads are faster, despite the wait for them."""


class Matrix:
    """Numbers (n, k)."""

    def __init__(self, values: Array, extremes: tuple[float, float] | None = None) -> None:
        self.values, self._extremes = values, extremes

    @property
    def extremes(self) -> tuple[float, float]:
        """The minimum and maximum: NaN if a number is missing, inf and -inf without rows."""
        if self._extremes is None:
            self._extremes = (
                float(self.values.min(initial=np.inf)),
                float(self.values.max(initial=-np.inf)),
            )
        return self._extremes


def is_narrow(schema: Mapping[str, Any], columns: Sequence[str]) -> bool:
    """Whether `matrix_of` columns of these types is float32."""
    types = {schema[name] for name in columns}
    wide = len(columns) > MANY or any(each.is_nested() for each in types)
    return wide and {getattr(each, "inner", each) for each in types} == {pl.Float32}


def matrix_of(frame: pl.DataFrame, columns: tuple[str, ...]) -> Matrix:
    """The columns (n, k) in their own memory order: column-major, or row-major for lists.

    They are float64; or float32 if lists, or more than MANY columns, hold that.  Null becomes NaN.
    """
    if len(columns) > MANY:
        wide = frame[list(columns)]
        if {pl.Int128, pl.UInt128} & set(map(type, wide.dtypes)):
            wide = wide.cast({pl.Int128: pl.Float64, pl.UInt128: pl.Float64})  # NumPy has no 128-bit integers
        return Matrix(_floats(wide.to_numpy(order="fortran")))
    if len(columns) > 1:
        values, low, high = np.empty((len(columns), frame.height)), np.inf, -np.inf
        for own, name in zip(values, columns, strict=True):
            at = 0
            for chunk in frame.get_column(name).cast(pl.Float64).get_chunks():
                own[at : at + len(chunk)] = chunk.to_numpy()
                at += len(chunk)
            # While the column is in the cache: a second read costs three times as much.
            low, high = np.minimum(low, own.min(initial=np.inf)), np.maximum(high, own.max(initial=-np.inf))
        return Matrix(values.T, (float(low), float(high)))
    series = frame.get_column(columns[0])
    if not series.dtype.is_nested():
        return Matrix(joined(series.cast(pl.Float64))[:, None])
    # All lists have the same length, so their numbers are the rows of a matrix.
    is_array = isinstance(series.dtype, pl.Array)  # which needs no query
    flat = series.reshape((-1,)) if is_array else series.explode(empty_as_null=False)
    numbers = _floats(flat.to_numpy())
    return Matrix(numbers.reshape(frame.height, -1) if frame.height else numbers.reshape(0, 1))


def joined(series: pl.Series) -> Array:
    """The numbers of a column (n,), read-only; null becomes NaN.

    Chunks are joined here, since NumPy reuses its memory and Polars would allocate more.
    """
    if series.n_chunks() == 1:
        return series.to_numpy()
    return np.concatenate([chunk.to_numpy() for chunk in series.get_chunks()])


def _floats(values: Array) -> Array:
    return values if values.dtype == np.float32 else values.astype(float, copy=False)
