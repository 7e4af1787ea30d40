"""Slices: the rows with the same values in some columns, whatever the task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from msgspec import Struct

from losscli.data import times
from losscli.data.labels import label_text
from losscli.data.matrix import joined
from losscli.errors import DataError, Problem
from losscli.numeric.arrays import Array, np, pl
from losscli.numeric.edges import edges_below
from losscli.numeric.segments import NARROW, compressed

MISSING = "(missing)"
"""The slice of rows without a value."""
_PLACE = "place"
"""The name of no column of keys, which are numbers."""
_FEW_KEYS = 1 << 10
"""Up to so many keys are matched without a join, which waits for the threads of Polars that read ahead."""
_HASH_BITS = 16
"""The bits of the hashes by which few texts are numbered."""
_FEW_TEXTS = 128
"""The maximum number of texts whose hashes likely differ."""
_HEAD = 1 << 10
"""The first rows, by which it is judged whether texts are few."""
Column = tuple[str, "Bins"]
"""A column of the aligned stream, with how its values are put together."""
Labels = dict[Column, tuple[Array, "pl.Series"]]
"""For columns of a frame in bins the label of each row (n,), as a position among the labels, and these."""
Key = tuple[str, ...]
"""The values of a slice, one per column."""
Bins = tuple[float, ...] | str | None
"""How the values of a column are put together: the inner edges of bins, a unit of time, or None for not."""


class Slicing(Struct, frozen=True, rename={"bins": "edges"}):
    """A way to cut rows into slices: by columns of the aligned stream ('p:NAME', 't:NAME'), each in bins."""

    columns: tuple[str, ...]
    bins: tuple[Bins, ...]

    @classmethod
    def of_parts(cls, parts: Sequence[Column]) -> Slicing:
        """The slicing by columns with their bins."""
        columns, bins = zip(*parts, strict=True)
        return cls(columns, bins)

    @property
    def parts(self) -> tuple[Column, ...]:
        """The columns with their bins."""
        return tuple(zip(self.columns, self.bins, strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns as the files name them."""
        return tuple(column[2:] for column in self.columns)

    @property
    def text(self) -> tuple[str, ...]:
        """The columns as --by takes them: 'region', 'age:4', 'day:month'."""
        return tuple(map(_text_of, self.names, self.bins))

    @property
    def binned(self) -> tuple[str, ...]:
        """The columns whose numbers are in bins."""
        own = zip(self.columns, self.bins, strict=True)
        return tuple(column for column, bins in own if isinstance(bins, tuple))

    @property
    def by_time(self) -> dict[str, str]:
        """The unit of time of each column of dates, as the files name them."""
        return {column[2:]: unit for column, unit in self.units}

    @property
    def units(self) -> tuple[tuple[str, str], ...]:
        """The columns of dates, each with its unit of time."""
        own = zip(self.columns, self.bins, strict=True)
        return tuple((column, bins) for column, bins in own if isinstance(bins, str))

    @property
    def labelled(self) -> tuple[str, ...]:
        """The columns whose values are slices themselves."""
        own = zip(self.columns, self.bins, strict=True)
        return tuple(column for column, bins in own if bins is None)

    def of(self, frame: pl.DataFrame, known: Labels | None = None) -> tuple[Array, pl.DataFrame]:
        """The slice of each row (n,) as a position among those that occur, and the keys of these (c,).

        The frame has the units of dates as `column_of_unit` names them.  `known` are labels of its columns,
        to which those of other columns are added.
        """
        known = {} if known is None else known
        for each in zip(self.columns, self.bins, strict=True):
            if each not in known:
                known[each] = _labels(frame, *each)
        places, labels = known[self.columns[0], self.bins[0]]
        if isinstance(self.bins[0], tuple):
            places, first = compressed(places)
            labels = labels[first]
        keys = [labels]
        for column, bins in zip(self.columns[1:], self.bins[1:], strict=True):
            own, labels = known[column, bins]
            places, first = compressed(places * len(labels) + own)
            before, last = np.divmod(first, len(labels))
            keys = [*(each[before] for each in keys), labels[last]]
        return places, keys_of(keys)


