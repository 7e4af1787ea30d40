"""The Python API: the only place where plan, engine, inference, gates and report are put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import losscli
from losscli import basis, inference, saved
from losscli import config as settings
from losscli import gate as gates
from losscli.engines import local
from losscli.errors import DataError, Problem, UsageError, all_of, counted
from losscli.fold import Partial, Slices, Work, with_clusters
from losscli.gate import PLAIN, Gate, Rules
from losscli.inference import Estimate
from losscli.inputs.align import Alignment
from losscli.inputs.diagnose import short_rows
from losscli.inputs.formats import Source
from losscli.inputs.join import OutOfOrderError
from losscli.losses import registry
from losscli.losses import request as requests
from losscli.losses.registry import Choice
from losscli.losses.request import Given
from losscli.moments import Moments
from losscli.plan import Plan
from losscli.planning import Run, prepare, requested
from losscli.report import Report, Result
from losscli.tasks.base import Finding, Tally
from losscli.tasks.slicing import Key, sorted_keys

__all__ = ["evaluate", "evaluated", "fold_all", "notes", "planned"]

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
    baseline: Report | str | PathLike[str] | None = None,
    confident: bool = False,
    strict: bool = False,
    min_n: int | str = 0,
    **options: Any,
) -> Report:
    """Evaluate losses of predictions against targets, overall and per class, label or output.

    `predictions` and `targets` are files (a path, a pattern, a folder, a URL, or "-" for standard input),
    polars frames or NumPy arrays: (n,) numbers, or (n, classes); without `targets`, predictions hold both
    sides.  `loss` is one or several, as on the command line: "huber", "huber:delta=2", "expr: abs(e)**1.5",
    "file.py:name"; or a function with the signature of a loss.  Every option of the command line is a keyword
    of the same name (`on="id"`, `weight="w"`, `delta=1.0`); `losscli evaluate --help` says what each means.
    `baseline` is a saved report, or where one is.
    `config` is a file like losscli.toml, which sets what no argument says, but for how and where the command
    line shows results; none is read unless it is named.

    Raises UsageError for a request that makes no sense, DataError for files that are wrong.
    """
    if config is not None:
        given = {
            "predictions": predictions,
            "targets": targets,
            "loss": loss,
            "gate": gate,
            "baseline": baseline,
            "confident": confident or None,
            "strict": strict or None,
            "min_n": min_n or None,
        }
        above: dict[str, Any] = {name: value for name, value in given.items() if value is not None} | options
        return evaluate(**settings.for_python(Path(config), above), **above)
    conditions, run = planned(predictions, targets, loss, gate=gate or (), **options)
    base = saved.baseline(baseline)
    rules = gates.rules(confident, strict, min_n)
    gates.meaningful(conditions, base, rules)
    return evaluated(run, conditions, base=base, rules=rules)


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
) -> Report:
    """The report of a planned run, with the verdicts of its gates, for which `base` is the baseline.

    `progress` is told the rows done, `say` what turned out while they were read.
    """
    folded, _ = fold_all(run, progress, say)
    part = with_clusters(folded)
    report = Report(
        results=tuple(_results(run.plan, part)),
        notes=(*run.notes, *notes(part), *_clusters(run.plan, part)),
        signature=run.plan.signature(),
        losscli=losscli.__version__,
        names=run.names,
        basis=basis.of(run.plan, part.fingerprint),
    )
    return gates.judged(conditions, report, base, rules) if conditions else report


def _canonical(own: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The names of the losses that a name may mean; `own` are those that users wrote."""
    return (own[name],) if name in own else tuple(entry.name for entry in registry.find(name))


def fold_all(
    run: Run, progress: Progress = lambda rows: None, say: Callable[[str], None] = lambda text: None
) -> tuple[Partial, Alignment]:
    """Read and fold all rows, in the way of aligning that served; `say` is told where the first did not.

    Raises DataError with every problem that was found.
    """
    alignment = run.alignment
    while True:
        try:
            part = local.run(Work(run.plan), alignment.frames(), run.threads, progress)
            break
        except OutOfOrderError as error:
            instead = alignment.instead(error)
            assert instead is not None
            alignment = instead
            say(f"aligned {alignment.how}")
    if part is None:
        left_out = [f"{tally.count} {finding.what}" for finding, tally in alignment.tallies.items()]
        raise DataError(_no_rows(run, left_out))
    for finding, tally in alignment.tallies.items():
        part.tallies.setdefault(finding, Tally()).add(tally)
    problems = [_problem(finding, tally) for finding, tally in part.tallies.items() if finding.fatal]
    if any("missing values" in finding.what for finding in part.tallies):
        problems += [problem for each in dict.fromkeys(run.tables) for problem in short_rows(each)]
    if not problems and not part.overall[0].n[0]:
        problems = [_no_rows(run, notes(part))]
    if problems:
        raise DataError(problems)
    ignored = run.plan.roles.ignore_label
    if ignored is not None and not any("ignored label" in finding.what for finding in part.tallies):
        part.tallies[Finding(f"rows have the ignored label {ignored}", fatal=False)] = Tally()
    return part, alignment


