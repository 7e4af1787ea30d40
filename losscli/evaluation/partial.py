"""From a block of rows to states by cell, and the merge of the partial results of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Self, TypeVar

import numpy as np
import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.catalog.marks import marks_of
from losscli.data.filter import together
from losscli.data.slicing import Key, Labels, as_text, distinct, merged_keys
from losscli.engines.devices import CPU
from losscli.errors import DeviceError, UsageError
from losscli.evaluation import block as block_reading
from losscli.evaluation import counted, ordered
from losscli.evaluation.block import (
    Cached,
    Fixed,
    Taken,
    fingerprint_of,
    flag_undefined,
    is_defined,
    note_replaced,
)
from losscli.evaluation.cells import BY_CELL, OVERALL, SLICES, Assignment
from losscli.evaluation.counted import Pairs, Pairwise
from losscli.numeric.arrays import Array, Namespace
from losscli.numeric.cached import cached_property
from losscli.plan.plan import Plan
from losscli.report.findings import Finding, Tally
from losscli.states import clusters
from losscli.states.base import State, Summary
from losscli.states.binned import Binned
from losscli.states.cells import Cells
from losscli.states.clusters import Totals
from losscli.states.contingency import Contingency
from losscli.states.histogram import Histogram
from losscli.states.moments import Moments, moments_of
from losscli.states.ranks import Ranks
from losscli.states.reductions import BoundReduction
from losscli.tasks.block import Block

MAX_SLICES = 1_000_000
"""Maximum number of slices of one --by: each has a state of its own, and a row of the report."""
_LONG_RUN = 4
"""Blocks that are folded as one where slices or clusters are many."""
_MANY = 1 / 8
"""The slices and clusters per row of a block from which merging them takes as long as folding the rows."""
HISTOGRAM = "histogram"
"""The name of the state that `Plan.profiled` asks for."""
_StateT = TypeVar("_StateT", State, State | None)


class Slices(Struct, frozen=True, eq=False, dict=True):
    """The state of each chosen loss in the slices of one slicing that have occurred.

    `keys` are those of the cells in the states, and in the `totals` of clusters: for each column of the
    slicing one of text or of whole numbers.
    """

    keys: pl.DataFrame
    states: tuple[State, ...]
    totals: Totals | None = None

    @cached_property
    def places(self) -> dict[Key, int]:
        """The cell of each slice."""
        return {key: place for place, key in enumerate(self.labels.rows())}

    @cached_property
    def labels(self) -> pl.DataFrame:
        """The keys as text."""
        return as_text(self.keys)


class Partial(Struct, frozen=True, eq=False):
    """The partial result for some rows: for each chosen loss its state overall and by cell, and the findings.

    `slices` has one entry per slicing.  `pilots` are what the task fixed for the run, one per output, the
    same in all parts of a run.  `extras` are further summaries, by name.  `totals` are those of clusters
    overall, `cell_totals` by class, or overall for the columns of all labels.  `fingerprint` identifies the
    targets, whatever the order of their rows; None if no report is kept.  `rows_of` has the losses of each
    row of a block, if they are written.
    """

    overall: tuple[State, ...]
    cells: tuple[State | None, ...]
    tallies: dict[Finding, Tally] = field(default_factory=dict)
    rows: int = 0
    pilots: tuple[Any, ...] = ()
    slices: tuple[Slices, ...] = ()
    extras: Mapping[str, Summary] = field(default_factory=dict)
    totals: Totals | None = None
    cell_totals: Totals | None = None
    fingerprint: int | None = None
    weight_unit: float = 1.0
    rows_of: pl.DataFrame | None = None

    @property
    def first(self) -> Partial:
        """That of the only model."""
        return self


class EvaluationJob(Struct, frozen=True):
    """The job of evaluating one model; `kept` if its report may be compared with another.

    Only then are the targets fingerprinted, which costs as much as a loss.  `fixed` is what the first block
    of another run has fixed, None if that of this one does.
    """

    plan: Plan
    kept: bool
    fixed: Fixed | None = None

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plan of the only model."""
        return (self.plan,)

    @property
    def block_rows(self) -> int:
        """The number of rows of a block."""
        return counted.block_rows(self.plan) if self.counts_pairs else self.plan.block_rows

    @property
    def counts_pairs(self) -> bool:
        """Whether losses of labels leave behind the counts of pairs of classes, not moments."""
        return True

    @property
    def group(self) -> str | None:
        """The column of groups, which no block may cut."""
        return self.plan.roles.group

    @property
    def device(self) -> str:
        """The name of the device."""
        return self.plan.device

    @property
    def codec(self) -> str:
        """The module that writes the job for other processes."""
        return "losscli.evaluation.remote"

    def run_length(self, frame: pl.DataFrame) -> int:
        """The number of blocks to fold as one: several if the first one has many slices or clusters."""
        return run_length(self.plan, frame)

    def begin(self, frame: pl.DataFrame) -> Any:
        """What the first block fixes for the whole run."""
        return self.fixed or block_reading.fixed_by(self.plan, frame)

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
        """Read and check one block, and take the state of every chosen loss."""
        return self.complete(block_reading.take(self.plan, xp, frame, first_row, fixed), frame.height)

    def complete(self, taken: Taken, height: int) -> Partial:
        """The partial result for a block that had `height` rows before any was dropped."""
        fingerprint = fingerprint_of(taken) if self.kept else None
        taken = Cached.of(taken) if taken.plan.request.charts else taken
        assignment = taken.assignment()
        part = states_of(taken, assignment, Pairs([taken], assignment) if self.counts_pairs else None)
        return replace(part, rows=height, extras=extras_of(taken), fingerprint=fingerprint)

    def merge(self, a: Partial, b: Partial) -> Partial:
        """The result for the rows of both; `a` holds the earlier rows."""
        return merge(*alike(self.plan, a, b))

    def instead(self, error: DeviceError) -> Self:
        """The same job on the CPU, from the first row.  Raises the error if the user chose the device."""
        return replace(self, plan=self.plan.instead(error))


