"""From found columns to roles: what each column means in its task."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from losscli import columns
from losscli.columns import Found
from losscli.errors import DataError, Problem, UsageError, near
from losscli.inputs.formats import Table
from losscli.tasks.base import Roles

MAX_CLASSES = 10_000
"""Classes that are taken from labels, where predictions are labels and --classes is not given."""


def roles_of(
    found: Found, left: Table, right: Table, task: str, link: str, positive: str | None
) -> tuple[Roles, tuple[str, ...]]:
    """The roles of columns, with classes and labels, and notes on what was inferred.

    Raises UsageError for columns that do not fit the task, DataError for labels that cannot be its classes.
    """
    weight = f"{found.weight_side}:{found.weight}" if found.weight else None
    roles = Roles(
        task=task,
        predictions=tuple(f"p:{name}" for name in found.predictions),
        targets=tuple(f"t:{name}" for name in found.targets),
        link=link,
        weight=weight,
        ids=tuple(f"p:{name}" for name in found.key),
        files=(left.name, right.name),
    )
    if positive is not None and task != "binary":
        raise UsageError(f"--positive is for binary tasks, and this is {task}")
    if task == "binary":
        return _binary(roles, found, right, positive), ()
    if task == "multiclass":
        return _multiclass(roles, found, left, right)
    if len(found.predictions) != len(found.targets):
        raise UsageError(
            f"{len(found.predictions)} prediction columns ({', '.join(found.predictions)}) and "
            f"{len(found.targets)} target columns ({', '.join(found.targets)})",
            remedy="name them in the same order with -p and -y",
        )
    shown = found.targets if task == "multilabel" else tuple(found.predictions)
    return replace(roles, names=shown, target_form="matrix" if task == "multilabel" else "value"), ()


def _binary(roles: Roles, found: Found, right: Table, positive: str | None) -> Roles:
    if len(found.predictions) != 1 or len(found.targets) != 1:
        raise UsageError(
            f"a binary task has one prediction column and one target, not {', '.join(found.predictions)} and "
            f"{', '.join(found.targets)}",
            remedy="name them with -p and -y, or choose --task multiclass or multilabel",
        )
    column = found.targets[0]
    dtype = right.schema[column]
    if dtype == pl.Boolean and positive is None:
        return replace(roles, target_form="label", names=("false", "true"), label_values=(False, True))
    if dtype.is_numeric() and positive is None:
        return replace(roles, names=("0", "1"))
    labels = right.distinct(column, 4)
    shown = [str(label).lower() if isinstance(label, bool) else str(label) for label in labels]
    place = f"{right.name}, column {column}"
    if len(labels) > 2:
        raise DataError(
            Problem(
                f"more than two labels in a binary task: {', '.join(shown)}, ...",
                place,
                "--task multiclass takes more than two",
            )
        )
    if positive is None:
        raise UsageError(
            f"{place}: the labels are {' and '.join(shown)}; which one is positive?",
            remedy=f"--positive {shown[-1]}",
        )
    wanted = columns.label_values(right, column, [positive])[0]
    others = [label for label in labels if label != wanted]
    if len(others) > 1 or not labels:
        raise UsageError(
            f"--positive {positive}: {place} has the labels {', '.join(shown)}.{near(positive, shown)}"
        )
    other = others[0] if others else None
    return replace(
        roles,
        target_form="label",
        names=(str(other) if others else "other", positive),
        label_values=(other, wanted),
    )


def _multiclass(roles: Roles, found: Found, left: Table, right: Table) -> tuple[Roles, tuple[str, ...]]:
    classes, notes = found.classes, tuple[str, ...]()
    label = len(found.targets) == 1
    if roles.link == "label" and not classes:
        both = {
            *left.distinct(found.predictions[0], MAX_CLASSES),
            *right.distinct(found.targets[0], MAX_CLASSES),
        }
        classes = tuple(
            str(value).lower() if isinstance(value, bool) else str(value) for value in sorted(both, key=str)
        )
        notes = (f"the {len(classes)} classes are the labels that occur; --classes fixes them",)
    elif not classes:
        classes = tuple(str(i) for i in range(_width(left, found.predictions[0])))
        notes = (
            f"the classes are the places in column {found.predictions[0]}, from 0; --classes names them",
        )
    if not label and len(found.targets) != len(classes):
        raise UsageError(
            f"{len(classes)} classes and {len(found.targets)} target columns: {', '.join(found.targets)}"
        )
    if not label:
        return replace(roles, names=classes, target_form="matrix"), notes
    values = columns.label_values(right, found.targets[0], classes)
    return replace(roles, names=classes, target_form="label", label_values=values), notes


def _width(left: Table, column: str) -> int:
    dtype = left.schema[column]
    if isinstance(dtype, pl.Array):
        return int(dtype.size or 0)
    if not isinstance(dtype, pl.List):
        raise UsageError(
            f"{left.name}, column {column}: one number a row cannot be probabilities of several classes"
        )
    first = left.head(1)[column]
    return len(first[0]) if len(first) and first[0] is not None else 0
