"""A block of rows while it is read and validated."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from losscli.data import times
from losscli.data.labels import codes_of
from losscli.data.matrix import Matrix, matrix_of
from losscli.data.numbers import Spelling, parsed, remedy_for, rounded
from losscli.data.slicing import column_of_unit
from losscli.data.stream import PREDICTION_ROW, TARGET_ROW, Roles, row_name
from losscli.errors import EXAMPLES
from losscli.numeric.arrays import Array, np, pl
from losscli.report.findings import Code, Finding, Tally, finding
from losscli.text import shortened

LARGEST = sys.float_info.max
"""The largest finite number."""
SMALLEST = math.ulp(0.0)
"""The smallest positive number."""
_EXAMINED = 100
"""Maximum number of invalid values examined to suggest an option."""


class Block:
    """A block of the aligned stream while it is validated: invalid rows are flagged and dropped.

    `weight` (n,) belongs to the remaining rows, None for ones.  `start` is the number of earlier rows.
    """

    def __init__(self, frame: pl.DataFrame, first_row: int, roles: Roles) -> None:
        self.frame = frame
        self.start = first_row
        self.roles = roles
        self._first_row: int | None = None if PREDICTION_ROW in frame.columns else first_row
        self._rows: Array | None = None
        self._matrices: dict[tuple[str, ...], Matrix] = {}
        self.tallies: dict[Finding, Tally] = {}
        self.weight: Array | None = None
        self._marked: Array | None = None
        self._not_numbers: list[tuple[str, Code, Array, pl.Series]] = []
        self._parse()

    def _parse(self) -> None:
        """Convert numeric columns that are text, or of a type that NumPy lacks, to floats.

        For slices by time, dates are converted to unit numbers in additional columns.
        """
        for column, unit in self.roles.units:
            series = self.frame[column]
            units, wrong = times.numbers(series, unit, self._spelling(column))
            if not series.dtype.is_temporal():
                self._note(column, Code.NOT_A_DATE, wrong, series)
            self.frame = self.frame.with_columns(units.alias(column_of_unit(column, unit)))
        for column in {column: None for slicing in self.roles.slicings for column in slicing.columns}:
            if (wrong := times.out_of_range(self.frame[column])) is not None:
                self._note(column, Code.DATE_OUT_OF_RANGE, wrong, self.frame[column].cast(pl.Int64))
        types = dict(zip(self.frame.columns, self.frame.dtypes, strict=True))
        floats = (pl.Float32, pl.Float64)
        for column in self.roles.numbers:
            dtype = types[column]
            if isinstance(dtype, floats):
                continue  # without accessing the column: there may be thousands
            series = self.frame[column]
            if dtype == pl.String:
                numbers = pl.List(pl.Float64) if column in self.roles.widths else pl.Float64()
                result = parsed(series, numbers, self._spelling(column))
                self._note(column, Code.NOT_A_NUMBER, result.wrong, series)
                self._note(column, Code.INEXACT_NUMBER, result.inexact, series)
                self.frame = self.frame.with_columns(result.values.alias(column))
            elif dtype.is_integer() or dtype.is_decimal():
                self._note(column, Code.INEXACT_NUMBER, rounded(series), series)
            elif (wide := _without_float16(dtype)) != dtype:
                self.frame = self.frame.with_columns(series.cast(wide))

    def _spelling(self, column: str) -> Spelling:
        """The spelling of numbers and missing values in a text column."""
        return self.roles.spellings[column.startswith("t:")]

    def _note(self, column: str, code: Code, rows: Array | None, values: pl.Series) -> None:
        if rows is not None:
            self._not_numbers.append((column, code, rows, values))

    def flag_text(self) -> None:
        """Flag and drop text that is not a number or date, and whole numbers that float64 would round."""
        for column, code, rows, series in self._not_numbers:
            shown = partial(_show_value, series)
            if code is Code.NOT_A_NUMBER:
                kind = "a list of numbers" if column in self.roles.widths else "a number"
                wrong = series.filter(pl.Series(rows)).head(_EXAMINED).cast(pl.String).to_list()
                self.flag(
                    rows, code, column, shown, remedy=remedy_for(wrong) or None, kind=kind, column=column[2:]
                )
            else:
                self.flag(rows, code, column, shown)
        self._not_numbers = []
        self.drop_marked()

    @property
    def height(self) -> int:
        """The number of remaining rows."""
        return int(self.frame.height)

    @property
    def rows(self) -> Array:
        """The row number of each remaining row (n,)."""
        if self._rows is None:
            if self._first_row is None:
                self._rows = self.frame[PREDICTION_ROW].to_numpy().astype(np.int64)
            else:
                self._rows = np.arange(self._first_row, self._first_row + self.height)
        return self._rows

    @property
    def numbering(self) -> Array | int:
        """The row numbers, or the first of them if they are consecutive."""
        return self.rows if self._first_row is None else self._first_row

    def numbers(self, columns: tuple[str, ...]) -> Array:
        """The columns as float64 (n, k) in their own memory order: column-major, or row-major for lists.

        Null becomes NaN.  Do not write to the array.
        """
        matrix = self._matrix(columns)
        if matrix.values.dtype != np.float64:
            matrix.values = matrix.values.astype(float)
        return matrix.values

    def text(self, column: str) -> pl.Series:
        """A column as text; the elements of lists are joined with spaces."""
        series = self.frame[column]
        if isinstance(series.dtype, pl.List | pl.Array):
            series = series.cast(pl.List(pl.String)).list.join(" ")
        return series.cast(pl.String)

    def as_held(self, columns: tuple[str, ...]) -> Array:
        """As `numbers`, but float32 if wide columns or lists have that type: half the bytes to copy."""
        return self._matrix(columns).values

    def _matrix(self, columns: tuple[str, ...]) -> Matrix:
        matrix = self._matrices.get(columns)
        if matrix is None:
            matrix = self._matrices[columns] = matrix_of(self.frame, columns)
        return matrix

    def within(self, columns: tuple[str, ...], low: float, high: float) -> bool:
        """Whether all numbers of the columns are in [low, high] and none is missing."""
        if not self.height:
            return True
        minimum, maximum = self._matrix(columns).extremes
        return low <= minimum and maximum <= high

    def are_finite(self, columns: tuple[str, ...]) -> bool:
        """Whether no value is missing or infinite; for text, whether none is missing."""
        if len(columns) == 1:
            series = self.frame.get_column(columns[0])
            dtype, nulls = series.dtype, series.null_count()
            names = (*self.roles.texts, *self.roles.ids, self.roles.cluster)
            if columns[0] in names and dtype.is_nested():
                return False  # lists may contain null, and lists in a key may have any length
            if nulls or not (dtype.is_float() or dtype.is_nested()):
                return not nulls
        return self.within(columns, -LARGEST, LARGEST)

    def check_lengths(self) -> None:
        """Flag and drop lists of the wrong length."""
        for column, width in self.roles.widths.items():
            if not isinstance(self.frame[column].dtype, pl.List):
                continue
            lengths = self.frame[column].list.len()
            per_class = "every row needs one number per class, in the order of the classes"
            self.flag(
                (lengths != width).fill_null(False).to_numpy(),
                Code.WRONG_LENGTH,
                column,
                partial(_show_count, lengths),
                remedy=per_class if self.roles.names else None,
                width=width,
            )
        self.drop_marked()

    def codes(self, column: str) -> Array:
        """The index of each row's label among the classes (n,), -1 for other labels."""
        return codes_of(self.frame[column], self.roles.names)

    def drop_ignored_label(self) -> None:
        """Drop the rows whose target is the ignored label."""
        label, column = self.roles.ignore_label, self.roles.targets[0]
        if label is None:
            return
        self.flag(codes_of(self.frame[column], (label,)) == 0, Code.IGNORED_LABEL, label=label)
        self.drop_marked()

    def flag(
        self,
        mask: Array,
        code: Code,
        columns: str | tuple[str, ...] = (),
        show: Callable[[int], str] | None = None,
        *,
        fatal: bool | None = None,
        leave_out: bool = True,
        remedy: str | None = None,
        **params: Any,
    ) -> None:
        """Add the rows of a mask to the tally of a finding, with examples, and mark them to be dropped.

        `params` fill in the text of the finding; `fatal` and `remedy` default to those of its code.  With
        `leave_out` false the rows are kept.
        """
        at = np.flatnonzero(mask)
        if not len(at):
            return
        columns = (columns,) if isinstance(columns, str) else columns
        where = self.roles.place(*columns) if columns else ""
        target = bool(columns) and columns[0].startswith("t:")
        names = ((self.name_row(i, target), show(i) if show else "") for i in at[:EXAMPLES].tolist())
        examples = [text for name, shown in names if (text := ": ".join(filter(None, (name, shown))))]
        kind = finding(code, where, fatal=fatal, remedy=remedy, **params)
        tally = self.tallies.setdefault(kind, Tally())
        tally.add(Tally(len(at), examples))
        if leave_out:
            self._marked = mask.copy() if self._marked is None else self._marked | mask

    def name_row(self, index: int, target: bool = False) -> str:
        """The name of a row: 'row 17 (id p017)'.  Rows count from 1 in their file, without the header.

        A row without a number is named by its key.
        """
        ids = ", ".join(
            f"{column[2:]} {shortened(str(self.frame[column][index]))}" for column in self.roles.ids
        )
        row = (
            self.frame[TARGET_ROW][index] if target and TARGET_ROW in self.frame.columns else self.rows[index]
        )
        return row_name(row, ids)

    def drop_marked(self, *arrays: Array | None) -> tuple[Array | None, ...]:
        """Drop the marked rows, also from the given arrays (n, ...)."""
        if self._marked is None:
            return arrays
        keep = ~self._marked
        self._marked = None
        self._rows, self._first_row = self.rows[keep], None
        kept_rows = pl.Series(keep)
        self.frame = self.frame.filter(kept_rows)
        self._not_numbers = [
            (column, code, rows[keep], values.filter(kept_rows))
            for column, code, rows, values in self._not_numbers
        ]
        self._matrices.clear()
        if self.weight is not None:
            self.weight = self.weight[keep]
        return tuple(None if array is None else array[keep] for array in arrays)

    def check_range(
        self,
        columns: tuple[str, ...],
        low: float,
        high: float,
        code: Code,
        remedy: str | None = None,
        **params: Any,
    ) -> None:
        """Flag numbers outside [low, high]."""
        if self.within(columns, low, high):
            return
        values = self.numbers(columns)
        outside = (values < low) | (values > high)
        for i in np.flatnonzero(outside.any(axis=0)).tolist():
            column = columns[i] if len(columns) > 1 else columns[0]
            column_values = values[:, i]
            self.flag(
                outside[:, i], code, column, partial(_show_number, column_values), remedy=remedy, **params
            )


def _without_float16(dtype: Any) -> Any:
    """The type with float16 replaced by float32, which NumPy and Polars compute with."""
    if isinstance(dtype, pl.List):
        return pl.List(_without_float16(dtype.inner))
    if isinstance(dtype, pl.Array):
        return pl.Array(_without_float16(dtype.inner), dtype.size)
    return pl.Float32() if dtype == pl.Float16 else dtype


def _show_value(series: pl.Series, row: int) -> str:
    return shortened(repr(series[row]))


def _show_number(values: Array, row: int) -> str:
    return repr(float(values[row]))


def _show_count(lengths: pl.Series, row: int) -> str:
    return f"{lengths[row]} numbers"
