"""Read data in memory: frames, Arrow tables, mappings, sequences and arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from losscli.data.formats import numpy as arrays
from losscli.data.formats.base import read_errors
from losscli.data.formats.numpy import Part
from losscli.errors import DataError, UsageError, all_of
from losscli.numeric.arrays import Array, pl

SINGLE = {"predictions": "prediction", "targets": "target"}
"""The column name for a source without column names."""
DESCRIBING = ("weight", "by", "cluster")
"""Options that take arrays as well as the names of columns."""
_ARROW = ("__arrow_c_stream__", "__arrow_c_array__")
"""The Arrow PyCapsule interface: tables, record batches, and single columns."""
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
"""The Arrow column that pandas writes for an unnamed index."""


def read(source: Any, role: str) -> pl.DataFrame | pl.LazyFrame | Array:
    """A source in memory as a frame, or as an array, which has no column names.  Raises DataError.

    Args:
        source: A polars frame; anything that exports Arrow (pandas, pyarrow, DuckDB); a mapping of
            columns; a sequence or an array.
        role: predictions or targets, for messages.
    """
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source
    if isinstance(source, Mapping):
        return _from_mapping(source, role)
    if _is_table_or_column(source):
        if hasattr(source, "to_frame"):
            source = source.to_frame(SINGLE[role])
        return _from_arrow(_with_named_index(source), SINGLE[role], role)
    return arrays.in_memory(source, role)


def _is_table_or_column(source: Any) -> bool:
    """Whether Polars accepts a source: it exports Arrow, or is an object of an old pandas that does not."""
    of_pandas = hasattr(source, "to_frame") and hasattr(source, "index")
    return isinstance(source, pl.Series) or of_pandas or any(hasattr(source, name) for name in _ARROW)


def _with_named_index(source: Any) -> Any:
    """A pandas frame with the named levels of its index as columns; an unnamed index is dropped."""
    levels = getattr(getattr(source, "index", None), "names", ())
    named = [name for name in levels if name is not None and name not in source.columns]
    return source.reset_index(named) if named else source


def _from_arrow(source: Any, single: str, where: str) -> pl.DataFrame:
    """A table or column as a frame; `single` is the name of a single column.  Raises DataError."""
    if isinstance(source, pl.DataFrame):
        return source
    refused: tuple[type[BaseException], ...] = (*read_errors(), ImportError, TypeError, RuntimeError)
    try:
        values = pl.Series(source)
    except refused as error:
        remedy = (
            "pip install pyarrow" if isinstance(error, ImportError) else "polars.DataFrame(...) shows why"
        )
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        what = f"a {type(source).__name__} that cannot become a frame: {reason}"
        raise DataError(arrays.invalid(what, where, remedy)) from None
    if values.dtype != pl.Struct:
        return values.alias(single).to_frame()
    frame = values.struct.unnest()
    return frame.drop(name for name in frame.columns if _UNNAMED_INDEX.fullmatch(name))


def _from_mapping(source: Mapping[Any, Any], role: str) -> pl.DataFrame:
    columns = [_column(values, str(name), role) for name, values in source.items()]
    if len({len(each) for each in columns}) > 1:
        shown = ", ".join(f"{each.name} {len(each)}" for each in columns)
        what = f"columns of different lengths: {shown}"
        raise DataError(arrays.invalid(what, role, "columns of equal length"))
    return pl.DataFrame(columns)


def _column(values: Any, name: str, where: str) -> pl.Series:
    """One column from an array, a sequence, or an Arrow exporter, without its index.

    `where` names its source in messages.  Raises DataError.
    """
    where = f"{where}, column {name}"
    if _is_table_or_column(values):
        return _from_arrow(values, name, where).to_series().alias(name)
    part = Part(name, arrays.in_memory(values, where))
    return arrays.frame(part, where, "predictions", flat=False).to_series()


def split_arrays(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[pl.Series]]]:
    """The options without those given as data, and the data of `weight`, `by` and `cluster` as columns.

    Raises UsageError for data that are not one column, DataError for data that cannot be read.
    """
    data_options = [name for name in DESCRIBING if name in options and _is_data(options[name], name)]
    columns = all_of(*(lambda name=name: _describing(options[name], name) for name in data_options))
    return {name: value for name, value in options.items() if name not in data_options}, dict(
        zip(data_options, columns, strict=True)
    )


def _is_data(value: Any, option: str) -> bool:
    """Whether an option is given as data, not as a column name; a list for `by` may hold names."""
    if isinstance(value, list | tuple):
        return option != "by" or not all(isinstance(each, str) for each in value)
    is_known = isinstance(value, Mapping | range)
    return is_known or _is_table_or_column(value) or hasattr(value, "__array__")


def _describing(values: Any, option: str) -> list[pl.Series]:
    """The columns in the data of an option, under their own names if they have any."""
    given = getattr(values, "name", None)
    name = given if isinstance(given, str) and given else option
    if isinstance(values, Mapping):
        columns = _from_mapping(values, option).get_columns()
    elif _is_table_or_column(values):
        # An index would become a column.
        rows = values.reset_index(drop=True) if hasattr(values, "reset_index") else values
        columns = _from_arrow(rows, name, option).get_columns()
    else:
        columns = [_column(values, name, option)]
    if len(columns) != 1 and option != "by":
        raise UsageError(f"{option}= takes one column, got {len(columns)}", remedy=f"{option}=frame['w']")
    if wide := [each.name for each in columns if each.dtype.is_nested()]:
        raise UsageError(f"{option}= takes one value per row, but {', '.join(wide)} holds arrays")
    return columns
