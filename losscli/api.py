"""The Python API: the only place where plan, engine, inference, gates and report are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import losscli
from losscli import basis, rowwise, saved
from losscli import gate as gates
from losscli.engines import local
from losscli.errors import DataError, DeviceError, Problem, UsageError, all_of, counted
from losscli.fold import Partial, Work, with_clusters
from losscli.gate import PLAIN, Gate, Rules
from losscli.inputs.align import Alignment
from losscli.inputs.diagnose import short_rows
from losscli.inputs.formats import Source, Table
from losscli.inputs.join import OutOfOrderError
from losscli.losses import registry
from losscli.losses import request as requests
from losscli.losses.request import Given
from losscli.plan import Plan
from losscli.planning import Run, prepare, requested
from losscli.report import Report
from losscli.results import notes, of_clusters, results_of
from losscli.tasks.base import Finding, Tally

if TYPE_CHECKING:
    from losscli.models import Models

__all__ = ["compare", "compared", "evaluate", "evaluated", "fold_all", "notes", "planned"]

Progress = Callable[[int], None]
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

    `predictions` and `targets` are files (a path, a pattern, a folder, a URL, or "-" for standard input),
    polars frames or NumPy arrays: (n,) numbers, or (n, classes); without `targets`, predictions hold both
    sides.  `loss` is one or several, as on the command line: "huber", "huber:delta=2", "expr: abs(e)**1.5",
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
        from losscli import config as settings  # read where a file is named

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
        return evaluate(**settings.for_python(Path(config), above), **above)
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
    if rows is not None or rowwise.number(worst):
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


def evaluated(
    run: Run,
    conditions: Sequence[Gate] = (),
    progress: Progress = lambda rows: None,
    say: Callable[[str], None] = lambda text: None,
    base: Report | None = None,
    rules: Rules = PLAIN,
    rows: str | PathLike[str] | None = None,
    worst: int | str = 0,
    kept: bool = True,
) -> Report:
    """The report of a planned run, with the verdicts of its gates, for which `base` is the baseline.

    `progress` is told the rows done, `say` what turned out while they were read.  A report that is not `kept`
    cannot be a baseline, or have one.
    """
    path, most = rowwise.checked(rows, run.plan.roles.files), rowwise.number(worst)
    if path is None and not most:
        folded, _ = fold_all(run, progress, say, Work(run.plan, kept))
    else:
        rowwise.require_row_values(run.plan.choices if path else run.plan.choices[:1])
        with rowwise.Writer(path) if path else nullcontext() as writer:
            work = rowwise.Work(run.plan, kept, writer, most)
            folded, _ = fold_all(run, progress, say, work)
            work.write(folded)
    part = with_clusters(folded)
    top = folded.top if isinstance(folded, rowwise.Detailed) else None
    report = Report(
        results=tuple(results_of(run.plan, part)),
        notes=(*run.notes, *notes(part.tallies), *of_clusters(run.plan, part)),
        signature=run.plan.signature(),
        losscli=losscli.__version__,
        names=run.names,
        basis=basis.of(run.plan, part.fingerprint),
        worst=() if top is None else rowwise.plain(top.frame),
    )
    return gates.judged(conditions, report, base, rules) if conditions else report


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
    from losscli.models import plan_models  # one model needs no comparison

    given = (gate,) if isinstance(gate, str | Mapping) else gate
    own = requests.own_names(requested(loss))
    *conditions, models = all_of(
        *(partial(gates.of, each, partial(_canonical, own)) for each in given),
        lambda: plan_models(predictions, targets, loss, **options),
    )
    return conditions, models


def compared(
    models: Models,
    conditions: Sequence[Gate] = (),
    progress: Progress = lambda rows: None,
    say: Callable[[str], None] = lambda text: None,
    rules: Rules = PLAIN,
    alone: int | None = None,
    kept: bool = True,
) -> Report:
    """The report of planned models, with the verdicts of gates; the results of all, or of one `alone`.

    `kept` as in `evaluated`.
    """
    from losscli.comparing import changed_rows, comparisons, model_notes  # one model needs no comparison

    folded, alignment = _folded(replace(models.work, kept=kept), models, progress, say)
    tallies = folded.tallies if folded else {}
    n = int(folded.models[0].overall[0].n[0]) if folded else 0
    _require_sound(models.plan, alignment, tallies, n, models.tables)
    assert folded is not None
    scores = folded.with_clusters()
    results = [
        result
        for place, part in enumerate(scores.models)
        if alone in (None, place)
        for result in results_of(
            models.work.plans[place], part, models.names[place] if alone is None else None
        )
    ]
    part = scores.models[0]
    report = Report(
        results=tuple(results),
        comparisons=tuple(comparisons(models, scores)),
        changed=changed_rows(models, scores),
        notes=(*models.notes, *model_notes(models, scores, tallies), *of_clusters(models.plan, part)),
        signature=models.plan.signature(),
        losscli=losscli.__version__,
        names=models.aliases,
        basis=basis.of(models.plan, part.fingerprint),
    )
    return gates.judged(conditions, report, None, rules) if conditions else report


def _canonical(own: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The names of the losses that a name may mean; `own` are those that users wrote."""
    return (own[name],) if name in own else tuple(entry.name for entry in registry.find(name))


