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
from losscli.plan.columns import InferredColumns, Sides
from losscli.plan.options import Request
from losscli.tasks.grouped import NAMES
from losscli.tasks.groups import Grouped
from losscli.tasks.named import Column, Keys, Named, columns_of, says_variance
from losscli.text import either, enumerated, near


def fits(batch: type[Named], predictions: Table, targets: Table, request: Request, requested: bool) -> bool:
    """Whether names alone determine every column of a batch, its target included.

    A group column needs --group unless a grouped loss was `requested`, since many files have a column with
    that name.
    """
    if (
        issubclass(batch, Grouped)
        and not batch.is_one_group_by_default
        and request.group is None
        and not requested
    ):
        return False
    try:
        inferred = find(predictions, targets, request, (batch,), by_order=False)
    except UsageError:
        return False
    return requested or request.task is not None or not _looks_like_classes(inferred, targets, batch)


def _looks_like_classes(inferred: InferredColumns, targets: Table, batch: type[Named]) -> bool:
    """Whether a column of arrays with a non-float target is more likely the probabilities of classes."""
    if len(inferred.predictions) > 1 or len(inferred.targets) > 1:
        return False
    (name,), dtype = inferred.predictions, targets.schema[inferred.targets[0]]
    is_array = f"p:{name}" in inferred.widths and name not in columns_of(batch)
    return is_array and not dtype.is_float() and not dtype.is_nested()


