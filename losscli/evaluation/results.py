"""The results of a report, from its states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data import times
from losscli.data.slicing import MISSING, Key, sorted_keys
from losscli.evaluation.partial import Partial, Slices
from losscli.plan.plan import Plan
from losscli.report.findings import Code, Finding, Note, Tally, note
from losscli.report.model import Result
from losscli.states.base import Estimate, State
from losscli.states.moments import moments_of
from losscli.tasks.block import LARGEST
from losscli.text import enumerated

SHOWN_GAPS = 5
"""The gaps of a slice by time that a note lists."""


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


def of_gaps(plan: Plan, part: Partial) -> list[Note]:
    """The notes on units of time without rows between the first and the last one that has some."""
    found = []
    for slicing, slices in zip(plan.roles.slicings, part.slices, strict=True):
        for name, labels in zip(slicing.names, slices.keys, strict=True):
            if (unit := slicing.by_time.get(name)) is None:
                continue
            known = (label for label in labels if label != MISSING)
            if empty := times.gaps(known, unit):
                found.append(note(Code.EMPTY_TIMES, column=name, units=enumerated(empty, SHOWN_GAPS)))
    return list(dict.fromkeys(found))


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
    """The results of every loss of a model: overall, by class, label or output, and by slice.

    The worst slice comes first, and slices by time are in its order.
    """
    results = []
    orders = [
        sorted_keys(list(slices.places)) if slicing.units else worst_first(plan, slices, part.pilots)
        for slicing, slices in zip(plan.roles.slicings, part.slices, strict=True)
    ]
    for number, (choice, overall, cells) in enumerate(
        zip(plan.choices, part.overall, part.cells, strict=True)
    ):
        outputs = plan.outputs(choice)
        pilots = part.pilots or (None,) * outputs
        bound = choice.reduction.with_pilots(pilots, part.weight_unit)
        make = _Maker(plan, choice, overall, part)
        results += make.results(overall, overall.estimates(bound, plan.level), [{}], shared=False)
        for i, name in enumerate(plan.cells(choice)):
            state = overall.output(i, outputs) if cells is None else cells.select(slice(i, i + 1))
            own = bound.with_pilots(pilots[i : i + 1]) if outputs > 1 else bound
            (estimate,) = state.estimates(own, plan.level)
            if not state.n[0] and plan.has_no_weight(i):
                estimate = replace(estimate, notes=(note(Code.NO_CLASS_WEIGHT),))
            results += make.results(state, [estimate], [{plan.cell: name}])
        for slicing, slices, order in zip(plan.roles.slicings, part.slices, orders, strict=True):
            named = [dict(zip(slicing.names, key, strict=True)) for key in slices.places]
            state = slices.states[number]
            made = make.results(state, state.estimates(bound, plan.level), named)
            results += [made[slices.places[key]] for key in order]
    return [replace(result, model=model) for result in results] if model else results


def worst_first(plan: Plan, slices: Slices, pilots: Sequence[Any]) -> list[Key]:
    """The slices ordered by the first loss, the worst first and undefined values last."""
    choice = plan.choices[0]
    bound = choice.reduction.with_pilots(pilots or (None,) * plan.outputs(choice))
    estimated = slices.states[0].estimates(bound, None)
    values = {key: estimated[place].value for key, place in slices.places.items()}
    sign = 1.0 if choice.loss.score else -1.0
    keys = sorted_keys(list(slices.places))
    return sorted(keys, key=lambda key: math.inf if (v := values[key]) is None else sign * v)


class _Maker:
    """Makes the results of one loss from the states of its cells and what they estimate."""

    def __init__(self, plan: Plan, choice: Choice, overall: State, part: Partial) -> None:
        self._plan, self._choice, self._unit = plan, choice, part.weight_unit
        self._whole = _whole_sum(plan, choice, overall, part.pilots)
        convention = None if choice.policy is None else choice.policy.convention
        self._minimum = 1 if convention is None else convention.min_rows
        self._too_few = "" if convention is None else f"{convention.call} needs {self._minimum} rows"

    def results(
        self,
        state: State,
        estimates: Sequence[Estimate],
        cells: Sequence[dict[str, str]],
        shared: bool = True,
    ) -> list[Result]:
        """The result of each cell of a state, with its share of the loss if the cells are `shared` out."""
        choice, weights = self._choice, state.weights
        if choice.loss.counts_apart:
            weights = moments_of(state).total[:, 0, -1]
        shares = self._shares(state) if shared else [None] * len(cells)
        each = zip(cells, estimates, state.n.tolist(), weights.tolist(), shares, strict=True)
        # The same for all cells: there may be very many.
        recorded = choice.recorded
        return [self._result(recorded, *own) for own in each]

    def _result(
        self,
        params: Mapping[str, Any],
        cell: dict[str, str],
        estimate: Estimate,
        rows: int,
        weight: float,
        share: float | None,
    ) -> Result:
        choice = self._choice
        if 0 < rows < self._minimum:
            estimate = Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason=self._too_few),))
        return Result(
            loss=choice.loss.name,
            label=choice.label,
            params=params,
            cell=cell,
            value=estimate.value,
            se=estimate.se,
            ci_low=estimate.ci_low,
            ci_high=estimate.ci_high,
            level=self._plan.level if estimate.se is not None else None,
            df=estimate.df,
            higher_is_better=choice.loss.score,
            share=share,
            rows=rows,
            weight=total_weight(weight, self._unit),
            max_error=estimate.max_error,
            notes=estimate.notes,
        )

    def _shares(self, state: State) -> list[float | None]:
        """Each cell's share of the sum of the row losses; None if the loss is not a sum, or infinite."""
        if self._whole is None:
            return [None] * len(state.n)
        with np.errstate(over="ignore"):  # beyond the largest float there is no share
            sums = moments_of(state).total.sum(axis=(1, 2)).tolist()
        return [own / self._whole if math.isfinite(own) else None for own in sums]


def _whole_sum(plan: Plan, choice: Choice, overall: State, pilots: Sequence[Any]) -> float | None:
    """The sum of the row losses, of which cells have a share; None if there are no shares."""
    if not choice.loss.additive or plan.cell == "label":
        return None
    if len({pilot.error_unit for pilot in pilots}) > 1:
        return None  # sums in different units do not add up
    moments = moments_of(overall)
    with np.errstate(over="ignore"):
        whole = float(moments.total[0].sum())
    return whole if math.isfinite(whole) and whole != 0 and float(moments.low.min()) >= 0 else None


def total_weight(weight: float, unit: float) -> float:
    """A sum of weights in their own unit; the largest number where it exceeds that."""
    return min(weight * unit, LARGEST)
