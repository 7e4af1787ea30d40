"""The results of one model: overall, and by each kind of cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from losscli.render.digits import DASH, ERROR_DIGITS, Precision, decimal, estimate, percent, span
from losscli.render.drawing import WIDTH, Axis, Drawing, Ends
from losscli.render.naming import interval_heading, label, shown
from losscli.render.tables import REMEDY, Column, Table, latest_first, narrowest
from losscli.report.model import Report, Result

PAGE = 120
"""The width up to which losses are side by side if the page has no limit."""
_ROWS, _SHARE, _WEIGHT, _TREND, _INTERVAL = 1, 2, 3, 4, 5
"""Priorities of columns."""
AXIS_DIGITS = 3
"""Significant digits of the ends of an axis."""

Cell = tuple[str, ...]


class Section(Struct, frozen=True):
    """The results of one kind of cell; `columns` name what distinguishes its cells, () for overall.

    Cells that are `ordered` are in the order of time.  `unit` is what their numbers of rows count.
    """

    columns: tuple[str, ...]
    losses: tuple[str, ...]
    cells: tuple[Cell, ...]
    results: Mapping[str, Mapping[Cell, Result]]
    ordered: bool = False
    unit: str = "rows"

    @property
    def is_trend(self) -> bool:
        """Whether its cells follow one another in time."""
        return self.ordered and len(self.columns) == 1

    def of(self, loss: str) -> list[Result | None]:
        """The results of a loss in each cell, None if it has none."""
        return list(map(self.results.get(loss, {}).get, self.cells))

    def order(self, loss: str) -> tuple[int, ...]:
        """The places of the cells in the order in which a short form keeps them."""
        return latest_first(len(self.cells)) if self.ordered else worst_first(self.of(loss))

    def first(self, cells: int | None, loss: str = "") -> Section:
        """At most this many cells, those that a short form keeps for a loss, by default the first."""
        if cells is None or len(self.cells) <= cells:
            return self
        kept = self.order(loss or self.losses[0])[:cells]
        places = sorted(kept) if self.ordered else kept
        return replace(self, cells=tuple(self.cells[place] for place in places))


def tables(
    report: Report, page: int | None, cells: int | None = None, drawn: bool = False
) -> Iterator[Table]:
    """The results by kind of cell, overall first, each in the report's order, at most so many `cells`.

    Those of models that are compared or ranked are in their own sections.
    """
    for section in sections(report):
        if section.columns:
            yield from by_cell(section, page, cells, drawn)
        else:
            yield overall(section, detectable(report))


def sections(report: Report) -> list[Section]:
    """The results of one model by kind of cell, overall first, each in the report's order."""
    kinds: dict[tuple[str, ...], list[Result]] = {}
    for result in report.results:
        if result.model is None or not (report.comparisons or report.board):
            kinds.setdefault(tuple(result.cell), []).append(result)
    return [_section(columns, kinds[columns], report) for columns in sorted(kinds, key=len)]


def _section(columns: tuple[str, ...], results: Sequence[Result], report: Report) -> Section:
    found: dict[str, dict[Cell, Result]] = {}
    for result in results:
        found.setdefault(label(result), {})[(*result.cell.values(),)] = result
    cells = tuple(dict.fromkeys(chain.from_iterable(found.values())))
    ordered = bool(report.times.keys() & set(columns))
    return Section(columns, tuple(found), cells, found, ordered, report.unit)


def overall(section: Section, details: tuple[str, ...]) -> Table:
    """The table of all losses over all rows."""
    results = [section.results[loss][()] for loss in section.losses]
    numbers = (column for column in _numbers("value", results) if column.priority != _SHARE)
    columns = (Column("loss", section.losses, "name", fold=20), *numbers, *_sizes(results))
    return Table("overall", columns, details=details)


def by_cell(
    section: Section, page: int | None, cells: int | None = None, drawn: bool = False
) -> Iterator[Table]:
    """Tables with the cells down and the losses across, as many losses as fit side by side.

    Intervals are `drawn` if asked, and always those of cells in the order of time.  Of more than `cells`, if
    given, those that a short form keeps are formatted alone: there may be a million.
    """
    by = ", ".join(map(shown, section.columns))
    own = section.first(cells)
    columns, hidden = _columns(own, drawn), len(section.cells) - len(own.cells)
    for losses in _side_by_side(section.losses, columns, page):
        if hidden and losses[0] != section.losses[0]:
            own = section.first(cells, losses[0])
            columns = _columns(own, drawn)
        numbers = tuple(column for loss in losses for column in columns.numbers[loss])
        if len(losses) == 1:
            numbers = (replace(numbers[0], heading=_value_heading("value", numbers[0])), *numbers[1:])
        yield Table(
            f"{losses[0]} by {by}" if len(losses) == 1 else f"by {by}",
            (*columns.names, *numbers, *columns.sizes),
            () if hidden else own.order(losses[0]),
            in_order=section.ordered,
            hidden_rows=hidden,
            remedy=REMEDY if hidden else "",
        )


class _Columns(Struct, frozen=True):
    """The columns of the cells of a section: their names, the numbers of each loss, and what losses share."""

    names: tuple[Column, ...]
    numbers: Mapping[str, tuple[Column, ...]]
    sizes: tuple[Column, ...]