def run_length(plan: Plan, frame: pl.DataFrame) -> int:
    """The blocks that are folded as one, where merging slices or clusters takes as long as folding rows."""
    roles = plan.roles
    if plan.device != CPU or plan.resampling is not None or not (roles.slicings or roles.cluster):
        return 1
    rows, known = Block(frame, 0, roles).frame, Labels()
    many = sum(slicing.of(rows, known)[1].height for slicing in roles.slicings)
    if roles.cluster is not None:
        many += len(distinct(rows[roles.cluster])[1])
    return _LONG_RUN if many > frame.height * _MANY else 1


def extras_of(taken: Taken) -> dict[str, Summary]:
    """What a block leaves behind for the profile of a loss, and for charts."""
    extras: dict[str, Summary] = {HISTOGRAM: _histogram(taken)} if taken.plan.profiled else {}
    if taken.plan.request.charts:
        from losscli.evaluation import views  # few runs draw charts

        with np.errstate(all="ignore"):
            extras |= views.taken(taken)
    return extras


def states_of(taken: Taken, assignment: Assignment, pairs: Pairs | None = None) -> Partial:
    """The state of every chosen loss in a block, overall and in its cells; flags rows without a loss.

    With `pairs`, losses of labels leave their counts, which `finished` makes moments of.
    """
    part = states_in(taken, assignment, pairs)
    for choice, state in zip(taken.plan.choices, part.overall, strict=True):
        if not _is_sound(taken.plan, choice, state):
            flag_undefined(taken, choice)
        note_replaced(taken, choice)
    return part


def _is_sound(plan: Plan, choice: Choice, state: State) -> bool:
    """Whether the state says that the loss is defined on all rows, without computing it again."""
    if isinstance(state, Contingency):
        # Only a loss of a user may be undefined for labels.
        columns = Pairwise(plan, choice).full(state.numbers) if choice.loss.request else ()
        return all(bool(is_defined(choice, column).all()) for column in columns)
    if isinstance(state, Ranks):
        return all(bool(is_defined(choice, column).all()) for column in state.parts[0].columns)
    if not isinstance(state, Moments):
        return False
    some = state.n > 0
    return all(bool(is_defined(choice, extreme[some]).all()) for extreme in (state.low, state.high))


