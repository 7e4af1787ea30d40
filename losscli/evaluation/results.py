"""The results of a report, from its states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data import times
from losscli.data.slicing import MISSING, natural_order
from losscli.evaluation.partial import Partial
from losscli.numeric.arrays import Array, np
from losscli.plan.plan import Plan
from losscli.report.findings import Code, Finding, Note, Tally, note
from losscli.report.model import Result
from losscli.states.base import Estimate, State
from losscli.states.moments import moments_of
from losscli.states.sums import total_weights
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
    orders = list[Array]()
    for number, (choice, overall, cells) in enumerate(
        zip(plan.choices, part.overall, part.cells, strict=True)
    ):
        outputs = plan.outputs(choice)
        pilots = part.pilots or (None,) * outputs
        bound = choice.reduction.with_pilots(pilots, part.weight_unit)
        make = _Maker(plan, choice, overall, part)
        results += make.results(overall, overall.estimates(bound, plan.level), [{}], shared=False)
        named = [{plan.cell: name} for name in plan.cells(choice)]
        # Classes and labels have a state together; outputs are columns of that of all rows.
        states = [cells] if cells is not None else [overall.output(i, outputs) for i in range(len(named))]
        for i, state in enumerate(states if named else ()):
            own = bound.with_pilots(pilots[i : i + 1]) if outputs > 1 else bound
            estimates = _weighted(plan, i, state, state.estimates(own, plan.level))
            results += make.results(state, estimates, named[i : i + len(state.n)])
        for place, (slicing, slices) in enumerate(zip(plan.roles.slicings, part.slices, strict=True)):
            state = slices.states[number]
            estimates = state.estimates(bound, plan.level)
            if number == 0:
                natural = natural_order(slices.keys)
                orders.append(natural if slicing.units else _worst_first(natural, estimates, choice))
            names = slicing.names
            named = [dict(zip(names, key, strict=True)) for key in slices.keys.iter_rows()]
            made = make.results(state, estimates, named)
            results += [made[own] for own in orders[place].tolist()]
    return [replace(result, model=model) for result in results] if model else results


def _weighted(plan: Plan, first: int, state: State, estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates of cells from the `first` on, with the reason for those of a class without weight."""
    none = note(Code.NO_CLASS_WEIGHT)
    return [
        replace(each, notes=(none,)) if not rows and plan.has_no_weight(place) else each
        for place, (each, rows) in enumerate(zip(estimates, state.n.tolist(), strict=True), first)
    ]


def _worst_first(natural: Array, estimates: Sequence[Estimate], choice: Choice) -> Array:
    """The places (c,) of slices in their natural order as one of a loss: the worst first, undefined last."""
    sign = 1.0 if choice.loss.score else -1.0
    values = np.array([math.inf if each.value is None else sign * each.value for each in estimates])
    return natural[np.argsort(values[natural], kind="stable")]


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
        counted = zip(state.n.tolist(), total_weights(weights, self._unit).tolist(), shares, strict=True)
        # The same for all cells: there may be very many.
        recorded, level = choice.recorded, self._plan.level
        return [
            Result(
                loss=choice.loss.name,
                label=choice.label,
                params=recorded,
                cell=cell,
                value=estimate.value,
                se=estimate.se,
                ci_low=estimate.ci_low,
                ci_high=estimate.ci_high,
                level=level if estimate.se is not None else None,
                df=estimate.df,
                higher_is_better=choice.loss.score,
                share=share,
                rows=rows,
                weight=weight,
                max_error=estimate.max_error,
                notes=estimate.notes,
            )
            for cell, estimate, (rows, weight, share) in zip(
                cells, self._allowed(estimates, state.n), counted, strict=True
            )
        ]

    def _allowed(self, estimates: Sequence[Estimate], rows: Array) -> Sequence[Estimate]:
        """The estimates, without those of fewer rows than the convention takes."""
        if self._minimum == 1:
            return estimates
        none = Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason=self._too_few),))
        few = (rows > 0) & (rows < self._minimum)
        return [none if is_few else each for each, is_few in zip(estimates, few.tolist(), strict=True)]

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
