"""Partial results as bytes, and back: for saved states, and for the workers of an engine.

Everything read is checked against the plan before use: the cells of each state, and the columns that its
reduction takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import polars as pl
from msgspec import Struct

from losscli.catalog.loss import Choice
from losscli.data.slicing import keys_of
from losscli.errors import DataError
from losscli.evaluation.block import Fixed
from losscli.evaluation.counted import is_counted, is_weighted, pairs_of
from losscli.evaluation.pairs import ComparisonJob, Scores
from losscli.evaluation.partial import EvaluationJob, Partial, Slices
from losscli.numeric.arrays import Array
from losscli.plan import codec
from losscli.plan.codec import Finder, from_plain, to_plain
from losscli.plan.plan import Plan
from losscli.report.findings import Counted
from losscli.states.base import State, Summary
from losscli.states.clusters import Totals
from losscli.states.contingency import Contingency
from losscli.states.counts import Counts
from losscli.states.histogram import Histogram
from losscli.states.moments import Moments
from losscli.states.ranks import Ranks
from losscli.states.sampled import Sampled
from losscli.states.sketch import Sketch
from losscli.states.soundness import require_sound
from losscli.states.top import Top
from losscli.tasks.regression import Pilot

Arrays = dict[str, Array]
_MISFITS = (
    AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, pl.exceptions.PolarsError,
)  # fmt: skip
"""Exceptions raised by using a header or arrays that do not fit a plan."""
_STATES: Mapping[str, type[State]] = {
    kind.__name__: kind for kind in (Moments, Ranks, Sketch, Top, Histogram, Contingency)
}
_SUMMARIES: Mapping[str, type[Summary]] = {**_STATES, "Sampled": Sampled, "Counts": Counts}


class _Sliced(Struct, frozen=True):
    """The slices of one slicing as written: the number of key columns and the kind of each state."""

    columns: int
    states: tuple[str, ...]
    has_totals: bool


class _Header(Struct, frozen=True):
    """All of a `Partial` but its arrays: kinds of states, None for no state."""

    overall: tuple[str, ...]
    cells: tuple[str | None, ...]
    slices: tuple[_Sliced, ...]
    extras: Mapping[str, str]
    tallies: tuple[Counted, ...]
    rows: int
    pilots: tuple[Pilot, ...]
    weight_unit: float
    fingerprint: str | None
    has_totals: bool
    has_cell_totals: bool


class _ScoresHeader(Struct, frozen=True):
    """All of `Scores` but its arrays."""

    models: tuple[_Header, ...]
    pairs: tuple[_Header, ...]
    rows: int
    changed: int
    found: tuple[Counted, ...] | None


class _Fixed(Struct, frozen=True):
    """`Fixed` as written."""

    pilots: tuple[Pilot, ...] | None
    weight_unit: float


class _Job(Struct, frozen=True):
    """A job as written: the plan of each model, and for several models what is compared."""

    plans: tuple[Any, ...]
    kept: bool
    pairs: tuple[tuple[int, int], ...] = ()
    names: tuple[str, ...] = ()
    changed: int = 0


def plain_job(job: EvaluationJob | ComparisonJob) -> Any:
    """A job as plain data.  Raises UsageError for a loss that other processes cannot find by name."""
    plans = tuple(map(codec.plain, job.plans))
    if isinstance(job, ComparisonJob):
        return to_plain(_Job(plans, job.kept, job.pairs, job.names, job.changed))
    return to_plain(_Job(plans, job.kept))


def job_of(data: Any, find: Finder | None = None) -> EvaluationJob | ComparisonJob:
    """The job in plain data; raises as `codec.plan_of`."""
    written = from_plain(data, _Job)
    plans = tuple(codec.plan_of(each, find) for each in written.plans)
    if not plans or any(not 0 <= place < len(plans) for pair in written.pairs for place in pair):
        raise DataError("is a damaged state: it compares models that it does not have")
    if written.pairs:
        if len(written.names) != len(plans):
            raise DataError("is a damaged state: its models have other names")
        return ComparisonJob(plans, written.pairs, written.names, written.changed, written.kept)
    return EvaluationJob(plans[0], written.kept)


def plain_fixed(fixed: Fixed) -> Any:
    """What the first block fixes, as plain data."""
    return to_plain(_Fixed(fixed.pilots, fixed.weight_unit))


def fixed_of(data: Any) -> Fixed:
    """What the first block fixes, from plain data."""
    written = from_plain(data, _Fixed)
    return Fixed(written.pilots, written.weight_unit)


def packed(folded: Partial | Scores) -> tuple[Any, Arrays]:
    """The result of some rows as plain data and arrays."""
    arrays: Arrays = {}
    if isinstance(folded, Partial):
        return to_plain(_pack(folded, "", arrays)), arrays
    models, pairs = (
        tuple(_pack(part, f"{kind}.{place}.", arrays) for place, part in enumerate(parts))
        for kind, parts in (("model", folded.models), ("pair", folded.pairs))
    )
    arrays["counts"] = folded.counts
    for place, top in enumerate(folded.changed):
        _put(arrays, f"changed.{place}.", top.to_arrays())
    findings = None if folded.found is None else tuple(Counted.of(*each) for each in folded.found.items())
    return to_plain(_ScoresHeader(models, pairs, folded.rows, len(folded.changed), findings)), arrays


def unpacked(job: EvaluationJob | ComparisonJob, header: Any, arrays: Mapping[str, Array]) -> Any:
    """The result of some rows of a job.  Raises DataError if it does not fit the plan of the job."""
    try:
        if isinstance(job, EvaluationJob):
            part = _unpack(from_plain(header, _Header), "", arrays, job.plan)
            _require_fits(job.plan, part)
            return part
        return _unpack_scores(from_plain(header, _ScoresHeader), arrays, job)
    except _MISFITS as error:
        raise DataError(f"is a damaged state: it does not fit its plan ({error})") from error


def _unpack_scores(header: _ScoresHeader, arrays: Mapping[str, Array], job: ComparisonJob) -> Scores:
    if (len(header.models), len(header.pairs)) != (len(job.plans), len(job.pairs)):
        raise ValueError("other models")
    models = [
        _unpack(each, f"model.{place}.", arrays, plan)
        for place, (each, plan) in enumerate(zip(header.models, job.plans, strict=True))
    ]
    pairs = [_unpack(each, f"pair.{place}.", arrays, job.plans[0]) for place, each in enumerate(header.pairs)]
    for plan, part in zip(job.plans, models, strict=True):
        _require_fits(plan, part)
    for part in pairs:
        _require_fits(job.plans[0], part, paired=True)
    if any(
        part.slices[i].places.keys() != slices.places.keys()
        for part in (*models, *pairs)
        for i, slices in enumerate(models[0].slices)
    ):
        raise ValueError("models with other slices")
    counts = arrays["counts"]
    if counts.shape != (len(pairs), len(job.plans[0].choices), 2) or header.changed not in (0, len(pairs)):
        raise ValueError("other comparisons")
    changed = tuple(
        Top.from_arrays(_with_prefix(arrays, f"changed.{place}.")) for place in range(header.changed)
    )
    findings = None if header.found is None else dict(map(Counted.read, header.found))
    return Scores(tuple(models), tuple(pairs), counts, header.rows, changed, findings)


# A partial result


def _pack(part: Partial, prefix: str, arrays: Arrays) -> _Header:
    """The header of a partial result; adds its arrays to `arrays`, their names with a prefix."""

    def put(name: str, state: Summary | None) -> str | None:
        if state is None:
            return None
        _put(arrays, f"{prefix}{name}.", state.to_arrays())
        return type(state).__name__

    def put_totals(name: str, totals: Totals | None) -> bool:
        if totals is not None:
            _put(arrays, f"{prefix}{name}.", totals.to_arrays())
        return totals is not None

    slices = []
    for place, sliced in enumerate(part.slices):
        kinds = [put(f"slice.{place}.{number}", state) or "" for number, state in enumerate(sliced.states)]
        totals = put_totals(f"slice_totals.{place}", sliced.totals)
        for number, labels in enumerate(sliced.labels):
            _put(arrays, f"{prefix}keys.{place}.{number}.", _encoded_texts(labels.to_list()))
        slices.append(_Sliced(sliced.keys.width, tuple(kinds), totals))
    return _Header(
        overall=tuple(put(f"overall.{i}", state) or "" for i, state in enumerate(part.overall)),
        cells=tuple(put(f"cell.{i}", state) for i, state in enumerate(part.cells)),
        slices=tuple(slices),
        extras={name: put(f"extra.{name}", state) or "" for name, state in part.extras.items()},
        tallies=tuple(Counted.of(*each) for each in part.tallies.items()),
        rows=part.rows,
        pilots=part.pilots,
        weight_unit=part.weight_unit,
        fingerprint=None if part.fingerprint is None else f"{part.fingerprint:016x}",
        has_totals=put_totals("totals", part.totals),
        has_cell_totals=put_totals("cell_totals", part.cell_totals),
    )


def _unpack(header: _Header, prefix: str, arrays: Mapping[str, Array], plan: Plan) -> Partial:
    """The partial result of a header.  Raises ValueError, KeyError and others if it does not fit the plan."""

    def get(name: str, kind: str, choice: Choice | None = None) -> State:
        state = choice.loss.state if choice is not None and kind not in _STATES else _STATES[kind]
        return state.from_arrays(_with_prefix(arrays, f"{prefix}{name}."))

    def totals(name: str, exists: bool) -> Totals | None:
        return Totals.from_arrays(_with_prefix(arrays, f"{prefix}{name}.")) if exists else None

    def states(kinds: Sequence[str | None], name: str) -> Iterator[State | None]:
        for place, (kind, choice) in enumerate(zip(kinds, plan.choices, strict=True)):
            yield None if kind is None else get(f"{name}.{place}", kind, choice)

    def keys(number: int, columns: int) -> pl.DataFrame:
        labels = (_decoded_texts(_with_prefix(arrays, f"{prefix}keys.{number}.{i}.")) for i in range(columns))
        return keys_of([pl.Series(column, dtype=pl.String) for column in labels])

    slices = tuple(
        Slices(
            keys(number, sliced.columns),
            tuple(filter(None, states(sliced.states, f"slice.{number}"))),
            totals(f"slice_totals.{number}", sliced.has_totals),
        )
        for number, sliced in enumerate(header.slices)
    )
    return Partial(
        overall=tuple(filter(None, states(header.overall, "overall"))),
        cells=tuple(states(header.cells, "cell")),
        tallies=dict(map(Counted.read, header.tallies)),
        rows=header.rows,
        pilots=header.pilots,
        slices=slices,
        extras={
            name: _SUMMARIES[kind].from_arrays(_with_prefix(arrays, f"{prefix}extra.{name}."))
            for name, kind in header.extras.items()
        },
        totals=totals("totals", header.has_totals),
        cell_totals=totals("cell_totals", header.has_cell_totals),
        fingerprint=None if header.fingerprint is None else int(header.fingerprint, 16),
        weight_unit=header.weight_unit,
    )


# Keys of slices are arrays too: as JSON, many of them would take ten times as long.


def _encoded_texts(labels: Sequence[str]) -> Arrays:
    """Texts as their concatenated UTF-8 bytes and the length of each in bytes."""
    encoded = [label.encode() for label in labels]
    lengths = np.array([len(each) for each in encoded], dtype=np.int64)
    return {"text": np.frombuffer(b"".join(encoded), dtype=np.uint8), "lengths": lengths}


def _decoded_texts(arrays: Arrays) -> list[str]:
    """The texts that `_encoded_texts` wrote.  Raises ValueError for other arrays."""
    text, lengths = arrays["text"], arrays["lengths"]
    if text.dtype != np.uint8 or (lengths < 0).any() or lengths.sum() != len(text):
        raise ValueError("keys of slices")
    data, ends = text.tobytes(), np.cumsum(lengths).tolist()
    return [data[start:end].decode() for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _put(arrays: Arrays, prefix: str, named: Mapping[str, Array]) -> None:
    arrays.update({f"{prefix}{name}": values for name, values in named.items()})


def _with_prefix(arrays: Mapping[str, Array], prefix: str) -> Arrays:
    """The arrays whose names have the prefix, under their names without it."""
    return {name[len(prefix) :]: values for name, values in arrays.items() if name.startswith(prefix)}


# Whether states fit the plan


def _require_fits(plan: Plan, part: Partial, paired: bool = False) -> None:
    """Raise ValueError and others if the states do not fit the plan."""
    if len(part.slices) != len(plan.roles.slicings) or part.rows < 0:
        raise ValueError("other slices")
    clustered = plan.roles.cluster is not None
    if (part.totals is not None) != clustered or (part.cell_totals is not None and not clustered):
        raise ValueError("other clusters")
    names = len(plan.roles.names)
    _require_totals(part.overall, part.totals, 1)
    # The totals of labels cover the columns of all labels.
    joint = 1 if plan.cell == "class" else max(names, 1)
    _require_totals(part.cells, part.cell_totals, max(names, 1), joint)
    for slices, slicing in zip(part.slices, plan.roles.slicings, strict=True):
        if slices.keys.width != len(slicing.columns) or slices.keys.is_duplicated().any():
            raise ValueError("slices of other columns")
        if (slices.totals is not None) != clustered:
            raise ValueError("other clusters of slices")
        _require_totals(slices.states, slices.totals, slices.keys.height)
    for extra in part.extras.values():
        require_sound(cast(State | Sampled | Counts, extra), 1)
    for place, choice in enumerate(plan.choices):
        sized = [(part.overall[place], 1)]
        sized += [(slices.states[place], slices.keys.height) for slices in part.slices]
        if (cells := part.cells[place]) is not None:
            sized.append((cells, names))
        for state, count in sized:
            _require_kind(plan, choice, state, paired)
            require_sound(state, count)
        if not paired:
            _require_columns(plan, choice, part, part.overall[place])


def _require_kind(plan: Plan, choice: Choice, state: State, paired: bool) -> None:
    """Raise ValueError unless the state is one of the rows of a loss, or counts pairs of its classes."""
    if not isinstance(state, Contingency):
        if not isinstance(state, plan.state(choice)):
            raise ValueError(f"another state of {choice}")
        return
    if (state.powers is not None) != is_weighted(plan):
        raise ValueError(f"other weights of {choice}")
    pairs = pairs_of(plan, 2 if paired else 1)
    if not is_counted(plan, choice) or int(state.numbers.max(initial=0)) >= pairs:
        raise ValueError(f"other pairs of {choice}")


def _require_totals(
    states: Sequence[State | None], totals: Totals | None, cells: int, joint: int = 1
) -> None:
    """Raise ValueError if the cluster totals do not have the columns of the states."""
    if totals is None:
        return
    require_sound(totals, cells)
    for state, sums in zip(states, totals.sums, strict=True):
        k = state.drift.shape[1] * joint if isinstance(state, Moments) else 0
        if sums.shape[1] != 1 + k:
            raise ValueError("clusters of other losses")


def _require_columns(plan: Plan, choice: Choice, part: Partial, overall: State) -> None:
    """Raise ValueError, or an error of NumPy, if a reduction does not take the columns of its state."""
    outputs = plan.outputs(choice)
    if part.pilots and len(part.pilots) != outputs:
        raise ValueError("other outputs")
    if isinstance(overall, Moments):
        k = overall.drift.shape[1]
    elif isinstance(overall, Ranks):
        k = len(overall.parts[0].columns)
        overall = _first_rows(overall)
    else:
        return
    if k == 0 or k % outputs:
        raise ValueError(f"{k} columns of {choice}")
    bound = choice.reduction.with_pilots(part.pilots or (None,) * outputs, part.weight_unit)
    with np.errstate(all="ignore"):
        overall.estimates(bound, None)


def _first_rows(ranks: Ranks) -> Ranks:
    """A few rows, enough to try the reduction of a loss of order: all of them would take long."""
    rows = ranks.parts[0].at(np.arange(min(len(ranks.parts[0].codes), 4)))
    count = np.array([len(rows.codes)])
    return Ranks(count, count.astype(float), [rows])
