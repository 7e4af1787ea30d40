"""Where a model is weak: the segments that are worse than the rest beyond noise.

A segment is a slice by one column or by two.  The first pass folds single columns, further passes fold pairs,
in tables by several columns (see `crossed`), as many at once as MOST_CELLS allows.  P-values are adjusted for
all segments.

A significant segment by two columns is a candidate if it is worse than the rest of each of its significant
one-column segments, and worse than both explain together.  Candidates by two columns, then segments by one,
the most certain first, are listed if they are worse without the rows of those listed before: a last pass
counts the rows that they share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, islice
from math import prod
from typing import TypeVar

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.slicing import Key, Overlaps, Slicing
from losscli.errors import UsageError
from losscli.evaluation.block import Fixed
from losscli.evaluation.crossed import MOST_JOINT, CrossingPass, FirstPass, Pass, tables_of
from losscli.evaluation.hooks import Hooks
from losscli.evaluation.outcome import Outcome
from losscli.evaluation.partial import EvaluationJob, Partial, Slices
from losscli.evaluation.reporting import report_of
from losscli.evaluation.run import fold_all, outcome_of
from losscli.numeric.arrays import Array
from losscli.plan.plan import Plan
from losscli.plan.resolve import Run
from losscli.report.findings import Code, Note, note
from losscli.report.model import Report, Segment
from losscli.states import clusters
from losscli.states.base import Estimate, Estimates
from losscli.states.clusters import Rest, Totals
from losscli.states.complement import collapsed, pooled, rests
from losscli.states.contrasts import Contrast, contrasts, p_values
from losscli.states.moments import MAX_SPREAD, Moments, moments_of
from losscli.states.multiple import benjamini_hochberg
from losscli.states.reductions import BoundReduction
from losscli.states.sums import total_weights
from losscli.text import enumerated

LEAST_ROWS = 30
"""The default minimum of rows of a segment, below which intervals are unreliable."""
MOST_CELLS = 1 << 17
"""The maximum number of cells of all slicings of one pass: about 200 MB while threads fold them."""
MOST_CLUSTERED = 8
"""The maximum number of slicings of one pass with clusters, whose totals outnumber the cells."""
AT_ONCE = 16
"""Segments whose overlaps one pass counts: their rows fall into at most 2^16 intersections."""
ROUNDS = 4
"""The maximum number of passes that count overlaps."""
_SETS = ("both", "first alone", "second alone", "neither")
"""The rows in both one-column segments that a segment crosses, in one of them alone, and in neither."""
_SIGNS = ((1, -1, 0, 0), (1, 0, -1, 0), (1, -1, -1, 1))
"""The signs of the values of these sets in the differences that `_Tested.beyond` tests."""
_Cut = tuple[Slicing, Slices]
"""A slicing, and the slices that have occurred."""
_T = TypeVar("_T")


class _Tested(Struct, frozen=True, eq=False):
    """A tested segment.

    For a segment by two columns that may be significant, `beyond` holds the p-values of its being no worse
    than the rest of its first column's segment, than that of its second, and than both effects added.  Until
    they are computed, `slices` and `place` hold what they follow from.
    """

    slicing: Slicing
    key: Key
    contrast: Contrast
    rows: int
    weight: float
    place: int
    beyond: Sequence[float] | None = None
    slices: Slices | None = None

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The one-column segments that contain it, as columns of the stream with values."""
        return tuple(zip(self.slicing.columns, self.key, strict=True))

    @property
    def state(self) -> Moments:
        """The moments of the slices by both columns."""
        assert self.slices is not None
        return moments_of(self.slices.states[0])

    @property
    def totals(self) -> Totals | None:
        """The totals of clusters in these slices."""
        assert self.slices is not None
        return self.slices.totals

    @property
    def sets(self) -> Array:
        """The set (c,) of each of these slices, as a position in _SETS."""
        assert self.slices is not None
        first, second = ((labels != labels[self.place]).to_numpy() for labels in self.slices.keys)
        return 2 * first + second

    @property
    def cell(self) -> dict[str, str]:
        """Its values by column."""
        return dict(zip(self.slicing.names, self.key, strict=True))


