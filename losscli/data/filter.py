"""--where: select the rows to evaluate by an SQL expression over the columns of either file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, combinations, zip_longest
from typing import Any

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data.columns import SIDES, ambiguous, unknown
from losscli.data.numbers import Spelling, remedy_for, shows
from losscli.data.redaction import reason
from losscli.data.stream import MATCHED, PREDICTION_ROW
from losscli.data.table import Table, reading, stream
from losscli.errors import DataError, UsageError
from losscli.report.findings import Code, Finding, Tally, finding, problem
from losscli.text import DEEPEST, LONGEST, counted, shortened

_NAMES = (
    "abs sign floor ceil ceiling round sqrt cbrt exp ln log log2 log10 pow power mod div greatest least "
    "coalesce ifnull nullif if lower upper initcap length char_length character_length octet_length "
    "trim ltrim rtrim left right substr concat concat_ws replace reverse starts_with ends_with strpos "
    "regexp_like date date_part extract year month day strftime try_cast cast"
)
FUNCTIONS = frozenset(_NAMES.split())
"""Functions of one row; a function of several rows would depend on how the rows are batched."""
_WORDS = {"in", "and", "or", "not", "between", "like", "ilike", "is", "when", "then", "else"}
_TOKENS = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*"|`[^`]*`|\w+)|(?P<space>\s+|--[^\n]*|/\*.*?\*/)|.""",
    re.DOTALL,
)
_SPECIAL = re.compile(r"select|over|current_(date|time|timestamp)|local(time|timestamp)")
"""Unquoted words that read other rows or the clock."""
_TEXT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTES = "; write text in single quotes"
MOST_TEXTS = 6
"""Maximum number of text columns in a condition whose types are chosen one by one."""
_NOUNS = {pl.Int64: "a whole number", pl.Float64: "a number", pl.Boolean: "true or false"}
"""What text of each type is, in words."""
_EXAMINED = 100
"""Maximum number of unparsed values from which a remedy is inferred."""


class Where(Struct, frozen=True, eq=False):
    """A condition: its text, its Polars expression, and the columns of the aligned stream that it reads.

    `parts` rename each column to its name in the text.  `shown` are text columns that the condition needs in
    the type that their values show.  If the condition takes all columns as stored, it `is_pushed` down to the
    scan.
    """

    text: str
    condition: pl.Expr
    columns: tuple[str, ...]
    parts: tuple[pl.Expr, ...]
    shown: Mapping[str, tuple[Any, Spelling]] = {}
    is_pushed: bool = False

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """A mask of the rows of the aligned stream that meet the condition; null counts as false.

        Raises UsageError for text of another type than that of its column.
        """
        typed = frame.with_columns(self._read(column, frame.schema[column]) for column in self.columns)
        for column in self.shown:
            self._require_type(frame[column], typed[column])
        named = typed.with_columns(*self.parts).with_columns(self.condition.alias(MATCHED))
        return named[MATCHED].fill_null(False)

    def _read(self, column: str, dtype: Any, name: str = "") -> pl.Expr:
        """A column of the stream, `name` in a table, in the type in which the condition compares it."""
        expression = pl.col(name or column)
        if dtype == pl.String and column in self.shown:
            shown, spelling = self.shown[column]
            return spelling.shown(expression, shown)
        return _as_in_text(expression, dtype)

    def _require_type(self, column: pl.Series, typed: pl.Series) -> None:
        if column.dtype != pl.String or typed.null_count() == column.null_count():
            return
        dtype, spelling = self.shown[column.name]
        is_text = column.to_frame().select(spelling.stripped(pl.first()).is_not_null()).to_series()
        wrong = column.filter(is_text & typed.is_null())
        if len(wrong):
            name, value = column.name[2:], shortened(repr(wrong[0]))
            raise UsageError(
                f"--where {self.text}: {name} holds {value}, which is not {_NOUNS[dtype]}",
                remedy=remedy_for(wrong.head(_EXAMINED)) or f"compare it with text: {name} = 'a'",
            )

    def narrowed(self, table: Table) -> Table:
        """The table without rows that fail the condition, if its columns alone decide that."""
        names = list(dict.fromkeys(self.condition.meta.root_names()))
        if not set(names) <= set(table.schema):
            return table
        columns = {column[2:]: column for column in self.columns}
        read = [self._read(columns[name], table.dtype(name), name) for name in names]
        # The original columns are saved under unused names and restored after the filter.
        spare = max((*table.schema, ""), key=len)
        saved = {name: f"{name} of {spare}" for name in names}
        kept = table.scan.with_columns(pl.col(name).alias(saved[name]) for name in names).with_columns(read)
        kept = kept.filter(self.condition).with_columns(pl.col(saved[name]).alias(name) for name in names)
        return replace(table, scan=kept.drop(saved.values()), frame=None)


