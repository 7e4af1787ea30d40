"""The results of a report, from its states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.slicing import Key, sorted_keys
from losscli.evaluation.partial import Partial, Slices
from losscli.plan.plan import Plan
from losscli.report.findings import Code, Finding, Note, Tally, note
from losscli.report.model import Result
from losscli.states.base import Estimate, State
from losscli.states.moments import moments_of
from losscli.tasks.block import LARGEST


def notes(tallies: Mapping[Finding, Tally]) -> list[Note]:
    """What was done to rows: dropped, clipped, ignored."""
    return [finding.note(tally) for finding, tally in tallies.items() if not finding.fatal]


def of_intervals(plan: Plan, part: Partial) -> list[Note]:
    """The notes on how intervals are made: by a bootstrap, between clusters."""
    found, resampling = of_clusters(plan, part), plan.resampling
    if resampling is None:
        return found
    replicates = f"{resampling.replicates:,}"
    return [*found, note(Code.RESAMPLED, replicates=replicates, seed=resampling.seed)]


def of_clusters(plan: Plan, part: Partial) -> list[Note]:
    """The note on the number of clusters behind the intervals."""
    units = None if part.totals is None else moments_of(part.overall[0]).units
    if part.totals is None or units is None:
        return []
    column, count = (plan.roles.cluster or "")[2:], int(units[0])
    if not part.totals.coarse:
        noun = "cluster" if count == 1 else "clusters"
        return [note(Code.CLUSTERS, number=f"{count:,}", noun=noun, column=column)]
    most = f"{part.totals.most:,}"
    return [note(Code.RANDOM_GROUPS, number=f"{count:,}", column=column, most=most)]


def results_of(plan: Plan, part: Partial, model: str | None = None) -> list[Result]:
    """The results of every loss of a model: overall, by class, label or output, and by slice."""
    results = []
    orders = [worst_first(plan, slices, part.pilots) for slices in part.slices]
    for choice, overall, cells in zip(plan.choices, part.overall, part.cells, strict=True):
        outputs = plan.outputs(choice)
        pilots = part.pilots or (None,) * outputs
        bound = choice.reduction.with_pilots(pilots, part.weight_unit)
        (whole,) = overall.estimates(bound, plan.level)
        unit = part.weight_unit
        results.append(_result(choice, overall, whole, plan.level, {}, unit))
        for i, name in enumerate(plan.cells(choice)):
            state = overall.output(i, outputs) if cells is None else cells.select(slice(i, i + 1))
            own = bound.with_pilots(pilots[i : i + 1]) if outputs > 1 else bound
            (estimate,) = state.estimates(own, plan.level)
            if not state.n[0] and plan.has_no_weight(i):
                estimate = replace(estimate, notes=(note(Code.NO_CLASS_WEIGHT),))
            share = _share(plan, choice, overall, state, part.pilots)
            cell = {plan.cell: name}
            results.append(_result(choice, state, estimate, plan.level, cell, unit, share))
        for slicing, slices, order in zip(plan.roles.slicings, part.slices, orders, strict=True):
            of_choice = slices.states[plan.choices.index(choice)]
            estimated = of_choice.estimates(bound, plan.level)
            for key in order:
                place = slices.places[key]
                state = of_choice.select(slice(place, place + 1))
                cell = dict(zip(slicing.names, key, strict=True))
                share = _share(plan, choice, overall, state, part.pilots)
                results.append(_result(choice, state, estimated[place], plan.level, cell, unit, share))
    return [replace(result, model=model) for result in results] if model else results


def worst_first(plan: Plan, slices: Slices, pilots: Sequence[Any]) -> list[Key]:
    """The slices ordered by the first loss, the worst first and undefined values last."""
    choice = plan.choices[0]
    bound = choice.reduction.with_pilots(pilots or (None,) * plan.outputs(choice))
    estimated = slices.states[0].estimates(bound, plan.level)
    values = {key: estimated[place].value for key, place in slices.places.items()}
    sign = 1.0 if choice.loss.score else -1.0
    keys = sorted_keys(list(slices.places))
    return sorted(keys, key=lambda key: math.inf if (v := values[key]) is None else sign * v)


def _result(
    choice: Choice,
    state: State,
    estimate: Estimate,
    level: float | None,
    cell: dict[str, str],
    weight_unit: float,
    share: float | None = None,
) -> Result:
    minimum = 1 if choice.policy is None else choice.policy.convention.min_rows
    if state.n[0] and state.n[0] < minimum:
        reason = f"{choice.policy.convention.call} needs {minimum} rows" if choice.policy else ""
        estimate = Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason=reason),))
    weight = float(state.weights[0])
    if choice.loss.counts_apart:
        weight = float(moments_of(state).total[0, 0, -1])
    return Result(
        loss=choice.loss.name,
        label=choice.label,
        params=choice.recorded,
        cell=cell,
        value=estimate.value,
        se=estimate.se,
        ci_low=estimate.ci_low,
        ci_high=estimate.ci_high,
        level=level if estimate.se is not None else None,
        df=estimate.df,
        higher_is_better=choice.loss.score,
        share=share,
        rows=int(state.n[0]),
        weight=total_weight(weight, weight_unit),
        max_error=estimate.max_error,
        notes=estimate.notes,
    )


def total_weight(weight: float, unit: float) -> float:
    """A sum of weights in their own unit; the largest number where it exceeds that."""
    return min(weight * unit, LARGEST)


def _share(plan: Plan, choice: Choice, overall: State, cell: State, pilots: Sequence[Any]) -> float | None:
    """The cell's share of the sum of the row losses; None if the loss is not a sum, or the sum is zero."""
    if not choice.loss.additive or plan.cell == "label":
        return None
    if len({pilot.error_unit for pilot in pilots}) > 1:
        return None  # sums in different units do not add up
    moments = moments_of(overall)
    with np.errstate(over="ignore"):  # beyond the largest float there is no share
        whole = float(moments.total[0].sum())
        part = float(moments_of(cell).total[0].sum())
    low = float(moments.low.min())
    if not math.isfinite(whole) or whole == 0 or low < 0:
        return None
    return part / whole if math.isfinite(part) else None
