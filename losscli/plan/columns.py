"""Infer the role of each column from flags, else from exact names, else because no other column is left.

The rules are documented in docs/reference/columns.md: key, target, prediction, task and classes, in this
order.  A numeric column never gets a role merely because it exists: an ambiguous role is an error that lists
the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from losscli.data import filter as filters
from losscli.data.columns import SIDES, column_of
from losscli.data.stream import Part
from losscli.data.table import Table
from losscli.errors import Problem, UsageError, all_of
from losscli.plan import shared
from losscli.plan.options import Request
from losscli.plan.slices import parted
from losscli.text import either, enumerated, near

KEYS = ("id", "row_id", "example_id", "sample_id", "key", "uuid")
"""Names of keys, in lower case."""
POSITION = "position"
"""The value of --on that aligns by position."""
UNNAMED = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
"""The names that libraries give to a dataframe's index when they write it to a file."""
TARGETS = ("target", "y_true", "y", "label", "truth", "actual")
TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)
LABEL_PREDICTIONS = ("label_pred", "predicted_label", "pred_label")
PREDICTIONS = ("prediction", "pred", "y_pred", "yhat", "score", "prob", "p", "logit", *LABEL_PREDICTIONS)
PROBABILITIES = ("prob", "p", "logit")
OUTPUTS = {"p": ("y_pred_", "prediction_", "pred_"), "t": ("y_true_", "target_", "y_")}
OUTPUT = re.compile(r"(?:y_pred|y_true|y|pred|prediction|target)_(\d+)$")
MAX_CLASSES = 10_000
"""Maximum number of labels that are read to identify the classes."""
CLASS_FAMILY = re.compile(r"(prob|p|logit)_(.+)$")


class InferredColumns(Struct, frozen=True):
    """Columns by role, without the prefix of their side; `classes` come from column names or a flag.

    `parts`, `widths` and `group` are as in Roles, for tasks whose batches name their columns.
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
    """The roles that all tasks share, key and weight, and the remaining columns of each side.

    `sliced` are the columns 'p:NAME' and 't:NAME' named by --by and --where; they get a second role only by
    an exact name.
    """

    one_file: bool
    key: tuple[str, ...]
    weight: str | None
    predictions: list[str]
    targets: list[str]
    sliced: frozenset[str]

    def free(self, side: str, names: Iterable[str]) -> list[str]:
        """The columns among `names` of a side, p or t, that neither --by nor --where names."""
        return [name for name in names if f"{side}:{name}" not in self.sliced]


def sides(predictions: Table, targets: Table, request: Request) -> Sides:
    """The key, the weight and the remaining columns.  Raises UsageError for unknown columns in flags."""
    one_file = targets is predictions
    by_position = asks_for_position(request, predictions, targets)
    on = () if by_position else request.on
    *_, key, weight = all_of(
        lambda: _require_columns(predictions, on, "--on"),
        lambda: _require_columns(targets, on, "--on"),
        lambda: _require_columns(targets, request.target, "-y"),
        lambda: _require_columns(predictions, request.pred, "-p"),
        lambda: on or (() if by_position else key_of(predictions, targets, one_file)),
        lambda: _weight(predictions, targets, request),
    )
    named = (request.weight, request.group, request.cluster, request.scale_by, request.naive)
    flagged = [name for name in named if name]
    reserved = _referenced_columns([*flagged, *request.added, *key], predictions, targets)
    by = [parted(part, predictions, targets)[0] for parts in request.by for part in parts]
    where = [] if request.where is None else filters.names(request.where)
    p_remaining = [name for name in _eligible(predictions) if f"p:{name}" not in reserved]
    t_remaining = [name for name in _eligible(targets) if f"t:{name}" not in reserved]
    if one_file:
        p_remaining = [name for name in p_remaining if name not in request.target]
        t_remaining = [name for name in t_remaining if name not in request.pred]
    sliced = frozenset(_referenced_columns([*by, *where], predictions, targets))
    return Sides(one_file, key, weight, p_remaining, t_remaining, sliced)


def asks_for_position(request: Request, predictions: Table, targets: Table) -> bool:
    """Whether --on requests alignment by position: the word is not a column of both files."""
    return request.on == (POSITION,) and not all(POSITION in table.schema for table in (predictions, targets))


def _eligible(table: Table) -> list[str]:
    """The columns that can be predictions or targets: not keys, dataframe indexes or partition folders."""
    names = [name for name in table.schema if name.lower() not in KEYS and name not in table.folders]
    return [name for name in names if not UNNAMED.fullmatch(name)] or names


def is_key(name: str) -> bool:
    """Whether a column is named as a key, or is the index of a dataframe."""
    return name.lower() in KEYS or UNNAMED.fullmatch(name) is not None


def _referenced_columns(names: Iterable[str], predictions: Table, targets: Table) -> set[str]:
    """The columns of either side that names in flags can refer to: 'x', 'preds.x' or 'targets.x'."""
    tables = {"p:": predictions, "t:": targets}
    meant = {prefix + name for name in names for prefix, table in tables.items() if name in table.schema}
    for name in names:
        side, _, rest = name.partition(".")
        if side in SIDES and not any(prefix + name in meant for prefix in tables):
            # With one file, both sides have the column.
            meant |= {prefix + rest for prefix in (tables if predictions is targets else (SIDES[side],))}
    return meant


def with_fields(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns, with each struct replaced by its fields."""
    return tuple(field for name in names for field in table.fields(name) or (name,))


