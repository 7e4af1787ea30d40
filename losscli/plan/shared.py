"""Columns with the same names on both sides: whether they are labels, outputs, vectors, or none of these."""

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
"""Number of first rows of a file that are examined."""
_NUMBER = re.compile(r"\d+")


def numeric(table: Table, names: Iterable[str]) -> list[str]:
    """The numeric columns among `names`; true and false count as 1 and 0."""
    return [name for name in names if table.schema[name].is_numeric() or table.schema[name] == pl.Boolean]


def labels_or_outputs(
    predictions: Table,
    targets: Table,
    names: tuple[Sequence[str], Sequence[str]],
    key: Sequence[str],
    tasks: Set[str],
) -> tuple[str, ...]:
    """The columns that are predictions on one side and targets of the same name on the other, if any.

    `names` are the remaining columns of each side.  Labels are 0 or 1, or sum to one.  Outputs are a numbered
    family, and no other numeric column remains: one that both sides have could also be a key or a feature.
    """
    p_names, t_names = _numeric_columns(predictions, targets, names)
    common = tuple(name for name in p_names if name in t_names)
    if len(common) < 2:
        return ()
    same_names = set(common) == set(p_names) == set(t_names)
    if same_names and len(set(map(_family, common))) == 1 and _family(common[0]):
        return _require_numbers(predictions, targets, common)
    # Some multiclass losses accept amounts, and multilabel losses accept soft labels.
    amounts = same_names and set(tasks) == {"multiclass"}
    soft = set(tasks) == {"multilabel"} and _are_shares(targets, common)
    labels = tasks & {"multiclass", "multilabel"} and are_labels(targets, common)
    if not (amounts or soft or labels):
        return ()
    return _require_shared(predictions, targets, (p_names, t_names), common, key)


def vectors(
    predictions: Table, targets: Table, names: tuple[Sequence[str], Sequence[str]], key: Sequence[str]
) -> tuple[str, ...]:
    """The dimensions of vectors, or pixels, which have the same names on both sides; empty if there are none.

    Raises UsageError if the sides have different dimensions, or not all columns can be dimensions.
    """
    p_names, t_names = _numeric_columns(predictions, targets, names)
    common = tuple(name for name in p_names if name in t_names)
    families = {_family(name) for name in common}
    if not common:
        return ()
    if "" not in families:
        # Text in a column of the family is reported by row when the rows are read.
        p_names, t_names = ([name for name in side if _family(name) in families] for side in names)
        _require_same(predictions, targets, p_names, t_names)
        return _require_numbers(predictions, targets, p_names)
    if len(families) > 1:
        raise UsageError(
            f"{predictions.name}: cannot tell which columns are dimensions among: {enumerated(common)}",
            remedy="name them: -p A,B,C",
        )
    return _require_shared(predictions, targets, (p_names, t_names), common, key)


def _require_shared(
    predictions: Table,
    targets: Table,
    names: tuple[Sequence[str], Sequence[str]],
    common: tuple[str, ...],
    key: Sequence[str],
) -> tuple[str, ...]:
    """The `common` columns.  Raises UsageError if `names`, those of each side, show that it has other ones.

    They must hold numbers, be no copies of each other, and have the same kind of values on both sides.
    """
    p_names, t_names = names
    _require_same(predictions, targets, _similar_columns(predictions, p_names, common), t_names)
    _require_numbers(predictions, targets, common)
    _require_no_copies(predictions, targets, common, key)
    _require_alike(predictions, targets, common)
    return common


def _numeric_columns(
    predictions: Table, targets: Table, names: tuple[Sequence[str], Sequence[str]]
) -> tuple[list[str], list[str]]:
    """The numeric columns of each side, among `names`.

    A column of both sides that is numeric on one side counts as numeric on both: text in it, such as a
    misspelt number, is an error to report, and must not remove the column from the loss.
    """
    p_numbers, t_numbers = numeric(predictions, names[0]), numeric(targets, names[1])
    common = {*p_numbers, *t_numbers}.intersection(*names)
    return (
        [name for name in names[0] if name in p_numbers or name in common],
        [name for name in names[1] if name in t_numbers or name in common],
    )


def _similar_columns(predictions: Table, p_names: Sequence[str], common: Sequence[str]) -> list[str]:
    """The columns of both sides, and the similar ones that only the predictions have.

    If a column of `common` has fractions, a similar one has fractions; if all of `common` are between 0 and
    1, so is a similar one.  Any other column, such as an age or a fold, is ignored.
    """
    frame = _head_numbers(predictions, p_names)
    shares = _are_shares(predictions, common)
    fractions = [name for name in p_names if not _are_integers(frame[name])]
    if not set(fractions) & set(common):
        return list(common)
    return [
        name
        for name in p_names
        if name in common or (name in fractions and (not shares or _are_shares(predictions, [name])))
    ]


def _are_integers(values: pl.Series) -> bool:
    return bool((values.drop_nans().drop_nulls() % 1 == 0).all())