def states_in(taken: Taken, assignment: Assignment, pairs: Pairs | None = None) -> Partial:
    """The state of every chosen loss in a block, overall and in its cells."""
    with np.errstate(all="ignore"):
        return _states(taken, assignment, pairs)


def _states(taken: Taken, assignment: Assignment, pairs: Pairs | None) -> Partial:
    plan = taken.plan
    for _, keys in assignment.slices:
        _require_few(len(keys))
    clustered = clusters.Block(assignment.pairs, taken.xp)
    sliced: list[list[State]] = [[] for _ in assignment.slices]
    overall: list[State] = []
    by_cell: list[State | None] = []
    shared = _Shared(taken)
    for choice in plan.choices:
        if pairs is not None and pairs.has(choice):
            for states, counts in zip((overall, *sliced), pairs.of(choice), strict=True):
                states.append(counts)
            by_cell.append(None)
            continue
        view = assignment.view(choice, taken.weight_of(choice))
        interval = plan.level is not None and not choice.loss.reduction.extreme
        outputs = taken.output_columns(choice)
        columns = view.counted(outputs[0] if len(outputs) == 1 else [*chain.from_iterable(outputs)])
        # A loss of order has its totals once it is settled.
        summed = columns if choice.loss.order is None else ()
        clustered.add(OVERALL, summed, view.everyone.weight, view.keep)
        overall.append(shared.state(choice, view.everyone, columns, interval))
        for number, (states, cells) in enumerate(zip(sliced, view.by_slice, strict=True)):
            clustered.add(SLICES + number, summed, view.everyone.weight, view.keep)
            states.append(shared.state(choice, cells, columns, interval))
        if not _has_cells(plan, choice):
            clustered.add(BY_CELL, (), view.everyone.weight, view.keep)
            by_cell.append(None)
        elif view.by_class is not None:
            clustered.add(BY_CELL, summed, view.everyone.weight, view.keep)
            by_cell.append(shared.state(choice, view.by_class, columns, interval))
        elif plan.cell == "label":
            each = [view.counted(own) for own in taken.label_columns(choice)]
            of_labels = [column for own in each for column in own] if choice.loss.order is None else []
            clustered.add(BY_CELL, of_labels, view.everyone.weight, view.keep)
            state = plan.state(choice)
            by_cell.append(state.stack([state.of(view.everyone, own, interval) for own in each]))
        else:
            by_cell.append(None)
    totals = clustered.totals()
    slices = tuple(
        Slices(keys, tuple(states), totals.get(SLICES + number))
        for number, ((_, keys), states) in enumerate(zip(assignment.slices, sliced, strict=True))
    )
    return Partial(
        overall=tuple(overall),
        cells=tuple(by_cell),
        tallies=taken.block.tallies,
        pilots=taken.rows.pilots,
        weight_unit=taken.weight_unit,
        slices=slices,
        totals=totals.get(OVERALL),
        cell_totals=totals.get(BY_CELL),
    )


