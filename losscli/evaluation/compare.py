"""Run a planned comparison of models in one pass, and make the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from losscli import gates
from losscli.evaluation.block import Fixed
from losscli.evaluation.hooks import SILENT, Hooks
from losscli.evaluation.reporting import report_of
from losscli.evaluation.run import _folded, _require_sound, keep, outcome_of
from losscli.report.model import Report

if TYPE_CHECKING:
    from losscli.evaluation.compare_plan import Models


def compared(
    models: Models,
    hooks: Hooks = SILENT,
    alone: int | None = None,
    fixed: Fixed | None = None,
) -> Report:
    """The report of planned models, with the verdicts of gates and the results of all models or one `alone`.

    `fixed` is what the first block of another run has fixed.
    """
    job = replace(models.job, kept=hooks.kept or models.plan.request.state is not None, fixed=fixed)
    folded, alignment = _folded(job, models, hooks.progress, hooks.say)
    tallies = folded.tallies if folded else {}
    n = int(folded.models[0].overall[0].n[0]) if folded else 0
    _require_sound(models.plan, alignment, tallies, n, models.tables)
    assert folded is not None
    outcome = replace(outcome_of(models, job, replace(folded, found=tallies)), alone=alone)
    report = report_of(outcome)
    keep(outcome, hooks)
    return gates.judged(models.gates, report, None, models.plan.request.rules) if models.gates else report
