"""Resolve the column names that users write: one rule for -w, --by, --cluster, --group and --where."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.data.table import Table
from losscli.errors import UsageError
from losscli.numeric.arrays import pl
from losscli.text import either, enumerated, near

SIDES = {"preds": "p:", "targets": "t:"}
"""The prefixes that distinguish columns that both files have: preds.x, targets.x."""


def column_of(name: str, flag: str, predictions: Table, targets: Table, key: Sequence[str]) -> str:
    """The column of the aligned stream that 'NAME', 'preds.NAME' or 'targets.NAME' means.

    An unqualified name that both files have must be part of the `key`.  `targets` is `predictions` if one
    file holds both sides.  Raises UsageError if the column is unknown, ambiguous, or holds lists or bytes.
    """
    in_predictions, in_targets = name in predictions.schema, name in targets.schema
    if in_predictions and in_targets and predictions is not targets and name not in key:
        raise ambiguous(name, flag)
    if in_targets or in_predictions:
        column = f"t:{name}" if in_targets else f"p:{name}"
    elif (qualified := _qualified(name, predictions, targets)) is not None:
        column = qualified
    else:
        raise unknown(name, flag, [*predictions.schema, *targets.schema])
    table = targets if column.startswith("t:") else predictions
    dtype = table.schema[column[2:]]
    if dtype.is_nested() or dtype == pl.Binary:
        kind = "bytes" if dtype == pl.Binary else "lists"
        raise UsageError(
            f"{flag}: {table.name}, column {column[2:]} holds {kind}", remedy="a column of values"
        )
    return column


def _qualified(name: str, predictions: Table, targets: Table) -> str | None:
    """The column that 'preds.NAME' or 'targets.NAME' means, or None."""
    side, _, rest = name.partition(".")
    if side not in SIDES or rest not in (predictions if side == "preds" else targets).schema:
        return None
    return SIDES[side] + rest


def ambiguous(name: str, flag: str) -> UsageError:
    """The error for a column that both files have."""
    return UsageError(
        f"{flag}: both files have a column {name}", remedy=either(f"{side}.{name}" for side in SIDES)
    )


def unknown(name: str, flag: str, columns: Sequence[str], hint: str = "") -> UsageError:
    """The error for a column that no file has."""
    known = list(dict.fromkeys(columns))
    return UsageError(
        f"{flag}: no column {name!r}.{near(name, known)}", remedy=f"the columns: {enumerated(known)}{hint}"
    )
