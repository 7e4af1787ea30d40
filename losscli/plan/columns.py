"""Infer the role of each column from flags, else from exact names; deterministic, and never from values.

The rules are documented in docs/reference/columns.md: key, target, prediction, task and classes, in this
order.  An ambiguous role is an error that lists the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
from msgspec import Struct, field

from losscli.data.columns import column_of
from losscli.data.stream import Part
from losscli.data.table import Table
from losscli.errors import Problem, UsageError, all_of
from losscli.plan.options import Request
from losscli.text import either, enumerated, near

KEYS = ("id", "row_id", "example_id", "sample_id", "key", "uuid")
TARGETS = ("target", "y_true", "y", "label", "truth", "actual")
TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)
LABEL_PREDICTIONS = ("label_pred", "predicted_label", "pred_label")
PREDICTIONS = ("prediction", "pred", "y_pred", "yhat", "score", "prob", "p", "logit", *LABEL_PREDICTIONS)
PROBABILITIES = ("prob", "p", "logit")
OUTPUTS = {"p": ("y_pred_", "prediction_", "pred_"), "t": ("y_true_", "target_", "y_")}
OUTPUT = re.compile(r"(?:y_pred|y_true|y|pred|prediction|target)_(\d+)$")
CLASS_FAMILY = re.compile(r"(prob|p|logit)_(.+)$")


class Found(Struct, frozen=True):
    """Columns by role, without the prefix of their side; `classes` come from their names or a flag.

    `parts`, `widths` and `group` are those of Roles, in tasks whose batches name their columns.
    """

    predictions: tuple[str, ...]
    targets: tuple[str, ...]
    key: tuple[str, ...]
    weight: str | None
    classes: tuple[str, ...] = ()
    same_names: bool = False
    parts: tuple[Part, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    group: str | None = None

    @property
    def says_logit(self) -> bool:
        """Whether the names of all predictions contain 'logit'."""
        return all("logit" in name.lower() for name in self.predictions)


class Sides(Struct, frozen=True):
    """The roles that all tasks share, key and weight, and the remaining columns of each side."""

    one_file: bool
    key: tuple[str, ...]
    weight: str | None
    predictions: list[str]
    targets: list[str]


def sides(predictions: Table, targets: Table, request: Request) -> Sides:
    """The key, the weight and the remaining columns.  Raises UsageError for unknown columns in flags."""
    one_file = targets is predictions
    *_, key, weight = all_of(
        lambda: _known(predictions, request.on, "--on"),
        lambda: _known(targets, request.on, "--on"),
        lambda: _known(targets, request.target, "-y"),
        lambda: _known(predictions, request.pred, "-p"),
        lambda: request.on or _key(predictions, targets, one_file),
        lambda: _weight(predictions, targets, request),
    )
    taken = {*key, weight and weight[2:], request.group, *request.added, *KEYS}
    p_left = [name for name in predictions.schema if name not in taken]
    t_left = [name for name in targets.schema if name not in taken]
    if one_file:
        p_left = [name for name in p_left if name not in request.target]
        t_left = [name for name in t_left if name not in request.pred]
    return Sides(one_file, key, weight, p_left, t_left)


def find(predictions: Table, targets: Table, request: Request, tasks: Collection[str]) -> Found:
    """The columns of a run.  `targets` is `predictions` if one file holds both sides.

    `tasks` are those that all chosen losses have.  Raises UsageError for unknown or ambiguous columns.
    """
    both = sides(predictions, targets, request)
    one_file, p_left, t_left = both.one_file, both.predictions, both.targets
    target = request.target or single_target(targets, t_left, one_file)
    if one_file:
        p_left = [name for name in p_left if name not in target]
    pred, classes = _prediction(predictions, targets, p_left, target, request, tasks)
    if one_file:
        t_left = [name for name in t_left if name not in pred]
    target = target or late_target(targets, t_left, pred, classes, one_file)
    if one_file and (twice := set(pred) & set(target)):
        raise UsageError(f"column {', '.join(twice)} cannot be both the prediction and the target")
    if len(target) > 1 and set(target) == set(pred):
        target = pred
    elif len(target) > 1 and classes and set(target) == set(classes):
        target = classes
    same = len(pred) > 1 and set(target) == set(pred)
    return Found(pred, target, both.key, both.weight, classes, same)


def _known(table: Table, names: Sequence[str], flag: str) -> None:
    unknown = [name for name in names if name not in table.schema]
    if unknown:
        raise UsageError(
            [
                Problem(
                    f"{table.name} has no column {name!r} ({flag}).{near(name, table.schema)}",
                    remedy=f"its columns: {enumerated(table.schema)}",
                )
                for name in unknown
            ]
        )


def _key(predictions: Table, targets: Table, one_file: bool) -> tuple[str, ...]:
    both = [name for name in KEYS if name in predictions.schema and name in targets.schema]
    if one_file:
        return tuple(both[:1])
    if len(both) > 1:
        raise UsageError(
            f"several columns could be the key: {', '.join(both)}",
            remedy=f"choose one: --on {both[0]}, or all: --on {','.join(both)}",
        )
    return tuple(both)


def _weight(predictions: Table, targets: Table, request: Request) -> str | None:
    if request.weight is None:
        return None
    key = request.on or [name for name in KEYS if name in predictions.schema and name in targets.schema]
    return column_of(request.weight, "-w", predictions, targets, key)


def single_target(table: Table, left: list[str], one_file: bool) -> tuple[str, ...]:
    """The target by exact name, numbered family or as the only column; empty if none determines it."""
    named = [name for name in left if name in TARGETS]
    if len(named) > 1:
        raise UsageError(
            f"{table.name}: several columns could be the target: {', '.join(named)}",
            remedy=f"choose one: -y {named[0]}",
        )
    if named:
        return (named[0],)
    family = numbered(left, OUTPUTS["t"])
    if family:
        return family
    return (left[0],) if len(left) == 1 and not one_file else ()


def late_target(
    table: Table, left: list[str], pred: tuple[str, ...], classes: tuple[str, ...], one_file: bool
) -> tuple[str, ...]:
    """The target by the names of the predictions, or as the only remaining column."""
    for names in (classes, pred):
        if names and set(names) <= set(left):
            return names
    if len(left) == 1:
        return (left[0],)
    if not left:
        remedy = "give a file of targets too, or name it: -y COLUMN" if one_file else "name it: -y COLUMN"
        raise UsageError(f"{table.name}: no column is left to be the target", remedy=remedy)
    raise UsageError(
        f"{table.name}: cannot tell which column is the target among: {enumerated(left)}",
        remedy="name it: -y COLUMN",
    )


def numbered(names: Sequence[str], stems: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a numbered family, in the order of their numbers."""
    for stem in stems:
        family = [
            name
            for name in names
            if name.startswith(stem) and OUTPUT.match(name) and name[len(stem) :].isdigit()
        ]
        if family:
            return tuple(sorted(family, key=lambda name: int(name.rsplit("_", 1)[1])))
    return ()


