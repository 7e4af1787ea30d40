"""Prepare the tables of a run for reading."""

from __future__ import annotations

from collections.abc import Collection

from losscli.data.filter import Where
from losscli.data.stream import Roles
from losscli.data.table import Table
from losscli.errors import DataError, all_of
from losscli.report.findings import Code, problem


def numeric(left: Table, right: Table, roles: Roles) -> tuple[Table, Table]:
    """The tables with columns of numeric roles read as numbers, as text formats have no types.

    A key column that also has such a role stays text: rows are matched by it, and blocks parse it.
    """
    key = {name[2:] for name in roles.ids}
    _require_unique(left, [name[2:] for name in roles.columns if name.startswith("p:")])
    _require_unique(right, [name[2:] for name in roles.columns if name.startswith("t:")])
    if left is right:
        table = left.with_numbers([name[2:] for name in roles.numbers], key)
        return table, table
    first, second = all_of(
        lambda: left.with_numbers([name[2:] for name in roles.numbers if name.startswith("p:")], key),
        lambda: right.with_numbers([name[2:] for name in roles.numbers if name.startswith("t:")], key),
    )
    return first, second


def _require_unique(table: Table, used: Collection[str]) -> None:
    if duplicates := [name for name in table.repeated if name in used]:
        raise DataError(problem(Code.DUPLICATE_COLUMN, table.name, names=", ".join(duplicates)))


def narrowed(left: Table, right: Table, where: Where | None) -> tuple[Table, Table]:
    """The tables for inferring labels: without rows that --where drops, if the columns of one side decide."""
    if where is None:
        return left, right
    narrowed = where.narrowed(left)
    return narrowed, narrowed if left is right else where.narrowed(right)
