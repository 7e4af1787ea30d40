"""Slices: the rows with the same values in some columns, whatever the task."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from losscli.data.labels import label_text
from losscli.numeric.arrays import Array, np, pl
from losscli.numeric.segments import NARROW, compressed

MISSING = "(missing)"
"""The slice of rows without a value."""
_PLACE = "place"
"""The name of no column of keys, which are numbers."""
Key = tuple[str, ...]
"""The values of a slice, one per column."""


class Slicing(Struct, frozen=True):
    """A way to cut rows into slices: by columns of the aligned stream ('p:NAME', 't:NAME').

    `edges` holds for each column the inner edges of its bins, or None if it is not binned.
    """

    columns: tuple[str, ...]
    edges: tuple[tuple[float, ...] | None, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns as the files name them."""
        return tuple(column[2:] for column in self.columns)

    @property
    def text(self) -> tuple[str, ...]:
        """The columns as --by takes them: 'region', 'age:4'."""
        return tuple(
            name if edges is None else f"{name}:{len(edges) + 1}"
            for name, edges in zip(self.names, self.edges, strict=True)
        )

    def of(self, frame: pl.DataFrame) -> tuple[Array, pl.DataFrame]:
        """The slice of each row (n,) as a position among those that occur, and the keys of these (c,)."""
        places, labels = _labels(frame[self.columns[0]], self.edges[0])
        if self.edges[0] is not None:
            places, first = compressed(places)
            labels = labels.gather(first)
        keys = [labels]
        for column, edges in zip(self.columns[1:], self.edges[1:], strict=True):
            own, labels = _labels(frame[column], edges)
            places, first = compressed(places * len(labels) + own)
            before, last = np.divmod(first, len(labels))
            keys = [*(each.gather(before) for each in keys), labels.gather(last)]
        return places, keys_of(keys)


def keys_of(labels: Sequence[pl.Series]) -> pl.DataFrame:
    """Keys of slices from the labels (c,) of each column: as a frame they merge without loops in Python."""
    return pl.DataFrame({str(number): each.alias("") for number, each in enumerate(labels)})


def _labels(series: pl.Series, edges: tuple[float, ...] | None) -> tuple[Array, pl.Series]:
    """The label of each row (n,) as a position among the labels, and these."""
    if edges is not None:
        values = series.cast(pl.Float64).to_numpy()
        bins = np.searchsorted(np.array(edges), values, side="left")
        return np.where(np.isnan(values), len(edges) + 1, bins), pl.Series([*bin_labels(edges), MISSING])
    places, rows, missing = _distinct(series)
    labels = _texts(series.gather(rows))
    if missing is not None:
        labels = pl.select(
            pl.when(~pl.Series(missing[rows])).then(labels).otherwise(pl.lit(MISSING))
        ).to_series()
    if missing is not None or not _are_their_text(series.dtype):
        # Values with the same text, such as "(missing)" and null, form one slice, so that no row is lost.
        own, first = distinct(labels)
        places, labels = own[places], labels.gather(first)
    return places, labels


def _are_their_text(dtype: pl.DataType) -> bool:
    """Whether each value of a type has a label of its own, which is how it is written."""
    return dtype == pl.String or dtype.is_integer()


def _texts(values: pl.Series) -> pl.Series:
    """The labels of values: see `label_text`."""
    if _are_their_text(values.dtype):
        return values.cast(pl.String)
    texts = (None if value is None else label_text(value) for value in values)
    return pl.Series(values.name, texts, dtype=pl.String)


def distinct(series: pl.Series) -> tuple[Array, Array]:
    """The value of each row (n,) as a position among those that occur (u,), and a row of each of these."""
    places, rows, _ = _distinct(series)
    return places, rows


def _distinct(series: pl.Series) -> tuple[Array, Array, Array | None]:
    """As `distinct`, and where values are missing (n,); None for nowhere."""
    missing = series.is_null().to_numpy() if series.null_count() else None
    if series.dtype.is_float():
        values = series.to_numpy()
        # In NumPy null is NaN too.
        missing = np.isnan(values)
        codes = np.unique(values, return_inverse=True)[1]
    elif _fits(series.dtype):
        values = series.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        codes = values - low if high - low < NARROW else np.unique(values, return_inverse=True)[1]
    else:
        codes = series.cast(pl.String).cast(pl.Categorical).to_physical().fill_null(0).to_numpy()
    if missing is not None:
        codes = np.where(missing, -1, codes) + 1
    places, present = compressed(codes)
    rows = np.empty(len(present), dtype=np.uint32)
    rows[places] = np.arange(len(places), dtype=np.uint32)
    return places, rows, missing


def _fits(dtype: pl.DataType) -> bool:
    """Whether int64 holds all values of a type."""
    wide = dtype in (pl.UInt64, pl.Int128, pl.UInt128)
    return (dtype.is_integer() and not wide) or dtype == pl.Boolean or dtype.is_temporal()


def bin_labels(edges: tuple[float, ...]) -> list[str]:
    """The bins between edges in words: '<= 1', '1 to 2', '> 2'."""
    if not edges:
        return ["all"]
    inner = [f"{a:.6g} to {b:.6g}" for a, b in pairwise(edges)]
    return [f"<= {edges[0]:.6g}", *inner, f"> {edges[-1]:.6g}"]


def sorted_keys(keys: list[Key]) -> list[Key]:
    """Keys in natural order: numbers by value, then text, then missing."""
    return sorted(keys, key=lambda key: [_by_value(part) for part in key])


def _by_value(part: str) -> tuple[int, float, str]:
    try:
        return 0, float(part), part
    except ValueError:
        return (2 if part == MISSING else 1), 0.0, part


def merged_keys(keys: pl.DataFrame, later: pl.DataFrame) -> tuple[pl.DataFrame, Array | None]:
    """The keys, then the new ones of `later`, and where those of `later` are (c,); None for as they are."""
    if keys.equals(later):
        return keys, None
    numbered = keys.with_row_index(_PLACE)
    found = later.join(numbered, on=keys.columns, how="left", maintain_order="left")[_PLACE]
    places = found.cast(pl.Int64).fill_null(-1).to_numpy().copy()
    new = np.flatnonzero(places < 0)
    places[new] = keys.height + np.arange(len(new))
    return pl.concat([keys, later[new]]), places


def starts_of(keys: pl.Series, before: Any = None) -> Array:
    """The rows where a group starts: those whose key differs from that of the row before.

    `before` is the key of the row before the first, None if there is none.
    """
    changed = keys.ne_missing(keys.shift(1)).to_numpy().copy()
    changed[:1] = keys.head(1).to_list() != [before]
    return np.flatnonzero(changed)
