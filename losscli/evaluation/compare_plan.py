"""Several models on the same rows: from the options to one plan per model and one stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from losscli import engines
from losscli.catalog.request import LossSpec
from losscli.data import sources
from losscli.data.align import Aligned
from losscli.data.models import Other
from losscli.data.stream import Roles
from losscli.data.table import Source, Table
from losscli.errors import UsageError, all_of
from losscli.evaluation import rows as row_losses
from losscli.evaluation.models import Model, models_in, models_of
from losscli.evaluation.pairs import ComparisonJob
from losscli.evaluation.partial import require_means
from losscli.gates.parse import Gate
from losscli.plan.approximate import require_rows
from losscli.plan.distributed import require_possible
from losscli.plan.plan import Plan
from losscli.plan.resolve import Settled, expected_rows, settled
from losscli.report.findings import Note
from losscli.text import enumerated

MAX_MODELS = 32
"""Maximum number of models in a comparison: the columns of all of them are in memory at once."""
_OF_ROWS = ("weight", "by", "cluster", "where", "scale_by", "naive")
"""Options that describe rows: their columns are resolved in the first model's files only."""
_ROLES_OF_ROWS = (
    *("targets", "weight", "scale", "naive", "ids", "slicings", "group", "cluster", "conditions"),
)
"""Roles that describe rows: all models share those of the first."""


class Models(Struct, frozen=True):
    """A planned run of several models; `aliases` map the alias of a loss to its name."""

    job: ComparisonJob
    names: tuple[str, ...]
    alignment: Aligned
    tables: tuple[Table, ...]
    notes: tuple[Note, ...]
    aliases: Mapping[str, str]
    gates: tuple[Gate, ...] = ()
    engine: str = engines.LOCAL

    @property
    def threads(self) -> int | None:
        """The number of workers; None to choose it."""
        return self.plan.request.threads

    @property
    def plan(self) -> Plan:
        """The plan of the first model, whose losses, cells and policies are those of all."""
        return self.job.plans[0]

    @property
    def plans(self) -> tuple[tuple[str, Plan], ...]:
        """The plan of each model, with its title."""
        return tuple((f"plan of {name}", plan) for name, plan in zip(self.names, self.job.plans, strict=True))

    def expected(self) -> int | None:
        """The approximate number of rows to read; None if unknown."""
        return expected_rows(self.tables[0], self.plan.where)


def plan_models(
    predictions: Sequence[Source],
    targets: Source | None = None,
    loss: LossSpec | Sequence[LossSpec] | None = None,
    pairs: tuple[tuple[int, int], ...] = (),
    *,
    runs_code: bool = True,
    **options: Any,
) -> Models:
    """The plan of a comparison of models.  Raises UsageError or DataError; see `losscli.compare`.

    Without `runs_code`, losses in files are left out, and the plan says so.

    By default the first model is paired with each other one, or with `all_pairs` every two models.
    Columns that describe rows (weights, slices, clusters, conditions) come from the targets or, if they lack
    them, from the first model.
    """
    one = len(predictions) == 1
    models = models_in(predictions[0], options) if one else models_of(predictions, options)
    if not 2 <= len(models) <= MAX_MODELS:
        raise UsageError(
            f"a comparison takes 2 to {MAX_MODELS} models, got {len(models)}",
            remedy="losscli compare A B -t TARGETS, or the columns of one file: -p A,B",
        )
    names = tuple(model.name for model in models)
    first = settled(
        models[0].source, targets, loss, **{**options, **models[0].options, "runs_code": runs_code}
    )
    require_means(first.choices, "a comparison", "losscli evaluate gives the value of one model")
    all_pairs, changed = first.request.all_pairs, first.request.changed
    shared = _as_first(first, options) | {"runs_code": runs_code}
    left, right = first.tables
    # Files are opened once; data in memory are passed on as given, with their types.
    of_targets = right if right.files is not None else models[0].source if targets is None else targets
    others = all_of(*(partial(_other, first, model, of_targets, loss, shared) for model in models[1:]))
    if changed:
        row_losses.require_row_values(first.choices[:1])
    predicted = tuple(
        Other(each.tables[0], _predictions(each.roles), number, each.roles.drop_unmatched)
        for number, each in enumerate(others, 1)
    )
    alignment = Aligned.of(left, right, first.roles, first.key, first.where, predicted)
    place = first.placed(1 + len(others))
    plans = tuple(each.plan(alignment.how, place) for each in (first, *others))
    require_rows(plans[0], "a comparison")
    engine = next((each.engine for each in (first, *others) if each.engine != engines.LOCAL), engines.LOCAL)
    require_possible(engine, plans[0], alignment)
    pairs = pairs or tuple(combinations(range(len(plans)), 2))
    if not all_pairs:
        pairs = tuple(pair for pair in pairs if 0 in pair)
    tables = (left, right, *(each.tables[0] for each in others))
    files = [table.files for table in tables if table.files is not None]
    if len(files) == len(tables):  # which the rows of one model in a file do not have
        sources.require_used(first.request.reading, files)
    return Models(
        ComparisonJob(plans, pairs, names, changed),
        names,
        alignment,
        tables,
        first.notes,
        first.names,
        first.gates,
        engine,
    )


