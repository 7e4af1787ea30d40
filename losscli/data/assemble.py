"""The tables of a run made ready to be read, and how they become one stream."""

from __future__ import annotations

from collections.abc import Callable, Collection

from losscli.data import align, groups
from losscli.data import filter as filters
from losscli.data.align import Alignment
from losscli.data.filter import Where
from losscli.data.stream import Roles
from losscli.data.table import Table
from losscli.errors import DataError, Problem, all_of


def numeric(left: Table, right: Table, roles: Roles) -> tuple[Table, Table]:
    """The tables with number columns read as numbers, whatever the first rows of a text file look like."""
    numbers = [] if roles.link == "label" else list(roles.predictions)
    numbers += roles.targets if roles.target_form != "label" else ()
    numbers += [roles.weight] if roles.weight else []
    _not_repeated(left, [name[2:] for name in roles.columns if name.startswith("p:")])
    _not_repeated(right, [name[2:] for name in roles.columns if name.startswith("t:")])
    if left is right:
        both = left.with_numbers([name[2:] for name in numbers])
        return both, both
    first, second = all_of(
        lambda: left.with_numbers([name[2:] for name in numbers if name.startswith("p:")]),
        lambda: right.with_numbers([name[2:] for name in numbers if name.startswith("t:")]),
    )
    return first, second


def _not_repeated(table: Table, used: Collection[str]) -> None:
    if twice := [name for name in table.repeated if name in used]:
        raise DataError(Problem(f"several columns are named {', '.join(twice)}", table.name, "rename them"))


def narrowed(left: Table, right: Table, where: Where | None) -> tuple[Table, Table]:
    """The tables in which labels are looked for: without rows that are not evaluated, where that is known."""
    if where is None:
        return left, right
    narrowed = where.narrowed(left)
    return narrowed, narrowed if left is right else where.narrowed(right)


def aligned(
    left: Table,
    right: Table,
    roles: Roles,
    key: tuple[str, ...],
    where: Where | None,
    beside: Callable[[Alignment], Alignment] | None = None,
) -> Alignment:
    """One stream of the rows that are evaluated; `beside` adds the columns of other models to it."""
    if left is right and where and beside is None:
        found = filters.single(left, roles.read, where)
    else:
        if left is right:
            found = align.single(left, roles.read)
        else:
            found = (
                align.by_key(left, right, roles, key) if key else align.by_position(left, right, roles.read)
            )
        found = beside(found) if beside else found
        found = filters.filtered(found, where) if where else found
    return groups.together(found, roles.group) if roles.group else found