def parsed(text: str, predictions: Table, targets: Table, key: Sequence[str]) -> Where:
    """A condition over the columns of both sides (`targets` may be `predictions`).

    Raises UsageError if it is not a condition of one row, or a column is unknown or ambiguous.
    """
    _require_one_row(text)
    try:
        condition = pl.sql_expr(text)
        names = list(dict.fromkeys(condition.meta.root_names()))
        _require_shallow(text, condition)
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            f"--where {text}: {reason(error)}", remedy="--where \"region = 'eu' AND n > 10\""
        ) from None
    columns, parts = list[str](), list[pl.Expr]()
    for name in names:
        part_columns, part = _column(text, name, predictions, targets, key)
        columns += part_columns
        parts.append(part)
    where = Where(text, condition, tuple(dict.fromkeys(columns)), tuple(parts))
    return _typed(where, {"p:": predictions, "t:": targets})


def _require_one_row(text: str) -> None:
    """Raise UsageError for a condition that is too long, or may depend on other rows or on the clock."""
    if len(text) > LONGEST:
        raise UsageError(
            f"--where {text[:60]}...: at most {LONGEST} characters, got {len(text)}",
            remedy="add a column to the file that says which rows are meant",
        )
    tokens = list(_TOKENS.finditer(text))
    for token in tokens:
        # Dollar quotes and nested comments would hide what follows from the search for functions.
        if token[0] == "$" or (token["space"] and "/*" in token["space"][2:]):
            raise UsageError(f"--where {text}: {token[0]!r} is not understood", remedy=_QUOTES[2:])
    words = [token for token in tokens if not token["space"]]
    for token, following in zip_longest(words, words[1:]):
        name = (token["name"] or "").strip('"`').lower()
        is_called = following is not None and following[0] == "(" and name not in FUNCTIONS | _WORDS
        is_special = token[0].lower() == name and _SPECIAL.fullmatch(name)
        if name and (is_called or is_special):
            raise UsageError(
                f"--where {text}: {name} is not a function of one row",
                remedy=f"functions of one row: {', '.join(sorted(FUNCTIONS))}",
            )


def _require_shallow(text: str, condition: pl.Expr) -> None:
    """Raise UsageError for a deeply nested condition; n terms joined by OR have n levels."""
    level, depth = [condition], 0
    while level:
        level, depth = [part for each in level for part in each.meta.pop()], depth + 1
        if depth > DEEPEST:
            raise UsageError(
                f"--where {text[:60]}...: more than {DEEPEST} levels", remedy="region IN ('eu', 'us')"
            )


def names(text: str) -> list[str]:
    """The names of columns in a condition, as `column_of` takes them; none if it cannot be parsed."""
    with suppress(pl.exceptions.PolarsError):
        roots = pl.sql_expr(text).meta.root_names()
        plain = [name for name in roots if name not in SIDES]
        return plain + [f"{side}.{name}" for side in SIDES if side in roots for name in _fields(text, side)]
    return []


def _fields(text: str, side: str) -> list[str]:
    """The columns that a condition qualifies with a side: preds.x, targets."my x"."""
    matches = re.findall(rf'\b{side}\s*\.\s*(?:"([^"]+)"|(\w+))', _TEXT.sub(" ", text))
    return list(dict.fromkeys(quoted or plain for quoted, plain in matches))


