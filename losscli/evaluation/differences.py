"""Comparisons from the states of pairs of models: differences, their standard errors, contributions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.slicing import merged_keys, natural_order
from losscli.evaluation import rows as row_losses
from losscli.evaluation.pairs import ComparisonJob, Scores
from losscli.evaluation.partial import Partial, Slices
from losscli.evaluation.results import notes
from losscli.numeric.arrays import Array, pl
from losscli.plan.plan import Plan
from losscli.report.findings import Finding, Note, Tally
from losscli.report.model import MODELS, Comparison
from losscli.states import inference
from losscli.states.base import Estimate, State
from losscli.states.contingency import Contingency
from losscli.states.moments import Moments, moments_of
from losscli.states.multiple import holm
from losscli.states.sums import total_weights


def comparisons(job: ComparisonJob, scores: Scores) -> list[Comparison]:
    """Each loss of each pair, overall and by cell, cells with the largest contributions first."""
    adjusted = []
    for number, choice in enumerate(job.plans[0].choices):
        of_choice = [
            list(_pair_comparisons(job, scores, place, number, choice)) for place in range(len(job.pairs))
        ]
        adjusted += _with_adjusted([each for pair in of_choice for each in pair])
    return adjusted


def _pair_comparisons(
    job: ComparisonJob, scores: Scores, place: int, number: int, choice: Choice
) -> Iterator[Comparison]:
    plan, pair = job.plans[0], scores.pairs[place]
    models = job.pairs[place]
    a, b = (scores.models[model] for model in models)
    names = (job.names[models[0]], job.names[models[1]])
    outputs = plan.outputs(choice)
    pilots = pair.pilots or (None,) * outputs
    build = _Builder(plan, choice, names, pilots, pair.weight_unit)
    all_rows = tuple(_moments(part.overall[number], outputs) for part in (pair, a, b))
    (overall,) = build.cells(all_rows[0], all_rows[1], all_rows[2], [{}])
    if choice.loss.additive:
        less, more = scores.counts[place, number].tolist()
        better, worse = (more, less) if choice.loss.score else (less, more)
        overall = replace(overall, better=better, worse=worse)
    yield overall
    yield from build.named(plan.cells(choice), all_rows, _cells_of((pair, a, b), number))
    for i, slicing in enumerate(plan.roles.slicings):
        keys = pair.slices[i].labels
        keys = keys[natural_order(keys)]
        columns = slicing.names
        cells = [dict(zip(columns, key, strict=True)) for key in keys.iter_rows()]
        parts = [_with_keys(part.slices[i], number, keys) for part in (pair, a, b)]
        yield from build.shared(all_rows, parts, cells, ordered=bool(slicing.units))


def _moments(state: State, outputs: int) -> Moments:
    """The moments of a loss with a number of outputs, also of many columns."""
    return state.settled(outputs) if isinstance(state, Contingency) else moments_of(state)


def _runs(state: State) -> list[slice]:
    """The cells of a state in runs, so few that their moments fit into memory."""
    return [*state.runs()] if isinstance(state, Contingency) else [slice(None)]


def _cells_of(parts: Sequence[Partial], number: int) -> list[State] | None:
    states = [cells for part in parts if (cells := part.cells[number]) is not None]
    return states if len(states) == len(parts) else None


def _with_keys(slices: Slices, number: int, keys: pl.DataFrame) -> State:
    """The state of the slices with these keys."""
    _, places = merged_keys(slices.keys, keys)
    state = slices.states[number]
    return state if places is None else state.select(places)


class _Builder:
    """The comparisons of one loss of two models."""

    def __init__(
        self, plan: Plan, choice: Choice, names: tuple[str, str], pilots: Sequence[Any], weight_unit: float
    ) -> None:
        self.plan, self.choice, self.names, self.pilots = plan, choice, names, pilots
        self.bound = choice.reduction.with_pilots(pilots, weight_unit)

    def cells(
        self,
        pair: Moments,
        a: Moments,
        b: Moments,
        cells: Sequence[dict[str, str]],
        pilots: Sequence[Any] | None = None,
        parts: Array | None = None,
    ) -> list[Comparison]:
        """One comparison per cell of the moments; `parts` (c,) are their contributions."""
        level = self.plan.level
        bound = self.bound if pilots is None else self.bound.with_pilots(pilots)
        differences = inference.differences(bound, pair, a, b, level)
        values = [moments.estimates(bound, level) for moments in (a, b)]
        contributions = [None] * len(cells) if parts is None else list(map(_finite, parts.tolist()))
        weights = total_weights(pair.weights, self.bound.weight_unit).tolist()
        sizes = zip(contributions, pair.n.tolist(), weights, strict=True)
        table = zip(cells, differences, *values, sizes, strict=True)
        return [self._comparison(cell, *estimates, *size) for cell, *estimates, size in table]

    def named(
        self, names: Sequence[str], all_rows: tuple[Moments, ...], by_cell: Sequence[State] | None
    ) -> list[Comparison]:
        """The comparisons by class, label or output."""
        plan, cells = self.plan, [{self.plan.cell: name} for name in names]
        if not names:
            return []
        if by_cell is None:
            outputs = len(names)
            comparisons = []
            for i, cell in enumerate(cells):
                pair, a, b = (part.output(i, outputs) for part in all_rows)
                comparisons += self.cells(pair, a, b, [cell], self.pilots[i : i + 1])
            return comparisons
        if plan.cell != "class" or self.choice.loss.batch.of_cells == "each":
            pair, a, b = map(moments_of, by_cell)
            return self.cells(pair, a, b, cells, self.pilots[:1])
        return self.shared(all_rows, by_cell, cells)

    def shared(
        self,
        all_rows: Sequence[Moments],
        parts: Sequence[State],
        cells: Sequence[dict[str, str]],
        ordered: bool = False,
    ) -> list[Comparison]:
        """The comparisons by cells that partition the rows, largest contribution first unless `ordered`."""
        outputs, runs = len(self.pilots), _runs(parts[0])
        contributions = None
        reduction = self.choice.loss.reduction
        # A loss of order is linear only near the rows of one cell.
        linear = self.choice.loss.order is None and not reduction.extreme
        if linear and not reduction.names & {"weight", "low", "high"}:
            pair, a, b = all_rows
            some = (_moments(parts[0].select(run), outputs) for run in runs)
            contributions = inference.contributions(self.bound, pair, some, a, b)
        comparisons = list[Comparison]()
        for run in runs:
            pair, a, b = (_moments(state.select(run), outputs) for state in parts)
            own = None if contributions is None else contributions[run]
            comparisons += self.cells(pair, a, b, cells[run], None, own)
        return (
            comparisons if ordered else sorted(comparisons, key=lambda each: -abs(each.contribution or 0.0))
        )

    def _comparison(
        self,
        cell: dict[str, str],
        difference: Estimate,
        a: Estimate,
        b: Estimate,
        contribution: float | None,
        rows: int,
        weight: float,
    ) -> Comparison:
        value, of_a = difference.value, a.value
        return Comparison(
            loss=self.choice.loss.name,
            label=self.choice.label,
            params=self.choice.recorded,
            a=self.names[0],
            b=self.names[1],
            cell=cell,
            value_a=of_a,
            value_b=b.value,
            se_a=a.se,
            se_b=b.se,
            difference=value,
            percent=100 * value / abs(of_a) if value is not None and of_a else None,
            se=difference.se,
            ci_low=difference.ci_low,
            ci_high=difference.ci_high,
            level=self.plan.level if difference.se is not None else None,
            df=difference.df,
            p_value=difference.p_value,
            contribution=contribution,
            higher_is_better=self.choice.loss.score,
            rows=rows,
            weight=weight,
            notes=difference.notes,
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _with_adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Comparisons with adjusted p-values: over all pairs overall, and over all cells of one kind.

    Holm (1979), A simple sequentially rejective multiple test procedure, doi:10.2307/4615733.
    """
    kinds: dict[tuple[str, ...], list[int]] = {}
    for place, comparison in enumerate(comparisons):
        if comparison.p_value is not None:
            kinds.setdefault(tuple(comparison.cell), []).append(place)
    adjusted: dict[int, float] = {}
    for places in kinds.values():
        values = holm([comparisons[place].p_value or 0.0 for place in places])
        adjusted |= dict(zip(places, values, strict=True))
    return [replace(comparison, adjusted=adjusted.get(place)) for place, comparison in enumerate(comparisons)]


