"""Vectors of Spark ML, stored as structs: dense with all values, sparse with values at indices."""

from __future__ import annotations

from typing import Any

from losscli.numeric.arrays import np, pl

_SPARSE = 0
"""The type code of sparse vectors; dense ones have 1."""


def is_vector(dtype: Any) -> bool:
    """Whether a struct is a vector as Spark ML writes it."""
    return {each.name for each in dtype.fields} == {"type", "size", "indices", "values"}


def values(vectors: pl.Expr) -> pl.Expr:
    """The values of each vector as a list, including the zeros that sparse vectors omit."""
    return vectors.map_batches(_lists, return_dtype=pl.List(pl.Float64), is_elementwise=True)


def _lists(vectors: pl.Series) -> pl.Series:
    frame = vectors.struct.unnest()
    sparse = (frame["type"] == _SPARSE).fill_null(False)
    if not sparse.any():
        return frame["values"]
    length = pl.col("values").list.len()
    indices = pl.col("indices").cast(pl.List(pl.Int64))
    frame = frame.select(
        "values",
        size=pl.when(sparse).then("size").otherwise(length).fill_null(0).cast(pl.Int64),
        count=length.fill_null(0),
        at=pl.when(sparse).then(indices).otherwise(pl.int_ranges(0, length)),
    )
    sizes, counts = frame["size"].to_numpy(), frame["count"].to_numpy()
    at = frame["at"].explode().drop_nulls().to_numpy()
    if (
        not (frame["at"].list.len().fill_null(0) == frame["count"]).all()
        or (at >= np.repeat(sizes, counts)).any()
    ):
        raise ValueError("a sparse vector does not have an index below its size for each value")
    starts = np.cumsum(sizes) - sizes
    flat = np.zeros(int(sizes.sum()))
    flat[np.repeat(starts, counts) + at] = frame["values"].explode().drop_nulls().to_numpy()
    parts = [part.tolist() for part in np.split(flat, starts[1:])]
    lists = pl.Series(vectors.name, parts, dtype=pl.List(pl.Float64))
    return lists.set(vectors.is_null(), None) if vectors.null_count() else lists
