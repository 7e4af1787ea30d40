"""The results of a report, from its states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from losscli.catalog.loss import Choice
from losscli.data import times
from losscli.data.slicing import MISSING, natural_order
from losscli.evaluation.partial import Partial
from losscli.numeric.arrays import Array, np, pl
from losscli.numeric.cached import cached_property
from losscli.plan.plan import Plan
from losscli.report.findings import Code, Finding, Note, Tally, note
from losscli.report.model import Columns, Result, Results
from losscli.states.base import Estimate, Estimates, State
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
        for name, labels in zip(slicing.names, slices.labels, strict=True):
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


def results_of(plan: Plan, part: Partial, model: str | None = None) -> Sequence[Result]:
    """The results of every loss of a model: overall, by class, label or output, and by slice.

    The worst slice comes first, and slices by time are in its order.  Those of slices, of which there may be
    very many, are created on access.
    """
    results = list[Sequence[Result]]()
    orders = list[Array]()
    for number, (choice, overall, cells) in enumerate(
        zip(plan.choices, part.overall, part.cells, strict=True)
    ):
        outputs = plan.outputs(choice)
        pilots = part.pilots or (None,) * outputs
        bound = choice.reduction.with_pilots(pilots, part.weight_unit)
        make = _Maker(plan, choice, overall, part, model)
        estimates = overall.estimates(bound, plan.level)
        results.append((*make.results(overall, estimates, {}, shared=False),))
        named = plan.cells(choice)
        # Classes and labels have a state together; outputs are columns of that of all rows.
        states = [cells] if cells is not None else [overall.output(i, outputs) for i in range(len(named))]
        for i, state in enumerate(states if named else ()):
            own = bound.with_pilots(pilots[i : i + 1]) if outputs > 1 else bound
            estimates = _weighted(plan, i, state, state.estimates(own, plan.level))
            labels = pl.Series(named[i : i + len(state.n)])
            results.append((*make.results(state, estimates, {plan.cell: labels}),))
        for place, (slicing, slices) in enumerate(zip(plan.roles.slicings, part.slices, strict=True)):
            state = slices.states[number]
            estimates = state.estimates(bound, plan.level)
            if number == 0:
                natural = natural_order(slices.labels)
                orders.append(natural if slicing.units else _worst_first(natural, estimates, choice))
            labels_of_slices = dict(zip(slicing.names, slices.labels, strict=True))
            results.append(make.results(state, estimates, labels_of_slices).in_order(orders[place]))
    return Results.of(results)


def _weighted(plan: Plan, first: int, state: State, estimates: Estimates) -> Estimates:
    """The estimates of cells from the `first` on, with the reason for those of a class without weight."""
    empty = np.array([not n and plan.has_no_weight(place) for place, n in enumerate(state.n.tolist(), first)])
    none = Estimate(None, notes=(note(Code.NO_CLASS_WEIGHT),))
    return estimates.replaced(empty, none) if empty.any() else estimates


def _worst_first(natural: Array, estimates: Estimates, choice: Choice) -> Array:
    """The places (c,) of slices in their natural order as one of a loss: the worst first, undefined last."""
    # NaN comes last.
    values = estimates.value if choice.loss.score else -estimates.value
    return natural[np.argsort(values[natural], kind="stable")]


class _Maker:
    """Makes the results of one loss from the states of its cells and what they estimate."""

    def __init__(self, plan: Plan, choice: Choice, overall: State, part: Partial, model: str | None) -> None:
        self._plan, self._choice, self._unit, self._model = plan, choice, part.weight_unit, model
        self._overall, self._pilots = overall, part.pilots
        convention = None if choice.policy is None else choice.policy.convention
        self._minimum = 1 if convention is None else convention.min_rows
        self._too_few = "" if convention is None else f"{convention.call} needs {self._minimum} rows"

    @cached_property
    def _whole(self) -> float | None:
        """The sum of the row losses, of which cells have a share; None if there are no shares."""
        if not self._choice.loss.additive or self._plan.cell == "label":
            return None
        if len({pilot.error_unit for pilot in self._pilots}) > 1:
            return None  # sums in different units do not add up
        moments = moments_of(self._overall)
        with np.errstate(over="ignore"):
            whole = float(moments.total[0].sum())
        return whole if math.isfinite(whole) and whole != 0 and float(moments.low.min()) >= 0 else None

    def results(
        self,
        state: State,
        estimates: Estimates,
        cells: Mapping[str, pl.Series],
        shared: bool = True,
    ) -> Columns:
        """The result of each cell of a state, with its share of the loss if the cells are `shared` out.

        `cells` has the labels (c,) of each column of the cells.
        """
        choice, weights, estimates = self._choice, state.weights, self._allowed(estimates, state.n)
        if choice.loss.counts_apart:
            weights = moments_of(state).total[:, 0, -1]
        numbers = estimates.by_name
        del numbers["p_value"]
        numbers |= {
            "level": np.where(np.isnan(numbers["se"]), np.nan, self._plan.level or np.nan),
            "rows": state.n,
            "weight": total_weights(weights, self._unit),
            "share": self._shares(state) if shared else np.full(len(state.n), np.nan),
        }
        common = Result(
            loss=choice.loss.name,
            label=choice.label,
            params=choice.recorded,
            model=self._model or None,
            value=None,
            higher_is_better=choice.loss.score,
            rows=0,
            weight=0.0,
        )
        return Columns(common, cells, numbers, estimates.noted, estimates.notes)

    def _allowed(self, estimates: Estimates, rows: Array) -> Estimates:
        """The estimates, without those of fewer rows than the convention takes."""
        if self._minimum == 1:
            return estimates
        none = Estimate(None, notes=(note(Code.UNDEFINED_VALUE, reason=self._too_few),))
        return estimates.replaced((rows > 0) & (rows < self._minimum), none)

    def _shares(self, state: State) -> Array:
        """Each cell's share of the sum of the row losses (c,); NaN if the loss is not a sum, or infinite."""
        if self._whole is None:
            return np.full(len(state.n), np.nan)
        with np.errstate(all="ignore"):  # beyond the largest float there is no share
            sums = moments_of(state).total.sum(axis=(1, 2))
            return np.where(np.isfinite(sums), sums / self._whole, np.nan)
