"""The report of a run, as plain frozen data with a stable JSON form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import eq
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeAlias, overload

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from losscli.errors import GateError, UsageError
from losscli.report import codec
from losscli.report.charts import Chart
from losscli.report.codec import ParamValue, Record, Whole
from losscli.report.findings import Code, Note
from losscli.text import _quoted, param_text, printable_json

if TYPE_CHECKING:
    from typing import Self

    import altair as alt
    import polars as pl

LOSS_NAME = r"[A-Za-z_][\w.@-]*"
"""The pattern of a name that needs no quotes."""
POWER = 0.8
"""The power of a comparison against a true difference of `minimum_detectable`."""
Level: TypeAlias = Annotated[float, Meta(gt=0, lt=1)]
"""The level of an interval."""
Freedom: TypeAlias = Annotated[float, Meta(gt=0)]
"""Degrees of freedom."""
Shown: TypeAlias = ParamValue | list[Any]
"""What is shown of a row: a number, text, or a list of them."""
MODELS = ("a", "b")
"""The fields of a changed row that name its models."""
_FIRST = ("losscli", "signature", "names", "provenance")
"""Fields that describe the run, written before its results."""
_TEXTS = ("loss", "label", "model", "params", "cell", "notes")
"""Columns of text in a frame."""

Outcome: TypeAlias = Literal["pass", "fail", "unsure", "skipped", "error", "warn"]
"""The statuses of a verdict."""


class Result(Record, frozen=True, kw_only=True, gc=False):
    """The value of one loss in one cell.

    `loss` is its name in the catalog, `label` how the user named it, with the parameters that were set.
    `cell` is empty for overall, else names its class, label, output or slice.  `value` is None if it
    is not defined, and `notes` explain why.  `se`, `ci_low` and `ci_high` are the standard error and bounds
    of the interval at `level`, with `df` degrees of freedom and corrected for skewness, or those of a
    bootstrap, which the findings of a report name; None if an interval has no meaning.  `higher_is_better`
    distinguishes a score from a loss.  `share` is the part (0 to 1) of the overall loss that comes from the
    rows of this cell, if the loss adds up over rows.  `max_error` is the most by which a value of
    --approximate differs from the exact one.
    """

    derived = ("minimum_detectable",)

    model: str | None = None
    cell: Mapping[str, str] = field(default_factory=dict)
    value: float | None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: Level | None = None
    df: Freedom | None = None
    higher_is_better: bool = False
    rows: int
    weight: float
    share: float | None = None
    max_error: float | None = None
    notes: tuple[Note, ...] = ()

    @property
    def minimum_detectable(self) -> float | None:
        """The smallest true difference that an unpaired comparison with a sample of this size detects.

        It has a power of 80 % at `level`: 2.8 standard errors of the difference at 95 %, which are those of
        the value times the root of 2.  A paired comparison on the same rows detects smaller differences.
        """
        return None if self.se is None or self.level is None else _detectable(self.level) * self.se


class _LazyResults(Sequence[Result]):
    """Results that are created on access; equal to a tuple of the same results."""

    __slots__ = ()

    def between(self, start: int, stop: int) -> Iterator[Result]:
        """The results from index `start` to `stop` (exclusive)."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Result, ...]: ...
    def __getitem__(self, index: int | slice) -> Result | tuple[Result, ...]:
        indices = range(len(self))[index]
        if isinstance(indices, range):
            if indices.step == 1:
                return tuple(self.between(indices.start, indices.stop))
            return tuple(map(self.__getitem__, indices))
        return next(self.between(indices, indices + 1))

    def __iter__(self) -> Iterator[Result]:
        return self.between(0, len(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _LazyResults | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # like a tuple of results, whose cells are not hashable

    def __repr__(self) -> str:
        return repr(tuple(self))


class Columns(_LazyResults):
    """The results of one loss in many cells, stored as columns: 100 MB for a million cells.

    `common` is a result with the fields that are the same in all cells.  `cells` has the labels (c,) of each
    column of the cells.  `numbers` has the other fields of `Result` as arrays (c,), NaN for None, except for
    the notes: those of a cell are at its index `noted` (c,) in `notes`.
    """

    __slots__ = ("cells", "common", "noted", "notes", "numbers")

    def __init__(
        self,
        common: Result,
        cells: Mapping[str, pl.Series],
        numbers: Mapping[str, Any],
        noted: Any,
        notes: tuple[tuple[Note, ...], ...],
    ) -> None:
        self.common, self.cells, self.numbers = common, cells, numbers
        self.noted, self.notes = noted, notes

    def in_order(self, order: Any) -> Columns:
        """The results in the order of these indices (c,)."""
        cells = {name: labels[order] for name, labels in self.cells.items()}
        numbers = {name: array[order] for name, array in self.numbers.items()}
        return Columns(self.common, cells, numbers, self.noted[order], self.notes)

    def __len__(self) -> int:
        return len(self.noted)

    def between(self, start: int, stop: int) -> Iterator[Result]:
        """The results from index `start` to `stop` (exclusive)."""
        for first in range(start, stop, _CHUNK):
            chunk = slice(first, min(first + _CHUNK, stop))
            numbers = (_with_none(self.numbers[name][chunk].tolist()) for name in _NUMBERS)
            for cell, noted, value, se, low, high, level, df, rows, weight, share, error in zip(
                self._cells(chunk), self.noted[chunk].tolist(), *numbers, strict=True
            ):
                # Names that are written out take a fifth of the time that a dictionary of them takes.
                yield replace(
                    self.common,
                    cell=cell,
                    notes=self.notes[noted],
                    value=value,
                    se=se,
                    ci_low=low,
                    ci_high=high,
                    level=level,
                    df=df,
                    rows=rows,
                    weight=weight,
                    share=share,
                    max_error=error,
                )

    def by_note(self) -> Iterator[tuple[Note, Columns]]:
        """Each note with the results that have it, in the order in which notes first occur."""
        noted = self.noted.tolist()
        for note in dict.fromkeys(chain.from_iterable(self.notes[place] for place in dict.fromkeys(noted))):
            places = {place for place, notes in enumerate(self.notes) if note in notes}
            yield note, self.in_order([index for index, place in enumerate(noted) if place in places])

    def worst_first(self) -> tuple[int, ...]:
        """The indices of the results from the worst value to the best; those without a value come last."""
        values = self.numbers["value"] if self.common.higher_is_better else -self.numbers["value"]
        return tuple(values.argsort(kind="stable").tolist())

    def to_frame(self, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
        """The results as a frame with these columns, those of `Report.to_frame`."""
        import polars as pl

        notes = pl.Series([_notes_text(each) for each in self.notes], dtype=pl.String)
        columns = {f"cell.{name}": labels for name, labels in self.cells.items()}
        columns |= {name: pl.Series(array, nan_to_null=True) for name, array in self.numbers.items()}
        columns |= {"cell": pl.Series(map(cell_name, self._cells(slice(None)))), "notes": notes[self.noted]}
        same = {name: values[0] for name, values in _flat([self.common], schema).items()}
        return pl.select(
            columns[name].cast(type_).alias(name)
            if name in columns
            else pl.lit(same[name], type_).alias(name)
            for name, type_ in schema.items()
        )

    def labels(self, chunk: slice = slice(None)) -> list[tuple[str, ...]]:
        """The labels of the cells of a chunk, by default of all."""
        columns = [labels[chunk].to_list() for labels in self.cells.values()]
        return [*zip(*columns, strict=True)] if columns else [()] * len(self.noted[chunk])

    def _cells(self, chunk: slice) -> list[dict[str, str]]:
        return [dict(zip(self.cells, labels, strict=True)) for labels in self.labels(chunk)]


_NUMBERS = ("value", "se", "ci_low", "ci_high", "level", "df", "rows", "weight", "share", "max_error")
"""The fields of a result that are numbers of its cell, in the order in which results are created."""


def _with_none(numbers: list[float]) -> list[float | None]:
    """The numbers with None for NaN."""
    return [None if number != number else number for number in numbers]


class Results(_LazyResults):
    """The results of a report in several parts, of which some are stored as `Columns`."""

    __slots__ = ("parts",)

    def __init__(self, parts: Iterable[Sequence[Result]]) -> None:
        self.parts = tuple(parts)

    @classmethod
    def of(cls, parts: Iterable[Sequence[Result]]) -> Sequence[Result]:
        """The results of all parts; a tuple if no part is stored as columns."""
        flat = [part for nested in parts for part in (nested.parts if isinstance(nested, cls) else (nested,))]
        return cls(flat) if any(isinstance(part, Columns) for part in flat) else tuple(chain(*flat))

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def between(self, start: int, stop: int) -> Iterator[Result]:
        """The results from index `start` to `stop` (exclusive)."""
        for part in self.parts:
            first, last = max(start, 0), min(stop, len(part))
            if first < last:
                yield from part.between(first, last) if isinstance(part, Columns) else part[first:last]
            start, stop = start - len(part), stop - len(part)


_CHUNK = 1 << 12
"""The number of results that are created at once."""


def _parts(results: Sequence[Result]) -> Sequence[Sequence[Result]]:
    """The parts of results, of which those of slices are `Columns`."""
    return results.parts if isinstance(results, Results) else (results,)


def _columns_of(part: Sequence[Result]) -> Iterable[str]:
    """The columns of the cells of a part, possibly several times."""
    return part.cells if isinstance(part, Columns) else chain.from_iterable(each.cell for each in part)


def parts_of(results: Sequence[Result]) -> Iterator[Sequence[Result]]:
    """Results in parts of one loss, model and kind of cell: the slices of a loss, and each other result."""
    for part in _parts(results):
        if not isinstance(part, Columns):
            yield from ((each,) for each in part)
        elif part:
            yield part


def representatives(results: Sequence[Result]) -> Iterator[Result]:
    """Results of all losses and models, in their order: of the slices of a loss only the first."""
    return (part[0] for part in parts_of(results))


def by_note(results: Sequence[Result]) -> Iterator[tuple[Note, Sequence[Result]]]:
    """Notes with results that have them, possibly several times; those of slices are not created."""
    for part in parts_of(results):
        yield from part.by_note() if isinstance(part, Columns) else ((note, part) for note in part[0].notes)


def by_columns(results: Sequence[Result], columns: Collection[str]) -> Iterator[Result]:
    """The results of the cells of these columns, in any order; () for the overall results.

    Those of slices by other columns are not created.
    """
    for part in _parts(results):
        if not isinstance(part, Columns) or part.cells.keys() == {*columns}:
            yield from (result for result in part if result.cell.keys() == {*columns})


@lru_cache
def _detectable(level: float) -> float:
    """The standard errors of a value that are the minimum detectable difference at a level."""
    normal, upper = NormalDist(), (1 + level) / 2
    # So near to 1 that the sum rounds, the lower tail has the digits.
    two_sided = normal.inv_cdf(upper) if upper < 1 else -normal.inv_cdf((1 - level) / 2)
    return (two_sided + normal.inv_cdf(POWER)) * 2**0.5


class Comparison(Record, frozen=True, kw_only=True):
    """How the losses of two models on the same rows differ in one cell.

    `a` and `b` name the models, `value_a` and `value_b` are their losses with standard errors `se_a` and
    `se_b`.  `difference` is value_b - value_a, so below zero b loses less; `percent` the same in per cent of
    `abs(value_a)`.  `se`, `ci_low` and `ci_high` are those of the difference at `level`, with `df` degrees of
    freedom: of paired rows, whose common noise cancels.  `p_value` is that of the two-sided test of no
    difference, and `adjusted` the same adjusted by Holm's method for the comparisons of the same
    loss that were made together.  `contribution` is the part of the overall difference that comes from the
    rows of this cell, in the unit of the loss: over the cells of one kind it adds up to the difference.
    `better` and `worse` count the rows on which b does better and worse than a, if the loss has a value for
    each row.  `higher_is_better` distinguishes a score from a loss.
    """

    derived = ("winner",)

    a: str
    b: str
    cell: Mapping[str, str] = field(default_factory=dict)
    value_a: float | None
    value_b: float | None
    se_a: float | None = None
    se_b: float | None = None
    difference: float | None
    percent: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: Level | None = None
    df: Freedom | None = None
    p_value: float | None = None
    adjusted: float | None = None
    contribution: float | None = None
    better: int | None = None
    worse: int | None = None
    higher_is_better: bool = False
    rows: int
    weight: float
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a count of better rows without that of worse ones, or the other way round."""
        if (self.better is None) != (self.worse is None):
            raise ValueError("`better` and `worse` are counts of the same rows: one of them is missing")

    @property
    def winner(self) -> str | None:
        """The model that is better beyond the noise: whose adjusted p-value is below 1 - level; else None."""
        if self.adjusted is None or self.level is None or not self.adjusted < 1 - self.level:
            return None
        return self.b if ((self.difference or 0.0) > 0) == self.higher_is_better else self.a


class Placing(Struct, frozen=True, kw_only=True):
    """A submission on a leaderboard, in one cell.

    `label` is the user's name of the loss that ranks.  `place` counts from 1; submissions that do not differ
    significantly share one, and are `tied`.  It is None if the submission is broken or has no value, and
    `reason` explains why.  `p_value` is that of the paired test of no difference from the best submission of
    its place, adjusted for all pairs of submissions.
    """

    place: int | None = None
    model: str
    label: str = ""
    cell: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: Level | None = None
    tied: bool = False
    p_value: float | None = None
    rows: int | None = None
    reason: str = ""


class Segment(Record, frozen=True, kw_only=True):
    """A part of the rows whose loss is worse than that of the rest beyond noise.

    `cell` are its values by column.  `difference` is `value` - `rest`, of all rows outside of it, with the
    standard error `se`, the interval at `level` and `df` degrees of freedom.  `p_value` is that of the
    one-sided test that it is no worse than the rest, `adjusted` the same by the method of Benjamini and
    Hochberg for all segments that were searched.  `gain` is by how much the overall value would be better if
    the segment were like the rest, as a share of its absolute value.  `higher_is_better` distinguishes a
    score from a loss.
    """

    cell: Mapping[str, str]
    value: float
    rest: float
    difference: float
    se: float
    ci_low: float
    ci_high: float
    level: Level
    df: Freedom | None = None
    p_value: float
    adjusted: float
    gain: float | None = None
    higher_is_better: bool = False
    rows: int
    weight: float


class Verdict(Struct, frozen=True):
    """The verdict of a gate on one result.

    `status` is pass, fail, unsure (with --confident, if the interval contains the limit), skipped (too few
    rows), error, or warn (a failure or an error of a gate that only warns).  `weak` is true if the interval
    contains the limit.  `value` was compared with `limit`, which may be computed from `base`, the value of
    the baseline.  `margin` is the distance of the value from the limit in standard errors, negative if the
    gate fails.  `reason` explains a missing verdict.  `model` is the judged model of several, `name` the name
    of the gate.
    """

    gate: str
    status: Outcome
    cell: Mapping[str, str] = field(default_factory=dict)
    weak: bool = False
    value: float | None = None
    limit: float | None = None
    margin: float | None = None
    base: float | None = None
    reason: str = ""
    model: str | None = None
    name: str = ""

    @property
    def title(self) -> str:
        """The gate, with its name if it has one."""
        return f"{self.name}: {self.gate}" if self.name else self.gate

    @property
    def place(self) -> str:
        """The model and the cell that were judged, as text."""
        return " ".join(filter(None, (self.model, cell_name(self.cell))))


class Report(Whole, frozen=True):
    """All results of a run.

    `report["huber"]` is the overall result, `report["huber", {"class": "cat"}]` that of a cell; a loss is
    looked up by the name that the user gave or by that of the catalog.  `results` is a tuple; with slices, of
    which there may be a million, a sequence that creates each result on access.  `signature` is a digest
    of all that was requested; `provenance` describes, as text, what two comparable reports must share.
    `worst` are the rows with the largest loss, if requested: their numbers from 1, keys, targets, predictions
    and losses; `changed` are, for pairs of models, the rows whose losses differ most; `charts` what charts
    show, if requested.  `times` are the columns of cells that are times, each with its unit ("month");
    these cells are in its order.  `segments` are those that `losscli.weak` found.
    """

    always = ("gates", "findings", "signature", "losscli", "names", "provenance")
    unless_empty = ("charts",)

    results: Sequence[Result]
    gates: tuple[Verdict, ...] = ()
    findings: tuple[Note, ...] = ()
    signature: str = ""
    losscli: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    board: tuple[Placing, ...] = ()
    worst: tuple[Mapping[str, Shown], ...] = ()
    changed: tuple[Mapping[str, Shown], ...] = ()
    charts: tuple[Chart, ...] = ()
    times: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()

    @property
    def overall(self) -> tuple[Result, ...]:
        """The results without a cell, one per loss and model; those of slices are not created."""
        return tuple(by_columns(self.results, ()))

    @property
    def unit(self) -> str:
        """What the numbers of rows count: rows, or groups if a loss has a value per group."""
        counts_groups = {str(Code.ROWS_COUNT_GROUPS), str(Code.ONE_GROUP)}
        return "groups" if any(each.code in counts_groups for each in self.findings) else "rows"

    @property
    def is_search(self) -> bool:
        """Whether it is of a search for segments, of which there may be none."""
        return any(finding.code == str(Code.SEGMENTS_SEARCHED) for finding in self.findings)

    def __post_init__(self) -> None:
        """Raise ValueError for rows that cannot be shown as tables."""
        for rows in (self.worst, *self.changed_by_pair.values()):
            if any(row.keys() != rows[0].keys() for row in rows):
                raise ValueError("rows of a table have different fields")

    @property
    def changed_by_pair(self) -> dict[tuple[str, str], list[Mapping[str, Shown]]]:
        """The changed rows of each pair of models, without the names of these.

        Raises ValueError for a row that does not name them.
        """
        found: dict[tuple[str, str], list[Mapping[str, Shown]]] = {}
        for row in self.changed:
            a, b = (row.get(model) for model in MODELS)
            if not isinstance(a, str) or not isinstance(b, str):
                raise ValueError("a changed row does not name two models")
            known = {name: value for name, value in row.items() if name not in MODELS}
            found.setdefault((a, b), []).append(known)
        return found

    def __getitem__(self, key: str | tuple[str, Mapping[str, object]]) -> Result:
        """The result of a loss overall, or in a cell.  Raises KeyError, which lists the losses."""
        name, cell = (key, {}) if isinstance(key, str) else key
        loss = self.names.get(name, name)
        wanted = {column: str(value) for column, value in cell.items()}
        in_cell = [result for result in by_columns(self.results, wanted) if dict(result.cell) == wanted]
        for result in in_cell:
            if result.label == name:
                return result
        for result in in_cell:
            if result.loss == loss:
                return result
        known = dict.fromkeys(result.label or result.loss for result in representatives(self.results))
        raise KeyError(f"no result of {name!r} in cell {wanted}; losses: {', '.join(known)}")

    @property
    def passed(self) -> bool:
        """Whether no gate failed and each could be judged: exit status 0.  True without gates."""
        return not any(verdict.status in ("fail", "error") for verdict in self.gates)

    def check(self) -> Self:
        """Return the report itself if its gates pass.

        Raises GateError, whose text is the table of gates, if one failed or could not be judged, and
        UsageError for a report without gates.
        """
        if not self.gates:
            raise UsageError("the report has no gates", remedy="evaluate(..., gate='huber <= 0.5')")
        if not self.passed:
            raise GateError(_render().gates_of(self))
        return self

    def to_frame(self) -> pl.DataFrame:
        """The results as a polars frame, a row for each result.

        Its columns are the fields of `Result`.  Parameters, cells and notes are text; a column `cell.NAME`
        for each column of the cells has their values alone.
        """
        import polars as pl  # few reports become a frame

        types = {"rows": pl.Int64, **dict.fromkeys(_TEXTS, pl.String)}
        schema = {name: types.get(name, pl.Float64) for name in Result.__struct_fields__}
        names = dict.fromkeys(name for part in _parts(self.results) for name in _columns_of(part))
        schema |= {f"cell.{name}": pl.String for name in names}
        frames = [
            part.to_frame(schema) if isinstance(part, Columns) else pl.DataFrame(_flat(part, schema), schema)
            for part in _parts(self.results)
        ]
        return pl.concat(frames, rechunk=True)

    def __str__(self) -> str:
        return _render().text_of(self)

    def _repr_html_(self) -> str:
        """The report as a notebook shows it."""
        return _render().html_of(self)

    def to_html(self) -> str:
        """The report as a page with charts: one file that needs no network.

        Raises UsageError if the extra `report` is not installed.
        """
        return _render().page_of(self)

    def plot(self, name: str, loss: str | None = None) -> alt.TopLevelMixin:
        """A chart of the report, as an Altair chart.

        Args:
            name: Which: "cells", "reliability", "residuals", ...; several of a kind, as of several losses,
                are one below the other.  Charts of the task need `charts=True` in `evaluate`.
            loss: Of which loss, as it was named in the request or is in the catalog; by default of all.

        Raises:
            UsageError: The report has no such chart, of this loss if one is given, or the extra `report` is
                not installed.

        Examples:
            >>> chart = losscli.evaluate([0.9, 0.2], [1, 0], task="binary", charts=True).plot("roc")
            >>> chart.save("loss.svg")  # doctest: +SKIP
        """
        return _render().plot_of(self, name, loss)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON types, stable within a schema version."""
        plain: dict[str, Any] = msgspec.json.decode(codec.encode(self, _FIRST))
        return plain

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON text, with every digit of each number; on one line without an indent."""
        encoded = codec.encode(self, _FIRST)
        if indent is not None:
            encoded = msgspec.json.format(encoded, indent=indent)
        text = encoded.decode()
        del encoded  # of a million slices there is room for few copies
        return printable_json(text)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """The report that `to_dict` wrote.  Raises DataError, which names the field that is wrong."""
        return cls.from_json(json.dumps(data))

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """The report that `to_json` wrote.  Raises DataError, which names the field that is wrong."""
        return codec.decode(text, cls)


def _flat(results: Sequence[Result], schema: Iterable[str]) -> dict[str, list[Any]]:
    """The columns of a frame, with text for the fields that hold several values."""
    columns = {name: [getattr(each, name) for each in results] for name in Result.__struct_fields__}
    columns["params"] = list(map(_params_name, columns["params"]))
    columns["notes"] = list(map(_notes_text, columns["notes"]))
    cells = columns["cell"]
    columns["cell"] = list(map(cell_name, cells))
    names = (name for name in schema if name not in columns)
    return columns | {name: [cell.get(name.removeprefix("cell.")) for cell in cells] for name in names}


def _notes_text(notes: Iterable[Note]) -> str:
    return "; ".join(map(str, notes))


class Renderers(Protocol):
    """What shows a report.  Renderers are above reports, so losscli.api names them by `shown_by`."""

    def text_of(self, report: Report) -> str:
        """The report as the text of a terminal."""
        ...

    def html_of(self, report: Report) -> str:
        """The report as HTML."""
        ...

    def gates_of(self, report: Report) -> str:
        """The table of gates as text."""
        ...

    def page_of(self, report: Report) -> str:
        """The report as a page of HTML."""
        ...

    def plot_of(self, report: Report, name: str, loss: str | None) -> alt.TopLevelMixin:
        """A chart of the report, or of one of its losses."""
        ...


_load_renderers: list[Callable[[], Renderers]] = []


def shown_by(load: Callable[[], Renderers]) -> None:
    """Set what shows reports; `load` is called when the first one is shown."""
    _load_renderers[:] = [load]


def _render() -> Renderers:
    return _load_renderers[0]()


def cell_name(cell: Mapping[str, str]) -> str:
    """A cell as a gate writes it: 'region=eu,class=cat'.  Ambiguous names are quoted as in JSON."""
    return ",".join([f"{_quoted(column)}={_quoted(value)}" for column, value in cell.items()])


def result_name(result: Record) -> str:
    """A loss with its parameters as a gate writes it, and its model: 'huber:delta=1.0'."""
    params = _params_name(result.params)
    model = f" of {result.model}" if isinstance(result, Result) and result.model else ""
    return f"{loss_name(result.loss)}{':' if params else ''}{params}{model}"


def _params_name(params: Mapping[str, ParamValue]) -> str:
    return cell_name({name: param_text(value) for name, value in params.items()})


def loss_name(loss: str) -> str:
    """A loss as a gate names it, quoted if it is an expression."""
    return loss if re.fullmatch(LOSS_NAME, loss) else json.dumps(loss, ensure_ascii=not loss.isprintable())
