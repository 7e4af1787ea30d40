"""The Python API: the only place where plan, engine, inference, gates and report are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli import gates
from losscli.catalog import registry
from losscli.catalog import request as requests
from losscli.catalog.request import Given
from losscli.data.table import Source
from losscli.errors import LossCliError, Problem, UsageError, all_of
from losscli.evaluation import rows as row_losses
from losscli.evaluation.compare import compared
from losscli.evaluation.results import notes
from losscli.evaluation.run import evaluated, fold_all
from losscli.gates.parse import Gate
from losscli.plan.resolve import Run, prepare, requested
from losscli.report import saved
from losscli.report.findings import Code
from losscli.report.model import Report
from losscli.tasks.catalog import TASKS
from losscli.text import counted

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models


__all__ = ["compare", "compared", "evaluate", "evaluated", "fold_all", "notes", "planned"]
Condition = str | Mapping[str, object]
"""A gate as it may be given: text, or a table as in a file of settings."""


def evaluate(
    predictions: Source | None = None,
    targets: Source | None = None,
    loss: Given | Sequence[Given] | None = None,
    *,
    gate: Condition | Sequence[Condition] | None = None,
    config: str | PathLike[str] | None = None,
    baseline: Report | Source | None = None,
    confident: bool | None = None,
    strict: bool | None = None,
    min_n: int | str | None = None,
    rows: str | PathLike[str] | None = None,
    worst: int | str | None = None,
    **options: Any,
) -> Report:
    """Evaluate losses of predictions against targets, overall and per class, label or output.

    `predictions` and `targets` are files (a path, a pattern, a folder, a URL, or "-" for standard input), or
    data in memory: frames (polars, pandas, pyarrow, DuckDB, or anything else that exports Arrow), a dict of
    columns, or an array or a sequence of (n,) numbers or labels, or (n, classes); an index is a column where
    it has a name.  Without `targets`, predictions hold both sides.  `weight`, `by` and `cluster` take arrays
    too, with a value for each row of predictions in memory.

    `loss` is one or several, as on the command line: "huber", "huber:delta=2", "expr: abs(e)**1.5",
    "file.py:name"; or a function with the signature of a loss.  Every option of the command line is a keyword
    of the same name (`on="id"`, `weight="w"`, `delta=1.0`); `losscli evaluate --help` says what each means.
    `baseline` is a saved report, or where one is (a path.json, or git:REVISION:PATH); or the predictions of
    another model for the same targets, with which this one is then compared row by row.
    `rows` is a file for the loss of every row (.parquet, .csv, .ndjson, .arrow), and `worst` the number of
    rows of greatest loss that the report names.
    `config` is a file like losscli.toml, which sets what no argument says, but for how and where the command
    line shows results; none is read unless it is named.

    Raises UsageError for a request that makes no sense, DataError for files that are wrong.
    """
    if config is not None:
        from losscli.settings import files  # read where a file is named

        given = {
            "predictions": predictions,
            "targets": targets,
            "loss": loss,
            "gate": gate,
            "baseline": baseline,
            "confident": confident,
            "strict": strict,
            "min_n": min_n,
            "rows": rows,
            "worst": worst,
        }
        above: dict[str, Any] = {name: value for name, value in given.items() if value is not None} | options
        return evaluate(**files.for_python(Path(config), above), **above)
    rules = gates.rules(bool(confident), bool(strict), min_n or 0)
    if baseline is not None and not saved.is_report(baseline):
        against: Any = baseline
        conditions, models = planned_against(predictions, targets, loss, against, gate=gate or (), **options)
        gates.meaningful(conditions, None, rules)
        rowless(rows, worst or 0)
        return compared(models, conditions, rules=rules, alone=0)
    conditions, run = planned(predictions, targets, loss, gate=gate or (), **options)
    base = saved.baseline(baseline)
    gates.meaningful(conditions, base, rules)
    return evaluated(run, conditions, base=base, rules=rules, rows=rows, worst=worst or 0)


def rowless(rows: str | PathLike[str] | None, worst: int | str) -> None:
    """Raise UsageError where losses of single rows are asked of two models at once."""
    if rows is not None or row_losses.number(worst):
        raise UsageError(
            "--rows and --worst are of one model", remedy="leave out --baseline, or name a saved report"
        )


def planned(
    predictions: Source | None,
    targets: Source | None = None,
    loss: Given | Sequence[Given] | None = None,
    *,
    gate: Condition | Sequence[Condition] = (),
    **options: Any,
) -> tuple[list[Gate], Run]:
    """The gates and the plan of an evaluation.  Raises what `evaluate` raises before it reads rows."""
    given = (gate,) if isinstance(gate, str | Mapping) else gate
    own = requests.own_names(requested(loss))
    *conditions, run = all_of(
        *(partial(gates.of, each, partial(_canonical, own)) for each in given),
        lambda: prepare(_named(predictions), targets, loss, **options),
    )
    return conditions, run


def planned_against(
    predictions: Source | None,
    targets: Source | None,
    loss: Given | Sequence[Given] | None,
    baseline: Source,
    *,
    gate: Condition | Sequence[Condition] = (),
    **options: Any,
) -> tuple[list[Gate], Models]:
    """The gates and the plan of an evaluation beside a baseline, which is the second of two models."""
    own = _named(predictions)
    return planned_models((own, baseline), targets, loss, gate=gate, pairs=((1, 0),), **options)


def _named(predictions: Source | None) -> Source:
    if predictions is None:
        raise UsageError("no predictions", remedy="name a file, or set predictions in losscli.toml")
    return predictions


def compare(
    *predictions: Source,
    targets: Source | None = None,
    loss: Given | Sequence[Given] | None = None,
    names: Sequence[str] = (),
    all_pairs: bool = False,
    changed: int | str = 0,
    gate: Condition | Sequence[Condition] = (),
    confident: bool = False,
    strict: bool = False,
    min_n: int | str = 0,
    **options: Any,
) -> Report:
    """Compare models on the same rows: for each loss and cell the paired difference with its noise.

    Each of `predictions` is a model, as in `evaluate`; the others are compared with the first one, or with
    `all_pairs` each with each.  `names` are what models are called, else their files.  Without `targets` the
    first model's file holds them.  `report.comparisons` holds the differences b - a, overall and by class,
    label, output and slice; `report.results` the losses of every model; `report.changed` as many as `changed`
    of the rows on which the first loss differs most, for each pair.  Slices, weights, clusters and
    conditions are columns of the targets, or else of the first model's file.

    Raises UsageError for a request that makes no sense, DataError for files that are wrong.
    """
    conditions, models = planned_models(
        predictions, targets, loss, names=names, all_pairs=all_pairs, changed=changed, gate=gate, **options
    )
    rules = gates.rules(confident, strict, min_n)
    gates.meaningful(conditions, None, rules)
    return compared(models, conditions, rules=rules)


def planned_models(
    predictions: Sequence[Source],
    targets: Source | None = None,
    loss: Given | Sequence[Given] | None = None,
    *,
    gate: Condition | Sequence[Condition] = (),
    **options: Any,
) -> tuple[list[Gate], Models]:
    """The gates and the plan of a comparison.  Raises what `compare` raises before it reads rows."""
    from losscli.evaluation.compare_plan import plan_models  # one model needs no comparison

    given = (gate,) if isinstance(gate, str | Mapping) else gate
    own = requests.own_names(requested(loss))
    *conditions, models = all_of(
        *(partial(gates.of, each, partial(_canonical, own)) for each in given),
        lambda: plan_models(predictions, targets, loss, **options),
    )
    return conditions, models


def _canonical(own: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The names of the losses that a name may mean; `own` are those that users wrote."""
    return (own[name],) if name in own else tuple(entry.name for entry in registry.find(name))


def checked(predictions: Source | None = None, targets: Source | None = None, **options: Any) -> str:
    """That a submission can be evaluated, in words that tell nothing of the values in the targets.

    Raises the errors that an evaluation raises, without what they show of targets.
    """
    if predictions is None or targets is None:
        remedy = "losscli check PREDS TARGETS --public"
        raise UsageError("--public checks predictions against targets", remedy=remedy)
    try:
        _, run = planned(predictions, targets, **options)
        part, _ = fold_all(run)
    except LossCliError as error:
        raise type(error)([_public(problem, str(targets)) for problem in error.problems]) from None
    unit = TASKS[run.plan.roles.task].unit
    return f"{counted(int(part.overall[0].n[0]), unit.removesuffix('s'))} can be evaluated"


def _public(problem: Problem, targets: str) -> Problem:
    """A problem as a submitter may see it: of one of the targets no more than that there is one."""
    if targets and problem.where.startswith(targets) and problem.code != str(Code.UNMATCHED_TARGET):
        return Problem("a problem of the targets, which are not shown", remedy="tell who keeps them")
    if targets in problem.what:
        return Problem("does not fit the targets, which are not shown", remedy=problem.remedy)
    return problem