class _Shared:
    """The states of a block: one for all losses that have the same columns, such as mse, rmse and r2."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._known = dict[Any, State]()

    def state(self, choice: Choice, cells: Cells, columns: Sequence[Array], interval: bool) -> State:
        """The state of the row columns of a loss in some cells."""
        if isinstance(columns, Binned):
            return columns.moments(cells, interval)
        kind = self._taken.plan.state(choice)
        # Columns that a batch keeps are the same arrays for all losses; others may be gone by the next one.
        parts = self._taken.rows.parts[choice.loss.batch]
        kept = {id(each) for part in parts for each in vars(part).values()}
        if not kept.issuperset(map(id, columns)):
            return kind.of(cells, columns, interval)
        key = (kind, interval, id(cells), *map(id, columns))
        if key not in self._known:
            self._known[key] = kind.of(cells, columns, interval)
        return self._known[key]


def _has_cells(plan: Plan, choice: Choice) -> bool:
    """Whether rows of classes or labels have states of their own."""
    if choice.loss.order is not None:
        return bool(plan.cells(choice)) and not choice.loss.order.parts
    return choice.loss.batch.of_cells == "rows"


def _histogram(taken: Taken) -> Histogram:
    """The histogram of the plan's only loss, with one part per mark; the loss has one column and output."""
    (choice,) = taken.plan.choices
    (batch,) = taken.rows.parts[choice.loss.batch]
    with np.errstate(all="ignore"):
        place, (loss,) = batch.place, choice.columns(batch)
        assert place is not None
        columns = (place, loss, *(mark.holds(taken.xp, place) for mark in marks_of(choice)))
    weight = taken.weight
    if weight is not None and not bool(taken.xp.all(weight > 0)):
        keep = weight > 0
        columns, weight = tuple(column[keep] for column in columns), weight[keep]
    with np.errstate(all="ignore"):
        return Histogram.of(Cells(taken.xp, len(columns[0]), weight, 0), columns)


def alike(plan: Plan, a: Partial, b: Partial, paired: bool = False) -> tuple[Partial, Partial]:
    """Both parts with states of one kind: a GPU leaves moments of labels where a CPU leaves counts."""
    if [*map(type, a.overall)] == [*map(type, b.overall)]:
        return a, b
    return _by_moments(plan, a, paired), _by_moments(plan, b, paired)


def _by_moments(plan: Plan, part: Partial, paired: bool) -> Partial:
    """The same with the moments that rows would have left instead of counts of pairs."""
    overall, cells = [*part.overall], [*part.cells]
    slices = [[*each.states] for each in part.slices]
    for place, (choice, state) in enumerate(zip(plan.choices, part.overall, strict=True)):
        if isinstance(state, Contingency):
            columns = Pairwise(plan, choice, 2 if paired else 1)
            overall[place] = columns.moments(state)
            if choice.loss.batch.of_cells == "rows":
                cells[place] = columns.moments(columns.in_classes(state))
            for own in slices:
                counts = own[place]
                assert isinstance(counts, Contingency)
                own[place] = columns.moments(counts)
    return replace(
        part,
        overall=tuple(overall),
        cells=tuple(cells),
        slices=tuple(replace(a, states=tuple(b)) for a, b in zip(part.slices, slices, strict=True)),
    )


def merge(a: Partial, b: Partial) -> Partial:
    """The result for the rows of both; `a` holds the earlier rows."""
    return Partial(
        overall=_merged(a.overall, b.overall),
        cells=_merged(a.cells, b.cells),
        tallies=merged_tallies(a.tallies, b.tallies),
        rows=a.rows + b.rows,
        pilots=a.pilots,
        weight_unit=a.weight_unit,
        slices=tuple(_merge_slices(x, y) for x, y in zip(a.slices, b.slices, strict=True)),
        # Only what all blocks have: soft labels, for one, belong to no cell of a confusion.
        extras={name: a.extras[name].merge(b.extras[name]) for name in a.extras if name in b.extras},
        totals=_merge_totals(a.totals, b.totals),
        cell_totals=_merge_totals(a.cell_totals, b.cell_totals),
        fingerprint=None
        if a.fingerprint is None or b.fingerprint is None
        else (a.fingerprint + b.fingerprint) % 2**64,
    )


def merged_tallies(a: Mapping[Finding, Tally], b: Mapping[Finding, Tally]) -> dict[Finding, Tally]:
    """The findings of both."""
    return together((*a.items(), *b.items()))


def _merge_slices(a: Slices, b: Slices) -> Slices:
    keys, at = merged_keys(a.keys, b.keys)
    _require_few(keys.height)
    return Slices(keys, _merged(a.states, b.states, at), _merge_totals(a.totals, b.totals, at))