def find(predictions: Table, targets: Table, request: Request, tasks: Set[str]) -> InferredColumns:
    """Infer the columns of a run.  `targets` is `predictions` if one file holds both sides.

    `tasks` are the tasks common to all chosen losses.  Raises UsageError for unknown or ambiguous columns.
    """
    both_sides = sides(predictions, targets, request)
    one_file, p_remaining, t_remaining = both_sides.one_file, both_sides.predictions, both_sides.targets
    target = request.target or single_target(targets, t_remaining, both_sides)
    if one_file:
        p_remaining = [name for name in p_remaining if name not in target]
    remaining = replace(both_sides, predictions=p_remaining)
    pred, classes = _prediction(predictions, targets, remaining, target, request, tasks)
    if one_file:
        t_remaining = [name for name in t_remaining if name not in pred]
    target = target or late_target(targets, t_remaining, pred, classes, both_sides)
    if one_file and (twice := set(pred) & set(target)):
        raise UsageError(f"column {', '.join(twice)} cannot be both the prediction and the target")
    if len(target) > 1 and set(target) == set(pred):
        target = pred
    elif len(target) > 1 and classes and set(target) == set(classes):
        target = classes
    same_names = len(pred) > 1 and set(target) == set(pred)
    return InferredColumns(pred, target, both_sides.key, both_sides.weight, classes, same_names)


def _require_columns(table: Table, names: Sequence[str], flag: str) -> None:
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


def key_of(predictions: Table, targets: Table, one_file: bool) -> tuple[str, ...]:
    """The key by its name; empty if there is none.  Raises UsageError if several columns could be the key."""
    names = shared_keys(predictions, targets)
    if one_file:
        return tuple(names[:1])
    if len(names) > 1:
        raise UsageError(
            f"several columns could be the key: {', '.join(names)}",
            remedy=f"choose one: --on {names[0]}, or all: --on {','.join(names)}",
        )
    return tuple(names)


def shared_keys(predictions: Table, targets: Table) -> list[str]:
    """The columns of both files that are named as keys, in the order of KEYS."""
    names = [name for name in predictions.schema if name.lower() in KEYS and name in targets.schema]
    return sorted(names, key=lambda name: KEYS.index(name.lower()))


def _weight(predictions: Table, targets: Table, request: Request) -> str | None:
    if request.weight is None:
        return None
    key = request.on or shared_keys(predictions, targets)
    return column_of(request.weight, "-w", predictions, targets, key)


def single_target(table: Table, remaining: list[str], both_sides: Sides) -> tuple[str, ...]:
    """The target by exact name, numbered family or as the only column; empty if none determines it."""
    named = [name for name in remaining if name in TARGETS]
    if len(named) > 1:
        raise UsageError(
            f"{table.name}: several columns could be the target: {', '.join(named)}",
            remedy=f"choose one: -y {named[0]}",
        )
    if named:
        return (named[0],)
    family = numbered(remaining, OUTPUTS["t"])
    if family:
        return family
    free = both_sides.free("t", remaining)
    return (free[0],) if len(free) == 1 and not both_sides.one_file else ()


