"""Alignment by position: right only if no column of both files says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from losscli.data.table import Table, reading
from losscli.errors import UsageError
from losscli.plan.columns import POSITION, UNNAMED, Found
from losscli.text import join_names

Pair = tuple[str, str]
"""A column that both files have: its names there, which may differ in case."""


def require(predictions: Table, targets: Table, found: Found) -> None:
    """Raise UsageError if rows are to be aligned by position, but a column of both files could be their key.

    Columns that are equal row by row confirm the position.  Of the others, those are a key whose values are
    unique on both sides; those with the same values in another order show that rows are in another order.
    """
    used = {*found.predictions, *found.targets, found.weight and found.weight[2:]}
    pairs = [pair for pair in _pairs(predictions, targets) if not used & set(pair)]
    moved = _differences(predictions, targets, pairs) if pairs else {}
    if not moved:
        return
    names = {pair: _discrete(predictions, targets, pair) for pair in pairs}
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


def _pairs(predictions: Table, targets: Table) -> list[Pair]:
    """The plain columns of both files, by their names in any case."""
    theirs = {name.lower(): name for name in targets.schema} | {name: name for name in targets.schema}
    found = [(name, theirs.get(name) or theirs.get(name.lower())) for name in predictions.schema]
    return [
        (own, other)
        for own, other in found
        if other is not None and _is_plain(predictions.schema[own]) and _is_plain(targets.schema[other])
    ]


def _is_plain(dtype: object) -> bool:
    return not (isinstance(dtype, pl.DataType) and dtype.is_nested()) and dtype not in (
        pl.Binary,
        pl.Boolean,
        pl.Object,
        pl.Null,
    )


def _comparable(predictions: Table, targets: Table, pair: Pair) -> tuple[pl.Expr, pl.Expr]:
    """A column of both files in one type."""
    sides = tuple(zip((predictions, targets), pair, strict=True))
    own, other = (table.schema[name] for table, name in sides)
    if own.is_numeric() and other.is_numeric() and not (own == other and own.is_integer()):
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
    both = [_comparable(predictions, targets, pair) for pair in pairs]
    left = predictions.scan.select(own.alias(f"p{i}") for i, (own, _) in enumerate(both))
    right = targets.scan.select(other.alias(f"t{i}") for i, (_, other) in enumerate(both))
    rows = pl.concat([left, right], how="horizontal").with_row_index("row", 1)
    unlike = (pl.col(f"p{i}").ne_missing(pl.col(f"t{i}")) for i in range(len(pairs)))
    query = rows.select(pl.col("row").filter(each).min().alias(str(i)) for i, each in enumerate(unlike))
    with reading(predictions, targets):
        try:
            first = query.collect(engine="streaming").row(0)
        except pl.exceptions.ShapeError:
            return {}
    return {pair: row for pair, row in zip(pairs, first, strict=True) if row is not None}


def _discrete(predictions: Table, targets: Table, pair: Pair) -> bool:
    """Whether a column can name rows, as a number with a fraction cannot."""
    for table, name in zip((predictions, targets), pair, strict=True):
        if table.schema[name].is_float():
            with reading(table):
                whole = table.scan.select((table.number(name) % 1 == 0).all()).collect(engine="streaming")
            if not whole.item():
                return False
    return True


def _are_unique(predictions: Table, targets: Table, pairs: Sequence[Pair]) -> bool:
    """Whether columns together have a value of its own in each row of both files, and none is missing."""
    for place, table in enumerate((predictions, targets)):
        columns = [_comparable(predictions, targets, pair)[place].alias(pair[place]) for pair in pairs]
        rows = pl.struct(columns)
        whole = pl.all_horizontal(each.is_not_null() for each in columns).all()
        with reading(table):
            query = table.scan.select((rows.n_unique() == pl.len()) & whole)
            if not query.collect(engine="streaming").item():
                return False
    return True


def _have_same_values(predictions: Table, targets: Table, pair: Pair) -> bool:
    """Whether a column has the same values in both files, in another order."""
    with reading(predictions, targets):
        # Counted rather than sorted, so that memory grows with the values, not with the rows.
        own, other = (
            table.scan.group_by(value.alias("value")).len().sort("value").collect(engine="streaming")
            for table, value in zip(
                (predictions, targets), _comparable(predictions, targets, pair), strict=True
            )
        )
    return own.equals(other, null_equal=True)


def _ambiguous(
    predictions: Table, targets: Table, pairs: Sequence[Pair], row: int, is_key: bool
) -> UsageError:
    """The error for rows that a column of both files would align in another way."""
    own = [pair[0] for pair in pairs]
    names = ", ".join(name or "an index without a name" for name in own)
    by_key = f"--on {join_names(own)} aligns by it"
    if not is_key:
        by_key = "a column that names the rows aligns them: --on COLUMN"
    elif any(pair[0] != pair[1] for pair in pairs):
        by_key = f"to align by it, write its name alike in both: {pairs[0][0]} and {pairs[0][1]}"
    elif any(UNNAMED.fullmatch(name) for name in own):
        by_key = "to align by it, give it a name in both: --on NAME"
    return UsageError(
        f"{predictions.name} and {targets.name}: both have {names}, whose values differ from row {row} on, "
        "so that rows may not be in the same order",
        remedy=f"{by_key}; --on {POSITION} aligns by position",
    )
