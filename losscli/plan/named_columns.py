"""Assign columns to the fields of a batch, for tasks whose batches name their columns (see tasks/named.py).

The rules are those of `columns`: exact names, -p and -y before names, the order of columns in a file never
matters.  Each field takes from -p the columns that match it by name; if no name matches, -p lists the fields
in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set

import polars as pl
from msgspec.structs import replace

from losscli.data.columns import column_of
from losscli.data.stream import ALL_ROWS, Part
from losscli.data.table import Table
from losscli.errors import UsageError
from losscli.plan import columns, shared
from losscli.plan.columns import Found, Sides
from losscli.plan.options import Request
from losscli.tasks.grouped import NAMES
from losscli.tasks.groups import Grouped
from losscli.tasks.named import Column, Keys, Named, columns_of, says_variance
from losscli.text import either, enumerated, near


def fits(batch: type[Named], predictions: Table, targets: Table, request: Request, asked: bool) -> bool:
    """Whether names alone determine every column of a batch, its target included.

    A group column needs --group unless a grouped loss was `asked` for, since many files have a column of that
    name.
    """
    if issubclass(batch, Grouped) and not batch.whole and request.group is None and not asked:
        return False
    try:
        found = find(predictions, targets, request, (batch,), by_place=False)
    except UsageError:
        return False
    return asked or request.task is not None or not _shows_classes(found, targets, batch)


def _shows_classes(found: Found, targets: Table, batch: type[Named]) -> bool:
    """Whether one column of arrays, and a target that is no float, are rather the classes of labels."""
    if len(found.predictions) > 1 or len(found.targets) > 1:
        return False
    (name,), dtype = found.predictions, targets.schema[found.targets[0]]
    is_array = f"p:{name}" in found.widths and name not in columns_of(batch)
    return is_array and not dtype.is_float() and not dtype.is_nested()


def find(
    predictions: Table,
    targets: Table,
    request: Request,
    batches: Sequence[type[Named]],
    by_place: bool = True,
) -> Found:
    """Find the columns for these batches.  Raises UsageError for what is missing.

    With `by_place`, -p and -y may list the fields in order if all batches have the same fields.
    """
    group = _group(predictions, targets, request, batches)
    named_group = group[2:] if group and group != ALL_ROWS else None
    search = _Search(predictions, targets, replace(request, group=named_group))
    fields = [columns_of(batch) for batch in batches]
    same = all([*own] == [*fields[0]] for own in fields)
    named = {batch: search.by_name(batch, by_place and same) for batch in batches}
    target, targets_of = "", [column for own in fields for column in own.values() if not column.by_name]
    if targets_of:
        taken = {name for found in named.values() for own in found.values() for name in own}
        target = search.target(targets_of[0].also, taken)
    parts = tuple(search.part(batch, found, target) for batch, found in named.items())
    used = dict.fromkeys(name for part in parts for own in part.arrays.values() for name in own)
    search.require_all_used(used)
    both, texts = search.sides, {name for part in parts for name in part.texts}
    return Found(
        predictions=tuple(name[2:] for name in used if name.startswith("p:")),
        targets=tuple(name[2:] for name in used if name.startswith("t:")),
        key=both.key,
        weight=both.weight,
        parts=parts,
        widths={name: search.width(name) for name in used if search.is_nested(name) and name not in texts},
        group=group,
    )


def is_grouped(batch: type[Named]) -> bool:
    """Whether a batch evaluates groups of rows."""
    return issubclass(batch, Grouped)


def _group(
    predictions: Table, targets: Table, request: Request, batches: Sequence[type[Named]]
) -> str | None:
    """The group column of the aligned stream, from --group or by name; None for batches without groups.

    Raises UsageError if there is none and the rows are not one group either.
    """
    grouped = [batch for batch in batches if issubclass(batch, Grouped)]
    if not grouped:
        return None
    if request.group is None and all(batch.whole for batch in grouped):
        return ALL_ROWS
    schemas = {**predictions.schema, **targets.schema}
    known = [name for name in NAMES if name in schemas] if request.group is None else [request.group]
    if len(known) != 1:
        what = f"several columns could be the group: {', '.join(known)}" if known else "no group column"
        raise UsageError(what, remedy=f"name it: --group {known[0] if known else 'COLUMN'}")
    (name,) = known
    key = columns.sides(predictions, targets, replace(request, group=None)).key
    column = column_of(name, "--group", predictions, targets, key)
    if column[2:] in (*request.pred, *request.target) or name == request.weight:
        raise UsageError(f"--group {name}: the column has another role", remedy="name another one")
    return column


class _Search:
    """The columns of two tables that fields may read."""

    def __init__(self, predictions: Table, targets: Table, request: Request) -> None:
        self.tables: Mapping[str, Table] = {"p": predictions, "t": targets}
        self.sides: Sides = columns.sides(predictions, targets, request)
        self.flagged: Mapping[str, tuple[str, ...]] = {"p": request.pred, "t": request.target}
        self.left: Mapping[str, Sequence[str]] = {
            "p": request.pred or self.sides.predictions,
            "t": request.target or self.sides.targets,
        }

    def is_nested(self, name: str) -> bool:
        """Whether a column of the aligned stream holds lists or arrays."""
        return isinstance(self.tables[name[0]].schema[name[2:]], pl.List | pl.Array)

    def width(self, name: str) -> int:
        """The numbers per row in a column of the aligned stream."""
        return width(self.tables[name[0]], name[2:])

    def named(self, name: str, column: Column) -> tuple[str, ...]:
        """The columns of a field by name, in order; empty if names do not determine them."""
        left = self.left[column.side]
        if column.role == "prediction":
            root = column.variance == "root"
            others = [own for own in left if own in column.also or (root and says_variance(own))]
            return (name,) if name in left else tuple(others) if len(others) == 1 else ()
        nested = [own for own in left if self.is_nested(f"{column.side}:{own}")]
        if column.role == "shared":
            return self._shared(column, nested)
        matching = [own for own in left if column.key(own) is not None and own not in nested]
        if matching:
            self._require_none_misspelt(column, matching, set(left) - set(nested))
            return tuple(sorted(matching, key=column.order))
        if not column.vector:
            return ()
        return (name,) if name in nested else tuple(nested) if len(nested) == 1 else ()

    def _require_none_misspelt(self, column: Column, matching: Sequence[str], left: Set[str]) -> None:
        """Raise UsageError for a column that would be in the family but for capitals or blanks."""
        for name in sorted(left - set(matching)):
            if column.key(name.strip().lower()) is not None:
                flag = "-y" if column.side == "t" else "-p"
                raise UsageError(
                    f"{self.tables[column.side].name}: column {name!r} is spelt unlike {matching[0]}",
                    remedy=f"rename it, or name the columns to read: {flag} A,B",
                )

    def _shared(self, column: Column, nested: list[str]) -> tuple[str, ...]:
        """The columns that both sides have, or the single column of arrays of this side."""
        flagged = self.flagged
        if flagged[column.side]:
            return flagged["p" if set(flagged["p"]) == set(flagged["t"]) else column.side]
        if len(nested) == 1:
            return (nested[0],)
        if self.sides.one_file or nested:
            return ()
        families = {side: columns.numbered(self.left[side], columns.OUTPUTS[side]) for side in ("p", "t")}
        if flagged["p"] or flagged["t"]:
            names = flagged["p"] or flagged["t"]
            there, schema = set(self.left[column.side]), self.tables[column.side].schema
            both = tuple(name for name in names if name in there and schema[name].is_numeric())
            return both or families[column.side]
        if all(families.values()):
            return families[column.side]
        free = self.sides.free("p", self.left["p"]), self.sides.free("t", self.left["t"])
        found = shared.vectors(self.tables["p"], self.tables["t"], free, self.sides.key)
        return found or families[column.side]

    def by_name(self, batch: type[Named], by_place: bool) -> dict[str, tuple[str, ...]]:
        """The columns of the aligned stream for each field except the target.

        With `by_place`, flags may list the fields in order.  Raises UsageError for what is missing.
        """
        of_fields = {name: column for name, column in columns_of(batch).items() if column.by_name}
        found = {name: self.named(name, column) for name, column in of_fields.items()}
        if by_place and not all(found.values()):
            found |= self._by_place(of_fields)
        if missing := [name for name, own in found.items() if not own and not of_fields[name].optional]:
            raise self._missing(of_fields, missing)
        return {
            name: tuple(f"{of_fields[name].side}:{each}" for each in own)
            for name, own in found.items()
            if own and not found.get(of_fields[name].unless)
        }

    def part(self, batch: type[Named], found: Mapping[str, tuple[str, ...]], target: str) -> Part:
        """The columns of a batch.  Raises UsageError if they do not fit together."""
        of_fields = columns_of(batch)
        arrays = {name: found[name] for name, column in of_fields.items() if name in found}
        arrays |= {name: (f"t:{target}",) for name, column in of_fields.items() if not column.by_name}
        matrices = {name: own for name, own in arrays.items() if of_fields[name].is_matrix}
        keys = {name: self._keys(of_fields[name], own) for name, own in matrices.items()}
        widths = {name: self.width(own[0]) if len(own) == 1 else len(own) for name, own in matrices.items()}
        held = {name: own[0][2:] for name, own in arrays.items() if len(own) == 1}
        squares = [name for name, own in held.items() if of_fields[name].variance and says_variance(own)]
        if refused := [name for name in squares if of_fields[name].variance == "refused"]:
            raise UsageError(
                f"column {held[refused[0]]} is named as a variance, and {batch.__name__} reads a scale",
                remedy=f"write the scale, in a column {refused[0]}",
            )
        texts = tuple(own[0] for name, own in arrays.items() if of_fields[name].text)
        return Part(
            batch,
            arrays,
            keys,
            batch.cells(keys, widths),
            tuple(squares),
            classes=batch.classes(keys),
            texts=texts,
        )

    def _by_place(self, of_fields: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
        """The columns of -p and -y in the order of the fields, if the counts agree."""
        found: dict[str, tuple[str, ...]] = {}
        for side in ("p", "t"):
            flagged = self.flagged[side]
            own = [name for name, column in of_fields.items() if column.side == side]
            required = [name for name in own if not of_fields[name].optional]
            if len(required) <= len(flagged):
                own = own[: len(flagged)]
            if len(own) == 1 and of_fields[own[0]].is_matrix and of_fields[own[0]].vector:
                found |= {own[0]: flagged} if flagged else {}
            elif len(own) == len(flagged):
                nested = [self.is_nested(f"{side}:{name}") for name in flagged]
                if nested == [of_fields[name].is_matrix for name in own]:
                    found |= {name: (column,) for name, column in zip(own, flagged, strict=True)}
        return found

    def target(self, also: tuple[str, ...], taken: Collection[str]) -> str:
        """The target among the remaining columns, by the rules of every task or one of the names `also`."""
        flagged = [name for name in self.flagged["t"] if f"t:{name}" not in taken]
        if len(flagged) > 1:
            raise UsageError(f"-y names {', '.join(flagged)}, but this loss has one target")
        if flagged:
            return flagged[0]
        one_file = self.sides.one_file
        left = [
            name
            for name in self.sides.targets
            if f"t:{name}" not in taken and not (one_file and f"p:{name}" in taken)
        ]
        found = columns.single_target(self.tables["t"], left, self.sides)
        found = found or tuple(name for name in left if name in also)
        return (found or columns.late_target(self.tables["t"], left, (), (), self.sides))[0]

    def _keys(self, column: Column, names: tuple[str, ...]) -> Keys:
        keys = [column.key(name[2:]) if column.pattern else None for name in names]
        return tuple(key for key in keys if key is not None) if None not in keys else ()

    def _missing(self, of_fields: Mapping[str, Column], missing: list[str]) -> UsageError:
        shown = {name: column.like or name for name, column in of_fields.items()}
        side = of_fields[missing[0]].side
        lacking = either(dict.fromkeys(shown[name] for name in missing))
        listed = {name: column for name, column in of_fields.items() if not column.unless}
        own = [name.upper() for name, column in listed.items() if column.side == side]
        remedy = f"name them in this order: {'-p' if side == 'p' else '-y'} {','.join(own)}"
        if of_fields[missing[0]].like:
            remedy = f"rename them: {shown[missing[0]]}"
        reads = " and ".join(dict.fromkeys(shown.values())).removesuffix(".")
        known = near(missing[0], self.left[side])
        return UsageError(
            f"{self.tables[side].name}: no column {lacking}; the chosen losses read {reads}.{known}",
            remedy=remedy,
        )

    def require_all_used(self, used: Mapping[str, None]) -> None:
        """Raise UsageError for columns of -p or -y that no field reads."""
        for side, flag in (("p", "-p"), ("t", "-y")):
            if idle := [name for name in self.flagged[side] if f"{side}:{name}" not in used]:
                reads = enumerated(name[2:] for name in used if name[0] == side)
                raise UsageError(
                    f"{flag} {', '.join(idle)}: not read by any chosen loss", remedy=f"they read {reads}"
                )


def width(table: Table, column: str) -> int:
    """The length of the lists in a column; 1 for plain values."""
    dtype = table.schema[column]
    if isinstance(dtype, pl.Array):
        return int(dtype.size or 0)
    if not isinstance(dtype, pl.List):
        return 1
    lengths = table.head(column)[column].list.len().drop_nulls()
    return int(lengths[0]) if len(lengths) else 0
