"""Assign roles to the inferred columns: what each column means in its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from msgspec.structs import replace

from losscli.data.keys import near_forms
from losscli.data.labels import label_text, label_value, other_than, plain_label
from losscli.data.stream import ALL_ROWS, Roles
from losscli.data.table import Table
from losscli.errors import EXAMPLES, DataError, Problem, UsageError
from losscli.plan import named_columns
from losscli.plan.columns import MAX_CLASSES, InferredColumns
from losscli.report.findings import Code, Note, Tally, finding, note, problem
from losscli.text import counted, enumerated, near, shortened


def roles_of(
    inferred: InferredColumns,
    left: Table,
    right: Table,
    task: str,
    link: str,
    positive: str | None,
    ignored: str | None,
    signed: bool,
) -> tuple[Roles, tuple[Note, ...]]:
    """The roles of columns with their classes and labels, and notes on what was inferred.

    `signed` is true if the chosen losses accept labels -1 and 1 as well as 0 and 1.

    Raises UsageError for columns that do not fit the task, DataError for labels that cannot be its classes.
    """
    roles = Roles(
        task=task,
        predictions=tuple(f"p:{name}" for name in inferred.predictions),
        targets=tuple(f"t:{name}" for name in inferred.targets),
        link=link,
        weight=inferred.weight,
        ids=tuple(f"p:{name}" for name in inferred.key),
        files=(left.name, right.name),
        spellings=(left.spelling, right.spelling),
    )
    if inferred.parts:
        classes = next((part.classes for part in inferred.parts if part.classes), ())
        roles = replace(
            roles, parts=inferred.parts, widths=inferred.widths, group=inferred.group, names=classes
        )
        if not inferred.group:
            return roles, ()
        if inferred.group == ALL_ROWS:
            return roles, (note(Code.ONE_GROUP),)
        return roles, (note(Code.ROWS_COUNT_GROUPS, column=inferred.group[2:]),)
    _require_values(inferred, left, right)
    nested = [name for name in inferred.predictions if isinstance(left.schema[name], pl.List | pl.Array)]
    if nested and (task != "multiclass" or len(inferred.predictions) > 1):
        raise UsageError(
            f"{left.name}, column {nested[0]}: lists of numbers are only valid in multiclass tasks"
        )
    if task == "binary":
        return _binary(roles, inferred, left, right, positive, ignored, signed), ()
    if task == "multiclass":
        return _multiclass(roles, inferred, left, right, ignored)
    if len(inferred.predictions) != len(inferred.targets):
        predictions, targets = inferred.predictions, inferred.targets
        raise UsageError(
            f"{counted(len(predictions), 'prediction column')} ({enumerated(predictions)}) and "
            f"{counted(len(targets), 'target column')} ({enumerated(targets)})",
            remedy="name them in the same order with -p and -y",
        )
    shown = inferred.targets if task == "multilabel" else tuple(inferred.predictions)
    return replace(roles, names=shown, target_form="matrix" if task == "multilabel" else "value"), ()


def _require_values(inferred: InferredColumns, left: Table, right: Table) -> None:
    """Raise DataError for columns without numbers or labels; predictions may also be lists of numbers."""
    checked = [(left, name, True) for name in inferred.predictions]
    checked += [(right, name, False) for name in inferred.targets]
    if wrong := [
        problem(Code.WRONG_TYPE, f"{table.name}, column {name}", type=table.schema[name])
        for table, name, as_lists in checked
        if not _is_value(table.schema[name], as_lists)
    ]:
        raise DataError(wrong)


def _is_value(dtype: Any, as_lists: bool) -> bool:
    if isinstance(dtype, pl.List | pl.Array):
        return as_lists and bool(dtype.inner.is_numeric())
    return not dtype.is_nested() and dtype != pl.Duration


def _binary(
    roles: Roles,
    inferred: InferredColumns,
    left: Table,
    right: Table,
    positive: str | None,
    ignored: str | None,
    signed: bool,
) -> Roles:
    if len(inferred.predictions) != 1 or len(inferred.targets) != 1:
        raise UsageError(
            "a binary task has one prediction column and one target, not "
            f"{enumerated(inferred.predictions)} and {enumerated(inferred.targets)}",
            remedy="name them with -p and -y, or choose --task multiclass or multilabel",
        )
    column = inferred.targets[0]
    dtype = right.schema[column]
    if dtype == pl.Boolean and positive is None:
        return replace(roles, target_form="label", names=("false", "true"))
    predicted = _labels(left, inferred.predictions[0], ignored) if roles.link == "label" else []
    if dtype.is_numeric() and positive is None:
        plain = {plain_label(label) for label in predicted}
        if (signed or predicted) and "-1" in plain | {*map(plain_label, _labels(right, column, ignored))}:
            positive = "1"
        elif plain <= {"0", "1", "true", "false"}:
            return replace(roles, names=("0", "1"))
    labels = _labels(right, column, ignored)
    place = f"{right.name}, column {column}"
    if not labels:
        raise DataError(problem(Code.NO_LABELS, place))
    if len(labels) > 2:
        shown = ", ".join(map(shortened, labels[:5])) + (", ..." if len(labels) > 5 else "")
        text = _text_among_numbers(right, column)
        raise DataError(text or problem(Code.TOO_MANY_LABELS, place, labels=shown))
    if positive is None:
        raise UsageError(
            f"{place}: the labels are {' and '.join(labels)}; which one is positive?",
            remedy=f"--positive {labels[-1]}",
        )
    _check_classes(right, column, [positive])
    others = [label for label in labels if plain_label(label) != plain_label(positive)]
    if len(others) > 1:
        raise UsageError(
            f"--positive {positive}: {place} has the labels {', '.join(labels)}.{near(positive, labels)}"
        )
    if not others:  # none among the targets, but the predictions may have one
        others = [label for label in predicted if plain_label(label) != plain_label(positive)]
    other = others[0] if others else other_than(label_text(positive))
    return replace(roles, target_form="label", names=(other, label_text(positive)))


def _labels(table: Table, column: str, ignored: str | None) -> list[str]:
    """The first ten distinct labels of a column, as names of classes."""
    return [text for text in map(label_text, table.distinct(column, 10)) if text != ignored]


def _text_among_numbers(table: Table, column: str) -> list[Problem]:
    """The problems of the cells that are not numbers in a text column of mostly numbers."""
    head = table.head(column)[column]
    if (
        table.types.get(column) != pl.String
        or 2 * head.cast(pl.Float64, strict=False).count() <= head.count()
    ):
        return []
    return table.not_numbers(column)


def _multiclass(
    roles: Roles, inferred: InferredColumns, left: Table, right: Table, ignored: str | None
) -> tuple[Roles, tuple[Note, ...]]:
    classes, notes = inferred.classes, tuple[Note, ...]()
    label = len(inferred.targets) == 1
    if not label and ignored is not None:
        raise UsageError("--ignore-label needs a label column, but the target has one column per class")
    if roles.link == "label" and not label:
        raise UsageError(
            f"{left.name}, column {inferred.predictions[0]}: one column cannot be probabilities of "
            f"{len(inferred.targets)} classes",
            remedy="name one column per class: -p A,B,C",
        )
    if roles.link == "label" and not classes:
        classes = tuple(sorted(_labels_of_both(inferred, left, right) - {ignored}, key=_by_number))
        notes = (note(Code.CLASSES_FROM_LABELS, count=len(classes)),)
    width = (
        len(inferred.predictions)
        if len(inferred.predictions) > 1
        else named_columns.width(left, inferred.predictions[0])
    )
    if not width:
        raise DataError(problem(Code.NO_ROWS, left.name))
    if not classes:
        classes = tuple(map(str, range(width)))
        place = f"in column {inferred.predictions[0]}" if len(inferred.predictions) == 1 else "of the columns"
        notes = (note(Code.CLASSES_FROM_POSITIONS, place=place),)
    elif roles.link != "label" and width != len(classes):
        raise UsageError(
            f"{len(classes)} classes, but {width} numbers per row in column {inferred.predictions[0]}"
        )
    if not label and len(inferred.targets) != len(classes):
        raise UsageError(
            f"{len(classes)} classes, but {len(inferred.targets)} target columns: "
            f"{', '.join(inferred.targets)}"
        )
    if isinstance(left.schema[inferred.predictions[0]], pl.List | pl.Array):
        roles = replace(roles, widths={roles.predictions[0]: len(classes)})
    if not label:
        return replace(roles, names=classes, target_form="matrix"), notes
    _check_classes(right, inferred.targets[0], classes)
    return replace(roles, names=classes, target_form="label"), notes


def _labels_of_both(inferred: InferredColumns, left: Table, right: Table) -> set[str]:
    """The labels of predictions and targets.  Raises DataError if they have none in common."""
    predicted = {*map(label_text, left.distinct(inferred.predictions[0], MAX_CLASSES))}
    true = {*map(label_text, right.distinct(inferred.targets[0], MAX_CLASSES))}
    if predicted and true and not predicted & true:
        shown = [
            f"{table.name}, column {column}: {enumerated(map(repr, sorted(labels)), EXAMPLES)}"
            for table, column, labels in (
                (left, inferred.predictions[0], predicted),
                (right, inferred.targets[0], true),
            )
        ]
        alike = near_forms(*(pl.Series(sorted(labels)) for labels in (predicted, true)))
        files = " and ".join(dict.fromkeys((left.name, right.name)))
        kind = finding(
            Code.DISJOINT_LABELS, files, remedy=f"they match {alike}: write them alike" if alike else None
        )
        raise DataError(kind.problem(Tally(len(predicted), shown)))
    return predicted | true


def _by_number(label: str) -> tuple[bool, float, str]:
    """Sort key: numeric labels by value, before all others."""
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def _check_classes(table: Table, column: str, classes: Sequence[str]) -> None:
    """Raise DataError if none of the classes can occur in the label column."""
    dtype = table.schema[column]
    if all(label_value(name, dtype) is None for name in classes):
        kind = "true and false" if dtype == pl.Boolean else "numbers"
        place = f"{table.name}, column {column}"
        raise DataError(problem(Code.IMPOSSIBLE_CLASSES, place, kind=kind, classes=enumerated(classes)))


def labelled_as(weights: Mapping[str, float], roles: Roles) -> Roles:
    """The roles with the name of the negative label taken from --class-weight, if no row has that label."""
    if roles.task != "binary" or roles.names[0] != other_than(roles.names[1]):
        return roles
    others = [name for name in weights if name != roles.names[1]]
    return replace(roles, names=(others[0], roles.names[1])) if len(others) == 1 else roles


def class_weights(weights: Mapping[str, float], roles: Roles) -> tuple[float, ...] | None:
    """The weight of each class, 1 by default.  Raises UsageError for unknown classes."""
    if not weights:
        return None
    if unweighed := [part.batch.__name__ for part in roles.parts if not part.classes]:
        raise UsageError(
            f"--class-weight: losses of {enumerated(unweighed)} weigh no classes",
            remedy="losscli explain LOSS shows what a loss reads",
        )
    unknown = [name for name in weights if name not in roles.names]
    if unknown:
        raise UsageError(
            [
                Problem(
                    f"--class-weight: no class {name!r}.{near(name, roles.names)}",
                    remedy=f"the classes: {', '.join(roles.names[:20])}",
                )
                for name in unknown
            ]
        )
    return tuple(weights.get(name, 1.0) for name in roles.names)
