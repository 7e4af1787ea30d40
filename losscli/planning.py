"""From what a user asks to a plan: losses chosen, columns found, files opened, alignment set up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from losscli import columns
from losscli.columns import Found, Wanted
from losscli.errors import UsageError, near
from losscli.inputs import align, formats
from losscli.inputs.align import Alignment
from losscli.inputs.formats import Source, Table
from losscli.losses import registry
from losscli.losses.registry import Choice, Loss
from losscli.plan import Plan
from losscli.roles import roles_of
from losscli.tasks.base import Roles
from losscli.tasks.binary import BinaryLabel
from losscli.tasks.multiclass import MulticlassLabel
from losscli.xp import namespace

USUAL: Mapping[str, tuple[str, ...]] = {
    "regression": ("root_mean_squared_error", "mean_absolute_error", "huber", "r2"),
    "binary": ("binary_cross_entropy", "brier", "zero_one"),
    "multiclass": ("categorical_cross_entropy", "multiclass_brier", "multiclass_zero_one"),
    "multilabel": ("multilabel_binary_cross_entropy", "hamming", "subset_zero_one"),
}
"""The losses of a task where none is chosen."""
USUAL_LABELS = {"binary": ("zero_one", "balanced_error", "f1_error"), "multiclass": ("multiclass_zero_one",)}
"""The same where predictions are labels."""


@dataclass(frozen=True)
class Candidate:
    """A loss as it was asked for, and the losses (one a task) that it may mean."""

    name: str
    inline: Mapping[str, str]
    losses: tuple[Loss, ...]


@dataclass(frozen=True)
class Run:
    """A run that is planned and not yet evaluated."""

    plan: Plan
    alignment: Alignment
    tables: tuple[Table, Table]
    notes: tuple[str, ...]


def prepare(
    predictions: Source,
    targets: Source | None = None,
    loss: str | Sequence[str] | None = None,
    *,
    on: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    pred: str | Sequence[str] | None = None,
    weight: str | None = None,
    classes: str | Sequence[str] | None = None,
    positive: str | None = None,
    class_weight: str | Mapping[str, float] | None = None,
    ignore_label: str | None = None,
    from_logits: bool = False,
    from_log_probs: bool = False,
    task: str | None = None,
    missing: str = "error",
    unmatched: str = "error",
    eps: float | None = None,
    normalize: bool = False,
    ci: float | str | None = 0.95,
    device: str = "cpu",
    **params: Any,
) -> Run:
    """The plan of a run.  Raises UsageError or DataError; see `losscli.evaluate` for the arguments."""
    for name, value, known in (
        ("missing", missing, ("error", "drop")),
        ("unmatched", unmatched, ("error", "drop")),
        ("device", device, ("cpu", "cuda")),
        ("task", task, (None, *USUAL)),
    ):
        if value not in known:
            raise UsageError(f"--{name} must be {' or '.join(filter(None, known))}, got {value}")
    namespace(device)  # a device that is not there is said before any file is read
    candidates = _candidates((loss,) if isinstance(loss, str) else tuple(loss or ()), task)
    tasks = _tasks(candidates, task)
    _known_options(params)
    left = formats.table(predictions, "predictions")
    right = left if targets is None else formats.table(targets, "targets")
    found = columns.find(
        left, right, Wanted(names(target), names(pred), weight, names(on), names(classes)), tasks
    )
    chosen = columns.task_of(found, left, right, tasks, [candidate.name for candidate in candidates])
    link = _link(found, left, chosen, from_logits, from_log_probs)
    roles, notes = roles_of(found, left, right, chosen, link, positive)
    choices = _choices(candidates, chosen, link, params)
    roles = replace(
        roles,
        class_weight=_class_weight(class_weight, roles),
        ignore_label=ignore_label,
        eps=_eps(eps, left, found, link),
        normalize=normalize,
        drop_missing=missing == "drop",
        drop_unmatched=unmatched == "drop",
    )
    _usable(roles, choices)
    alignment = _alignment(*_numeric(left, right, roles), roles, found.key)
    return Run(Plan(roles, choices, level(ci), device, alignment.how), alignment, (left, right), notes)


def names(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """Names from a list, or from text with commas between them."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = [value]
    return tuple(part.strip() for item in value for part in str(item).split(",") if part.strip())


def level(ci: float | str | None) -> float | None:
    """The level of intervals: a number between 0 and 1, or None for none.  Raises UsageError."""
    if ci is None or str(ci).lower() == "none":
        return None
    try:
        number = float(ci)
    except ValueError:
        number = np.nan
    if not 0 < number < 1:
        raise UsageError(f"--ci must be a number between 0 and 1, or none, got {ci}", remedy="--ci 0.95")
    return number


def _candidates(asked: Sequence[str], task: str | None) -> list[Candidate]:
    found = []
    for text in asked:
        name, inline = registry.parse(text)
        losses = registry.find(name)
        if task is not None:
            fitting = tuple(entry for entry in losses if entry.task == task)
            if not fitting:
                known = [entry.name for entry in registry.losses(task)]
                raise UsageError(
                    f"{name} is not a {task} loss.{near(name, known)}",
                    remedy=f"losscli explain lists the {task} losses",
                )
            losses = fitting
        found.append(Candidate(name, inline, losses))
    return found


