"""Check alignment by position against the columns that both files have."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from losscli.data.table import Table, reading
from losscli.errors import UsageError
from losscli.plan.columns import POSITION, UNNAMED, InferredColumns
from losscli.text import join_names

Pair = tuple[str, str]
"""A column that both files have: its name in each, which may differ in case."""


def require(predictions: Table, targets: Table, inferred: InferredColumns) -> None:
    """Raise UsageError if rows would be aligned by position, but a column of both files could be their key.

    Columns that are equal row by row confirm the alignment.  Of the others, a column with unique values on
    both sides is a key, and one with the same values in a different order shows that rows are reordered.
    """
    used = {*inferred.predictions, *inferred.targets, inferred.weight and inferred.weight[2:]}
    pairs = [pair for pair in _common_columns(predictions, targets) if not used & set(pair)]
    moved = _differences(predictions, targets, pairs) if pairs else {}
    if not moved:
        return
    names = {pair: _can_identify_rows(predictions, targets, pair) for pair in pairs}
    single = [pair for pair in moved if names[pair] and _are_unique(predictions, targets, [pair])]
    several = [pair for pair in pairs if names[pair]]
    if single:
        key = single[:1]
    elif moved.keys() & set(several) and _are_unique(predictions, targets, several):
        key = several
    else:
        key = []
    shown = key or [pair for pair in moved if _have_same_values(predictions, targets, pair)][:1]
    if shown:
        row = min(moved[pair] for pair in shown if pair in moved)
        raise _ambiguous(predictions, targets, shown, row, bool(key))


def _common_columns(predictions: Table, targets: Table) -> list[Pair]:
    """The non-nested columns of both files, matched by name, ignoring case if no exact match exists."""
    t_names = {name.lower(): name for name in targets.schema} | {name: name for name in targets.schema}
    candidates = [(name, t_names.get(name) or t_names.get(name.lower())) for name in predictions.schema]
    return [
        (p_name, t_name)
        for p_name, t_name in candidates
        if t_name is not None and _is_plain(predictions.schema[p_name]) and _is_plain(targets.schema[t_name])
    ]


def _is_plain(dtype: object) -> bool:
    return not (isinstance(dtype, pl.DataType) and dtype.is_nested()) and dtype not in (
        pl.Binary,
        pl.Boolean,
        pl.Object,
        pl.Null,
    )


def _comparable(predictions: Table, targets: Table, pair: Pair) -> tuple[pl.Expr, pl.Expr]:
    """The two columns of a pair, converted to a common type."""
    sides = tuple(zip((predictions, targets), pair, strict=True))
    p_type, t_type = (table.schema[name] for table, name in sides)
    if p_type.is_numeric() and t_type.is_numeric() and not (p_type == t_type and p_type.is_integer()):
        left, right = (table.number(name) for table, name in sides)
    elif predictions.dtype(pair[0]) == targets.dtype(pair[1]):
        left, right = map(pl.col, pair)
    else:
        left, right = (pl.col(name).cast(pl.String) for name in pair)
    return left, right


def _differences(predictions: Table, targets: Table, pairs: Sequence[Pair]) -> dict[Pair, int]:
    """The columns that differ, each with the first row, from 1, in which it does.

    None differs if the files have different numbers of rows, which is an error of its own.
    """
    columns = [_comparable(predictions, targets, pair) for pair in pairs]
    left = predictions.scan.select(column.alias(f"p{i}") for i, (column, _) in enumerate(columns))
    right = targets.scan.select(column.alias(f"t{i}") for i, (_, column) in enumerate(columns))
    rows = pl.concat([left, right], how="horizontal").with_row_index("row", 1)
    differences = (pl.col(f"p{i}").ne_missing(pl.col(f"t{i}")) for i in range(len(pairs)))
    query = rows.select(
        pl.col("row").filter(difference).min().alias(str(i)) for i, difference in enumerate(differences)
    )
    with reading(predictions, targets):
        try:
            first = query.collect(engine="streaming").row(0)
        except pl.exceptions.ShapeError:
            return {}
    return {pair: row for pair, row in zip(pairs, first, strict=True) if row is not None}


def _can_identify_rows(predictions: Table, targets: Table, pair: Pair) -> bool:
    """Whether a column can identify rows; numbers with fractions cannot."""
    for table, name in zip((predictions, targets), pair, strict=True):
        if table.schema[name].is_float():
            with reading(table):
                are_whole = table.scan.select((table.number(name) % 1 == 0).all()).collect(engine="streaming")
            if not are_whole.item():
                return False
    return True


def _are_unique(predictions: Table, targets: Table, pairs: Sequence[Pair]) -> bool:
    """Whether the columns together are unique in each file, without missing values."""
    for side, table in enumerate((predictions, targets)):
        columns = [_comparable(predictions, targets, pair)[side].alias(pair[side]) for pair in pairs]
        rows = pl.struct(columns)
        none_missing = pl.all_horizontal(column.is_not_null() for column in columns).all()
        with reading(table):
            query = table.scan.select((rows.n_unique() == pl.len()) & none_missing)
            if not query.collect(engine="streaming").item():
                return False
    return True


def _have_same_values(predictions: Table, targets: Table, pair: Pair) -> bool:
    """Whether a column has the same values in both files, in any order."""
    with reading(predictions, targets):
        # Counted rather than sorted, so that memory grows with distinct values, not with rows.
        p_counts, t_counts = (
            table.scan.group_by(value.alias("value")).len().sort("value").collect(engine="streaming")
            for table, value in zip(
                (predictions, targets), _comparable(predictions, targets, pair), strict=True
            )
        )
    return p_counts.equals(t_counts, null_equal=True)


def _ambiguous(
    predictions: Table, targets: Table, pairs: Sequence[Pair], row: int, is_key: bool
) -> UsageError:
    """The error for rows that a column of both files would align differently."""
    p_names = [pair[0] for pair in pairs]
    names = ", ".join(name or "an index without a name" for name in p_names)
    by_key = f"--on {join_names(p_names)} aligns by it"
    if not is_key:
        by_key = "a column that names the rows aligns them: --on COLUMN"
    elif any(pair[0] != pair[1] for pair in pairs):
        by_key = f"to align by it, write its name alike in both: {pairs[0][0]} and {pairs[0][1]}"
    elif any(UNNAMED.fullmatch(name) for name in p_names):
        by_key = "to align by it, give it a name in both: --on NAME"
    return UsageError(
        f"{predictions.name} and {targets.name}: both have {names}, whose values differ from row {row} on, "
        "so that rows may not be in the same order",
        remedy=f"{by_key}; --on {POSITION} aligns by position",
    )
