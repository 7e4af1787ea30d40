"""Columns of a frame as one array of numbers."""

from __future__ import annotations

from losscli.xp import Array, np, pl

MANY = 64
"""Above so many columns Polars' own threads are worth the wait for them."""


def matrix_of(frame: pl.DataFrame, columns: tuple[str, ...]) -> Array:
    """The columns as float64 (n, k), as they lie in memory: column after column, or lists row after row.

    Null becomes NaN.  A block of several batches is joined here, in memory that NumPy has at hand.
    """
    if len(columns) > MANY:
        return frame[list(columns)].to_numpy(order="fortran").astype(float, copy=False)
    if len(columns) > 1:
        matrix = np.empty((len(columns), frame.height))
        for i, column in enumerate(columns):
            at = 0
            for chunk in frame.get_column(column).get_chunks():
                matrix[i, at : at + len(chunk)] = chunk.to_numpy()
                at += len(chunk)
        return matrix.T
    series = frame.get_column(columns[0])
    if not series.dtype.is_nested():
        series = series.cast(pl.Float64)
        if series.n_chunks() == 1:
            return series.to_numpy()[:, None]
        return np.concatenate([chunk.to_numpy() for chunk in series.get_chunks()])[:, None]
    # While all lists have the length of the first one, their numbers are the rows of a matrix.
    values = series.explode(empty_as_null=False).to_numpy().astype(float, copy=False)
    return values.reshape(frame.height, -1) if frame.height else values.reshape(0, 1)
