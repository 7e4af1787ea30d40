"""Merge saved outcomes: the result of all of their rows, or all reasons against it."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import polars as pl
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.stream import ALL_ROWS
from losscli.engines.fold import Counter
from losscli.errors import DataError, Problem
from losscli.evaluation.outcome import Outcome
from losscli.evaluation.pairs import ComparisonJob, Scores
from losscli.evaluation.partial import EvaluationJob, Partial
from losscli.evaluation.rows import TOP
from losscli.plan import comparability
from losscli.plan.plan import Plan
from losscli.report.findings import Code, Finding, Note, Tally, finding, note
from losscli.states.base import Summary
from losscli.states.counts import Counts
from losscli.states.moments import Moments
from losscli.states.sampled import Sampled
from losscli.states.top import Top
from losscli.tasks.regression import Pilot, Regression
from losscli.text import enumerated, natural

SAME_OPTIONS = "give all parts the same options"
SAME_PLAN = "evaluate each part with --plan FILE, which losscli evaluate ... --dry-run -o run.plan writes"
_FoldedT = TypeVar("_FoldedT", bound=Partial | Scores)


def merged(outcomes: Sequence[Outcome], read: Callable[[Outcome], Partial | Scores]) -> Outcome:
    """The outcome of the rows of all parts.

    `read` loads the folded result of a part: only a few parts are in memory at once.  The order of the
    arguments does not matter: parts are merged in the order of their numbers, or else of their names.
    Raises DataError with all reasons why they cannot be merged.
    """
    ordered = sorted(outcomes, key=lambda each: (each.part or (0, 0), natural(each.title), each.digest))
    checks = (_wrong_parts, _repeated, _other_plans, _repeated_draws, _one_group)
    problems = [problem for check in checks for problem in check(ordered)]
    if problems:
        raise DataError(problems)
    first = ordered[0]
    if len(ordered) == 1:
        return replace(first, folded=read(first), part=None)
    folded, rows, layouts = Counter[Any](first.job.merge), 0, dict[tuple[int, str], Any]()
    for outcome in ordered:
        part = read(outcome)
        _require_lists(outcome, part)
        _require_layouts(outcome, layouts, _layouts(part))
        layouts |= _layouts(part)
        folded.add(_placed(part, outcome.title, rows))
        rows += _rows_of(part)
    return replace(
        first,
        job=_merged_job(ordered),
        folded=folded.merged(),
        notes=tuple(
            dict.fromkeys([*(text for each in ordered for text in each.notes), *_merge_notes(ordered)])
        ),
        names={name: loss for each in ordered for name, loss in each.names.items()},
        inputs=tuple(dict.fromkeys(table for each in ordered for table in each.inputs)),
        sources=tuple(digest for each in ordered for digest in _digests(each)),
        part=None,
        digest="",
    )


def _names(job: EvaluationJob | ComparisonJob) -> tuple[str, ...]:
    """The names of the compared models."""
    return job.names if isinstance(job, ComparisonJob) else ()


def _merged_job(outcomes: Sequence[Outcome]) -> EvaluationJob | ComparisonJob:
    """The job of all parts; a model whose file differs between parts has the name of its role."""
    job = outcomes[0].job
    if not isinstance(job, ComparisonJob):
        return job
    names_by_part = [_names(each.job) for each in outcomes]
    roles = ("predictions", "baseline") if outcomes[0].alone is not None else job.names
    by_model = zip(roles, zip(*names_by_part, strict=True), strict=True)
    names = tuple(titles[0] if len(set(titles)) == 1 else role for role, titles in by_model)
    return replace(job, names=names)


def _merge_notes(outcomes: Sequence[Outcome]) -> list[Note]:
    notes = [note(Code.MERGED, count=len(outcomes))]
    roles = outcomes[0].plan.roles
    if unknown := sum(not each.sources for each in outcomes):
        notes.append(finding(Code.SOURCES_UNKNOWN, fatal=False).note(Tally(unknown)))
    if roles.ids:
        notes.append(note(Code.KEYS_BY_PART))
    if roles.group is not None:
        notes.append(note(Code.GROUPS_BY_PART))
    return notes


# What cannot be merged


def _wrong_parts(outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Plans without rows, and parts that are missing, duplicate or numbered in different ways."""
    for outcome in outcomes:
        if outcome.is_plan:
            yield Problem(
                "is a plan, which holds no rows", outcome.place, "give the states that --state wrote"
            )
    numbered = [each.part for each in outcomes if each.part is not None]
    if not numbered:
        return
    if len(numbered) < len(outcomes) or len({count for _, count in numbered}) > 1:
        examples = [f"{each.place}: {_part(each)}" for each in outcomes]
        yield Problem(
            "parts are numbered in several ways", examples=tuple(examples), remedy="--part I/N for each"
        )
        return
    counts = Multiset(number for number, _ in numbered)
    total = numbered[0][1]
    if missing := [str(number) for number in range(1, total + 1) if not counts[number]]:
        what = f"part {missing[0]}" if len(missing) == 1 else f"parts {enumerated(missing)}"
        yield Problem(f"{what} of {total} missing", remedy="give the states of all parts")
    for number, count in counts.items():
        if count > 1:
            places = [each.place for each in outcomes if each.part == (number, total)]
            yield Problem(f"part {number} of {total} is given {count} times", examples=tuple(places))


