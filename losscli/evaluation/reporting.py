"""The report of an outcome, of one model or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.evaluation import rows as row_losses
from losscli.evaluation.outcome import Outcome
from losscli.evaluation.partial import EvaluationJob, Partial, finished
from losscli.evaluation.results import notes, of_gaps, of_intervals, results_of
from losscli.plan import comparability
from losscli.plan.plan import Plan
from losscli.report.charts import Chart
from losscli.report.model import Report, Results
from losscli.states.top import Top

if TYPE_CHECKING:
    from losscli.evaluation.pairs import ComparisonJob, Scores


def report_of(outcome: Outcome) -> Report:
    """The report of all rows, without verdicts; for several models, with the results of all or only one."""
    job, folded = outcome.job, outcome.folded
    assert folded is not None
    if isinstance(job, EvaluationJob):
        assert isinstance(folded, Partial)
        return _evaluation_report(outcome, job, folded)
    from losscli.evaluation.pairs import Scores  # one model needs no comparison

    assert isinstance(folded, Scores)
    return _comparison_report(outcome, job, folded)


def _evaluation_report(outcome: Outcome, job: EvaluationJob, folded: Partial) -> Report:
    plan, part = job.plan, finished(job.plan, folded)
    top = part.extras.get(row_losses.TOP)
    return Report(
        results=results_of(plan, part),
        findings=(*outcome.notes, *notes(part.tallies), *of_gaps(plan, part), *of_intervals(plan, part)),
        signature=plan.signature,
        losscli=outcome.losscli,
        names=outcome.names,
        provenance=comparability.of(plan, part.fingerprint),
        times=plan.roles.by_time,
        worst=row_losses.plain(top.frame) if isinstance(top, Top) else (),
        charts=_charts(plan, part),
    )


def _charts(plan: Plan, part: Partial, model: str | None = None) -> tuple[Chart, ...]:
    """The charts of a model, if requested."""
    if not plan.request.charts:
        return ()
    from losscli.evaluation import views  # few runs draw charts

    return views.drawn(plan, part.extras, model, part.weight_unit)


def _comparison_report(outcome: Outcome, job: ComparisonJob, folded: Scores) -> Report:
    from losscli.evaluation.differences import changed_rows, comparisons, model_notes

    plan, scores, alone = job.plans[0], folded.finished(job.plans[0]), outcome.alone
    results = [
        results_of(job.plans[place], part, job.names[place] if alone is None else None)
        for place, part in enumerate(scores.models)
        if alone in (None, place)
    ]
    part = scores.models[0]
    charts = (
        chart
        for place, model in enumerate(scores.models)
        if alone in (None, place)
        for chart in _charts(job.plans[place], model, job.names[place] if alone is None else None)
    )
    return Report(
        results=Results.of(results),
        comparisons=tuple(comparisons(job, scores)),
        changed=changed_rows(job, scores),
        findings=(
            *outcome.notes,
            *model_notes(job, scores, folded.tallies),
            *of_gaps(plan, part),
            *of_intervals(plan, part),
        ),
        signature=plan.signature,
        losscli=outcome.losscli,
        names=outcome.names,
        provenance=comparability.of(plan, part.fingerprint),
        times=plan.roles.by_time,
        charts=tuple(charts),
    )
