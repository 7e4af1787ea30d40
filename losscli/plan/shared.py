"""Columns of the same names on both sides: which can be labels, outputs or vectors, and which are spare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from functools import partial

import polars as pl

from losscli.data import keys
from losscli.data.table import Table, reading
from losscli.errors import UsageError, all_of
from losscli.text import enumerated

_HEAD = 1000
"""The first rows of a file, whose values can rule out that columns are labels."""
_NUMBER = re.compile(r"\d+")


def numeric(table: Table, names: Iterable[str]) -> list[str]:
    """The columns of numbers among these; true and false are 1 and 0."""
    return [name for name in names if table.schema[name].is_numeric() or table.schema[name] == pl.Boolean]


def labels_or_outputs(
    predictions: Table,
    targets: Table,
    names: tuple[Sequence[str], Sequence[str]],
    key: Sequence[str],
    tasks: Set[str],
) -> tuple[str, ...]:
    """The columns that are predictions on one side and targets of the same names on the other, if any.

    `names` are the columns left on each side.  Labels are 0 or 1, or add up to one.  Outputs are a numbered
    family, and no other number is left: any other column of both sides may as well be a key or a feature.
    """
    own, theirs = _numbers_of(predictions, targets, names)
    both = tuple(name for name in own if name in theirs)
    if len(both) < 2:
        return ()
    same = set(both) == set(own) == set(theirs)
    if same and len(set(map(_family, both))) == 1 and _family(both[0]):
        return _checked(predictions, targets, both)
    # Of the losses of several classes alone, some take amounts; those of several labels take soft ones.
    amounts = same and set(tasks) == {"multiclass"}
    soft = set(tasks) == {"multilabel"} and _are_shares(targets, both)
    labels = tasks & {"multiclass", "multilabel"} and are_labels(targets, both)
    if not (amounts or soft or labels):
        return ()
    _require_same(predictions, targets, _alike(predictions, own, both), theirs)
    _checked(predictions, targets, both)
    _require_no_copies(predictions, targets, both, key)
    _require_alike(predictions, targets, both)
    return both


def vectors(
    predictions: Table, targets: Table, names: tuple[Sequence[str], Sequence[str]], key: Sequence[str]
) -> tuple[str, ...]:
    """The dimensions of vectors, or pixels, which have the same names on both sides; none if there are none.

    Raises UsageError if a side has other dimensions, or columns cannot all be dimensions.
    """
    own, theirs = _numbers_of(predictions, targets, names)
    both = tuple(name for name in own if name in theirs)
    families = {_family(name) for name in both}
    if not both:
        return ()
    if "" not in families:
        # Text in a member of the family is reported by row, when it is read.
        own, theirs = ([name for name in side if _family(name) in families] for side in names)
        _require_same(predictions, targets, own, theirs)
        return _checked(predictions, targets, own)
    if len(families) > 1:
        raise UsageError(
            f"{predictions.name}: cannot tell which columns are dimensions among: {enumerated(both)}",
            remedy="name them: -p A,B,C",
        )
    _require_same(predictions, targets, _alike(predictions, own, both), theirs)
    _checked(predictions, targets, both)
    _require_no_copies(predictions, targets, both, key)
    _require_alike(predictions, targets, both)
    return both


def _numbers_of(
    predictions: Table, targets: Table, names: tuple[Sequence[str], Sequence[str]]
) -> tuple[list[str], list[str]]:
    """The columns of numbers among those of each side.

    A column of both sides that is a number on one of them is one on both: text in it, such as a misspelt
    number, is an error of the column, and must not take the column out of the loss.
    """
    own, theirs = numeric(predictions, names[0]), numeric(targets, names[1])
    both = {*own, *theirs}.intersection(*names)
    return (
        [name for name in names[0] if name in own or name in both],
        [name for name in names[1] if name in theirs or name in both],
    )


def _alike(predictions: Table, own: Sequence[str], both: Sequence[str]) -> list[str]:
    """The columns of both sides, and those of the predictions alone that look like them.

    If a column of `both` has fractions, a similar one has fractions; if all of `both` are between 0 and 1, so
    is a similar one. Any other column, such as an age or a fold, is spare.
    """
    frame = _numbers(predictions, own)
    shares = _are_shares(predictions, both)
    fractions = [name for name in own if not _are_whole(frame[name])]
    if not set(fractions) & set(both):
        return list(both)
    return [
        name
        for name in own
        if name in both or (name in fractions and (not shares or _are_shares(predictions, [name])))
    ]


def _are_whole(values: pl.Series) -> bool:
    return bool((values.drop_nans().drop_nulls() % 1 == 0).all())


def _checked(predictions: Table, targets: Table, names: Sequence[str]) -> tuple[str, ...]:
    """The columns themselves.  Raises DataError for types of either side that cannot be numbers."""
    all_of(*(partial(table.with_numbers, names) for table in (predictions, targets)))
    return tuple(names)


def siblings(targets: Table, names: Sequence[str], left: Sequence[str]) -> list[str]:
    """The columns that are left and belong to targets with these names: of their family, or labels too."""
    others = [name for name in numeric(targets, left) if name not in names]
    families = {_family(name) for name in names} - {""}
    same = [name for name in others if _family(name) in families]
    if same or not others or set(numeric(targets, names)) != set(names):
        return same
    return [name for name in others if _are_bits(targets, [*names, name])]


def are_labels(table: Table, names: Sequence[str]) -> bool:
    """Whether the first rows of columns are 0 or 1, or add up to one."""
    return _are_bits(table, names) or sum_to_one(table, names)


def sum_to_one(table: Table, names: Sequence[str]) -> bool:
    """Whether the numbers of each of the first rows add up to one, or nearly."""
    sums = _numbers(table, names).sum_horizontal(ignore_nulls=False).drop_nulls()
    sums = sums.filter(sums.is_not_nan())
    return bool(len(sums) and ((sums - 1.0).abs() < 1e-3).all())


def _are_shares(table: Table, names: Sequence[str]) -> bool:
    """Whether the first rows of columns are in [0, 1]."""
    frame = _numbers(table, names)
    return all(frame[name].fill_nan(None).drop_nulls().is_between(0, 1).all() for name in names)


def _are_bits(table: Table, names: Sequence[str]) -> bool:
    frame = _numbers(table, names)
    return all(frame[name].fill_nan(None).drop_nulls().is_in([0.0, 1.0]).all() for name in names)


def _numbers(table: Table, names: Sequence[str]) -> pl.DataFrame:
    with reading(table):
        return table.scan.head(_HEAD).select(_number(table, name).alias(name) for name in names).collect()


def _number(table: Table, name: str) -> pl.Expr:
    """A column as numbers; null if its type has none."""
    dtype = table.dtype(name)
    is_number = dtype.is_numeric() or dtype in (pl.Boolean, pl.String)
    return table.number(name) if is_number else pl.lit(None, pl.Float64)


def _family(name: str) -> str:
    """The name with its numbers left out: that of a numbered family; empty without numbers."""
    return _NUMBER.sub("#", name) if _NUMBER.search(name) else ""


def _require_same(predictions: Table, targets: Table, own: Sequence[str], theirs: Sequence[str]) -> None:
    """Raise UsageError for columns on one side only, of which a loss would leave out the error."""
    missing = [name for name in theirs if name not in own]
    extra = [name for name in own if name not in theirs]
    if not missing and not extra:
        return
    what = f"target columns without a prediction: {enumerated(missing)}"
    if not missing:
        what = f"prediction columns without a target: {enumerated(extra)}"
    both = ",".join(name for name in own if name in theirs)
    raise UsageError(
        f"{predictions.name} and {targets.name}: {what}",
        remedy=f"add them, or name those to evaluate: -p {both} -y {both}",
    )


def _require_no_copies(predictions: Table, targets: Table, names: Sequence[str], key: Sequence[str]) -> None:
    """Raise UsageError if some of the columns, but not all, are the same on both sides in every row."""
    copies = _equal(predictions, targets, names, key)
    _require_all_or_none(predictions, names, copies, f"the values that {targets.name} has")


def _require_alike(predictions: Table, targets: Table, names: Sequence[str]) -> None:
    """Raise UsageError if some of the columns have whole numbers alone, and others fractions."""
    for table in (predictions, targets):
        frame = _numbers(table, names)
        varying = [name for name in names if frame[name].n_unique() > 1]
        whole = [name for name in varying if _are_whole(frame[name])]
        if len(whole) < len(varying):
            _require_all_or_none(table, names, whole, "whole numbers alone")


def _require_all_or_none(table: Table, names: Sequence[str], odd: Sequence[str], what: str) -> None:
    """Raise UsageError if some columns, but not all, are odd: as likely a fold or a year as a prediction."""
    if odd and len(odd) < len(names):
        others = [name for name in names if name not in odd]
        own, every = ",".join(others), ",".join(names)
        raise UsageError(
            f"{table.name}: {enumerated(odd)} has {what}, "
            f"so it is hardly a prediction as {enumerated(others)}",
            remedy=f"name the columns: -p {own} -y {own}, or -p {every} -y {every}",
        )


def _equal(predictions: Table, targets: Table, names: Sequence[str], key: Sequence[str]) -> list[str]:
    """The columns that vary, and are equal on both sides in each of the first rows of the predictions.

    Rows at the same place in both files decide it for nearly every column; the others are looked up.
    """
    left = _side(predictions, targets, names, key, "p:").head(_HEAD)
    right = _side(targets, predictions, names, key, "t:")
    with reading(predictions, targets):
        first = left.collect()
        found = _varying_copies(first, right.head(_HEAD).collect(), names, key)
        if not found:
            return []
        needed = [*(f"k:{name}" for name in key), *(f"t:{name}" for name in found)]
        return _varying_copies(first, right.select(needed).collect(), found, key)


def _side(table: Table, other: Table, names: Sequence[str], key: Sequence[str], prefix: str) -> pl.LazyFrame:
    types = keys.common_types(table, other, key)
    return table.scan.select(
        *(keys.as_key(pl.col(name), table.dtype(name), types[name]).alias(f"k:{name}") for name in key),
        *(table.number(name).alias(prefix + name) for name in names),
    )


def _varying_copies(
    left: pl.DataFrame, right: pl.DataFrame, names: Sequence[str], key: Sequence[str]
) -> list[str]:
    if key:
        pairs = left.join(right, on=[f"k:{name}" for name in key])
    else:
        pairs = pl.concat([left.head(right.height), right.head(left.height)], how="horizontal")
    if not pairs.height:
        return list(names)
    return [
        name
        for name in names
        if pairs[f"p:{name}"].n_unique() > 1
        and pairs[f"p:{name}"].equals(pairs[f"t:{name}"], check_names=False)
    ]