def _columns(section: Section, drawn: bool) -> _Columns:
    fold = max(8, 20 // len(section.columns))
    names = tuple(
        Column(shown(column), tuple(map(shown, values)), "name", fold=fold)
        for column, values in zip(section.columns, zip(*section.cells, strict=True), strict=True)
    )
    sizes, numbers = _sizes(_common(section)), {}
    for loss in section.losses:
        results = section.of(loss)
        trend = _trend(results) if drawn or section.ordered else []
        numbers[loss] = (*_numbers(loss, results), *trend, *([] if sizes else _sizes(results)))
    return _Columns(names, numbers, tuple(sizes))


def _side_by_side(losses: Sequence[str], own: _Columns, page: int | None) -> list[tuple[str, ...]]:
    """The losses of each table: as many as fit, on a narrow page with the most important columns alone."""
    width = page or PAGE

    def fits(part: tuple[str, ...]) -> bool:
        columns = [*own.names, *own.sizes, *(column for loss in part for column in own.numbers[loss])]
        return narrowest([c for c in columns if width >= PAGE or c.priority <= _SHARE]) <= width

    parts = [tuple(losses)]
    for count in range(1, len(losses) + 1):
        size = math.ceil(len(losses) / count)
        parts = [tuple(losses[start : start + size]) for start in range(0, len(losses), size)]
        if all(map(fits, parts)):
            break
    return parts


def worst_first(results: Sequence[Result | None]) -> tuple[int, ...]:
    """The places of the cells from the worst value to the best; those without a value last."""

    def goodness(place: int) -> float:
        result = results[place]
        if result is None or result.value is None:
            return math.inf
        return result.value if result.higher_is_better else -result.value

    return tuple(sorted(range(len(results)), key=goodness))


def _common(section: Section) -> list[Result]:
    """Results that give the number of rows of each cell for all losses; none if the losses differ in it."""
    each = [section.of(loss) for loss in section.losses]
    found = [[result for result in own if result is not None] for own in zip(*each, strict=True)]
    if any(len({(result.rows, result.weight) for result in own}) > 1 for own in found):
        return []
    return [own[0] for own in found]


def _numbers(name: str, results: Sequence[Result | None]) -> list[Column]:
    """The value of each result with its standard error; its interval; its share."""
    rows = [result or _ABSENT for result in results]
    values = tuple(estimate(r.value, r.se) for r in rows)
    value = Column(name, values, is_value=True)
    found = [replace(value, heading=_value_heading(name, value))]
    if any(r.ci_low is not None for r in rows):
        spans = tuple(span(r.ci_low, r.ci_high, Precision.of(r.value, r.se)) for r in rows)
        found.append(Column(interval_heading(rows), spans, priority=_INTERVAL))
    if any(r.share is not None for r in rows):
        found.append(Column("share %", tuple(percent(r.share) for r in rows), priority=_SHARE))
    return found


def _trend(results: Sequence[Result | None]) -> list[Column]:
    """Each value with its interval, drawn on the axis of all."""
    drawn = [None if r is None or r.value is None else _ends(r, r.value) for r in results]
    known = [ends for ends in drawn if ends is not None]
    if len(known) < 2:
        return []
    axis = Axis.of(known)
    low, high = decimal(axis.low, AXIS_DIGITS), decimal(axis.high, AXIS_DIGITS)
    drawings = (None if ends is None else Drawing(axis, ends) for ends in drawn)
    return [Column.of(f"{low}{high:>{WIDTH - len(low)}}", drawings, _TREND)]


def _ends(result: Result, value: float) -> Ends:
    low, high = result.ci_low, result.ci_high
    return value if low is None else low, value, value if high is None else high


_ABSENT = Result(loss="", value=None, rows=0, weight=0.0)
"""Stands for the result of a loss that a cell does not have."""


def _value_heading(name: str, column: Column) -> str:
    return f"{name} ± se" if any("±" in cell for cell in column.cells) else name


def _sizes(results: Sequence[Result | None]) -> list[Column]:
    """The number of rows, and their weight if that differs from it."""
    if not results:
        return []
    rows = tuple(DASH if r is None else f"{r.rows:,}" for r in results)
    found = [Column("rows", rows, priority=_ROWS)]
    if any(r is not None and r.weight != r.rows for r in results):
        weights = tuple(decimal(r.weight if r else None) for r in results)
        found.append(Column("weight", weights, priority=_WEIGHT))
    return found


def detectable(report: Report) -> tuple[str, ...]:
    """The minimum detectable difference of each overall value, in words; nothing without intervals."""
    overall = [result for result in report.results if not result.cell and result.model is None]
    values = {label(r): decimal(r.minimum_detectable, ERROR_DIGITS) for r in overall if r.minimum_detectable}
    if not values:
        return ()
    listed: Iterable[str] = values.values()
    if len(overall) > 1:
        listed = [f"{loss} {value}" for loss, value in values.items()]
    same = "number of clusters" if "cluster" in report.provenance else "number of groups"
    size = same if report.provenance.keys() & {"cluster", "group"} else "size"
    sample = f"independent sample of the same {size}"
    return (f"minimum detectable difference, {sample}, 80 % power: {', '.join(listed)}",)