class Overlaps(Slicing, frozen=True):
    """Slices by which of some groups of segments a row is in: bit i of a key says whether it is in group i.

    A segment is a slice of a slicing.
    """

    groups: tuple[tuple[tuple[Slicing, Key], ...], ...] = ()

    @classmethod
    def of_segments(cls, groups: Sequence[Sequence[tuple[Slicing, Key]]]) -> Overlaps:
        """The overlaps of groups, by all of their columns."""
        slicings = [slicing for group in groups for slicing, _ in group]
        own = dict.fromkeys(pair for each in slicings for pair in zip(each.columns, each.bins, strict=True))
        columns, bins = zip(*own, strict=True)
        return cls(columns, bins, tuple(map(tuple, groups)))

    def of(self, frame: pl.DataFrame, known: Labels | None = None) -> tuple[Array, pl.DataFrame]:
        """As that of `Slicing`, with the bits of each slice as its only label."""
        labels = {part: _numbered(frame, *part) for part in self.parts}

        @cache
        def holds(part: Column, label: str) -> Array:
            places, numbers = labels[part]
            return places == numbers.get(label, -1)

        codes = np.zeros(frame.height, dtype=np.min_scalar_type((1 << len(self.groups)) - 1))
        for bit, group in enumerate(self.groups):
            inside = np.zeros(frame.height, dtype=bool)
            for slicing, key in group:
                inside |= np.logical_and.reduce([*map(holds, slicing.parts, key)])
            codes |= inside.astype(codes.dtype) << bit
        places, present = compressed(codes)
        return places, keys_of([pl.Series(present).cast(pl.String)])

    def members(self, keys: pl.DataFrame) -> Array:
        """Which slices are in each group (groups, c)."""
        codes = keys.to_series().cast(pl.Int64).to_numpy()
        found: Array = (codes >> np.arange(len(self.groups))[:, None]) & 1 == 1
        return found


def _text_of(name: str, bins: Bins) -> str:
    if bins is None:
        return name
    return f"{name}:{bins if isinstance(bins, str) else len(bins) + 1}"


def column_of_unit(column: str, unit: str) -> str:
    """The column of a frame with the number of the unit of time of each row; no file has one of this name."""
    return f"#{unit} {column}"


def keys_of(labels: Sequence[pl.Series]) -> pl.DataFrame:
    """Keys of slices from the labels (c,) of each column: as a frame they merge without loops in Python."""
    return pl.DataFrame({str(number): each.alias("") for number, each in enumerate(labels)})


def as_text(keys: pl.DataFrame) -> pl.DataFrame:
    """Keys of slices as the report shows them: those of whole numbers are numbers until then."""
    return pl.DataFrame([each.cast(pl.String) for each in keys])


def _labels(frame: pl.DataFrame, column: str, bins: Bins) -> tuple[Array, pl.Series]:
    """The label of each row (n,) as a position among the labels, and these: text, or whole numbers."""
    if isinstance(bins, tuple):
        values = frame[column].cast(pl.Float64).to_numpy()
        found = edges_below(np, np.array(bins), values)
        return np.where(np.isnan(values), len(bins) + 1, found), pl.Series([*bin_labels(bins), MISSING])
    series = frame[column if bins is None else column_of_unit(column, bins)]
    places, present = distinct(series)
    if bins is None and present.dtype.is_integer() and _fits(present.dtype) and not present.null_count():
        return places, present.cast(pl.Int64)
    labels = _texts(present) if bins is None else times.labels(present, bins)
    if present.dtype.is_float():
        present = present.fill_nan(None)
    if has_missing := present.null_count() > 0:
        known = present.is_not_null()
        labels = pl.select(pl.when(known).then(labels).otherwise(pl.lit(MISSING))).to_series()
    if has_missing or not _are_their_text(series.dtype):
        # Values with the same text, such as "(missing)" and null, form one slice, so that no row is lost.
        own, labels = distinct(labels)
        places = own[places]
    return places, labels


