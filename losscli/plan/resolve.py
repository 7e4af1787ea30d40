"""From what a user asks to a plan: losses chosen, columns found, files opened, alignment set up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog import request as requests
from losscli.catalog.conventions import libraries
from losscli.catalog.conventions.libraries import LIBRARIES
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.request import Given, Request
from losscli.data import filter as filters
from losscli.data import load
from losscli.data.align import Alignment
from losscli.data.assemble import aligned, narrowed, numeric
from losscli.data.filter import Where
from losscli.data.formats import memory
from losscli.data.matrix import is_narrow
from losscli.data.request import reading
from losscli.data.stream import Roles
from losscli.data.table import Source, Table
from losscli.errors import UsageError, all_of
from losscli.plan import columns, named_columns
from losscli.plan.columns import Found, Wanted
from losscli.plan.options import Asked, checked, class_weights, known, loss_params, meaningful
from losscli.plan.placement import Load, Place, placed
from losscli.plan.plan import Plan
from losscli.plan.roles import roles_of
from losscli.plan.slices import column_of, slicings
from losscli.report.findings import Note
from losscli.tasks.binary import BinaryLabel, BinaryScore, BinarySoftScore
from losscli.tasks.catalog import TASKS
from losscli.tasks.classes import MulticlassLabel
from losscli.tasks.named import Named
from losscli.text import enumerated, near


class Run(Struct, frozen=True):
    """A run that is planned and not yet evaluated; `names` says which loss an alias meant.

    `threads` is the number of workers, None for as many as serve.
    """

    plan: Plan
    alignment: Alignment
    tables: tuple[Table, Table]
    notes: tuple[Note, ...]
    names: Mapping[str, str]
    threads: int | None = None

    def expected(self) -> int | None:
        """About how many rows will be read, where that is known."""
        return expected_rows(self.tables[0], self.plan.where)


def expected_rows(table: Table, where: str | None) -> int | None:
    """About how many rows of a table will be read, where that is known."""
    return None if where else table.expected()


def prepare(
    predictions: Source,
    targets: Source | None = None,
    loss: Given | Sequence[Given] | None = None,
    **options: Any,
) -> Run:
    """The plan of a run.  Raises UsageError or DataError; see `losscli.evaluate` for the arguments."""
    found = settled(predictions, targets, loss, **options)
    alignment = aligned(*found.tables, found.roles, found.key, found.where)
    plan = found.plan(alignment.how, found.placed())
    return Run(plan, alignment, found.tables, found.notes, found.names, found.asked.threads)


class Settled(Struct, frozen=True):
    """What is evaluated and how, before the files are aligned: the tables with their numbers as numbers."""

    asked: Asked
    roles: Roles
    choices: tuple[Choice, ...]
    tables: tuple[Table, Table]
    key: tuple[str, ...]
    where: Where | None
    default_eps: float
    notes: tuple[Note, ...]
    names: Mapping[str, str]

    def placed(self, models: int = 1) -> Place:
        """Where a run of so many such models computes."""
        names = [name[2:] for name in self.roles.predictions]
        # Of all else float64 travels: see who reads a block `as_held`.
        as_held = bool(self.roles.parts) or (self.roles.task, self.roles.link) == ("multiclass", "logit")
        narrow = as_held and is_narrow(self.tables[0].schema, names)
        load = Load(self.roles, self.choices, 4 if narrow else 8, models, self.asked.threads)
        return placed(self.asked.device, load, partial(expected_rows, self.tables[0], self.asked.where))

    def plan(self, how: str, place: Place) -> Plan:
        """The plan of a run that is aligned so."""
        asked = self.asked
        return Plan(self.roles, self.choices, asked.level, place, how, self.default_eps, asked.where)


def settled(
    predictions: Source,
    targets: Source | None = None,
    loss: Given | Sequence[Given] | None = None,
    **options: Any,
) -> Settled:
    """What a run evaluates.  Raises UsageError or DataError; see `losscli.evaluate` for the arguments."""
    given = requested(loss)
    options, arrays = memory.apart(options)
    asked, _, candidates, (left, right) = all_of(
        lambda: checked(**options),
        lambda: known(options, requests.own_params(given)),
        lambda: _candidates(given, options.get("task")),
        lambda: load.tables(
            predictions, targets, reading(options.get("separator"), options.get("input_format"))
        ),
    )
    asked, left, right, added = _with_arrays(asked, left, right, arrays)
    tasks = {asked.task} if asked.task else _tasks(candidates)
    wanted = Wanted(asked.target, asked.pred, asked.weight, asked.on, asked.classes, asked.group, added)
    task, found = _found(left, right, wanted, tasks, candidates)
    _two_sides(left, right, found)
    where = None if asked.where is None else filters.parsed(asked.where, left, right, found.key)
    roles, choices, notes = _meaning(asked, found, *narrowed(left, right, where), task, candidates)
    if where is not None:
        roles = replace(roles, conditions=where.columns)
    roles = replace(roles, slicings=slicings(asked.by, left, right, found.key))
    if asked.cluster is not None:
        flag = f"--cluster {asked.cluster}"
        roles = replace(roles, cluster=column_of(asked.cluster, flag, left, right, found.key)[1])
    tables = numeric(left, right, roles)
    eps = _default_eps(left, found, roles.link)
    return Settled(asked, roles, choices, tables, found.key, where, eps, notes, _asked(candidates, task))


def _with_arrays(
    asked: Asked, left: Table, right: Table, arrays: Mapping[str, Sequence[pl.Series]]
) -> tuple[Asked, Table, Table, tuple[str, ...]]:
    """The options with column names for what was given as arrays, which become columns of the predictions."""
    added, names = load.with_columns(left, right, arrays)
    columns = {option: own[0] for option, own in names.items() if option != "by"}
    by = (*asked.by, *((name,) for name in names.get("by", ())))
    every = tuple(name for own in names.values() for name in own)
    return replace(asked, by=by, **columns), added, added if right is left else right, every


def _two_sides(left: Table, right: Table, found: Found) -> None:
    """Raise UsageError where one file was given twice and its columns would be compared with themselves."""
    if left is not right and set(found.predictions) == set(found.targets) and left.is_file_of(right):
        raise UsageError(
            f"{left.name} was given twice: {enumerated(found.predictions)} would be compared with itself",
            remedy="name the file of the targets, or their column: -y COLUMN",
        )


def _found(
    left: Table, right: Table, wanted: Wanted, tasks: Collection[str], candidates: Sequence[Request]
) -> tuple[str, Found]:
    """The task that the columns show, of those that the losses leave open, and the columns."""
    open_tasks = [task for task in TASKS if task in tasks and TASKS[task].batches]
    named = {task: _batches(task, candidates, len(tasks) == 1) for task in open_tasks}
    others = tasks - named.keys()
    for task, batches in named.items():
        fitting = [
            batch for batch in batches if named_columns.fits(batch, left, right, wanted, bool(candidates))
        ]
        if candidates and len(fitting) == len(batches):
            return task, named_columns.find(left, right, wanted, batches)
        if not candidates and fitting:
            return task, named_columns.find(left, right, wanted, fitting[:1])
    if not others:
        task, batches = next(iter(named.items()))
        return task, named_columns.find(left, right, wanted, batches if candidates else batches[:1])
    found = columns.find(left, right, wanted, others)
    return columns.task_of(found, left, right, others, [candidate.name for candidate in candidates]), found


def _batches(task: str, candidates: Sequence[Request], settled: bool) -> tuple[type[Named], ...]:
    """The batches of a task that may be read: those of the losses, else those that columns can show."""
    if not candidates:
        return TASKS[task].batches if settled else TASKS[task].shown
    of_losses = (next(entry.batch for entry in c.losses if entry.task == task) for c in candidates)
    return tuple(dict.fromkeys(batch for batch in of_losses if issubclass(batch, Named)))


def _meaning(
    asked: Asked, found: Found, left: Table, right: Table, task: str, candidates: Sequence[Request]
) -> tuple[Roles, tuple[Choice, ...], tuple[Note, ...]]:
    """The roles of the columns, the losses with their parameters, and notes on what was inferred."""
    link = _link(asked, found, left, right, task)
    _, choices = all_of(
        lambda: meaningful(asked, task, link), lambda: _choices(asked, candidates, task, link, found)
    )
    signed = all(choice.loss.batch in (BinaryScore, BinarySoftScore) for choice in choices)
    roles, notes = roles_of(found, left, right, task, link, asked.positive, asked.ignore_label, signed)
    weights, _ = all_of(lambda: class_weights(asked.class_weight, roles), lambda: _usable(roles, choices))
    type_eps = _default_eps(left, found, link)
    roles = replace(
        roles,
        class_weight=weights,
        ignore_label=asked.ignore_label,
        eps=type_eps if asked.eps is None else asked.eps,
        like=asked.like,
        normalize=asked.normalize,
        drop_missing=asked.drop_missing,
        drop_unmatched=asked.drop_unmatched,
    )
    if asked.like is None:
        return roles, choices, notes
    choices = _like(asked.like, choices, roles, type_eps)
    eps = max(choice.policy.low for choice in choices if choice.policy)
    return replace(roles, eps=eps), choices, (*notes, *libraries.notes(choices, roles))


def requested(loss: Given | Sequence[Given] | None) -> tuple[Given, ...]:
    """The losses that are asked for, one by one."""
    return (loss,) if isinstance(loss, str) or callable(loss) else tuple(loss or ())


def _candidates(given: Sequence[Given], task: str | None) -> list[Request]:
    """The losses that were asked for, of a task where one is named."""
    found = all_of(*(partial(_candidate, each, task if task in TASKS else None) for each in given))
    _tasks(found)
    _apart(found)
    return found


def _candidate(given: Given, task: str | None) -> Request:
    request = requests.find(given)
    if task is None:
        return request
    fitting = tuple(entry for entry in request.losses if entry.task == task)
    if not fitting:
        names = [entry.name for entry in registry.losses(task)]
        raise UsageError(
            f"{request.name} is not a {task} loss.{near(request.name, names)}",
            remedy=f"losscli explain lists the {task} losses",
        )
    return replace(request, losses=fitting)


def _apart(candidates: Sequence[Request]) -> None:
    """Raise UsageError where two losses that users wrote share a name: a report could not tell them apart."""
    own: dict[str, Loss] = {}
    for loss in (candidate.losses[0] for candidate in candidates if candidate.losses[0].request):
        other = own.setdefault(loss.name, loss)
        if (other.request, other.digest) != (loss.request, loss.digest):
            raise UsageError(
                f"two losses are named {loss.name}: {other.request} and {loss.request}",
                remedy="choose another name for one of them",
            )


def _tasks(candidates: Sequence[Request]) -> set[str]:
    """The tasks that all the losses leave open."""
    tasks = set(TASKS)
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


def _asked(candidates: Sequence[Request], task: str) -> dict[str, str]:
    """The names by which losses were asked for, where those are not their own."""
    own = {c.name: next(entry.name for entry in c.losses if entry.task == task) for c in candidates}
    return {asked: name for asked, name in own.items() if asked != name}


def _link(asked: Asked, found: Found, left: Table, right: Table, task: str) -> str:
    """What the predictions are."""
    if "from_logits" not in TASKS[task].options:
        return "value"
    if asked.from_logits:
        return "logit"
    if asked.from_log_probs:
        return "log_prob"
    if found.says_logit:
        return "logit"
    dtype = left.schema[found.predictions[0]]
    flat = len(found.predictions) == 1 and not isinstance(dtype, pl.List | pl.Array)
    if flat and (task == "multiclass" or columns.holds_labels(dtype, right.schema[found.targets[0]])):
        return "label"
    return "probability"


def _choices(
    asked: Asked, candidates: Sequence[Request], task: str, link: str, found: Found
) -> tuple[Choice, ...]:
    """The losses with their parameters.  Raises UsageError for options that none of them takes."""
    if candidates:
        chosen = [(next(e for e in c.losses if e.task == task), c) for c in candidates]
    else:
        usual = TASKS[task].usual_labels if link == "label" else TASKS[task].usual
        shown = {part.batch for part in found.parts}
        entries = [entry for name in usual if (entry := registry.find(name)[0]).batch in shown or not shown]
        chosen = [(entry, Request(entry.name, {}, (entry,))) for entry in entries]
        if asked.like is not None:
            of_library = LIBRARIES[asked.like].losses
            chosen = [each for each in chosen if each[0].name in of_library] or chosen
    taken = {param.name for entry, _ in chosen for param in entry.params}
    idle = [name for name in asked.params if name not in taken]
    takers, names = loss_params() if idle else {}, ", ".join(entry.name for entry, _ in chosen)
    *choices, _ = all_of(
        *(partial(_choice, entry, request, asked) for entry, request in chosen),
        *(partial(_idle, name, takers[name][1], names) for name in idle),
        lambda: None,
    )
    return tuple({str(choice): choice for choice in choices}.values())


def _choice(entry: Loss, request: Request, asked: Asked) -> Choice:
    defaults = {} if asked.like is None else libraries.convention(asked.like, entry).params
    name = entry.name if entry.request else request.name
    return registry.choose(entry, request.inline, asked.params, defaults, name)


def _like(library: str, choices: Sequence[Choice], roles: Roles, type_eps: float) -> tuple[Choice, ...]:
    """The losses as a library computes them."""
    *settled, _ = all_of(
        *(partial(libraries.settled, library, choice, roles, type_eps) for choice in choices), lambda: None
    )
    return tuple(settled)


def _idle(name: str, takers: Sequence[str], chosen: str) -> None:
    raise UsageError(
        f"no chosen loss ({chosen}) takes --{name.replace('_', '-')}",
        remedy=f"it belongs to {', '.join(takers[:5])}",
    )


def _default_eps(left: Table, found: Found, link: str) -> float:
    """Where logarithms clip probabilities: the machine epsilon of the type that the file holds."""
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
