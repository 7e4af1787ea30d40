"""Convert labels between class names and column values."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from losscli.numeric.arrays import Array, np, pl
from losscli.numeric.edges import edges_below


def other_than(positive: str) -> str:
    """The name of the other of two labels if no row has it."""
    return f"not {positive}"


def label_text(label: object) -> str:
    """The class name of a label: 'true', '3', 'cat'."""
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, Decimal):
        label = float(label)
    if isinstance(label, bytes):
        return label.decode(errors="backslashreplace")
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def plain_label(text: str) -> str:
    """The class that a label in text means if it is not itself a class name: 1.0 is 1, True is true."""
    if text.lower() in ("true", "false"):
        return text.lower()
    return text.partition(".")[0] if re.fullmatch(r"-?[0-9]+\.0*", text) else text


_TRUTH = {"true": "1", "false": "0"}
_OTHER_FORM = {**_TRUTH, **{number: truth for truth, number in _TRUTH.items()}}


_LARGE = 1 << 63
"""The smallest positive integer beyond int64."""


def label_value(name: str, dtype: Any) -> object:
    """The value of a class in a label column of this type; None if the column cannot hold it."""
    if dtype == pl.Boolean:
        return {"true": True, "false": False, "1": True, "0": False}.get(name.lower())
    if not dtype.is_numeric():
        return name
    try:
        value = float(name)
    except ValueError:
        return None
    if not value.is_integer():
        return None if dtype.is_integer() else value
    return int(name) if name.lstrip("+-").isdecimal() else int(value)


@lru_cache
def places_of(names: tuple[str, ...], dtype: Any) -> tuple[Array, Array]:
    """The class values that a numeric column can hold, sorted, and the position of each among the names."""
    values: list[tuple[Any, int]] = [(label_value(name, dtype), i) for i, name in enumerate(names)]
    values = [(value, i) for value, i in values if value is not None]
    if not dtype.is_float():
        values = [(value, i) for value, i in values if -_LARGE <= value < _LARGE]
    labels = np.array([value for value, _ in values], dtype=float if dtype.is_float() else np.int64)
    order = np.argsort(labels, kind="stable")
    return labels[order], np.array([i for _, i in values], dtype=np.int64)[order]


def _codes_of_text(text: pl.Series, names: tuple[str, ...]) -> Array:
    codes = text.cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int64)
    if codes.null_count() > text.null_count():
        others = text.filter(codes.is_null()).drop_nulls().unique()
        forms = {each: (plain_label(each), _OTHER_FORM.get(plain_label(each))) for each in others}
        plain = {
            each: names.index(name)
            for each, spellings in forms.items()
            for name in spellings
            if name in names
        }
        plain_codes = text.replace_strict(
            list(plain), list(plain.values()), default=None, return_dtype=pl.Int64
        )
        codes = codes.zip_with(codes.is_not_null(), plain_codes)
    # Without missing labels there is no query, which would wait for the threads of Polars that read ahead.
    return (codes.fill_null(-1) if codes.null_count() else codes).to_numpy()


def _as_text(series: pl.Series) -> pl.Series:
    """Labels as text; bytes that are not UTF-8 are escaped as by `label_text`."""
    try:
        return series.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series([None if each is None else label_text(each) for each in series], dtype=pl.String)


def codes_of(series: pl.Series, names: tuple[str, ...]) -> Array:
    """The position of each label of a column among the classes (n,), -1 for other labels."""
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        return _codes_of_text(_as_text(series), names)
    if series.dtype.is_decimal():
        series = series.cast(pl.Float64)
    if series.dtype.is_numeric() and set(names) == _TRUTH.keys():
        names = tuple(_TRUTH[name] for name in names)
    labels, places = places_of(names, series.dtype)
    numbers = series.cast(pl.Float64 if series.dtype.is_float() else pl.Int64, strict=False)
    if numbers.null_count():
        # Labels that are missing or exceed int64: the digits of the latter are their class names.
        codes = codes_of(numbers.fill_null(0), names)
        return np.where(numbers.is_null().to_numpy(), _codes_of_text(series.cast(pl.String), names), codes)
    if not len(labels):
        return np.full(len(series), -1)
    values = numbers.to_numpy()
    if series.dtype.is_integer() and labels[0] == 0 and labels[-1] == len(labels) - 1:
        if len(values) and values.min() >= 0 and values.max() < len(labels):
            return values if places[0] == 0 and (np.diff(places) == 1).all() else places[values]
        # Index -1 takes the last position, which stands for no class.
        return np.append(places, -1)[np.where((values >= 0) & (values < len(labels)), values, -1)]
    at = np.minimum(edges_below(np, labels, values), len(labels) - 1)
    return np.where(labels[at] == values, places[at], -1)