def _column(
    text: str, name: str, predictions: Table, targets: Table, key: Sequence[str]
) -> tuple[list[str], pl.Expr]:
    """The columns of the stream that a name means, and the expression that gives them this name."""
    left, right = name in predictions.schema, name in targets.schema
    if left and right and predictions is not targets and name not in key:
        raise ambiguous(name, f"--where {text}")
    if left or right:
        column = ("p:" if left else "t:") + name
        return [column], pl.col(column).alias(name)
    if name in SIDES and predictions is not targets:
        side, table = SIDES[name], predictions if name == "preds" else targets
        fields = _fields(text, name)
        if unknown_fields := [field for field in fields if field not in table.schema]:
            raise unknown(unknown_fields[0], f"--where {text}", [*table.schema], _QUOTES)
        # A table in SQL is a struct in Polars.
        struct = pl.struct(pl.col(side + field).alias(field) for field in fields).alias(name)
        return [side + field for field in fields], struct
    raise unknown(name, f"--where {text}", [*predictions.schema, *targets.schema], _QUOTES)


def _typed(where: Where, tables: Mapping[str, Table]) -> Where:
    """The condition with the types of its columns: those shown by text values, or text if they do not fit.

    Raises UsageError if it is not boolean, or compares values of incompatible types.
    """
    table_of = {column: (tables[column[:2]], column[2:]) for column in where.columns}
    types = {column: _shown_type(table, name) for column, (table, name) in table_of.items()}
    texts = [
        column for column, (table, name) in table_of.items() if _is_typed_text(table, name, types[column])
    ]
    read_types = {column: table.dtype(name) for column, (table, name) in table_of.items()}
    _require_no_truth_as_text(where, types)
    reason_why = ""
    for as_text in _subsets(texts):
        try:
            dtype = _type(where, types | dict.fromkeys(as_text, pl.String()))
        except pl.exceptions.PolarsError as error:
            reason_why = reason_why or reason(error)
            continue
        if dtype != pl.Boolean:
            raise UsageError(f"--where {where.text}: not true or false, but {dtype}", remedy="compare: x > 0")
        shown = {name: (types[name], table_of[name][0].spelling) for name in texts if name not in as_text}
        is_pushed = not shown and all(
            _as_in_text(pl.col(name), read_types[name]).meta.is_column() for name in read_types
        )
        return replace(where, shown=shown, is_pushed=is_pushed)
    columns = ", ".join(f"{column[2:]} is {dtype}" for column, dtype in types.items())
    raise UsageError(f"--where {where.text}: {reason_why}", remedy=columns)