def _no_rows(run: Run, left_out: Sequence[str]) -> Problem:
    return Problem("no rows are left to evaluate", " and ".join(run.plan.files), "", tuple(left_out))


def _problem(finding: Finding, tally: Tally) -> Problem:
    more = tally.count - len(tally.examples)
    examples = (*tally.examples, *((f"... and {more} more",) if more > 0 else ()))
    return Problem(counted(tally.count, finding.what), finding.where, finding.remedy, examples)


def notes(part: Partial) -> list[str]:
    """What was done to rows, in words: dropped, clipped, ignored."""
    return [
        counted(tally.count, finding.what) + (f", e.g. {tally.examples[0]}" if tally.examples else "")
        for finding, tally in part.tallies.items()
        if not finding.fatal
    ]


def _clusters(plan: Plan, part: Partial) -> list[str]:
    """Between how many clusters the intervals are."""
    units = part.overall[0].units
    if part.totals is None or units is None:
        return []
    column, found = (plan.roles.cluster or "")[2:], f"{int(units[0]):,}"
    if not part.totals.coarse:
        return [f"intervals are between {found} {'clusters' if units[0] != 1 else 'cluster'} of {column}"]
    return [
        f"intervals are between {found} random groups of the clusters of {column}, which are more than "
        f"{part.totals.most:,}"
    ]


def _results(plan: Plan, part: Partial) -> list[Result]:
    results = []
    orders = [_worst_first(plan, slices, part.pilots) for slices in part.slices]
    for choice, overall, cells in zip(plan.choices, part.overall, part.cells, strict=True):
        outputs = plan.outputs(choice)
        pilots = part.pilots or (None,) * outputs
        whole = inference.estimate(choice, overall, plan.level, pilots)
        results.append(_result(choice, overall, whole, plan.level, {}))
        k = overall.total.shape[-1] // outputs
        for i, name in enumerate(plan.cells(choice)):
            moments = overall.columns(i * k, (i + 1) * k) if cells is None else cells.cell(i)
            own = pilots[i : i + 1] if outputs > 1 else pilots
            estimate = inference.estimate(choice, moments, plan.level, own)
            share = _share(plan, choice, overall, moments, part.pilots)
            results.append(_result(choice, moments, estimate, plan.level, {plan.cell: name}, share))
        for slicing, slices, order in zip(plan.roles.slicings, part.slices, orders, strict=True):
            of_choice = slices.moments[plan.choices.index(choice)]
            estimated = inference.estimates(choice, of_choice, plan.level, pilots)
            for key in order:
                moments = of_choice.cell(slices.places[key])
                cell = dict(zip(slicing.names, key, strict=True))
                share = _share(plan, choice, overall, moments, part.pilots)
                estimate = estimated[slices.places[key]]
                results.append(_result(choice, moments, estimate, plan.level, cell, share))
    return results


def _worst_first(plan: Plan, slices: Slices, pilots: Sequence[Any]) -> list[Key]:
    """The slices by the value of the first loss, the worst first; those without one last."""
    choice, moments = plan.choices[0], slices.moments[0]
    own = pilots or (None,) * plan.outputs(choice)
    estimated = inference.estimates(choice, moments, plan.level, own)
    values = {key: estimated[place].value for key, place in slices.places.items()}
    sign = 1.0 if choice.loss.score else -1.0
    keys = sorted_keys(list(slices.places))
    return sorted(keys, key=lambda key: math.inf if (v := values[key]) is None else sign * v)


def _result(
    choice: Choice,
    moments: Moments,
    estimate: Estimate,
    level: float | None,
    cell: dict[str, str],
    share: float | None = None,
) -> Result:
    return Result(
        loss=choice.loss.name,
        params=choice.params,
        cell=cell,
        value=estimate.value,
        se=estimate.se,
        low=estimate.low,
        high=estimate.high,
        level=level if estimate.se is not None else None,
        freedom=estimate.freedom,
        share=share,
        rows=int(moments.n[0]),
        weight=float(moments.weight[0].sum()),
        notes=estimate.notes,
    )


def _share(
    plan: Plan, choice: Choice, overall: Moments, cell: Moments, pilots: Sequence[Any]
) -> float | None:
    """The cell's part of the sum of the row losses; None where the loss is no sum, or the sum is zero."""
    if not choice.loss.finish.additive or plan.cell == "label":
        return None
    if len({pilot.error_unit for pilot in pilots}) > 1:
        return None  # sums in different units do not add up
    whole = float(overall.total[0].sum())
    low = float(overall.low.min())
    if not math.isfinite(whole) or whole == 0 or low < 0:
        return None
    return float(cell.total[0].sum()) / whole