def _require_numbers(predictions: Table, targets: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns.  Raises DataError for types on either side that cannot be numbers."""
    all_of(*(partial(table.with_numbers, names) for table in (predictions, targets)))
    return tuple(names)


def siblings(targets: Table, names: Sequence[str], remaining: Sequence[str]) -> list[str]:
    """The remaining columns that belong to targets with these names: of the same family, or labels too."""
    others = [name for name in numeric(targets, remaining) if name not in names]
    families = {_family(name) for name in names} - {""}
    same_family = [name for name in others if _family(name) in families]
    if same_family or not others or set(numeric(targets, names)) != set(names):
        return same_family
    return [name for name in others if _are_binary(targets, [*names, name])]


def are_labels(table: Table, names: Sequence[str]) -> bool:
    """Whether the first rows of columns are 0 or 1, or sum to one."""
    return _are_binary(table, names) or sum_to_one(table, names)


def sum_to_one(table: Table, names: Sequence[str]) -> bool:
    """Whether the numbers of each of the first rows sum to one within 0.001."""
    sums = _head_numbers(table, names).sum_horizontal(ignore_nulls=False).drop_nulls()
    sums = sums.filter(sums.is_not_nan())
    return bool(len(sums) and ((sums - 1.0).abs() < 1e-3).all())


def _are_shares(table: Table, names: Sequence[str]) -> bool:
    """Whether the first rows of columns are between 0 and 1."""
    frame = _head_numbers(table, names)
    return all(frame[name].fill_nan(None).drop_nulls().is_between(0, 1).all() for name in names)


def _are_binary(table: Table, names: Sequence[str]) -> bool:
    frame = _head_numbers(table, names)
    return all(frame[name].fill_nan(None).drop_nulls().is_in([0.0, 1.0]).all() for name in names)


def _head_numbers(table: Table, names: Sequence[str]) -> pl.DataFrame:
    with reading(table):
        return table.scan.head(_HEAD).select(_as_number(table, name).alias(name) for name in names).collect()


def _as_number(table: Table, name: str) -> pl.Expr:
    """A column as numbers; null if its type cannot be numeric."""
    dtype = table.dtype(name)
    is_number = dtype.is_numeric() or dtype in (pl.Boolean, pl.String)
    return table.number(name) if is_number else pl.lit(None, pl.Float64)


def _family(name: str) -> str:
    """The name with its numbers replaced, which identifies a numbered family; empty if it has no number."""
    return _NUMBER.sub("#", name) if _NUMBER.search(name) else ""


def _require_same(predictions: Table, targets: Table, p_names: Sequence[str], t_names: Sequence[str]) -> None:
    """Raise UsageError for columns on one side only, which a loss would silently ignore."""
    missing = [name for name in t_names if name not in p_names]
    extra = [name for name in p_names if name not in t_names]
    if not missing and not extra:
        return
    what = f"target columns without a prediction: {enumerated(missing)}"
    if not missing:
        what = f"prediction columns without a target: {enumerated(extra)}"
    common = ",".join(name for name in p_names if name in t_names)
    raise UsageError(
        f"{predictions.name} and {targets.name}: {what}",
        remedy=f"add them, or name those to evaluate: -p {common} -y {common}",
    )


def _require_no_copies(predictions: Table, targets: Table, names: Sequence[str], key: Sequence[str]) -> None:
    """Raise UsageError if some columns, but not all, are equal on both sides in every row."""
    copies = _copied_columns(predictions, targets, names, key)
    _require_all_or_none(predictions, names, copies, f"the same values as in {targets.name}")


def _require_alike(predictions: Table, targets: Table, names: Sequence[str]) -> None:
    """Raise UsageError if some columns have only whole numbers, and others have fractions."""
    for table in (predictions, targets):
        frame = _head_numbers(table, names)
        varying = [name for name in names if frame[name].n_unique() > 1]
        integral = [name for name in varying if _are_integers(frame[name])]
        if len(integral) < len(varying):
            _require_all_or_none(table, names, integral, "only whole numbers")


def _require_all_or_none(table: Table, names: Sequence[str], odd: Sequence[str], what: str) -> None:
    """Raise UsageError if some columns, but not all, are `odd`: they may be a fold or a year."""
    if odd and len(odd) < len(names):
        others = [name for name in names if name not in odd]
        other_names, all_names = ",".join(others), ",".join(names)
        raise UsageError(
            f"{table.name}: {enumerated(odd)} has {what}, "
            f"unlike {enumerated(others)}, and may not be a prediction",
            remedy=f"name the columns: -p {other_names} -y {other_names}, or -p {all_names} -y {all_names}",
        )


def _copied_columns(
    predictions: Table, targets: Table, names: Sequence[str], key: Sequence[str]
) -> list[str]:
    """The columns that vary, and are equal on both sides in each of the first rows of the predictions.

    Comparing the first rows of both files rules out nearly every column; only the others need the whole file.
    """
    left = _keys_and_numbers(predictions, targets, names, key, "p:").head(_HEAD)
    right = _keys_and_numbers(targets, predictions, names, key, "t:")
    with reading(predictions, targets):
        first = left.collect()
        copies = _varying_copies(first, right.head(_HEAD).collect(), names, key)
        if not copies:
            return []
        needed = [*(f"k:{name}" for name in key), *(f"t:{name}" for name in copies)]
        return _varying_copies(first, right.select(needed).collect(), copies, key)


def _keys_and_numbers(
    table: Table, other: Table, names: Sequence[str], key: Sequence[str], prefix: str
) -> pl.LazyFrame:
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