def fold_all(
    run: Run,
    progress: Progress = lambda rows: None,
    say: Callable[[str], None] = lambda text: None,
    work: Work | None = None,
) -> tuple[Partial, Alignment]:
    """Read and fold all rows, in the way of aligning that served; `say` is told where the first did not.

    `work` is how, where that is not the usual way.  Raises DataError with every problem that was found.
    """
    part, alignment = _folded(work or Work(run.plan, kept=False), run, progress, say)
    tallies = part.tallies if part else {}
    n = int(part.overall[0].n[0]) if part else 0
    _require_sound(run.plan, alignment, tallies, n, run.tables)
    assert part is not None
    return part, alignment


def _folded(
    work: local.Work[local.P], run: Run | Models, progress: Progress, say: Callable[[str], None]
) -> tuple[local.P | None, Alignment]:
    """What the rows of a run leave behind, in the way of aligning that served."""
    alignment = run.alignment
    while True:
        try:
            return local.run(work, alignment.frames(), run.threads, progress), alignment
        except OutOfOrderError as error:
            instead = alignment.instead(error)
            assert instead is not None
            alignment = instead
            say(f"aligned {alignment.how}")
        except DeviceError as error:
            work = work.instead(error)
            say(f"device: cpu, from the first row on: {error.problems[0].what}")


def _require_sound(
    plan: Plan, alignment: Alignment, tallies: dict[Finding, Tally], n: int, tables: Sequence[Table]
) -> None:
    """Raise DataError for what is fatal in the findings of `n` rows; adds those of the alignment."""
    for finding, tally in alignment.tallies.items():
        tallies.setdefault(finding, Tally()).add(tally)
    problems = [_problem(finding, tally) for finding, tally in tallies.items() if finding.fatal]
    if any("missing values" in finding.what for finding in tallies):
        problems += [problem for each in dict.fromkeys(tables) for problem in short_rows(each)]
    if not problems and not n:
        what = "no rows are left to evaluate"
        problems = [Problem(what, " and ".join(plan.files), "", tuple(notes(tallies)))]
    if problems:
        raise DataError(problems)
    ignored = plan.roles.ignore_label
    if ignored is not None and not any("ignored label" in finding.what for finding in tallies):
        tallies[Finding(f"rows have the ignored label {ignored}", fatal=False)] = Tally()


def _problem(finding: Finding, tally: Tally) -> Problem:
    more = tally.count - len(tally.examples)
    examples = (*tally.examples, *((f"... and {more} more",) if more > 0 else ()))
    return Problem(counted(tally.count, finding.what), finding.where, finding.remedy, examples)