def _tasks(candidates: Sequence[Candidate], task: str | None) -> set[str]:
    """The tasks that all the losses leave open."""
    if task is not None:
        return {task}
    tasks = set(USUAL)
    for candidate in candidates:
        own = {entry.task for entry in candidate.losses}
        if not tasks & own:
            raise UsageError(
                f"{candidate.name} is a {' or '.join(sorted(own))} loss, and {candidates[0].name} belongs to "
                f"{' or '.join(sorted(tasks))}",
                remedy="choose losses of one task",
            )
        tasks &= own
    return tasks


def _known_options(params: Mapping[str, object]) -> None:
    known = registry.option_params()
    for name in params:
        if name not in known:
            raise UsageError(f"no option or loss parameter {name!r}.{near(name, known)}")


def _link(found: Found, left: Table, task: str, from_logits: bool, from_log_probs: bool) -> str:
    """What the predictions are."""
    if from_logits and from_log_probs:
        raise UsageError("--from-logits and --from-log-probs exclude each other")
    if task == "regression":
        if from_logits or from_log_probs:
            raise UsageError(
                "--from-logits and --from-log-probs are for classification, and this is regression"
            )
        return "value"
    if from_log_probs and task != "multiclass":
        raise UsageError(f"--from-log-probs is for multiclass tasks, and this is {task}")
    if from_logits:
        return "logit"
    if from_log_probs:
        return "log_prob"
    if found.says_logit:
        return "logit"
    dtype = left.schema[found.predictions[0]]
    nested = isinstance(dtype, pl.List | pl.Array)
    if len(found.predictions) == 1 and not nested and (task == "multiclass" or dtype == pl.String):
        return "label"
    return "probability"


def _choices(
    candidates: Sequence[Candidate], task: str, link: str, params: Mapping[str, object]
) -> tuple[Choice, ...]:
    """The losses with their parameters.  Raises UsageError for options that none of them takes."""
    if candidates:
        chosen = [(next(e for e in c.losses if e.task == task), c.inline) for c in candidates]
    else:
        usual = USUAL_LABELS.get(task, USUAL[task]) if link == "label" else USUAL[task]
        chosen = [(registry.find(name)[0], {}) for name in usual]
    known = {param.name for entry, _ in chosen for param in entry.params}
    idle = [name for name in params if name not in known]
    if idle:
        takers = registry.option_params()[idle[0]][1]
        raise UsageError(
            f"no chosen loss ({', '.join(e.name for e, _ in chosen)}) takes --{idle[0].replace('_', '-')}",
            remedy=f"it belongs to {', '.join(takers[:5])}",
        )
    choices = tuple(registry.choose(entry, inline, params) for entry, inline in chosen)
    return tuple({str(choice): choice for choice in choices}.values())


def _class_weight(given: str | Mapping[str, float] | None, roles: Roles) -> tuple[float, ...] | None:
    if not given:
        return None
    if roles.task not in ("binary", "multiclass"):
        raise UsageError(f"--class-weight is for binary and multiclass tasks, and this is {roles.task}")
    pairs = (
        given.items()
        if isinstance(given, Mapping)
        else (part.rpartition("=")[::2] for part in given.split(","))
    )
    weights = {}
    for name, text in pairs:
        try:
            weights[str(name).strip()] = float(text)
        except ValueError:
            raise UsageError(
                f"--class-weight {name}={text}: written class=number, as in cat=2,dog=1"
            ) from None
    unknown = [name for name in weights if name not in roles.names]
    if unknown:
        raise UsageError(
            f"--class-weight: no class {unknown[0]!r}.{near(unknown[0], roles.names)}",
            remedy=f"the classes: {', '.join(roles.names)}",
        )
    if min(weights.values()) < 0 or not np.isfinite(list(weights.values())).all():
        raise UsageError("--class-weight takes numbers from 0 up")
    return tuple(weights.get(name, 1.0) for name in roles.names)


def _eps(given: float | None, left: Table, found: Found, link: str) -> float:
    """Where logarithms clip probabilities: the machine epsilon of the type that the file holds."""
    if given is not None:
        if not 0 <= given < 0.5:
            raise UsageError(f"--eps must be a number >= 0, < 0.5, got {given}")
        return float(given)
    if link not in ("probability", "label"):
        return 0.0
    dtype = left.schema[found.predictions[0]]
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return float(np.finfo(np.float32 if inner == pl.Float32 else np.float64).eps)


def _usable(roles: Roles, choices: Collection[Choice]) -> None:
    """Labels have no probability: only losses of labels take them."""
    if roles.link != "label":
        return
    wrong = [
        choice.loss.name for choice in choices if choice.loss.batch not in (BinaryLabel, MulticlassLabel)
    ]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)} needs probabilities or scores; {roles.predictions[0][2:]} holds labels",
            remedy="-p names other columns",
        )


def _numeric(left: Table, right: Table, roles: Roles) -> tuple[Table, Table]:
    """The tables with number columns read as numbers, whatever the first rows of a text file look like."""
    numbers = [] if roles.link == "label" else list(roles.predictions)
    numbers += roles.targets if roles.target_form != "label" else ()
    numbers += [roles.weight] if roles.weight else []
    if left is right:
        both = left.with_numbers([name[2:] for name in numbers])
        return both, both
    return (
        left.with_numbers([name[2:] for name in numbers if name.startswith("p:")]),
        right.with_numbers([name[2:] for name in numbers if name.startswith("t:")]),
    )


def _alignment(left: Table, right: Table, roles: Roles, key: tuple[str, ...]) -> Alignment:
    if left is right:
        return align.single(left, roles.columns)
    if key:
        return align.by_key(left, right, roles.columns, key, roles.drop_unmatched)
    return align.by_position(left, right, roles.columns)