def _part(outcome: Outcome) -> str:
    return "no number" if outcome.part is None else "part {} of {}".format(*outcome.part)


def _repeated(outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Rows that would count twice: the same state, or the same file of predictions."""
    seen: dict[str, Outcome] = {}
    for outcome in outcomes:
        digests = _digests(outcome)
        earlier = next((seen[digest] for digest in digests if digest in seen), None)
        if earlier is not None:
            what = "the same rows twice: its predictions are those of another state"
            yield Problem(what, outcome.place, "give each state once", (f"also {earlier.place}",))
        seen.update(dict.fromkeys(digests, outcome))


def _digests(outcome: Outcome) -> list[str]:
    """The digests of the sources of an outcome and of its own state."""
    return [*outcome.sources, *filter(None, [outcome.digest])]


def _repeated_draws(outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """A bootstrap that draws rows by their number, which starts anew in each part without a part number."""
    plan, several = outcomes[0].plan, len(outcomes) > 1
    if several and plan.resampling is not None and not plan.unit_columns and outcomes[0].part is None:
        what = "a bootstrap draws rows without a key by their number, which repeats in each part"
        yield Problem(what, outcomes[0].place, "number the parts: --part I/N; or align by a key: --on COLUMN")


def _one_group(outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Losses of all rows as one group, which parts cannot share."""
    first = outcomes[0]
    if len(outcomes) > 1 and first.plan.roles.group == ALL_ROWS:
        what = f"{enumerated(map(str, first.plan.choices))}: all rows are one group, which parts cannot share"
        yield Problem(what, first.place, "--group names a column of groups; or evaluate all rows in one run")


def _other_plans(outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Differences from the first state: options, classes, bins, reference points."""
    first = outcomes[0]
    for other in outcomes[1:]:
        different = [*differences(first, other), *_other_lists(first, other)]
        if different:
            what = f"was evaluated in another way than {first.place}"
            remedy = "\n".join(dict.fromkeys(remedy for _, remedy in different))
            yield Problem(what, other.place, remedy, tuple(text for text, _ in different))


def differences(first: Outcome, other: Outcome) -> Iterator[tuple[str, str]]:
    """How the plan of another outcome differs from the first, with a remedy for each difference."""
    job, other_job = first.job, other.job
    if (
        type(job) is not type(other_job)
        or len(job.plans) != len(other_job.plans)
        or first.alone != other.alone
    ):
        yield f"{_kind(other)}, not {_kind(first)}", "give states of one kind"
        return
    different = [(text, SAME_OPTIONS) for text in _other_options(job.plans, other_job.plans)]
    # The models of evaluate are named by their files, of which each part has its own.
    if first.alone is None and _names(job) != _names(other_job):
        text = f"the models are {enumerated(_names(other_job))}, not {enumerated(_names(job))}"
        different.append((text, "name the models alike in all parts: losscli compare a=FILE b=FILE"))
    if not different:
        different = _taken_from_rows(first, other)
    yield from different


def _other_lists(first: Outcome, other: Outcome) -> Iterator[tuple[str, str]]:
    """Different numbers of listed rows, or charts in some parts only: neither could be merged."""
    if type(first.job) is type(other.job) and first.listed != other.listed and not other.is_plan:
        flag = "--changed" if isinstance(first.job, ComparisonJob) else "--worst"
        listed, other_listed = (each.listed or "none" for each in (first, other))
        yield f"{flag} {other_listed}, not {listed}", f"give all parts the same {flag}"
    charts = [each.plan.request.charts for each in (first, other)]
    if charts[0] != charts[1] and not other.is_plan:
        which = "no charts, unlike" if charts[0] else "charts, unlike"
        yield f"{which} {first.place}", "give all parts --charts, or none"


def _require_lists(outcome: Outcome, folded: Partial | Scores) -> None:
    """Raise DataError for a state that lacks the rows that it lists."""
    has_rows = TOP in folded.extras if isinstance(folded, Partial) else bool(folded.changed)
    if has_rows != bool(outcome.listed):
        raise DataError(Problem("is a damaged state: it lacks the rows that it lists", outcome.place))


def _layouts(folded: Partial | Scores) -> dict[tuple[int, str], Any]:
    """The layout of the counts for each chart of each model."""
    parts = (folded,) if isinstance(folded, Partial) else folded.models
    return {
        (model, name): each.layout
        for model, part in enumerate(parts)
        for name, each in part.extras.items()
        if isinstance(each, Sampled | Counts)
    }


def _require_layouts(
    outcome: Outcome, layouts: dict[tuple[int, str], Any], others: dict[tuple[int, str], Any]
) -> None:
    """Raise DataError for a state whose charts have other layouts than those before."""
    if any(layouts[name] != layout for name, layout in others.items() if name in layouts):
        raise DataError(Problem("is a damaged state: its charts are others", outcome.place))


def _kind(outcome: Outcome) -> str:
    if outcome.alone is not None:
        return "losscli evaluate --baseline"
    if isinstance(outcome.job, ComparisonJob):
        return f"losscli compare of {len(outcome.job.plans)} models"
    return "losscli evaluate"


def _other_options(plans: Sequence[Plan], others: Sequence[Plan]) -> Iterator[str]:
    differing = (comparability.differences(a, b) for a, b in zip(plans, others, strict=True))
    return iter(dict.fromkeys(text for texts in differing for text in texts))


def _taken_from_rows(first: Outcome, other: Outcome) -> list[tuple[str, str]]:
    """Differences between runs of the same options that come from their rows."""
    if first.plan.signature != other.plan.signature:
        return [(f"{_other_roles(first.plan, other.plan)}, taken from its own rows", SAME_PLAN)]
    if first.plan.roles.widths != other.plan.roles.widths:
        return [("vectors of other lengths", "evaluate parts of one data set")]
    if losses := _with_reference_points(first, other):
        return [(f"{enumerated(losses)}: other reference points, taken from its own first rows", SAME_PLAN)]
    if first.fixed.weight_unit != other.fixed.weight_unit:
        return [("another unit of weights, taken from its own first rows", SAME_PLAN)]
    return []


def _other_roles(plan: Plan, other: Plan) -> str:
    """What another plan of the same options inferred differently from its rows."""
    roles, other_roles = plan.roles, other.roles
    if roles.names != other_roles.names:
        kind = "classes" if plan.cell == "class" else f"{plan.cell}s"
        return f"the {kind} {enumerated(other_roles.names)}, not {enumerated(roles.names)}"
    if roles.slicings != other_roles.slicings:
        return "other bins of --by"
    if roles.eps != other_roles.eps:
        return f"a clip at {other_roles.eps:g}, not {roles.eps:g}, by the type of the probabilities"
    return "another meaning of columns"


def _with_reference_points(first: Outcome, other: Outcome) -> list[str]:
    """The losses whose sums depend on reference points in which two outcomes differ."""
    if first.fixed.pilots == other.fixed.pilots:
        return []
    return [str(choice) for choice in first.plan.choices if _has_reference_points(choice)]


def _has_reference_points(choice: Choice) -> bool:
    """Whether the row columns or the reduction of a loss depend on the reference points of a run."""
    if choice.loss.reduction.names & {"pilot", "pilots"}:
        return True
    if not issubclass(choice.loss.batch, Regression):
        return True
    rows = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    fields = {name: np.ones(3) for name in choice.loss.batch.__struct_fields__[4:]}
    columns = [
        choice.columns(choice.loss.batch(np, *rows, pilot, **fields))
        for pilot in (Pilot(), Pilot(0.25, 0.125, 2.0**600, 2.0**600))
    ]
    return not all(np.array_equal(a, b) for a, b in zip(*columns, strict=True))


# Row numbers run through all parts, and examples name their part


def _rows_of(folded: Partial | Scores) -> int:
    """The number of rows of a part before --where, by which rows are numbered."""
    left_out = (tally for kind, tally in folded.tallies.items() if kind.code is Code.FILTERED_ROWS)
    return folded.rows + sum(tally.count for tally in left_out)


def _placed(folded: _FoldedT, title: str, rows: int) -> _FoldedT:
    """The result of a part, its row numbers after `rows` rows of earlier parts."""
    if isinstance(folded, Scores):
        return replace(
            folded,
            models=tuple(_placed(part, title, rows) for part in folded.models),
            pairs=tuple(_placed(part, title, rows) for part in folded.pairs),
            changed=tuple(_moved(top, rows) for top in folded.changed),
            found=None if folded.found is None else _named(folded.found, title),
        )
    assert isinstance(folded, Partial)
    slices = (
        replace(each, states=tuple(_moved(state, rows) for state in each.states)) for each in folded.slices
    )
    return replace(
        folded,
        overall=tuple(_moved(state, rows) for state in folded.overall),
        cells=tuple(None if state is None else _moved(state, rows) for state in folded.cells),
        slices=tuple(slices),
        extras={name: _moved(state, rows) for name, state in folded.extras.items()},
        tallies=_named(folded.tallies, title),
    )


_StateT = TypeVar("_StateT", bound=Summary)


def _moved(state: _StateT, rows: int) -> _StateT:
    """The state with its row numbers increased by `rows`."""
    if isinstance(state, Moments):
        low, high = (np.where(row < 0, row, row + rows) for row in (state.low_row, state.high_row))
        return replace(state, low_row=low, high_row=high)
    if isinstance(state, Top) and "row" in state.frame.columns:
        return replace(state, frame=state.frame.with_columns(pl.col("row") + rows))
    return state


def _named(tallies: Mapping[Finding, Tally], title: str) -> dict[Finding, Tally]:
    return {
        _in_part(kind): Tally(tally.count, [f"{title}: {example}" for example in tally.examples])
        for kind, tally in tallies.items()
    }


def _in_part(kind: Finding) -> Finding:
    """A finding of a part: a row without a match may have one in another part, so it is a note."""
    of = dict(kind.params).get("of", "")
    if kind.code is Code.UNMATCHED_TARGET and not of:
        return finding(Code.UNMATCHED_IN_PART, fatal=False, what="target")
    if kind.code is Code.UNMATCHED_PREDICTION and of:
        return finding(Code.UNMATCHED_IN_PART, fatal=False, what=f"prediction{of}")
    return kind
