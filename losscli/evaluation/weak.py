"""Where a model is weak: the segments that are worse than the rest beyond noise.

A segment is a slice by one column or by two.  The first pass folds single columns, further passes fold pairs,
as many at once as MOST_CELLS allows.  P-values are adjusted for all segments.

A significant segment by two columns is a candidate if it is worse than the rest of each of its significant
one-column segments, and worse than both explain together.  Candidates by two columns, then segments by one,
the most certain first, are listed if they are worse without the rows of those listed before: a last pass
counts the rows that they share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.slicing import Key, Overlaps, Slicing
from losscli.errors import UsageError
from losscli.evaluation.block import Fixed
from losscli.evaluation.hooks import Hooks
from losscli.evaluation.outcome import Outcome
from losscli.evaluation.partial import EvaluationJob, Partial, Slices, finished
from losscli.evaluation.reporting import report_of
from losscli.evaluation.run import fold_all, outcome_of
from losscli.numeric.arrays import Array
from losscli.plan.plan import MIN_ROWS, Plan
from losscli.plan.resolve import Run
from losscli.report.findings import Code, Note, note
from losscli.report.model import Report, Segment
from losscli.states import clusters
from losscli.states.base import Estimate
from losscli.states.clusters import Rest, Totals
from losscli.states.complement import collapsed, rests
from losscli.states.contrasts import Contrast, contrasts, p_value
from losscli.states.moments import Moments, moments_of
from losscli.states.multiple import benjamini_hochberg
from losscli.states.reductions import BoundReduction
from losscli.states.sums import total_weights
from losscli.text import enumerated

LEAST_ROWS = 30
"""The default minimum of rows of a segment, below which intervals are unreliable."""
MOST_CELLS = 1 << 17
"""The maximum number of cells of all slicings of one pass: about 200 MB while threads fold them."""
MOST_CODES = 1 << 23
"""The maximum number of slice codes in a block, one per row and slicing."""
MOST_CLUSTERED = 8
"""The maximum number of slicings of one pass with clusters, whose totals outnumber the cells."""
AT_ONCE = 16
"""Segments whose overlaps one pass counts: their rows fall into at most 2^16 intersections."""
ROUNDS = 4
"""The maximum number of passes that count overlaps."""


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
    beyond: tuple[float, float, float] | None = None
    slices: Slices | None = None

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The one-column segments that contain it, as columns of the stream with values."""
        return tuple(zip(self.slicing.columns, self.key, strict=True))

    @property
    def cell(self) -> dict[str, str]:
        """Its values by column."""
        return dict(zip(self.slicing.names, self.key, strict=True))


