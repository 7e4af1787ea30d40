"""Run a planned comparison of models in one pass, and make the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from losscli import gates
from losscli._version import __version__
from losscli.evaluation.hooks import SILENT, Hooks
from losscli.evaluation.results import of_intervals, results_of
from losscli.evaluation.run import _folded, _require_sound
from losscli.plan import comparability
from losscli.report.model import Report

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models


def compared(
    models: Models,
    hooks: Hooks = SILENT,
    alone: int | None = None,
) -> Report:
    """The report of planned models, with the verdicts of gates and the results of all, or of one `alone`."""
    from losscli.evaluation.differences import (  # one model needs no comparison
        changed_rows,
        comparisons,
        model_notes,
    )

    folded, alignment = _folded(replace(models.job, kept=hooks.kept), models, hooks.progress, hooks.say)
    tallies = folded.tallies if folded else {}
    n = int(folded.models[0].overall[0].n[0]) if folded else 0
    _require_sound(models.plan, alignment, tallies, n, models.tables)
    assert folded is not None
    scores = folded.finished(models.plan)
    results = [
        result
        for place, part in enumerate(scores.models)
        if alone in (None, place)
        for result in results_of(
            models.job.plans[place], part, models.names[place] if alone is None else None
        )
    ]
    part = scores.models[0]
    report = Report(
        results=tuple(results),
        comparisons=tuple(comparisons(models, scores)),
        changed=changed_rows(models, scores),
        findings=(*models.notes, *model_notes(models, scores, tallies), *of_intervals(models.plan, part)),
        signature=models.plan.signature(),
        losscli=__version__,
        names=models.aliases,
        provenance=comparability.of(models.plan, part.fingerprint),
    )
    return gates.judged(models.gates, report, None, models.plan.request.rules) if models.gates else report