def _prediction(
    predictions: Table,
    targets: Table,
    left: list[str],
    target: tuple[str, ...],
    request: Request,
    tasks: Collection[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prediction columns, and the classes by their names or --classes."""
    if request.pred:
        return _in_order(request.pred, request.classes, by_place=True)
    named = [name for name in left if name in PREDICTIONS]
    if len(named) > 1:
        raise UsageError(
            f"{predictions.name}: several columns could be the prediction: {', '.join(named)}",
            remedy=f"choose one: -p {named[0]}",
        )
    if named:
        return (named[0],), request.classes
    outputs = numbered(left, OUTPUTS["p"])
    if outputs:
        return outputs, request.classes
    for prefix in ("prob_", "p_", "logit_"):
        family = tuple(name for name in left if name.startswith(prefix) and len(name) > len(prefix))
        if len(family) > 1:
            return _in_order(family, request.classes)
    if len(request.classes) > 1 and set(request.classes) <= set(left):
        return request.classes, request.classes
    numbers = tuple(name for name in left if name not in target and predictions.schema[name].is_numeric())
    if not target and targets is not predictions:
        shared = tuple(name for name in numbers if name in targets.schema)
        if len(shared) > 1:
            return _in_order(shared, request.classes)
    if len(target) > 1 and set(target) <= set(left):
        return _in_order(target, request.classes)
    nested = [name for name in left if isinstance(predictions.schema[name], pl.List | pl.Array)]
    if len(nested) == 1:
        return (nested[0],), request.classes
    if len(left) == 1:
        return (left[0],), request.classes
    if len(numbers) > 1 and len(target) == 1 and "multiclass" in tasks:
        if _are_classes(targets, target[0], numbers):
            return _in_order(numbers, request.classes)
    elif len(numbers) == 1 and target[:1] != numbers and not set(target) & set(left):
        return numbers, request.classes
    elif not numbers and target and set(target) <= set(left):
        return target, request.classes
    raise UsageError(
        f"{predictions.name}: cannot tell the prediction columns among: {enumerated(left) or 'none'}",
        remedy="name them: -p COLUMN, or -p A,B,C with one column per class",
    )


def _are_classes(targets: Table, target: str, names: tuple[str, ...]) -> bool:
    """Whether columns can be classes: labels are text or integers, and one is the name of a column."""
    dtype = targets.schema[target]
    if dtype.is_float() or dtype.is_nested():
        return False
    labels = targets.head(target, rows=100)[target].cast(pl.String).str.to_lowercase()
    return bool(labels.is_in([name.lower() for name in names]).any())


def _in_order(
    names: tuple[str, ...], classes: tuple[str, ...], by_place: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns with their classes; --classes selects among them and determines the order.

    With `by_place`, columns whose names are no classes have the classes in the same order.
    """
    if len(names) == 1:
        return names, classes
    named = tuple(match.group(2) if (match := CLASS_FAMILY.match(name)) else name for name in names)
    if not classes:
        return names, named
    if set(classes) <= set(named):
        return tuple(names[named.index(c)] for c in classes), classes
    if by_place and len(classes) == len(names) and not set(classes) & set(named):
        return names, classes
    missing = [c for c in classes if c not in named]
    raise UsageError(
        f"--classes: no column for {enumerated(missing)}", remedy=f"the columns: {enumerated(names)}"
    )


def task_of(
    found: Found, predictions: Table, targets: Table, tasks: Collection[str], losses: Sequence[str]
) -> str:
    """The task that the columns show, among those of all chosen losses.  Raises UsageError."""
    shown = _shown_tasks(found, predictions, targets)
    for task in shown:
        if task in tasks:
            return task
    if len(tasks) == 1 and shown != ("multiclass",):
        return next(iter(tasks))
    wanted = f"{', '.join(losses)} belongs to {either(sorted(tasks))}" if losses else f"not {min(tasks)}"
    raise UsageError(
        f"the columns show a {shown[0]} task; {wanted}",
        remedy=f"choose a {shown[0]} loss, or other columns with -p and -y",
    )


def _shown_tasks(found: Found, predictions: Table, targets: Table) -> tuple[str, ...]:
    """The tasks that fit the columns, most likely first."""
    target_type = targets.schema[found.targets[0]]
    prediction_type = predictions.schema[found.predictions[0]]
    several = len(found.predictions) > 1
    if several and len(found.targets) > 1:
        sums = (
            targets.head(*found.targets)
            .select(pl.sum_horizontal(targets.number(name) for name in found.targets))
            .to_series()
        )
        one = bool(((sums - 1.0).abs() < 1e-4).all())
        shown = ("multiclass", "multilabel") if one else ("multilabel", "multiclass")
        outputs = OUTPUT.match(found.predictions[0]) and OUTPUT.match(found.targets[0])
        amounts = target_type.is_float() and not one
        return ("regression", *shown) if outputs or amounts else (*shown, "regression")
    if several or isinstance(prediction_type, pl.List | pl.Array) or len(found.classes) > 2:
        return ("multiclass",)
    if found.predictions[0] in LABEL_PREDICTIONS or holds_labels(prediction_type, target_type):
        return ("multiclass", "binary")
    if not target_type.is_numeric() or found.predictions[0] in PROBABILITIES or found.says_logit:
        return ("binary", "regression", "multiclass")
    if found.targets[0] == "label":
        return ("binary", "multiclass", "regression")
    return ("regression", "binary", "multiclass")


def holds_labels(prediction_type: Any, target_type: Any) -> bool:
    """Whether predictions are labels: text, and targets that are not numbers."""
    return bool(prediction_type in TEXT_TYPES) and not bool(target_type.is_numeric())