def model_notes(job: ComparisonJob, scores: Scores, tallies: Mapping[Finding, Tally]) -> list[Note]:
    """Notes on what was done to rows; those that do not hold for all models name the model."""
    lines = []
    for finding, tally in tallies.items():
        by_model = [part.tallies.get(finding) for part in scores.models]
        counts = {None if each is None else each.count for each in by_model}
        if finding.fatal:
            continue
        if counts in ({None}, {tally.count}):
            lines += notes({finding: tally})
            continue
        named = zip(job.names, by_model, strict=True)
        lines += [
            replace(note, text=f"{name}: {note}")
            for name, each in named
            if each
            for note in notes({finding: each})
        ]
    return lines


def changed_rows(job: ComparisonJob, scores: Scores) -> tuple[dict[str, Any], ...]:
    """The rows with the largest difference in the first loss of each pair, with the names of the models.

    A column with the name of one of these fields is renamed.
    """
    rows = []
    for (a, b), top in zip(job.pairs, scores.changed, strict=bool(scores.changed)):
        pair = dict(zip(MODELS, (job.names[a], job.names[b]), strict=True))
        frame = top.frame.rename({name: f"{name}_2" for name in MODELS}, strict=False)
        rows += [pair | row for row in row_losses.plain(frame)]
    return tuple(rows)