class _Pass(EvaluationJob, frozen=True):
    """A pass after the first one; the more slicings it has, the shorter its blocks."""

    @property
    def block_rows(self) -> int:
        """The number of rows of a block."""
        max_rows = max(MIN_ROWS, MOST_CODES // max(1, len(self.plan.roles.slicings)))
        return min(super().block_rows, 1 << max_rows.bit_length() - 1)

    def run_length(self, frame: pl.DataFrame) -> int:
        """The number of blocks that are folded as one: always 1, as their length limits memory."""
        return 1


class _Search(Struct, frozen=True, eq=False):
    """What all passes of a search share."""

    run: Run
    hooks: Hooks
    min_rows: int

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

    def fold(self, slicings: Sequence[Slicing], fixed: Fixed | None = None) -> tuple[EvaluationJob, Partial]:
        """One pass over the rows with these slicings."""
        plan = replace(self.plan, roles=replace(self.plan.roles, slicings=tuple(slicings)))
        kept = fixed is None and self.hooks.kept
        job = EvaluationJob(plan, kept) if fixed is None else _Pass(plan, kept, fixed)
        part, _ = fold_all(replace(self.run, plan=plan), self.hooks.progress, self.hooks.say, job)
        return job, part

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
    singles = plan.roles.slicings
    job, first = search.fold(singles)
    fixed = outcome_of(search.run, job, first).fixed
    tested = list(_tested(search, job.plan, first))
    sizes = {slicing: slices.keys.height for slicing, slices in zip(singles, first.slices, strict=True)}
    for slicings in _batches(_pairs(singles) if depth > 1 else (), sizes, plan.roles.cluster is not None):
        job, part = search.fold(slicings, fixed)
        tested += _tested(search, job.plan, part)
    listed, worse, left = _listed(search, tested, first, fixed)
    uncut = replace(plan, roles=replace(plan.roles, slicings=()))
    overall = outcome_of(search.run, EvaluationJob(uncut, kept=False), replace(first, slices=()))
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


def _batches(
    pairs: Iterable[Slicing], sizes: Mapping[Slicing, int], clustered: bool
) -> Iterator[list[Slicing]]:
    """The pairs of each pass, whose cells are at most MOST_CELLS unless one pair alone has more."""
    by_column = {(each.columns, each.bins): size for each, size in sizes.items()}
    batch, cells = list[Slicing](), 0
    for pair in pairs:
        pair_cells = 1
        for column, bins in zip(pair.columns, pair.bins, strict=True):
            pair_cells *= by_column[(column,), (bins,)]
        if batch and (cells + pair_cells > MOST_CELLS or (clustered and len(batch) == MOST_CLUSTERED)):
            yield batch
            batch, cells = [], 0
        batch.append(pair)
        cells += pair_cells
    if batch:
        yield batch


def _tested(search: _Search, plan: Plan, part: Partial) -> Iterator[_Tested]:
    """The segments of a pass with a standard error and enough rows both inside and outside."""
    complete, bound = finished(plan, part), search.bound(part)
    n = int(part.overall[0].n[0])
    for slicing, slices, raw in zip(plan.roles.slicings, complete.slices, part.slices, strict=True):
        inside = moments_of(slices.states[0])
        places = np.flatnonzero((inside.n >= search.min_rows) & (n - inside.n >= search.min_rows))
        if not len(places):
            continue
        outside: Moments | Rest = rests(moments_of(raw.states[0]))
        if raw.totals is not None and part.totals is not None:
            assert isinstance(outside, Moments)
            outside = clusters.rest_of(inside, outside, raw.totals, part.totals, 0)
        keys = slices.labels[places].rows()
        weights = total_weights(inside.weights, part.weight_unit).tolist()
        by_cell = contrasts(bound, inside, outside, search.level, search.choice.loss.score)
        for place, key in zip(places.tolist(), keys, strict=True):
            if (contrast := by_cell[place]) is not None:
                segment = _Tested(slicing, key, contrast, int(inside.n[place]), weights[place], place)
                if len(key) == 2 and contrast.p_value <= 1 - search.level:
                    segment = replace(segment, slices=raw)
                    if raw.totals is not None:  # too large to keep
                        segment = replace(segment, beyond=_beyond(search, bound, segment), slices=None)
                yield segment


def _beyond(search: _Search, bound: BoundReduction, segment: _Tested) -> tuple[float, float, float]:
    """The p-values of a two-column segment being no worse than its columns explain; see `_Tested`."""
    slices = segment.slices
    assert slices is not None
    first, second = ((labels == labels[segment.place]).to_numpy() for labels in slices.keys)
    sets = (first & second, first & ~second, second & ~first, ~(first | second))
    both, a, b, neither = (_estimate(search, bound, slices, cells) for cells in sets)
    against = ([(1, a)], [(1, b)], [(1, a), (1, b), (-1, neither)])
    score = search.choice.loss.score
    of_a, of_b, of_sum = (p_value(both, others, search.level, score) for others in against)
    return of_a, of_b, of_sum


def _estimate(search: _Search, bound: BoundReduction, slices: Slices, cells: Array) -> Estimate:
    """The estimate over the rows of some cells; without a value if the rows are too few."""
    state = moments_of(slices.states[0])
    if state.n[cells].sum() < search.min_rows:
        return Estimate(None)
    pooled = collapsed(state.select(np.flatnonzero(cells)))
    if slices.totals is not None:
        pooled = clusters.between(pooled, clusters.grouped(slices.totals, np.where(cells, 0, -1)), 0)
    return pooled.estimates(bound, search.level)[0]


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
    worse = [
        each if each.slices is None else replace(each, beyond=_beyond(search, bound, each), slices=None)
        for each in sorted(worse, key=lambda each: -each.contrast.certainty)
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
) -> Iterator[_Tested]:
    """The others that are worse even without the rows of listed segments and of those before them."""
    groups = (tuple(listed), *((segment,) for segment in others))
    overlaps = Overlaps.of_segments(
        [[(segment.slicing, segment.key) for segment in group] for group in groups]
    )
    _, part = search.fold([overlaps], fixed)
    (slices,), bound = part.slices, search.bound(part)
    has = overlaps.members(slices.keys)
    covered = has[0].copy()
    for place, segment in enumerate(others, 1):
        inside, outside = has[place] & ~covered, ~has[place] & ~covered
        if _is_worse(search, bound, slices, inside, outside):
            covered |= has[place]
            yield segment


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
