"""Resolve a request into a run: choose losses, find columns, open files, set up the alignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli import engines
from losscli.catalog import request as requests
from losscli.catalog.conventions import libraries
from losscli.catalog.conventions.libraries import LIBRARIES
from losscli.catalog.loss import Choice
from losscli.catalog.request import LossRequest, LossSpec
from losscli.data import filter as filters
from losscli.data import load
from losscli.data.align import Aligned
from losscli.data.assemble import narrowed, numeric
from losscli.data.columns import column_of
from losscli.data.filter import Where
from losscli.data.formats import memory
from losscli.data.matrix import is_narrow
from losscli.data.request import Reading
from losscli.data.stream import Roles
from losscli.data.table import Source, Table
from losscli.engines.devices import AUTO, CPU
from losscli.errors import UsageError, all_of
from losscli.gates.parse import Gate
from losscli.numeric.two_float import unit_of
from losscli.plan import approximate, columns, distributed, losses, named_columns, position
from losscli.plan.cache import MAX_PLANS, RawOptions, RowsNeededError, TableSchema
from losscli.plan.candidates import with_auto
from losscli.plan.columns import InferredColumns
from losscli.plan.options import OPTIONS, Request, check_meaning, check_names, of_environment, request_of
from losscli.plan.placement import Load, Place, placed
from losscli.plan.plan import Plan
from losscli.plan.roles import class_weights, labelled_as, roles_of
from losscli.plan.slices import slicings
from losscli.plan.values import listed
from losscli.report.findings import Code, Note, note
from losscli.tasks.binary import BinaryLabel, BinaryScore, BinarySoftScore
from losscli.tasks.catalog import TASKS
from losscli.tasks.named import Named
from losscli.text import enumerated


class Run(Struct, frozen=True):
    """A planned run; `names` maps aliases in the request to the names of losses."""

    plan: Plan
    alignment: Aligned
    tables: tuple[Table, Table]
    notes: tuple[Note, ...]
    names: Mapping[str, str]
    gates: tuple[Gate, ...] = ()
    engine: str = engines.LOCAL

    @property
    def threads(self) -> int | None:
        """The number of workers; None for the default."""
        return self.plan.request.threads

    @property
    def aliases(self) -> Mapping[str, str]:
        """The names of losses, by the aliases in the request."""
        return self.names

    @property
    def plans(self) -> tuple[tuple[str, Plan], ...]:
        """The plan, with its title."""
        return (("plan", self.plan),)

    def expected(self) -> int | None:
        """About how many rows will be read, if that is known."""
        return expected_rows(self.tables[0], self.plan.where)

    def with_tables(self, left: Table, right: Table) -> Run:
        """The same run for other tables with the same columns."""
        alignment = replace(self.alignment, predictions=left, targets=right, findings={})
        return replace(self, alignment=alignment, tables=(left, right), names={**self.names})


def expected_rows(table: Table, where: str | None) -> int | None:
    """About how many rows of a table will be read, if that is known."""
    return None if where else table.expected()


def prepare(
    predictions: Source | None = None,
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    *,
    runs_code: bool = True,
    are_all: bool = True,
    **options: Any,
) -> Run:
    """Plan a run.  Raises UsageError or DataError; see `losscli.evaluate` for the arguments.

    Without `runs_code`, losses in files are left out, with a note in the plan.  Unless these `are_all` inputs
    of a command, options may be for the others.
    """
    if predictions is None:
        raise UsageError("no predictions", remedy="name a file, or set predictions in losscli.toml")
    return _planned(_run, predictions, targets, loss, runs_code, are_all, options)


class Settled(Struct, frozen=True):
    """What is evaluated and how, before the files are aligned; the tables have numeric columns."""

    request: Request
    roles: Roles
    choices: tuple[Choice, ...]
    tables: tuple[Table, Table]
    key: tuple[str, ...]
    where: Where | None
    default_eps: float
    notes: tuple[Note, ...]
    names: Mapping[str, str]
    gates: tuple[Gate, ...] = ()

    @property
    def engine(self) -> str:
        """The engine; Spark DataFrames imply Spark."""
        of_spark = any(table.frame is not None for table in self.tables)
        return engines.SPARK if of_spark and self.request.engine == engines.LOCAL else self.request.engine

    def placed(self, models: int = 1) -> Place:
        """The device for a run of this number of models."""
        names = [name[2:] for name in self.roles.predictions]
        # Only tasks that keep the type of a block (`as_held`) copy float32; all others copy float64.
        as_held = bool(self.roles.parts) or (self.roles.task, self.roles.link) == ("multiclass", "logit")
        narrow = as_held and is_narrow(self.tables[0].schema, names)
        request = self.request
        if engines.is_spark(self.engine) and request.device == AUTO:
            return Place(CPU, distributed.ON_CPUS)
        load = Load(self.roles, self.choices, 4 if narrow else 8, models, request.threads)
        return placed(request.device, load, partial(expected_rows, self.tables[0], request.where))

    def with_tables(self, left: Table, right: Table) -> Settled:
        """The same setup for other tables with the same columns."""
        return replace(self, tables=(left, right), names={**self.names})

    def plan(self, how: str, place: Place) -> Plan:
        """The plan of a run with this description of its alignment.  Raises UsageError."""
        plan = Plan(self.roles, self.choices, self.request, place, how, self.default_eps)
        approximate.require_bins(plan)
        return plan


def settled(
    predictions: Source,
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    *,
    runs_code: bool = True,
    **options: Any,
) -> Settled:
    """Resolve what a run of several models evaluates for one of them; see `prepare` for the arguments."""
    return _planned(_settled, predictions, targets, loss, runs_code, False, options)


class _Options(Struct, frozen=True):
    """The parsed options of a run.

    `gate_names` are the names of losses as gates write them, `custom_names` those of custom losses by the
    names that gates may use.
    """

    request: Request
    gates: tuple[Gate, ...]
    gate_names: Mapping[tuple[str, ...], str]
    custom_names: Mapping[str, str]
    runs_code: bool


_ArrayColumns = tuple[tuple[str, tuple[str, ...]], ...]
"""The options that were passed as arrays, each with the names of the columns that hold them."""
_T = TypeVar("_T", Run, Settled)
_Plan = Callable[[_Options, _ArrayColumns, Table, Table], _T]


def _planned(
    plan: _Plan[_T],
    predictions: Source,
    targets: Source | None,
    loss: LossSpec | Sequence[LossSpec] | None,
    runs_code: bool,
    are_all: bool,
    options: Mapping[str, Any],
) -> _T:
    """Parse options, open tables and plan with them; a plan that needs no rows is cached."""
    options, arrays = memory.split_arrays(options)
    raw = RawOptions(listed(loss), options, of_environment(), runs_code)
    parsed, (left, right) = all_of(
        lambda: _cached_options(raw) if raw.cacheable else _parsed(raw),
        lambda: load.tables(
            engines.source_of(predictions, options.get("engine")),
            engines.source_of(targets, options.get("engine")),
            reading_of(options),
            are_all,
        ),
    )
    left, right, added = _with_arrays(left, right, arrays)
    schemas = tuple(map(TableSchema.of, (left,) if right is left else (left, right)))
    if raw.cacheable and None not in schemas:
        cached: _T | None = _cached_plan(plan, raw, added, *schemas)
        if cached is not None:
            return cached.with_tables(left, right)
    return plan(parsed, added, left, right)


def _parsed(raw: RawOptions) -> _Options:
    """Parse options.  Raises UsageError."""
    custom_names = requests.custom_names(raw.losses)
    request, _, (gates, gate_names) = all_of(
        lambda: request_of({"loss": raw.losses, **raw.options}, raw.environment),
        lambda: check_names(raw.options, requests.custom_params(raw.losses)),
        lambda: losses.gates_of(raw.options.get("gate"), custom_names),
    )
    return _Options(request, gates, gate_names, custom_names, raw.runs_code)


_cached_options = lru_cache(maxsize=MAX_PLANS)(_parsed)


@lru_cache(maxsize=MAX_PLANS)
def _cached_plan(plan: _Plan[Any], raw: RawOptions, added: _ArrayColumns, *schemas: TableSchema) -> Any:
    """The plan for all tables with these schemas, None if it depends on rows.  One schema is one table."""
    tables = [schema.without_rows() for schema in schemas]
    left, right = tables[0], tables[-1]
    try:
        planned = plan(_cached_options(raw), added, left, right)
    except RowsNeededError:
        return None
    return planned if planned.tables == (left, right) else None


def _run(options: _Options, added: _ArrayColumns, left: Table, right: Table) -> Run:
    """The run of options and tables."""
    setup = _settled(options, added, left, right)
    alignment = Aligned.of(*setup.tables, setup.roles, setup.key, setup.where)
    plan = setup.plan(alignment.how, setup.placed())
    distributed.require_possible(setup.engine, plan, alignment)
    return Run(plan, alignment, setup.tables, setup.notes, setup.names, setup.gates, setup.engine)


def _settled(options: _Options, added: _ArrayColumns, left: Table, right: Table) -> Settled:
    """What a run of options and tables evaluates."""
    request = _with_columns(options.request, added, left, right)
    if options.runs_code:
        request = replace(
            request, loss=tuple(all_of(*(partial(requests.loaded, requested) for requested in request.loss)))
        )
    given_losses = losses.of_task([requested for requested in request.loss if requested.losses], request.task)
    custom_names = options.custom_names.values()
    gated = losses.of_gates(options.gates, options.gate_names, given_losses, custom_names)
    gated = losses.of_task(gated, request.task)
    candidates = [*given_losses, *gated]
    open_tasks = losses.open_tasks(candidates)
    tasks = {request.task} if request.task else open_tasks
    task, inferred = _task_and_columns(left, right, request, tasks, candidates)
    _require_two_sides(left, right, inferred)
    if left is not right and not inferred.key and not columns.asks_for_position(request, left, right):
        position.require(left, right, inferred)
    where = None if request.where is None else filters.parsed(request.where, left, right, inferred.key)
    link = _link(request, inferred, left, right, task, candidates)
    _, choices = all_of(
        lambda: check_meaning(request, task, link),
        lambda: losses.choices(request, given_losses, gated, task, link, inferred),
    )
    roles, choices, notes = _roles_and_choices(
        request, inferred, *narrowed(left, right, where), task, link, choices
    )
    request, roles, left_out = _with_slices(request, roles, left, right, inferred.key, where)
    tables = numeric(left, right, roles)
    notes = (
        *notes,
        *left_out,
        *(note(Code.NOT_RUN, loss=requested.text) for requested in request.loss if not requested.losses),
    )
    eps = _default_eps(left, inferred, roles.link)
    names = losses.aliases(given_losses, task)
    return Settled(request, roles, choices, tables, inferred.key, where, eps, notes, names, options.gates)


def _with_slices(
    request: Request, roles: Roles, left: Table, right: Table, key: Sequence[str], where: Where | None
) -> tuple[Request, Roles, tuple[Note, ...]]:
    """Add the columns of --where, --cluster, scales and --by to the roles; with notes on --by auto."""
    roles = replace(
        roles,
        conditions=() if where is None else where.columns,
        cluster=_cluster(request.cluster, left, right, key),
        scale=_scale(request.scale_by, "--scale-by", left, right, key),
        naive=_scale(request.naive, "--naive", left, right, key),
    )
    by, notes = with_auto(request.by, left, right, roles.columns)
    return replace(request, by=by), replace(roles, slicings=slicings(by, left, right, key)), notes


def _cluster(name: str | None, left: Table, right: Table, key: Sequence[str]) -> str | None:
    if name is None:
        return None
    column = column_of(name, "--cluster", left, right, key)
    table = right if column.startswith("t:") else left
    if table.schema[column[2:]] == pl.Duration:
        raise UsageError(
            f"--cluster: {table.name}, column {column[2:]} holds durations", remedy="write them as numbers"
        )
    return column


def _scale(name: str | None, flag: str, left: Table, right: Table, key: Sequence[str]) -> str | None:
    return None if name is None else column_of(name, flag, left, right, key)


def reading_of(options: Mapping[str, Any]) -> Reading:
    """The options for reading files, without checking any others."""
    given = {name: options[name] for name in Reading.__struct_fields__ if name in options}
    return request_of(given).reading if given else Reading()


def _with_arrays(
    left: Table, right: Table, arrays: Mapping[str, Sequence[pl.Series]]
) -> tuple[Table, Table, _ArrayColumns]:
    """Add options passed as arrays to the predictions as columns."""
    table, names = load.with_columns(left, right, arrays)
    return table, table if right is left else right, tuple(names.items())


def _with_columns(request: Request, added: _ArrayColumns, left: Table, right: Table) -> Request:
    """The request with the names of `added` columns, and with structs replaced by their fields."""
    names = dict(added)
    single = {option: series_names[0] for option, series_names in added if option != "by"}
    return replace(
        request,
        by=(*request.by, *((name,) for name in names.get("by", ()))),
        added=tuple(name for series_names in names.values() for name in series_names),
        pred=columns.with_fields(left, request.pred),
        target=columns.with_fields(right, request.target),
        **single,
    )


def _require_two_sides(left: Table, right: Table, inferred: InferredColumns) -> None:
    """Raise UsageError if one file was given twice and columns would be compared with themselves."""
    if left is not right and set(inferred.predictions) == set(inferred.targets) and left.is_file_of(right):
        raise UsageError(
            f"{left.name} was given twice: {enumerated(inferred.predictions)} would be compared with itself",
            remedy="name the file of the targets, or their column: -y COLUMN",
        )


def _task_and_columns(
    left: Table, right: Table, request: Request, tasks: Set[str], candidates: Sequence[LossRequest]
) -> tuple[str, InferredColumns]:
    """Infer the task, among those of all chosen losses, and the columns."""
    open_tasks = [task for task in TASKS if task in tasks and TASKS[task].batches]
    named = {task: _batches(task, candidates, len(tasks) == 1) for task in open_tasks}
    others = tasks - named.keys()
    for task, batches in named.items():
        fitting = [
            batch for batch in batches if named_columns.fits(batch, left, right, request, bool(candidates))
        ]
        if candidates and len(fitting) == len(batches):
            return task, named_columns.find(left, right, request, batches)
        if not candidates and fitting:
            return task, named_columns.find(left, right, request, fitting[:1])
    if not others:
        task, batches = next(iter(named.items()))
        return task, named_columns.find(left, right, request, batches if candidates else batches[:1])
    inferred = columns.find(left, right, request, others)
    return columns.task_of(
        inferred, left, right, others, [candidate.name for candidate in candidates]
    ), inferred


def _batches(task: str, candidates: Sequence[LossRequest], settled: bool) -> tuple[type[Named], ...]:
    """The batches of a task to try: those of the losses, else those that columns can identify."""
    if not candidates:
        return TASKS[task].batches if settled else TASKS[task].shown
    of_losses = (next(entry.batch for entry in c.losses if entry.task == task) for c in candidates)
    return tuple(dict.fromkeys(batch for batch in of_losses if issubclass(batch, Named)))


def _roles_and_choices(
    request: Request,
    inferred: InferredColumns,
    left: Table,
    right: Table,
    task: str,
    link: str,
    choices: tuple[Choice, ...],
) -> tuple[Roles, tuple[Choice, ...], tuple[Note, ...]]:
    """The roles of columns, the losses with the conventions of a library, and notes on inferences."""
    signed = all(choice.loss.batch in (BinaryScore, BinarySoftScore) for choice in choices)
    roles, notes = roles_of(inferred, left, right, task, link, request.positive, request.ignore_label, signed)
    roles = labelled_as(request.class_weight, roles)
    weights, *_ = all_of(
        lambda: class_weights(request.class_weight, roles),
        lambda: losses.check_labels(roles, choices),
        lambda: losses.check_scales(request, roles, choices),
        lambda: losses.check_clip(request, roles, choices),
    )
    type_eps = _default_eps(left, inferred, link)
    roles = replace(
        roles,
        class_weight=weights,
        ignore_label=request.ignore_label,
        eps=type_eps if request.eps is None else request.eps,
        clips=any(map(losses.may_clip, choices)),
        held=(_float_type(left, inferred.predictions), _float_type(right, inferred.targets)),
        like=request.like,
        normalize=request.normalize,
        drop_missing=request.missing == "drop",
        drop_unmatched=request.unmatched == "drop",
        drop_undefined=request.domain == "drop",
    )
    losses.check_dimensions(choices, roles.parts, roles.widths)
    parts = tuple(replace(part, class_weight=weights) for part in losses.parts_taken(choices, roles.parts))
    roles = replace(roles, parts=parts)
    if request.like is None:
        notes = (*notes, *libraries.notes_on_variances(roles.parts))
        choices = losses.of_zero_classes(choices, roles)
        return _with_class_unit(roles, choices), choices, notes
    roles = replace(roles, spreads_class_weight=LIBRARIES[request.like].spreads_class_weight)
    choices = losses.as_in_library(request.like, choices, roles, type_eps)
    roles = replace(roles, parts=libraries.parts_read(choices, roles.parts))
    notes = (*notes, *libraries.notes_on_variances(roles.parts))
    eps = max(choice.policy.low for choice in choices if choice.policy)
    choices = losses.of_zero_classes(choices, roles)
    roles = _with_class_unit(replace(roles, eps=eps), choices)
    return roles, choices, (*notes, *libraries.notes(choices, roles))


def _with_class_unit(roles: Roles, choices: Sequence[Choice]) -> Roles:
    """The roles with the unit of class weights, if they weigh rows and no mean divides by the row count."""
    maximum = max(roles.class_weight or (0.0,))
    if roles.parts or maximum == 0 or any(choice.by_rows or choice.keeps_zero_class for choice in choices):
        return roles
    return replace(roles, class_unit=unit_of(maximum))


def _link(
    request: Request,
    inferred: InferredColumns,
    left: Table,
    right: Table,
    task: str,
    candidates: Sequence[LossRequest],
) -> str:
    """The kind of predictions: value, probability, logit, log_prob or label."""
    if task not in OPTIONS["from_logits"].tasks:
        return "value"
    if request.from_logits:
        return "logit"
    if request.from_log_probs:
        return "log_prob"
    if inferred.says_logit:
        return "logit"
    dtype = left.schema[inferred.predictions[0]]
    flat = len(inferred.predictions) == 1 and not isinstance(dtype, pl.List | pl.Array)
    if task != "binary" or not flat:
        labels = task == "multiclass" or columns.holds_labels(dtype, right.schema[inferred.targets[0]])
        return "label" if flat and labels else "probability"
    entries = [entry for candidate in candidates for entry in candidate.losses if entry.task == task]
    only = bool(entries) and all(issubclass(entry.batch, BinaryLabel) for entry in entries)
    labels = columns.holds_binary_labels(inferred, left, right, bool(entries), only)
    return "label" if labels else "probability"


def _default_eps(left: Table, inferred: InferredColumns, link: str) -> float:
    """The default clip of probabilities in logarithms: the machine epsilon of their type in the file."""
    if link not in ("probability", "label"):
        return 0.0
    return float(np.finfo(_float_type(left, inferred.predictions)).eps)


def _float_type(table: Table, columns: Sequence[str]) -> str:
    """The floating-point type of the numbers of columns in a table; float64 for all other types."""
    dtype = table.schema[columns[0]] if columns else None
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return "float16" if inner == pl.Float16 else "float32" if inner == pl.Float32 else "float64"