def late_target(
    table: Table, remaining: list[str], pred: tuple[str, ...], classes: tuple[str, ...], both_sides: Sides
) -> tuple[str, ...]:
    """The target by the names of the predictions, or as the only remaining column."""
    free, one_file = both_sides.free("t", remaining), both_sides.one_file
    for names in (classes, pred):
        if names and set(names) <= set(remaining):
            if others := shared.siblings(table, names, free):
                raise UsageError(
                    f"{table.name}: target columns without a prediction: {enumerated(others)}",
                    remedy=f"name the target alone: -y {','.join(names)}, or predict all of them",
                )
            return names
    if len(free) == 1:
        return (free[0],)
    if not free:
        remedy = "give a file of targets too, or name it: -y COLUMN" if one_file else "name it: -y COLUMN"
        raise UsageError(f"{table.name}: no column is left to be the target", remedy=remedy)
    raise UsageError(
        f"{table.name}: cannot tell which column is the target among: {enumerated(free)}",
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
    both_sides: Sides,
    target: tuple[str, ...],
    request: Request,
    tasks: Set[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prediction columns, and the classes by their names or --classes."""
    remaining = both_sides.predictions
    if request.pred:
        return _with_classes(predictions, request.pred, request.classes, by_order=True)
    named = [name for name in remaining if name in PREDICTIONS]
    if len(named) > 1:
        raise UsageError(
            f"{predictions.name}: several columns could be the prediction: {', '.join(named)}",
            remedy=f"choose one: -p {named[0]}",
        )
    if named:
        return (named[0],), request.classes
    outputs = numbered(remaining, OUTPUTS["p"])
    if outputs:
        return outputs, request.classes
    for prefix in ("prob_", "p_", "logit_"):
        family = tuple(name for name in remaining if name.startswith(prefix) and len(name) > len(prefix))
        if len(family) > 1:
            return _with_classes(predictions, family, request.classes)
    if len(request.classes) > 1 and set(request.classes) <= set(remaining):
        return request.classes, request.classes
    guessed = _infer_predictions(predictions, targets, both_sides, target, tasks)
    if guessed:
        return _with_classes(predictions, guessed, request.classes)
    remedy = "name them: -p COLUMN, or -p A,B,C with one column per class"
    if not both_sides.key and not both_sides.one_file and set(remaining) & {*both_sides.targets}:
        remedy += "; name a key with --on COLUMN"
    raise UsageError(
        f"{predictions.name}: cannot tell the prediction columns among: {enumerated(remaining) or 'none'}",
        remedy=remedy,
    )


def _infer_predictions(
    predictions: Table, targets: Table, both_sides: Sides, target: tuple[str, ...], tasks: Set[str]
) -> tuple[str, ...]:
    """The predictions among columns without an exact name; empty if they are ambiguous."""
    free = both_sides.free("p", both_sides.predictions)
    if not target and not both_sides.one_file:
        names = (free, both_sides.free("t", both_sides.targets))
        if matching := shared.labels_or_outputs(predictions, targets, names, both_sides.key, tasks):
            return matching
    if len(target) > 1 and set(target) <= set(free):
        return target
    if vector := _vector(predictions, free):
        return vector
    if len(free) == 1:
        return (free[0],)
    numbers = tuple(shared.numeric(predictions, [name for name in free if name not in target]))
    if len(numbers) > 1 and len(target) == 1 and "multiclass" in tasks:
        return _classes(predictions, targets, target[0], numbers)
    if len(numbers) == 1 and not set(target) & set(free):
        return () if len(target) == 1 and _hold_labels(predictions, free, targets, target[0]) else numbers
    return target if not numbers and set(target) <= set(free) else ()


def _vector(table: Table, remaining: Sequence[str]) -> tuple[str, ...]:
    """The only column of lists or arrays, or the numeric fields of the only struct."""
    nested = [(name,) for name in remaining if isinstance(table.schema[name], pl.List | pl.Array)]
    fields = [table.fields(name) for name in table.structs]
    structs = [struct for struct in fields if struct and set(struct) <= set(shared.numeric(table, remaining))]
    return [*nested, *structs][0] if len(nested) + len(structs) == 1 else ()


def _hold_labels(table: Table, remaining: Sequence[str], targets: Table, target: str) -> bool:
    """Whether a remaining text column has labels of the target, and so may be the prediction."""
    texts = [name for name in remaining if table.schema[name] in TEXT_TYPES]
    if targets.schema[target].is_numeric() or not texts:
        return False
    labels = targets.head(target)[target].cast(pl.String).unique()
    head = table.head(*texts)
    return any(head[name].cast(pl.String).is_in(labels.implode()).any() for name in texts)


def _classes(predictions: Table, targets: Table, target: str, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of classes, identified by the labels that occur in the target.

    The column of a label that does not occur is included if only then the probabilities sum to one.  Returns
    no columns if any other numeric column makes the classes ambiguous.
    """
    dtype = targets.schema[target]
    if dtype.is_float() or dtype.is_nested():
        return ()
    named = _columns_of_labels(targets.head(target)[target].cast(pl.String), predictions, numbers)
    if not named or len(named) == len(numbers):
        return named
    for names in (named, numbers):
        if shared.sum_to_one(predictions, names):
            return names
    labels = pl.Series(targets.distinct(target, MAX_CLASSES)).cast(pl.String)
    return numbers if len(_columns_of_labels(labels, predictions, numbers)) == len(numbers) else ()


def _columns_of_labels(labels: pl.Series, table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """The columns whose class is among the labels, ignoring case."""
    lower_labels = set(labels.drop_nulls().str.to_lowercase())
    return tuple(name for name in names if class_of(table, name).lower() in lower_labels)


def class_of(table: Table, name: str) -> str:
    """The class in the name of a column: cat for prob_cat, and for the field cat of a struct."""
    struct = table.struct_of(name)
    if struct:
        return name[len(struct) + 1 :]
    return match.group(2) if (match := CLASS_FAMILY.match(name)) else name


def _with_classes(
    table: Table, names: tuple[str, ...], classes: tuple[str, ...], by_order: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns with their classes; --classes selects among them and determines the order.

    With `by_order`, columns not named for classes are paired with the classes in order.
    """
    if len(names) == 1:
        return names, classes
    named = tuple(class_of(table, name) for name in names)
    if not classes:
        return names, named
    if set(classes) <= set(named):
        return tuple(names[named.index(c)] for c in classes), classes
    if by_order and len(classes) == len(names) and not set(classes) & set(named):
        return names, classes
    missing = [c for c in classes if c not in named]
    raise UsageError(
        f"--classes: no column for {enumerated(missing)}", remedy=f"the columns: {enumerated(names)}"
    )


def task_of(
    inferred: InferredColumns, predictions: Table, targets: Table, tasks: Set[str], losses: Sequence[str]
) -> str:
    """The most likely task of the columns, among the tasks of all chosen losses.  Raises UsageError."""
    shown = _shown_tasks(inferred, predictions, targets)
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


def _shown_tasks(inferred: InferredColumns, predictions: Table, targets: Table) -> tuple[str, ...]:
    """The tasks that match the columns, most likely first."""
    target_type = targets.schema[inferred.targets[0]]
    prediction_type = predictions.schema[inferred.predictions[0]]
    several = len(inferred.predictions) > 1
    if several and len(inferred.targets) > 1:
        sums = (
            targets.head(*inferred.targets)
            .select(pl.sum_horizontal(targets.number(name) for name in inferred.targets))
            .to_series()
        )
        sum_to_one = bool(((sums - 1.0).abs() < 1e-4).all())
        shown = ("multiclass", "multilabel") if sum_to_one else ("multilabel", "multiclass")
        outputs = OUTPUT.match(inferred.predictions[0]) and OUTPUT.match(inferred.targets[0])
        amounts = target_type.is_float() and not sum_to_one
        return ("regression", *shown) if outputs or amounts else (*shown, "regression")
    if several or isinstance(prediction_type, pl.List | pl.Array) or len(inferred.classes) > 2:
        return ("multiclass",)
    if inferred.predictions[0] in LABEL_PREDICTIONS or holds_labels(prediction_type, target_type):
        return ("multiclass", "binary")
    if prediction_type == pl.Boolean:
        return ("binary", "multiclass", "regression")
    if not target_type.is_numeric() or inferred.predictions[0] in PROBABILITIES or inferred.says_logit:
        return ("binary", "regression", "multiclass")
    if inferred.targets[0] == "label":
        return ("binary", "multiclass", "regression")
    return ("regression", "binary", "multiclass")


def holds_binary_labels(
    inferred: InferredColumns, predictions: Table, targets: Table, requested: bool, only: bool
) -> bool:
    """Whether the predictions of a binary task are labels, not probabilities.

    `requested` is true if the user chose losses, and `only` if all of them compare labels.  For those, whole
    numbers are labels if the targets are numbers too; with --positive yes, 1 is a probability.
    """
    dtype, target_type = predictions.schema[inferred.predictions[0]], targets.schema[inferred.targets[0]]
    if holds_labels(dtype, target_type) or inferred.predictions[0] in LABEL_PREDICTIONS:
        return True
    if not (target_type.is_numeric() or target_type == pl.Boolean):
        return False
    return only if dtype.is_integer() else bool(dtype == pl.Boolean and (only or not requested))


def holds_labels(prediction_type: Any, target_type: Any) -> bool:
    """Whether predictions are labels: text, if the targets are not numbers."""
    return bool(prediction_type in TEXT_TYPES) and not bool(target_type.is_numeric())
