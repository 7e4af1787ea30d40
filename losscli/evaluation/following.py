"""Runs under a saved plan: its options, bins and reference points, whatever their first rows hold."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace

from losscli.data.slicing import Slicing
from losscli.engines.devices import AUTO
from losscli.errors import Problem, UsageError
from losscli.evaluation.compare_plan import Models
from losscli.evaluation.merge import SAME_OPTIONS, SAME_PLAN, differences
from losscli.evaluation.outcome import Outcome
from losscli.evaluation.partial import EvaluationJob
from losscli.plan.plan import Plan
from losscli.plan.resolve import Run

_REMEDIES = {
    SAME_OPTIONS: "leave these options to the plan",
    SAME_PLAN: "give rows like those that the plan was made of",
}
"""Remedies for a run under a plan, by the remedy for merging parts."""
_RunT = TypeVar("_RunT", bound=Run | Models)


def options(saved: Outcome, given: dict[str, Any]) -> dict[str, Any]:
    """The options of a saved plan, overridden by those given."""
    stated = {name: value for name, value in given.items() if value is not None}
    saved_options = saved.plan.options()
    if saved.plan.place.why:
        saved_options["device"] = AUTO  # decided anew: other machines have other devices
    return given | saved_options | stated


def followed(run: _RunT, saved: Outcome, place: object) -> _RunT:
    """The run with what a saved plan took from its rows.  Raises UsageError if the plans still differ."""
    run_plans = run.job.plans if isinstance(run, Models) else (run.plan,)
    plans = tuple(_fixed(plan, saved.plan) for plan in run_plans)
    job = replace(run.job, plans=plans) if isinstance(run, Models) else EvaluationJob(plans[0], kept=True)
    if different := [*differences(saved, Outcome(job, saved.fixed, None, alone=saved.alone))]:
        remedy = "\n".join(dict.fromkeys(_REMEDIES.get(remedy, remedy) for _, remedy in different))
        texts = tuple(text for text, _ in different)
        raise UsageError(Problem("this run is another one than the plan's", f"--plan {place}", remedy, texts))
    plans = tuple(replace(plan, choices=saved.plan.choices) for plan in plans)
    if isinstance(run, Models):
        return replace(run, job=replace(run.job, plans=plans), aliases=saved.names)
    return replace(run, plan=plans[0], names=saved.names)


def _fixed(plan: Plan, saved: Plan) -> Plan:
    """A plan with the bins, the labels and the clip of probabilities that a saved plan took from its rows."""
    roles, other = plan.roles, saved.roles
    if [_requested(each) for each in roles.slicings] == [_requested(each) for each in other.slicings]:
        roles = replace(roles, slicings=other.slicings)
    if roles.names[1:] == other.names[1:] and plan.has_one_label:
        roles = replace(roles, names=other.names)
    if (roles.eps, other.eps) != (plan.default_eps, saved.default_eps):
        return replace(plan, roles=roles)
    return replace(plan, roles=replace(roles, eps=other.eps), default_eps=saved.default_eps)


def _requested(slicing: Slicing) -> tuple[object, ...]:
    """The requested part of a slicing: its columns and units, without the edges of bins."""
    return slicing.columns, slicing.units, slicing.binned