def _as_first(first: Settled, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options for reading the other models, with all that was inferred for the first one stated."""
    roles = first.roles
    fixed = {name: value for name, value in options.items() if name not in _OF_ROWS} | {"task": roles.task}
    for name, column in (("weight", roles.weight), ("scale_by", roles.scale), ("naive", roles.naive)):
        if column and column.startswith("t:") and isinstance(options[name], str):
            fixed[name] = f"targets.{column[2:]}"  # even if another model has a column of that name
        elif column and name != "weight":
            raise UsageError(
                f"--{name.replace('_', '-')}: {column[2:]} is a prediction, and each model has its own",
                remedy="name a column of the targets",
            )
    if roles.task == "multiclass":
        fixed["classes"] = list(roles.names)
    if roles.task == "binary" and roles.target_form == "label":
        fixed["positive"] = roles.names[1]
    if first.key:
        fixed["on"] = list(first.key)
    return fixed


def _other(
    first: Settled,
    model: Model,
    targets: Source,
    loss: LossSpec | Sequence[LossSpec] | None,
    options: Mapping[str, Any],
) -> Settled:
    """The settled plan of another model, with the row roles of the first."""
    other = settled(model.source, targets, loss, **{**options, **model.options})
    roles, expected = other.roles, first.roles
    name = other.tables[0].name
    if (roles.task, roles.target_form) != (expected.task, expected.target_form):
        raise UsageError(
            f"{name} shows a {roles.task} task, and {first.tables[0].name} a {expected.task} task",
            remedy="name the columns of the predictions alike, or with -p",
        )
    if roles.names != expected.names and roles.task != "regression":
        raise UsageError(
            f"{name} has other classes than {first.tables[0].name}: {', '.join(roles.names[:10])}",
            remedy=f"columns for {', '.join(expected.names[:10])}",
        )
    if len(roles.predictions) != len(expected.predictions) and roles.task == "regression":
        raise UsageError(f"{name} has {len(roles.predictions)} outputs, not {len(expected.predictions)}")
    _require_alike(other, first)
    described = {name: getattr(expected, name) for name in _ROLES_OF_ROWS}
    return replace(other, roles=replace(roles, names=expected.names or roles.names, **described))


def _require_alike(other: Settled, first: Settled) -> None:
    """Raise UsageError for a model that is aligned in another way, or has other targets or cells."""
    name, base = other.tables[0].name, first.tables[0].name
    roles, expected = other.roles, first.roles
    if other.key != first.key:
        how = [f"by key {', '.join(each.key)}" if each.key else "by position" for each in (other, first)]
        raise UsageError(
            f"{name} is aligned {how[0]}, and {base} {how[1]}",
            remedy="give each model the key, or align all by position: --on position",
        )
    if {*roles.targets} != {*expected.targets}:
        shown = [enumerated(column[2:] for column in each.targets) for each in (roles, expected)]
        raise UsageError(f"{name} is evaluated against {shown[0]}, and {base} against {shown[1]}")
    if [part.cells for part in roles.parts] != [part.cells for part in expected.parts]:
        shown = [enumerated(column[2:] for column in each.predictions) for each in (roles, expected)]
        raise UsageError(f"{name} predicts {shown[0]}, and {base} {shown[1]}", remedy="name the same: -p A,B")
    of_rows = [expected.cluster, *(column for slicing in expected.slicings for column in slicing.columns)]
    predicted = {*roles.predictions, *expected.predictions}
    if both := [column[2:] for column in of_rows if column in predicted]:
        raise UsageError(
            f"--by and --cluster: {both[0]} is a prediction, and each model has its own",
            remedy="name a column of the targets",
        )


def _predictions(roles: Roles) -> tuple[str, ...]:
    """The columns read from a model's own file: its predictions."""
    return tuple(dict.fromkeys(name for name in roles.predictions if name.startswith("p:")))
