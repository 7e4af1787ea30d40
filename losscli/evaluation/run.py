"""Run a planned evaluation: fold the rows, check the findings, and make the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from losscli import engines, gates
from losscli.data.align import Aligned
from losscli.data.table import RereadError, Table, paths_of
from losscli.engines.blocks import blocks
from losscli.engines.job import Job, Progress, S, Sink
from losscli.errors import DataError, DeviceError, Problem
from losscli.evaluation import rows as row_losses
from losscli.evaluation.block import Fixed
from losscli.evaluation.hooks import SILENT, Hooks
from losscli.evaluation.outcome import Input, Outcome
from losscli.evaluation.partial import EvaluationJob, Partial, require_means
from losscli.evaluation.reporting import report_of
from losscli.evaluation.results import notes
from losscli.plan.plan import Plan
from losscli.plan.resolve import Run
from losscli.report.findings import Code, Finding, Tally, finding, problem
from losscli.report.model import Report

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models
    from losscli.evaluation.pairs import ComparisonJob, Scores


def evaluated(
    run: Run,
    hooks: Hooks = SILENT,
    base: Report | None = None,
    fixed: Fixed | None = None,
) -> Report:
    """The report of a planned run, with the verdicts of its gates against the baseline `base`.

    `fixed` is what the first block of another run has fixed.
    """
    if run.plan.roles.cluster is not None:
        require_means(run.plan.choices, "--cluster")
    request, kept = run.plan.request, hooks.kept or base is not None
    path, worst = row_losses.checked(request.rows, paths_of(run.tables), run.engine), request.worst
    job = EvaluationJob(run.plan, kept or request.state is not None, fixed)
    if path is None and not worst:
        folded, _ = fold_all(run, hooks.progress, hooks.say, job)
    else:
        row_losses.require_row_values(run.plan.choices if path else run.plan.choices[:1])
        detailed = row_losses.RowsJob(run.plan, job.kept, fixed, written=path is not None, worst=worst)
        with row_losses.sink(path, run.engine, hooks.written) as sink:
            folded, _ = fold_all(run, hooks.progress, hooks.say, detailed, sink)
    outcome = outcome_of(run, job, folded)
    report = report_of(outcome)
    keep(outcome, hooks)
    return gates.judged(run.gates, report, base, request.rules) if run.gates else report


def outcome_of(run: Run | Models, job: EvaluationJob | ComparisonJob, folded: Partial | Scores) -> Outcome:
    """The outcome of a run."""
    first = folded.first
    fixed = Fixed(first.pilots or None, first.weight_unit / run.plan.roles.class_unit)
    inputs = tuple(Input(table.name, table.digest()) for table in dict.fromkeys(run.tables))
    request = run.plan.request
    listed = request.worst or 0 if isinstance(job, EvaluationJob) else job.changed
    sources = _sources(run, inputs)
    return Outcome(job, fixed, folded, run.notes, run.aliases, inputs, sources, request.part, listed)


def _sources(run: Run | Models, inputs: Sequence[Input]) -> tuple[str, ...]:
    """The digests of the predictions, or of all tables if rows are aligned by position without a key."""
    if not run.plan.roles.ids and len(inputs) > 1:
        return ("+".join(each.digest for each in inputs),) if all(each.digest for each in inputs) else ()
    return (*filter(None, [inputs[0].digest]), *run.tables[0].digests())


def unfolded(run: Run | Models) -> Outcome:
    """The plan of a run, with what its first block fixes.  Raises DataError without rows."""
    job = EvaluationJob(run.plan, kept=True) if isinstance(run, Run) else run.job
    alignment = run.alignment
    while True:
        try:
            first = next(blocks(alignment.frames(), job.block_rows, job.group), None)
            break
        except RereadError as error:
            instead = alignment.instead(error)
            assert instead is not None
            alignment = instead
    if first is None:
        raise DataError(problem(Code.NO_ROWS, " and ".join(run.plan.files)))
    return Outcome(job, job.begin(first[1]), None, run.notes, run.aliases, is_plan=True)


def keep(outcome: Outcome, hooks: Hooks) -> None:
    """Write the state of a run to the file that its request names, if any."""
    keep_at(outcome, outcome.plan.request.state, hooks)


def keep_at(outcome: Outcome, path: str | os.PathLike[str] | None, hooks: Hooks) -> None:
    """Write the state of a run to a file, if a path is given."""
    if path is not None:
        from losscli.evaluation.storage import draft_of  # few runs keep a state

        hooks.written(draft_of(outcome, Path(path)))


def _problems(kind: Finding, tally: Tally, tables: Sequence[Table]) -> list[Problem]:
    """The problems of a finding; text among numbers is searched for in each of several files."""
    if kind.code is Code.NOT_A_NUMBER:
        for table in tables:
            parts, column = table.parts(), dict(kind.params)["column"]
            if len(parts) > 1 and kind.where.startswith(table.name):
                return [wrong for part in parts for wrong in part.not_numbers(column)]
    return [kind.problem(tally)]


def fold_all(
    run: Run,
    progress: Progress = lambda rows: None,
    say: Callable[[str], None] = lambda text: None,
    job: EvaluationJob | None = None,
    sink: Sink | None = None,
    threads: int | None = None,
) -> tuple[Partial, Aligned]:
    """Read and fold all rows.  If an alignment fails, the next one is tried and reported through `say`.

    The engine folds `job`, by default the evaluation of the chosen losses; losses of single rows go to
    `sink`.  `threads` overrides those of the run, when other runs are folded at the same time.  Raises
    DataError with all problems.
    """
    job = job or EvaluationJob(run.plan, kept=False)
    part, alignment = _folded(job, run, progress, say, sink, threads)
    tallies = part.tallies if part else {}
    n = int(part.overall[0].n[0]) if part else 0
    _require_sound(run.plan, alignment, tallies, n, run.tables)
    assert part is not None
    return part, alignment


def _folded(
    job: Job[S],
    run: Run | Models,
    progress: Progress,
    say: Callable[[str], None],
    sink: Sink | None = None,
    threads: int | None = None,
) -> tuple[S | None, Aligned]:
    """The result of the job over all rows, None without rows, and the alignment that worked."""
    engine, alignment = engines.of(run.engine, threads or run.threads), run.alignment
    while True:
        try:
            result = engine.run(job, alignment, progress, sink)
            for table in dict.fromkeys(run.tables):
                table.require_whole()
            return result, alignment
        except RereadError as error:
            instead = alignment.instead(error)
            assert instead is not None
            alignment = instead
            say(f"aligned {alignment.how}")
        except DeviceError as error:
            job = job.instead(error)
            say(f"device: cpu, from the first row on: {error.problems[0].what}")
        if sink is not None:
            sink.restart()


def _require_sound(
    plan: Plan, alignment: Aligned, tallies: dict[Finding, Tally], n: int, tables: Sequence[Table]
) -> None:
    """Raise DataError for fatal findings in `n` rows; adds those of the alignment to `tallies`."""
    for kind, tally in alignment.findings.items():
        tallies.setdefault(kind, Tally()).add(tally)
    codes = {kind.code for kind in tallies}
    if Code.NO_KEY_MATCHES in codes:
        # Every row is unmatched: the reason says more than the rows.
        tallies = {kind: tally for kind, tally in tallies.items() if kind.code is Code.NO_KEY_MATCHES}
    fatal = {kind: tally for kind, tally in tallies.items() if kind.fatal}
    problems = [each for kind, tally in fatal.items() for each in _problems(kind, tally, tables)]
    if Code.MISSING_VALUE in codes:
        problems += [short for table in dict.fromkeys(tables) for short in table.short_rows()]
    if not problems and not n:
        files = " and ".join(plan.files)
        problems = [problem(Code.NO_ROWS, files, examples=map(str, notes(tallies)))]
    if problems:
        raise DataError(problems)
    ignored = plan.roles.ignore_label
    if ignored is not None and Code.IGNORED_LABEL not in codes:
        tallies[finding(Code.IGNORED_LABEL, label=ignored)] = Tally()