def _subsets(columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All subsets of the columns, the smallest first; for many columns, only the empty and the full one."""
    if len(columns) > MOST_TEXTS:
        return iter([(), tuple(columns)])
    return chain.from_iterable(combinations(columns, size) for size in range(len(columns) + 1))


def _type(where: Where, types: Mapping[str, Any]) -> Any:
    frame = pl.DataFrame(schema=types).with_columns(_as_in_text(pl.col(name), types[name]) for name in types)
    return frame.select(*where.parts).select(where.condition).to_series().dtype


def _require_no_truth_as_text(where: Where, types: Mapping[str, Any]) -> None:
    """Raise UsageError if true and false are compared with text: in Polars no truth value is 'True'."""
    for column in (name for name, dtype in types.items() if dtype == pl.Boolean):
        # Text is never compared with numbers, but with true and false as with text.
        other_types = (pl.Boolean(), pl.String(), pl.Int8())
        if [_has_type(where, {**types, column: dtype}) for dtype in other_types] == [True, True, False]:
            name = column[2:]
            raise UsageError(
                f"--where {where.text}: {name} is true or false, not text",
                remedy=f"write {name}, or NOT {name}",
            )


def _has_type(where: Where, types: Mapping[str, Any]) -> bool:
    """Whether the condition takes columns of these types."""
    with suppress(pl.exceptions.PolarsError):
        _type(where, types)
        return True
    return False


def _as_in_text(column: pl.Expr, dtype: Any) -> pl.Expr:
    """A column in the type of the same values in text, so that a condition means the same in all formats.

    NaN is missing; whole numbers do not overflow; and categories are compared as text.
    """
    if dtype.is_float():
        return column.fill_nan(None)
    if dtype.is_integer() and dtype not in (pl.Int64, pl.UInt64, pl.Int128, pl.UInt128):
        return column.cast(pl.Int64)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    return column.cast(pl.String) if dtype in (pl.Categorical, pl.Enum) else column


def _shown_type(table: Table, name: str) -> Any:
    """The type of a column; for text in any format, the type that its values show."""
    dtype = table.schema[name]
    if dtype != pl.String or name in table.types:
        return dtype
    return shows(table.head(name), table.spelling)[name].dtype or dtype


def _is_typed_text(table: Table, name: str, dtype: Any) -> bool:
    """Whether a column is text whose values show another type."""
    return bool(table.dtype(name) == pl.String and dtype != pl.String)


def single(
    table: Table, columns: tuple[str, ...], where: Where, findings: dict[Finding, Tally]
) -> Iterator[pl.DataFrame]:
    """The rows of one table with both sides; statistics in the file let the scan skip whole row groups."""
    query = (
        table.scan.with_row_index(PREDICTION_ROW)
        .filter(where.condition)
        .select(PREDICTION_ROW, *(pl.col(column[2:]).alias(column) for column in columns))
    )
    rows_read = 0
    try:
        for frame in stream(query, table):
            rows_read += frame.height
            yield frame
    except DataError as error:
        raise _failed(where, error) from None
    with reading(table):
        # The last row number counts skipped row groups too.
        last = table.scan.with_row_index(PREDICTION_ROW).select(PREDICTION_ROW).tail(1).collect()
        rows_met = table.scan.filter(where.condition).select(pl.len()).collect(engine="streaming").item()
    table.require_rows(int(last.item()) + 1 if last.height else 0)
    if rows_met != rows_read:
        rows = {
            "held": f"{counted(rows_met, 'row')} that meet the condition",
            "read": counted(rows_read, "row"),
        }
        raise DataError(problem(Code.ROWS_LOST, table.name, **rows))
    findings.update(_left_out(where, table.count(), rows_read))


def filtered(
    frames: Iterator[pl.DataFrame], where: Where, findings: dict[Finding, Tally], first_row: int = 0
) -> Iterator[pl.DataFrame]:
    """The rows that meet a condition; afterwards `findings` counts the others.

    Rows are aligned before they are filtered, so that a filter never changes which rows are paired.
    Predictions without a target are kept, to be reported.
    """
    seen, remaining = 0, 0
    for frame in frames:
        try:
            keep = where.mask(frame)
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"--where {where.text}: {reason(error)}") from None
        numbered = frame
        if PREDICTION_ROW not in frame.columns:
            numbered = frame.with_row_index(PREDICTION_ROW, first_row + seen)
        if MATCHED in frame.columns:
            keep |= ~frame[MATCHED]
        kept = numbered.filter(keep)
        seen, remaining = seen + frame.height, remaining + kept.height
        yield kept
    findings.update(_left_out(where, seen, remaining))


def _left_out(where: Where, total: int, remaining: int) -> dict[Finding, Tally]:
    return {finding(Code.FILTERED_ROWS, total=total, condition=where.text): Tally(total - remaining)}


def together(findings: Iterable[tuple[Finding, Tally]]) -> dict[Finding, Tally]:
    """The findings of several streams combined; the tallies of --where become one finding."""
    combined: dict[Finding, Tally] = {}
    condition, total, left_out = "", 0, Tally()
    for kind, tally in findings:
        if kind.code is Code.FILTERED_ROWS:
            params = dict(kind.params)
            condition, total = params["condition"], total + int(params["total"])
            left_out.add(tally)
        else:
            combined.setdefault(kind, Tally()).add(tally)
    if condition:
        combined[finding(Code.FILTERED_ROWS, total=total, condition=condition)] = left_out
    return combined


def _failed(where: Where, error: DataError) -> Exception:
    """The error for a condition that fails on some row: a usage error, not a data error."""
    cause = error.__context__
    if not isinstance(cause, Exception) or any(
        each.code != str(Code.UNREADABLE_FILE) for each in error.problems
    ):
        return error
    return UsageError(f"--where {where.text}: {reason(cause)}")