class _Search(Struct, frozen=True, eq=False):
    """What all passes of a search share.

    `still_worse` are the results of the passes that counted overlaps, which may be asked for again.
    """

    run: Run
    hooks: Hooks
    min_rows: int
    still_worse: dict[Overlaps, list[int]] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The plan, with one loss."""
        return self.run.plan

    @property
    def level(self) -> float:
        """The confidence level."""
        assert self.plan.level is not None
        return self.plan.level

    @property
    def choice(self) -> Choice:
        """The loss."""
        return self.plan.choices[0]

    def fold(self, job: EvaluationJob) -> Partial:
        """One pass over the rows."""
        part, _ = fold_all(replace(self.run, plan=job.plan), self.hooks.progress, self.hooks.say, job)
        return part

    def cut(self, slicings: Iterable[Slicing]) -> Plan:
        """The plan with these slicings."""
        return replace(self.plan, roles=replace(self.plan.roles, slicings=tuple(slicings)))

    def bound(self, part: Partial) -> BoundReduction:
        """The reduction of the loss."""
        pilots = part.pilots or (None,) * self.plan.outputs(self.choice)
        return self.choice.reduction.with_pilots(pilots, part.weight_unit)


def searched(run: Run, hooks: Hooks, min_rows: int, depth: int) -> Report:
    """The report of a run with its weak segments, of at least `min_rows` rows, by at most `depth` columns.

    Raises UsageError without intervals, or for a loss whose slices have no one-pass standard error.
    """
    chosen = run.plan.choices
    _require_noise(run.plan)
    plan = replace(run.plan, choices=chosen[:1])
    search = _Search(replace(run, plan=plan), hooks, min_rows)
    job = FirstPass(plan, hooks.kept)
    first = search.fold(job)
    fixed = outcome_of(search.run, job, first).fixed
    tested = [*_tested(search, first, [*zip(plan.roles.slicings, first.slices, strict=True)])]
    if depth > 1:
        for part, cuts in _crossed(search, first, fixed):
            tested += _tested(search, part, cuts)
    listed, worse, left = _listed(search, tested, first, fixed)
    overall = outcome_of(search.run, EvaluationJob(search.cut([]), kept=False), replace(first, slices=()))
    notes = _notes(search, chosen, tested, worse, listed, left)
    return _report(search, overall, listed, len(tested), notes)


def _require_noise(plan: Plan) -> None:
    """Raise UsageError for losses without a one-pass standard error, or whose value grows with the rows."""
    choice = plan.choices[0]
    reduction = choice.loss.reduction
    if plan.level is None:
        raise UsageError("losscli weak needs intervals", remedy="leave out --ci none")
    if choice.loss.order is not None or choice.loss.state is not Moments or reduction.extreme:
        why = "its slices have no noise that one pass tells"
    elif reduction.count is not None:
        why = "it counts rows, of which larger segments have more"
    elif plan.roles.group is not None:
        why = "it is of groups, which segments of rows would split"
    else:
        return
    raise UsageError(
        f"losscli weak cannot look at {choice}: {why}", remedy="a loss of rows: -l mae, or another"
    )


def _pairs(singles: Sequence[Slicing]) -> Iterator[Slicing]:
    """The slicings by two different columns."""
    one_column = [slicing for slicing in singles if len(slicing.columns) == 1]
    for a, b in combinations(one_column, 2):
        if a.columns != b.columns:
            yield Slicing(a.columns + b.columns, a.bins + b.bins)


def _crossed(search: _Search, first: Partial, fixed: Fixed) -> Iterator[tuple[Partial, Sequence[_Cut]]]:
    """The slices by all pairs of columns, pass by pass, given those of the first pass."""
    singles = search.plan.roles.slicings
    labels = {
        each.parts[0]: slices.keys.to_series()
        for each, slices in zip(singles, first.slices, strict=True)
        if len(each.columns) == 1
    }
    sizes = {column: len(own) for column, own in labels.items()}
    k, clustered = moments_of(first.overall[0]).drift.shape[1], search.plan.roles.cluster is not None
    most = 0 if clustered else min(MOST_CELLS // k, MAX_SPREAD // k**2)

    def cells(slicing: Slicing) -> int:
        return prod(sizes[column] for column in slicing.parts)

    pairs = [*_pairs(singles)]
    tables = tables_of([pair for pair in pairs if cells(pair) <= most], sizes, min(most, MOST_JOINT))
    for batch in _batches(tables, lambda table: cells(table.slicing), most):
        own = {column: labels[column] for table in batch for column in table.slicing.parts}
        job = CrossingPass(search.cut(table.slicing for table in batch), False, fixed, tuple(batch), own)
        part = search.fold(job)
        yield part, [*job.slices(part)]
    # Of pairs with too many combinations, only those that occur are kept.
    least = MOST_CELLS // MOST_CLUSTERED if clustered else 0
    sparse = [pair for pair in pairs if cells(pair) > most]
    for some in _batches(sparse, lambda pair: max(cells(pair), least), MOST_CELLS):
        part = search.fold(Pass(search.cut(some), False, fixed))
        yield part, [*zip(some, part.slices, strict=True)]


def _batches(items: Iterable[_T], size: Callable[[_T], int], most: int) -> Iterator[list[_T]]:
    """The items in batches whose sizes add up to at most `most`, unless one item alone is larger."""
    batch, total = list[_T](), 0
    for item in items:
        if batch and total + size(item) > most:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size(item)
    if batch:
        yield batch


def _tested(search: _Search, part: Partial, cuts: Sequence[_Cut]) -> Iterator[_Tested]:
    """The segments of slicings with a standard error and enough rows both inside and outside."""
    cuts = [(slicing, slices) for slicing, slices in cuts if len(_places(search, slices))]
    # The rests of clusters are computed slicing by slicing.
    for together in [[cut] for cut in cuts] if part.totals is not None else [cuts] if cuts else []:
        yield from _tested_together(search, part, together)


def _places(search: _Search, slices: Slices) -> Array:
    """The slices with enough rows inside and outside; none if there are too many for a standard error."""
    state = moments_of(slices.states[0])
    if state.spread is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.minimum(state.n, state.n.sum() - state.n) >= search.min_rows)


def _tested_together(search: _Search, part: Partial, cuts: Sequence[_Cut]) -> Iterator[_Tested]:
    """As `_tested`, for one or more slicings; for one with clusters."""
    inside = Moments.stack([moments_of(slices.states[0]) for _, slices in cuts])
    sizes = [slices.keys.height for _, slices in cuts]
    outside: Moments | Rest = (rest := rests(inside, np.repeat(np.arange(len(cuts)), sizes)))
    if part.totals is not None:
        ((_, slices),) = cuts
        assert slices.totals is not None
        inside = clusters.between(inside, slices.totals, 0)
        outside = clusters.rest_of(inside, rest, slices.totals, part.totals, 0)
    places = [_places(search, slices) for _, slices in cuts]
    every = np.concatenate([own + start for own, start in zip(places, np.cumsum([0, *sizes]), strict=False)])
    inside, bound = inside.select(every), search.bound(part)
    found = contrasts(bound, inside, outside.select(every), search.level, search.choice.loss.score)
    rows, weights = inside.n.tolist(), total_weights(inside.weights, part.weight_unit).tolist()
    numbers = iter(zip(found, rows, weights, strict=True))
    for (slicing, slices), own in zip(cuts, places, strict=True):
        for place, key in zip(own.tolist(), slices.labels[own].rows(), strict=True):
            contrast, n, weight = next(numbers)
            if contrast is not None:
                yield _kept(search, bound, _Tested(slicing, key, contrast, n, weight, place), slices)


def _kept(search: _Search, bound: BoundReduction, segment: _Tested, slices: Slices) -> _Tested:
    """A segment with what it needs if it is significant."""
    if len(segment.key) != 2 or segment.contrast.p_value > 1 - search.level:
        return segment
    segment = replace(segment, slices=slices)
    if slices.totals is None:
        return segment
    # Totals are too large to keep.
    (beyond,) = _beyond(search, bound, [segment])
    return replace(segment, slices=None, beyond=beyond)


def _beyond(search: _Search, bound: BoundReduction, segments: Sequence[_Tested]) -> Iterator[Sequence[float]]:
    """The p-values of two-column segments being no worse than their columns explain; see `_Tested`."""
    for batch in _batches(segments, lambda segment: len(segment.sets), MOST_CELLS):
        estimates = _estimates(search, bound, batch)
        yield from p_values(estimates, _SIGNS, search.level, search.choice.loss.score).tolist()


def _estimates(search: _Search, bound: BoundReduction, segments: Sequence[_Tested]) -> Estimates:
    """The estimates over the rows of each set of each segment; without a value if these are too few.

    With clusters there is one segment.
    """
    count = len(_SETS) * len(segments)
    sets = [segment.sets + len(_SETS) * number for number, segment in enumerate(segments)]
    # With an empty cell in each set, none is without cells.
    groups = np.concatenate([*sets, np.arange(count)])
    order = np.argsort(groups, kind="stable")
    states = [segment.state for segment in segments]
    state = Moments.stack([*states, Moments.empty(count, states[0].drift.shape[1])])
    state = pooled(state.select(order), groups[order])
    if (totals := segments[0].totals) is not None:
        state = clusters.between(state, clusters.grouped(totals, sets[0]), 0)
    return state.estimates(bound, search.level).replaced(state.n < search.min_rows, Estimate(None))


# Segments that share rows


def _listed(
    search: _Search, tested: Sequence[_Tested], part: Partial, fixed: Fixed
) -> tuple[list[_Tested], list[_Tested], int]:
    """The segments to list, all significant ones, and the number of those left for more passes.

    A segment of `tested` is significant if its p-value is at most alpha times the number listed over the
    number tested.  This controls the false discovery rate of those listed, although segments that others
    explain are filtered out.  Katsevich, Sabatti and Bogomolov (2023), Filtering the rejection set while
    preserving false discovery rate control, doi:10.1080/01621459.2021.1906684
    """
    alpha, bound = 1 - search.level, search.bound(part)
    adjusted = benjamini_hochberg([each.contrast.p_value for each in tested])
    worse = [each for each, p in zip(tested, adjusted, strict=True) if p <= alpha]
    worse.sort(key=lambda each: -each.contrast.certainty)
    beyond = _beyond(search, bound, [each for each in worse if each.slices is not None])
    worse = [
        each if each.slices is None else replace(each, beyond=next(beyond), slices=None) for each in worse
    ]
    while True:
        listed, left = _distinct(search, worse, fixed)
        few = [each for each in worse if each.contrast.p_value <= alpha * len(listed) / len(tested)]
        if len(few) == len(worse):
            return listed, worse, left
        worse = few


def _distinct(search: _Search, worse: Sequence[_Tested], fixed: Fixed) -> tuple[list[_Tested], int]:
    """The segments that others do not explain, and the number of those left for more passes."""
    crossed = _unexplained(worse, 1 - search.level)
    queue = [*crossed, *(each for each in worse if len(each.key) == 1)]
    distinct = queue[:1]
    rest = iter(queue[1:])
    for _ in range(ROUNDS):
        if not (batch := list(islice(rest, AT_ONCE - 1))):
            break
        distinct += _still_worse(search, distinct, batch, fixed)
    return distinct, len(list(rest))


def _unexplained(worse: Sequence[_Tested], alpha: float) -> list[_Tested]:
    """The two-column segments that are worse than the significant one-column segments explain."""
    significant = {segment.parts[0] for segment in worse if len(segment.key) == 1}
    crossed, p_values = list[_Tested](), list[float]()
    for segment in worse:
        if segment.beyond is None:
            continue
        is_significant = [part in significant for part in segment.parts]
        tests = [
            p
            for p, applies in zip(segment.beyond, (*is_significant, all(is_significant)), strict=True)
            if applies
        ]
        crossed.append(segment)
        p_values.append(max(tests, default=0.0))
    adjusted = benjamini_hochberg(p_values)
    return [segment for segment, p in zip(crossed, adjusted, strict=True) if p <= alpha]


def _still_worse(
    search: _Search, listed: Sequence[_Tested], others: Sequence[_Tested], fixed: Fixed
) -> list[_Tested]:
    """The others that are worse even without the rows of listed segments and of those before them."""
    groups = (tuple(listed), *((segment,) for segment in others))
    overlaps = Overlaps.of_segments(
        [[(segment.slicing, segment.key) for segment in group] for group in groups]
    )
    if overlaps not in search.still_worse:
        search.still_worse[overlaps] = [*_places_still_worse(search, overlaps, fixed)]
    return [others[place] for place in search.still_worse[overlaps]]


def _places_still_worse(search: _Search, overlaps: Overlaps, fixed: Fixed) -> Iterator[int]:
    """The groups after the first that are worse without the rows of those before, as positions from 0."""
    part = search.fold(Pass(search.cut([overlaps]), False, fixed))
    (slices,), bound = part.slices, search.bound(part)
    covered, *others = overlaps.members(slices.keys)
    for place, has in enumerate(others):
        if _is_worse(search, bound, slices, has & ~covered, ~has & ~covered):
            covered = covered | has
            yield place


def _is_worse(search: _Search, bound: BoundReduction, slices: Slices, inside: Array, outside: Array) -> bool:
    """Whether the rows of the cells inside are significantly worse than those of the cells outside."""
    state = moments_of(slices.states[0])
    if min(int(state.n[inside].sum()), int(state.n[outside].sum())) < search.min_rows:
        return False
    segment, rest = (collapsed(state.select(np.flatnonzero(cells))) for cells in (inside, outside))
    other: Moments | Rest = rest
    if slices.totals is not None:
        segment, other = _clustered(slices.totals, segment, rest, inside, outside)
    (contrast,) = contrasts(bound, segment, other, search.level, search.choice.loss.score)
    return contrast is not None and contrast.p_value < 1 - search.level


def _clustered(
    totals: Totals, segment: Moments, rest: Moments, inside: Array, outside: Array
) -> tuple[Moments, Rest]:
    """The moments of segment and rest with the spread between clusters."""
    of_segment = clusters.grouped(totals, np.where(inside, 0, -1))
    of_both = clusters.grouped(totals, np.where(inside | outside, 0, -1))
    segment = clusters.between(segment, of_segment, 0)
    return segment, clusters.rest_of(segment, rest, of_segment, of_both, 0)


# The report


def _report(
    search: _Search, whole: Outcome, listed: Sequence[_Tested], tests: int, notes: Iterable[Note]
) -> Report:
    report = report_of(whole)
    adjusted = benjamini_hochberg([each.contrast.p_value for each in listed], tests)
    results = report.overall
    value = results[0].value
    segments = [_segment(search, each, p, value) for each, p in zip(listed, adjusted, strict=True)]
    return replace(
        report,
        results=results,
        segments=tuple(sorted(segments, key=lambda each: -(each.gain or 0.0))),
        findings=(*report.findings, *notes),
    )


def _segment(search: _Search, tested: _Tested, adjusted: float, overall: float | None) -> Segment:
    choice, contrast = search.choice, tested.contrast
    better = None
    if overall:
        better = (contrast.rest - overall if choice.loss.score else overall - contrast.rest) / abs(overall)
    return Segment(
        loss=choice.loss.name,
        label=choice.label,
        params=choice.recorded,
        cell=tested.cell,
        value=contrast.value,
        rest=contrast.rest,
        difference=contrast.difference,
        se=contrast.se,
        ci_low=contrast.ci_low,
        ci_high=contrast.ci_high,
        level=search.level,
        df=contrast.df if math.isfinite(contrast.df) else None,
        p_value=contrast.p_value,
        adjusted=adjusted,
        gain=better,
        higher_is_better=choice.loss.score,
        rows=tested.rows,
        weight=tested.weight,
    )


def _notes(
    search: _Search,
    chosen: Sequence[Choice],
    tested: Sequence[_Tested],
    worse: Sequence[_Tested],
    listed: Sequence[_Tested],
    left: int,
) -> Iterator[Note]:
    if len(chosen) > 1:
        yield note(Code.FIRST_LOSS_ALONE, loss=chosen[0])
    least = f"{search.min_rows:,}"
    columns = enumerated(text for slicing in search.plan.roles.slicings for text in slicing.text)
    yield note(Code.SEGMENTS_SEARCHED, count=f"{len(tested):,}", least=least, columns=columns)
    if not tested:
        yield note(Code.NO_LARGE_SEGMENT, least=least)
    elif not listed:
        yield note(Code.NO_WEAK_SEGMENT)
    if folded := len(worse) - len(listed) - left:
        yield note(Code.FOLDED_SEGMENTS, count=f"{folded:,}")
    if left:
        yield note(Code.MORE_SEGMENTS, count=f"{left:,}")
