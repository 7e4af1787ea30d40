"""The results of one model: overall, and by each kind of cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from losscli.render.digits import DASH, ERROR_DIGITS, Precision, decimal, percent, span
from losscli.render.drawing import WIDTH, Axis, Drawing, Ends
from losscli.render.naming import interval_heading, label, visible
from losscli.render.tables import REMEDY, Column, Table, latest_first, narrowest
from losscli.report.model import Columns, Report, Result, parts_of

PAGE = 120
"""The width up to which losses are side by side if no width is given."""
_ROWS, _SHARE, _WEIGHT, _TREND, _INTERVAL = 1, 2, 3, 4, 5
"""Priorities of columns."""
AXIS_DIGITS = 3
"""Significant digits of the ends of an axis."""

Cell = tuple[str, ...]


class Section(Struct, frozen=True):
    """The results of one kind of cell; `columns` are the names that distinguish its cells, () for overall.

    `results` are those of each loss in the order of the cells, None if there is none.  `ordered` cells are in
    chronological order.  `unit` is what is counted: rows or groups.
    """

    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    results: Mapping[str, Sequence[Result | None]]
    ordered: bool = False
    unit: str = "rows"

    @property
    def losses(self) -> tuple[str, ...]:
        """The names of the losses."""
        return tuple(self.results)

    @property
    def is_trend(self) -> bool:
        """Whether the cells are consecutive times."""
        return self.ordered and len(self.columns) == 1

    def of(self, loss: str) -> Sequence[Result | None]:
        """The result of a loss in each cell, None if there is none; those of slices are created on access."""
        return self.results.get(loss, (None,) * len(self.cells))

    def order(self, loss: str) -> tuple[int, ...]:
        """The indices of the cells, in the order in which a short form keeps them."""
        return latest_first(len(self.cells)) if self.ordered else worst_first(self.of(loss))

    def first(self, cells: int | None, loss: str = "") -> Section:
        """At most this many cells: those that a short form keeps for a loss, by default the first loss."""
        if cells is None or len(self.cells) <= cells:
            return self
        kept = self.order(loss or self.losses[0])[:cells]
        indices = sorted(kept) if self.ordered else kept
        results = {name: _selected(own, indices) for name, own in self.results.items()}
        return replace(self, cells=tuple(self.cells[index] for index in indices), results=results)


def _selected(results: Sequence[Result | None], indices: Sequence[int]) -> Sequence[Result | None]:
    """The results at some indices."""
    if isinstance(results, Columns):
        return tuple(results.in_order([*indices]))
    return tuple(results[index] for index in indices)


def tables(
    report: Report, width: int | None, cells: int | None = None, with_intervals: bool = False
) -> Iterator[Table]:
    """The results by kind of cell, overall first, with at most `cells` cells in a table.

    Results of models that are compared or ranked have sections of their own.
    """
    for section in sections(report):
        if section.columns:
            yield from by_cell(section, width, cells, with_intervals)
        else:
            yield overall(section, detectable(report))


def sections(report: Report) -> list[Section]:
    """The results of one model by kind of cell, overall first, each in the order of the report."""
    kinds: dict[tuple[str, ...], dict[str, list[Sequence[Result]]]] = {}
    for part in parts_of(report.results):
        first = part[0]
        if first.model is None or not (report.comparisons or report.board):
            kinds.setdefault(tuple(first.cell), {}).setdefault(label(first), []).append(part)
    return [_section(columns, kinds[columns], report) for columns in sorted(kinds, key=len)]


def _section(
    columns: tuple[str, ...], parts: Mapping[str, Sequence[Sequence[Result]]], report: Report
) -> Section:
    by_loss = {loss: own[0] if len(own) == 1 else tuple(chain(*own)) for loss, own in parts.items()}
    cells_of = {loss: _cells_of(results) for loss, results in by_loss.items()}
    cells = tuple(dict.fromkeys(chain.from_iterable(cells_of.values())))
    results = {loss: _in_order(cells, cells_of[loss], own) for loss, own in by_loss.items()}
    return Section(columns, cells, results, bool(report.times.keys() & set(columns)), report.unit)


def _cells_of(results: Sequence[Result]) -> tuple[Cell, ...]:
    if isinstance(results, Columns):
        return tuple(results.labels())
    return tuple(tuple(result.cell.values()) for result in results)


def _in_order(
    cells: tuple[Cell, ...], own: tuple[Cell, ...], results: Sequence[Result]
) -> Sequence[Result | None]:
    """The results of a loss, which are in its `own` cells, in the order of all cells; None in the others."""
    return results if own == cells else tuple(map(dict(zip(own, results, strict=True)).get, cells))


def overall(section: Section, details: tuple[str, ...]) -> Table:
    """The table of all losses over all rows."""
    results = [section.of(loss)[0] for loss in section.losses]
    numbers = (column for column in _numbers("value", results) if column.priority != _SHARE)
    columns = (Column("loss", section.losses, "name", fold=20), *numbers, *_sizes(results))
    return Table("overall", columns, details=details)


def by_cell(
    section: Section, width: int | None, cells: int | None = None, with_intervals: bool = False
) -> Iterator[Table]:
    """Tables with a row per cell and columns per loss, with as many losses side by side as fit.

    `with_intervals` draws intervals; cells in chronological order always have them.  If there are more than
    `cells` cells, only those that a short form keeps are formatted: there may be a million.
    """
    by = ", ".join(map(visible, section.columns))
    part = section.first(cells)
    columns, hidden = _columns(part, with_intervals), len(section.cells) - len(part.cells)
    for losses in _side_by_side(section.losses, columns, width):
        if hidden and losses[0] != section.losses[0]:
            part = section.first(cells, losses[0])
            columns = _columns(part, with_intervals)
        numbers = tuple(column for loss in losses for column in columns.numbers[loss])
        if len(losses) == 1:
            heading = _value_heading("value", numbers[0].cells)
            numbers = (replace(numbers[0], heading=heading), *numbers[1:])
        yield Table(
            f"{losses[0]} by {by}" if len(losses) == 1 else f"by {by}",
            (*columns.names, *numbers, *columns.sizes),
            () if hidden else part.order(losses[0]),
            in_order=section.ordered,
            hidden_rows=hidden,
            remedy=REMEDY if hidden else "",
        )


class _Columns(Struct, frozen=True):
    """The columns of a section: the names of its cells, the numbers of each loss, and the common sizes."""

    names: tuple[Column, ...]
    numbers: Mapping[str, tuple[Column, ...]]
    sizes: tuple[Column, ...]


def _columns(section: Section, with_intervals: bool) -> _Columns:
    fold = max(8, 20 // len(section.columns))
    names = tuple(
        Column(visible(column), tuple(map(visible, values)), "name", fold=fold)
        for column, values in zip(section.columns, zip(*section.cells, strict=True), strict=True)
    )
    by_loss = {loss: tuple(section.of(loss)) for loss in section.losses}
    sizes, numbers = _sizes(_common(by_loss.values())), {}
    for loss, results in by_loss.items():
        trend = _trend(results) if with_intervals or section.ordered else []
        numbers[loss] = (*_numbers(loss, results), *trend, *([] if sizes else _sizes(results)))
    return _Columns(names, numbers, tuple(sizes))


def _side_by_side(losses: Sequence[str], by_loss: _Columns, page_width: int | None) -> list[tuple[str, ...]]:
    """The losses of each table: as many as fit, on a narrow page with only their most important columns."""
    width = page_width or PAGE

    def fits(part: tuple[str, ...]) -> bool:
        columns = [
            *by_loss.names,
            *by_loss.sizes,
            *(column for loss in part for column in by_loss.numbers[loss]),
        ]
        return narrowest([c for c in columns if width >= PAGE or c.priority <= _SHARE]) <= width

    parts = [tuple(losses)]
    if len(losses) == 1:
        return parts  # without measuring the columns of what may be a million slices
    for count in range(1, len(losses) + 1):
        size = math.ceil(len(losses) / count)
        parts = [tuple(losses[start : start + size]) for start in range(0, len(losses), size)]
        if all(map(fits, parts)):
            break
    return parts


def worst_first(results: Sequence[Result | None]) -> tuple[int, ...]:
    """The indices of the cells from the worst value to the best; cells without a value come last."""
    if isinstance(results, Columns):
        return results.worst_first()

    def goodness(index: int) -> float:
        result = results[index]
        if result is None or result.value is None:
            return math.inf
        return result.value if result.higher_is_better else -result.value

    return tuple(sorted(range(len(results)), key=goodness))


def _common(by_loss: Iterable[Sequence[Result | None]]) -> list[Result]:
    """One result per cell, for the sizes that all losses share; empty if the losses differ in size."""
    by_cell = [[result for result in results if result is not None] for results in zip(*by_loss, strict=True)]
    if any(len({(result.rows, result.weight) for result in results}) > 1 for results in by_cell):
        return []
    return [results[0] for results in by_cell]


def _numbers(name: str, results: Sequence[Result | None]) -> list[Column]:
    """The columns of values with standard errors, of intervals, and of shares."""
    rows = [result or _ABSENT for result in results]
    precisions = [Precision.of(r.value, r.se) for r in rows]
    values = tuple(each.estimate(r.value, r.se) for r, each in zip(rows, precisions, strict=True))
    columns = [Column(_value_heading(name, values), values, is_value=True)]
    if any(r.ci_low is not None for r in rows):
        spans = tuple(span(r.ci_low, r.ci_high, each) for r, each in zip(rows, precisions, strict=True))
        columns.append(Column(interval_heading(rows), spans, priority=_INTERVAL))
    if any(r.share is not None for r in rows):
        columns.append(Column("share %", tuple(percent(r.share) for r in rows), priority=_SHARE))
    return columns


def _trend(results: Sequence[Result | None]) -> list[Column]:
    """The column of intervals drawn on a common axis; none for fewer than two values."""
    all_ends = [None if r is None or r.value is None else _ends(r, r.value) for r in results]
    intervals = [ends for ends in all_ends if ends is not None]
    if len(intervals) < 2:
        return []
    axis = Axis.of(intervals)
    low, high = decimal(axis.low, AXIS_DIGITS), decimal(axis.high, AXIS_DIGITS)
    drawings = (None if ends is None else Drawing(axis, ends) for ends in all_ends)
    return [Column.of(f"{low}{high:>{WIDTH - len(low)}}", drawings, _TREND)]


def _ends(result: Result, value: float) -> Ends:
    low, high = result.ci_low, result.ci_high
    return value if low is None else low, value, value if high is None else high


_ABSENT = Result(loss="", value=None, rows=0, weight=0.0)
"""Replaces a missing result of a loss in a cell."""


def _value_heading(name: str, cells: Sequence[str]) -> str:
    return f"{name} ± se" if any("±" in cell for cell in cells) else name


def _sizes(results: Sequence[Result | None]) -> list[Column]:
    """The column of numbers of rows, and that of weights if these differ."""
    if not results:
        return []
    rows = tuple(DASH if r is None else f"{r.rows:,}" for r in results)
    columns = [Column("rows", rows, priority=_ROWS)]
    if any(r is not None and r.weight != r.rows for r in results):
        weights = tuple(decimal(r.weight if r else None) for r in results)
        columns.append(Column("weight", weights, priority=_WEIGHT))
    return columns


def detectable(report: Report) -> tuple[str, ...]:
    """A line with the minimum detectable difference of each overall value; () without intervals."""
    overall = [result for result in report.overall if result.model is None]
    values = {label(r): decimal(r.minimum_detectable, ERROR_DIGITS) for r in overall if r.minimum_detectable}
    if not values:
        return ()
    listed: Iterable[str] = values.values()
    if len(overall) > 1:
        listed = [f"{loss} {value}" for loss, value in values.items()]
    units = "number of clusters" if "cluster" in report.provenance else "number of groups"
    size = units if report.provenance.keys() & {"cluster", "group"} else "size"
    sample = f"independent sample of the same {size}"
    return (f"minimum detectable difference, {sample}, 80 % power: {', '.join(listed)}",)