def _numbered(frame: pl.DataFrame, column: str, bins: Bins) -> tuple[Array, dict[str, int]]:
    """The label of each row (n,) as a number of the smallest type, and the number of each label."""
    places, labels = _labels(frame, column, bins)
    texts = labels.cast(pl.String).to_list()
    return places.astype(np.min_scalar_type(-len(texts))), {text: number for number, text in enumerate(texts)}


def known_codes(frame: pl.DataFrame, column: str, bins: Bins, known: pl.Series) -> Array:
    """The label of each row (n,) as a position among all `known` ones, in the smallest type that holds it.

    Raises DataError for a label that is not known.
    """
    places, labels = _labels(frame, column, bins)
    table = _places_of(keys_of([labels.cast(known.dtype)]), keys_of([known]))
    codes: Array = table.astype(np.min_scalar_type(-len(known)))[places]
    if codes.min(initial=0) < 0:
        what, remedy = "has changed while it was read", "run again once no program writes to the file"
        raise DataError(Problem(what, f"column {column[2:]}", remedy))
    return codes


def _are_their_text(dtype: pl.DataType) -> bool:
    """Whether each value of a type has a label of its own, which is how it is written."""
    return dtype == pl.String or dtype.is_integer() or _is_coded(dtype)


def _is_coded(dtype: pl.DataType) -> bool:
    """Whether a type holds the code of each text."""
    return dtype in (pl.Categorical, pl.Enum)


def _texts(values: pl.Series) -> pl.Series:
    """The labels of values: see `label_text`."""
    if _are_their_text(values.dtype):
        return values.cast(pl.String)
    texts = (None if value is None else label_text(value) for value in values)
    return pl.Series(values.name, texts, dtype=pl.String)


def distinct(series: pl.Series) -> tuple[Array, pl.Series]:
    """The value of each row (n,) as a position among those that occur (u,), of which null is one."""
    missing = series.is_null().to_numpy() if series.null_count() else None
    if series.dtype == pl.String and (few := _few_texts(series, missing)) is not None:
        return few
    if series.dtype.is_float():
        values = series.to_numpy()
        # In NumPy null is NaN too.
        missing = np.isnan(values)
        codes = np.unique(values, return_inverse=True)[1]
    elif _fits(series.dtype):
        values = _physical(series)
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        if high - low < NARROW and missing is None and series.dtype.is_integer():
            places, present = compressed(values - low if low else values)
            return places, pl.Series(series.name, present + low).cast(series.dtype)
        codes = values - low if high - low < NARROW else np.unique(values, return_inverse=True)[1]
    else:
        codes = _physical(series if _is_coded(series.dtype) else series.cast(pl.String).cast(pl.Categorical))
    if missing is not None:
        codes = np.where(missing, -1, codes) + 1
    places, present = compressed(codes)
    return places, series[_rows_of(places, len(present))]


def _few_texts(texts: pl.Series, missing: Array | None) -> tuple[Array, pl.Series] | None:
    """As `distinct`, by hashes of 16 bits; None for many texts, or if two have the same hash.

    Categories take several times as long, as all threads number them together.
    """
    if texts.head(_HEAD).n_unique() > _FEW_TEXTS:
        return None
    codes = (texts.hash(0).to_numpy() >> np.uint64(64 - _HASH_BITS)).astype(np.int64)
    if missing is not None:
        codes[missing] = 1 << _HASH_BITS
    places, present = compressed(codes)
    values = texts[_rows_of(places, len(present))]
    are_alike = (texts == values[places.astype(np.uint32)]).all()
    return (places, values) if are_alike else None