def _merged(a: Sequence[_StateT], b: Sequence[_StateT], at: Array | None = None) -> tuple[_StateT, ...]:
    """The states of the rows of both, loss by loss; what losses share is merged once."""
    known = dict[tuple[int, int], Any]()
    for x, y in zip(a, b, strict=True):
        if (id(x), id(y)) not in known:
            known[id(x), id(y)] = None if x is None or y is None else ordered.spilled(x.merge(y, at))
    return tuple(known[id(x), id(y)] for x, y in zip(a, b, strict=True))


def _require_few(slices: int) -> None:
    if slices > MAX_SLICES:
        raise UsageError(
            f"--by cuts the rows into more than {MAX_SLICES:,} slices",
            remedy="a column of fewer values, or bins of numbers: --by age:4",
        )


def _merge_totals(a: Totals | None, b: Totals | None, at: Array | None = None) -> Totals | None:
    return None if a is None or b is None else a.merge(b, at)


def require_means(choices: Sequence[Choice], what: str, remedy: str = "") -> None:
    """Raise UsageError for losses that are not functions of means, which `what` needs for standard errors."""
    others = [str(choice) for choice in choices if not choice.loss.has_means]
    if others:
        raise UsageError(f"{what} takes losses of means, not {', '.join(others)}", remedy=remedy)


def finished(plan: Plan, part: Partial, paired: bool = False) -> Partial:
    """The same once all rows are there: losses of order are settled, and the spread is that of the clusters.

    If `paired`, the part is that of a pair of models.  Counts of pairs become moments.
    """
    part = _with_moments(plan, part, paired)
    if part.totals is None and all(choice.loss.order is None for choice in plan.choices):
        return part
    whole = partial(_finished, plan, part, paired)
    pairs = [
        _with_cells(plan, part, paired, *each)
        for each in zip(plan.choices, part.overall, part.cells, strict=True)
    ]
    overall, cells = zip(*pairs, strict=True)
    return replace(
        part,
        overall=whole(overall, part.totals),
        cells=whole(cells, part.cell_totals),
        slices=tuple(replace(each, states=whole(each.states, each.totals)) for each in part.slices),
    )


def _with_moments(plan: Plan, part: Partial, paired: bool) -> Partial:
    """The same with what follows from counts of pairs, and with the states of classes."""
    overall, cells, slices = ([*states] for states in (part.overall, part.cells, part.slices))
    for place, (choice, state) in enumerate(zip(plan.choices, part.overall, strict=True)):
        if not isinstance(state, Contingency) or state.columns is not None:
            continue
        columns = Pairwise(plan, choice, 2 if paired else 1)
        with np.errstate(all="ignore"):
            overall[place], cells[place] = columns.settled(state), columns.by_class(state)
            for number, each in enumerate(slices):
                states = [*each.states]
                own = states[place]
                assert isinstance(own, Contingency)
                states[place] = columns.settled(own)
                slices[number] = replace(each, states=tuple(states))
    return replace(part, overall=tuple(overall), cells=tuple(cells), slices=tuple(slices))


def _with_cells(
    plan: Plan, part: Partial, paired: bool, choice: Choice, overall: State, cells: State | None
) -> tuple[State, State | None]:
    """The states of a loss; of one of order that has parts, settled in one go with those of its cells."""
    order = choice.loss.order
    if order is None or not order.parts or not isinstance(overall, Ranks):
        return overall, cells
    ordered.require_memory(choice, overall)
    return overall.settled_with_parts(_bound(plan, part, choice), plan.level, paired)


def _bound(plan: Plan, part: Partial, choice: Choice) -> BoundReduction:
    return choice.reduction.with_pilots(part.pilots or (None,) * plan.outputs(choice))


def _finished(
    plan: Plan, part: Partial, paired: bool, states: Sequence[State | None], totals: Totals | None
) -> tuple[Any, ...]:
    found: list[State | None] = []
    for place, (choice, state) in enumerate(zip(plan.choices, states, strict=True)):
        if isinstance(state, Ranks):
            bound = _bound(plan, part, choice)
            found.append(ordered.settled(choice, state, bound, plan.level, paired))
        elif state is None or totals is None or choice.loss.order is not None:
            found.append(state)
        else:
            found.append(clusters.between(moments_of(state), totals, place))
    return tuple(found)