def find(
    predictions: Table,
    targets: Table,
    request: Request,
    batches: Sequence[type[Named]],
    by_order: bool = True,
) -> InferredColumns:
    """Find the columns for these batches.  Raises UsageError for what is missing.

    With `by_order`, -p and -y may list the fields in order if all batches have the same fields.
    """
    group = _group(predictions, targets, request, batches)
    named_group = group[2:] if group and group != ALL_ROWS else None
    search = _Search(predictions, targets, replace(request, group=named_group))
    fields_of_batches = [columns_of(batch) for batch in batches]
    are_same = all([*fields] == [*fields_of_batches[0]] for fields in fields_of_batches)
    named = {batch: search.by_name(batch, by_order and are_same) for batch in batches}
    target, unnamed = "", [col for fields in fields_of_batches for col in fields.values() if not col.by_name]
    if unnamed:
        used_columns = {name for arrays in named.values() for names in arrays.values() for name in names}
        target = search.target(unnamed[0].also, used_columns)
    parts = tuple(search.part(batch, arrays, target) for batch, arrays in named.items())
    used = dict.fromkeys(name for part in parts for names in part.arrays.values() for name in names)
    search.require_all_used(used)
    sides, texts = search.sides, {name for part in parts for name in part.texts}
    return InferredColumns(
        predictions=tuple(name[2:] for name in used if name.startswith("p:")),
        targets=tuple(name[2:] for name in used if name.startswith("t:")),
        key=sides.key,
        weight=sides.weight,
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

    Raises UsageError if there is no group column and the rows do not form one group.
    """
    grouped = [batch for batch in batches if issubclass(batch, Grouped)]
    if not grouped:
        return None
    if request.group is None and all(batch.is_one_group_by_default for batch in grouped):
        return ALL_ROWS
    schemas = {**predictions.schema, **targets.schema}
    candidates = [name for name in NAMES if name in schemas] if request.group is None else [request.group]
    if len(candidates) != 1:
        what = (
            f"several columns could be the group: {', '.join(candidates)}"
            if candidates
            else "no group column"
        )
        raise UsageError(what, remedy=f"name it: --group {candidates[0] if candidates else 'COLUMN'}")
    (name,) = candidates
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
        self.remaining: Mapping[str, Sequence[str]] = {
            "p": request.pred or self.sides.predictions,
            "t": request.target or self.sides.targets,
        }

    def is_nested(self, name: str) -> bool:
        """Whether a column of the aligned stream holds lists or arrays."""
        return isinstance(self.tables[name[0]].schema[name[2:]], pl.List | pl.Array)

    def width(self, name: str) -> int:
        """Numbers per row in a column of the aligned stream."""
        return width(self.tables[name[0]], name[2:])

    def named(self, name: str, column: Column) -> tuple[str, ...]:
        """The columns of a field by name, in order; empty if names do not determine them."""
        remaining = self.remaining[column.side]
        if column.role == "prediction":
            root = column.variance == "root"
            others = [other for other in remaining if other in column.also or (root and says_variance(other))]
            return (name,) if name in remaining else tuple(others) if len(others) == 1 else ()
        nested = [other for other in remaining if self.is_nested(f"{column.side}:{other}")]
        if column.role == "shared":
            return self._shared(column, nested)
        matching = [other for other in remaining if column.key(other) is not None and other not in nested]
        if matching:
            self._require_none_misspelt(column, matching, set(remaining) - set(nested))
            return tuple(sorted(matching, key=column.order))
        if not column.vector:
            return ()
        return (name,) if name in nested else tuple(nested) if len(nested) == 1 else ()

    def _require_none_misspelt(self, column: Column, matching: Sequence[str], names: Set[str]) -> None:
        """Raise UsageError for a column that is outside the family only because of capitals or spaces."""
        for name in sorted(names - set(matching)):
            if column.key(name.strip().lower()) is not None:
                flag = "-y" if column.side == "t" else "-p"
                raise UsageError(
                    f"{self.tables[column.side].name}: "
                    f"column {name!r} is spelled differently from {matching[0]}",
                    remedy=f"rename it, or name the columns to read: {flag} A,B",
                )

    def _shared(self, column: Column, nested: list[str]) -> tuple[str, ...]:
        """The columns common to both sides, or the single column of arrays of this side."""
        flagged = self.flagged
        if flagged[column.side]:
            return flagged["p" if set(flagged["p"]) == set(flagged["t"]) else column.side]
        if len(nested) == 1:
            return (nested[0],)
        if self.sides.one_file or nested:
            return ()
        families = {
            side: columns.numbered(self.remaining[side], columns.OUTPUTS[side]) for side in ("p", "t")
        }
        if flagged["p"] or flagged["t"]:
            names = flagged["p"] or flagged["t"]
            remaining, schema = set(self.remaining[column.side]), self.tables[column.side].schema
            common = tuple(name for name in names if name in remaining and schema[name].is_numeric())
            return common or families[column.side]
        if all(families.values()):
            return families[column.side]
        free = self.sides.free("p", self.remaining["p"]), self.sides.free("t", self.remaining["t"])
        dimensions = shared.vectors(self.tables["p"], self.tables["t"], free, self.sides.key)
        return dimensions or families[column.side]

    def by_name(self, batch: type[Named], by_order: bool) -> dict[str, tuple[str, ...]]:
        """The columns of the aligned stream, by field, except the target.

        With `by_order`, flags may list the fields in order.  Raises UsageError for what is missing.
        """
        fields = {name: column for name, column in columns_of(batch).items() if column.by_name}
        matches = {name: self.named(name, column) for name, column in fields.items()}
        if by_order and not all(matches.values()):
            matches |= self._by_order(fields)
        if missing := [name for name, names in matches.items() if not names and not fields[name].optional]:
            raise self._missing_error(fields, missing)
        return {
            name: tuple(f"{fields[name].side}:{column_name}" for column_name in names)
            for name, names in matches.items()
            if names and not matches.get(fields[name].unless)
        }

    def part(self, batch: type[Named], named: Mapping[str, tuple[str, ...]], target: str) -> Part:
        """The columns of a batch.  Raises UsageError if they do not fit together."""
        fields = columns_of(batch)
        arrays = {name: named[name] for name, column in fields.items() if name in named}
        arrays |= {name: (f"t:{target}",) for name, column in fields.items() if not column.by_name}
        matrices = {name: names for name, names in arrays.items() if fields[name].is_matrix}
        keys = {name: self._keys(fields[name], names) for name, names in matrices.items()}
        widths = {
            name: self.width(names[0]) if len(names) == 1 else len(names) for name, names in matrices.items()
        }
        single = {name: names[0][2:] for name, names in arrays.items() if len(names) == 1}
        variances = [name for name, names in single.items() if fields[name].variance and says_variance(names)]
        if refused := [name for name in variances if fields[name].variance == "refused"]:
            raise UsageError(
                f"column {single[refused[0]]} is named as a variance, and {batch.__name__} reads a scale",
                remedy=f"write the scale, in a column {refused[0]}",
            )
        texts = tuple(names[0] for name, names in arrays.items() if fields[name].text)
        return Part(
            batch,
            arrays,
            keys,
            batch.cells(keys, widths),
            tuple(variances),
            classes=batch.classes(keys),
            texts=texts,
        )

    def _by_order(self, fields: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
        """The columns of -p and -y in the order of the fields, if the counts agree."""
        matches: dict[str, tuple[str, ...]] = {}
        for side in ("p", "t"):
            flagged = self.flagged[side]
            names = [name for name, column in fields.items() if column.side == side]
            required = [name for name in names if not fields[name].optional]
            if len(required) <= len(flagged):
                names = names[: len(flagged)]
            if len(names) == 1 and fields[names[0]].is_matrix and fields[names[0]].vector:
                matches |= {names[0]: flagged} if flagged else {}
            elif len(names) == len(flagged):
                nested = [self.is_nested(f"{side}:{name}") for name in flagged]
                if nested == [fields[name].is_matrix for name in names]:
                    matches |= {name: (column,) for name, column in zip(names, flagged, strict=True)}
        return matches

    def target(self, also: tuple[str, ...], used: Collection[str]) -> str:
        """The target among the remaining columns, by the rules of every task or one of the names `also`."""
        flagged = [name for name in self.flagged["t"] if f"t:{name}" not in used]
        if len(flagged) > 1:
            raise UsageError(f"-y names {', '.join(flagged)}, but this loss has one target")
        if flagged:
            return flagged[0]
        one_file = self.sides.one_file
        remaining = [
            name
            for name in self.sides.targets
            if f"t:{name}" not in used and not (one_file and f"p:{name}" in used)
        ]
        target = columns.single_target(self.tables["t"], remaining, self.sides)
        target = target or tuple(name for name in remaining if name in also)
        return (target or columns.late_target(self.tables["t"], remaining, (), (), self.sides))[0]

    def _keys(self, column: Column, names: tuple[str, ...]) -> Keys:
        keys = [column.key(name[2:]) if column.pattern else None for name in names]
        return tuple(key for key in keys if key is not None) if None not in keys else ()

    def _missing_error(self, fields: Mapping[str, Column], missing: list[str]) -> UsageError:
        shown = {name: column.like or name for name, column in fields.items()}
        side = fields[missing[0]].side
        lacking = either(dict.fromkeys(shown[name] for name in missing))
        listed = {name: column for name, column in fields.items() if not column.unless}
        placeholders = [name.upper() for name, column in listed.items() if column.side == side]
        remedy = f"name them in this order: {'-p' if side == 'p' else '-y'} {','.join(placeholders)}"
        if fields[missing[0]].like:
            remedy = f"rename them: {shown[missing[0]]}"
        reads = " and ".join(dict.fromkeys(shown.values())).removesuffix(".")
        suggestion = near(missing[0], self.remaining[side])
        return UsageError(
            f"{self.tables[side].name}: no column {lacking}; the chosen losses read {reads}.{suggestion}",
            remedy=remedy,
        )

    def require_all_used(self, used: Mapping[str, None]) -> None:
        """Raise UsageError for columns of -p or -y that no field reads."""
        for side, flag in (("p", "-p"), ("t", "-y")):
            if unused := [name for name in self.flagged[side] if f"{side}:{name}" not in used]:
                reads = enumerated(name[2:] for name in used if name[0] == side)
                raise UsageError(
                    f"{flag} {', '.join(unused)}: not read by any chosen loss", remedy=f"they read {reads}"
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