def _rows_of(places: Array, count: int) -> Array:
    """A row (u,) for each of the places (n,) of values."""
    rows = np.empty(count, dtype=np.uint32)
    rows[places] = np.arange(len(places), dtype=np.uint32)
    return rows


def _physical(series: pl.Series) -> Array:
    """The whole numbers (n,) that stand for values, 0 for null."""
    # Of whole numbers too `to_physical` is a query.
    whole = (series if series.dtype.is_integer() else series.to_physical()).cast(pl.Int64)
    return joined(whole.fill_null(0) if series.null_count() else whole)


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


def natural_order(keys: pl.DataFrame) -> Array:
    """The places (c,) of keys in natural order: numbers by value, then text, then missing."""
    if keys.height <= _FEW_KEYS:
        return _order_of_few((*keys.iter_rows(),), keys.width)
    return _natural_order(keys)


@lru_cache
def _order_of_few(keys: tuple[Key, ...], width: int) -> Array:
    """As `natural_order`, once for all reports with the same slices."""
    schema = {str(number): pl.String for number in range(width)}
    return _natural_order(pl.DataFrame(keys, schema, orient="row"))


def _natural_order(keys: pl.DataFrame) -> Array:
    by = list[pl.Expr]()
    for name in keys.columns:
        text, number = pl.col(name), pl.col(name).cast(pl.Float64, strict=False)
        kind = pl.when(text == MISSING).then(2).when(number.is_null()).then(1).otherwise(0)
        by += [kind, number.fill_null(0.0), text]
    return keys.select(pl.arg_sort_by(by).cast(pl.Int64)).to_series().to_numpy()


def merged_keys(keys: pl.DataFrame, later: pl.DataFrame) -> tuple[pl.DataFrame, Array | None]:
    """The keys, then the new ones of `later`, and where those of `later` are (c,); None for as they are."""
    if keys.schema != later.schema:
        keys, later = as_text(keys), as_text(later)
    if keys.equals(later):
        return keys, None
    places = _places_of(later, keys)
    new = np.flatnonzero(places < 0)
    if not len(new):
        return keys, places
    places[new] = keys.height + np.arange(len(new))
    return pl.concat([keys, later[new]]), places


def _places_of(wanted: pl.DataFrame, keys: pl.DataFrame) -> Array:
    """The index (c,) of each wanted key among the keys, -1 if it is not there."""
    if keys.width == 1 and keys.dtypes == [pl.Int64] and keys.height and wanted.height:
        own, others = (frame.to_series().to_numpy() for frame in (keys, wanted))
        low = min(int(own.min()), int(others.min()))
        span = max(int(own.max()), int(others.max())) - low + 1
        if span <= NARROW:
            table = np.full(span, -1)
            table[own - low] = np.arange(len(own))
            places: Array = table[others - low]
            return places
    if max(keys.height, wanted.height) <= _FEW_KEYS:
        known = {key: place for place, key in enumerate(keys.iter_rows())}
        return np.array([known.get(key, -1) for key in wanted.iter_rows()], dtype=np.int64)
    numbered = keys.with_row_index(_PLACE)
    found = wanted.join(numbered, on=keys.columns, how="left", maintain_order="left")[_PLACE]
    return found.cast(pl.Int64).fill_null(-1).to_numpy().copy()


def starts_of(keys: pl.Series, before: Any = None) -> Array:
    """The rows where a group starts: those whose key differs from that of the row before.

    `before` is the key of the row before the first, None if there is none.
    """
    if keys.dtype.is_integer() and not keys.null_count():
        values = joined(keys)
        changed = np.append(True, values[1:] != values[:-1])[: len(keys)]
    else:
        changed = keys.ne_missing(keys.shift(1)).to_numpy().copy()
    changed[:1] = keys.head(1).to_list() != [before]
    return np.flatnonzero(changed)
