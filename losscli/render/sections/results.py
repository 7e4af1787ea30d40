"""The results of one model: overall, and by each kind of cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from losscli.render.digits import DASH, ERROR_DIGITS, Precision, decimal, estimate, percent, span
from losscli.render.drawing import WIDTH, Axis, Ends
from losscli.render.naming import interval_heading, label, shown
from losscli.render.tables import Column, Table, latest_first, narrowest
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

    Cells that are `ordered` are in the order of time.
    """

    columns: tuple[str, ...]
    losses: tuple[str, ...]
    cells: tuple[Cell, ...]
    results: Mapping[tuple[str, Cell], Result]
    ordered: bool = False

    def of(self, loss: str) -> list[Result | None]:
        """The results of a loss in each cell, None if it has none."""
        return [self.results.get((loss, cell)) for cell in self.cells]

    def first(self, count: int) -> Section:
        """The section with at most this many cells, the latest ones or the worst of the first loss."""
        if len(self.cells) <= count:
            return self
        kept = latest_first(len(self.cells)) if self.ordered else worst_first(self.of(self.losses[0]))
        return replace(self, cells=tuple(self.cells[place] for place in sorted(kept[:count])))


def tables(report: Report, page: int | None) -> Iterator[Table]:
    """The results by kind of cell, overall first, each in the report's order.

    Those of models that are compared or ranked are in their own sections.
    """
    for section in sections(report):
        if section.columns:
            yield from by_cell(section, page)
        else:
            yield overall(section, detectable(report))


def sections(report: Report) -> list[Section]:
    """The results of one model by kind of cell, overall first, each in the report's order."""
    kinds: dict[tuple[str, ...], list[Result]] = {}
    for result in report.results:
        if result.model is None or not (report.comparisons or report.board):
            kinds.setdefault(tuple(result.cell), []).append(result)
    return [
        _section(columns, kinds[columns], bool(report.times.keys() & set(columns)))
        for columns in sorted(kinds, key=len)
    ]


def _section(columns: tuple[str, ...], results: Sequence[Result], ordered: bool) -> Section:
    names: dict[tuple[str, str | None], str] = {}  # of thousands of cells most have the same
    keyed = {}
    for result in results:
        named = (result.label, result.model)
        name = names[named] if named in names else label(result)
        if result.label:
            names[named] = name
        keyed[name, tuple(result.cell.values())] = result
    losses = tuple(dict.fromkeys(loss for loss, _ in keyed))
    cells = tuple(dict.fromkeys(cell for _, cell in keyed))
    return Section(columns, losses, cells, keyed, ordered)


def overall(section: Section, details: tuple[str, ...]) -> Table:
    """The table of all losses over all rows."""
    results = [section.results[loss, ()] for loss in section.losses]
    numbers = (column for column in _numbers("value", results) if column.priority != _SHARE)
    columns = (Column("loss", section.losses, "name", fold=20), *numbers, *_sizes(results))
    return Table("overall", columns, details=details)


def by_cell(section: Section, page: int | None) -> Iterator[Table]:
    """Tables with the cells down and the losses across, as many losses as fit side by side.

    Of cells in the order of time the trend is drawn.
    """
    fold = max(8, 20 // len(section.columns))
    names = tuple(
        Column(shown(column), tuple(map(shown, values)), "name", fold=fold)
        for column, values in zip(section.columns, zip(*section.cells, strict=True), strict=True)
    )
    by = ", ".join(map(shown, section.columns))
    sizes = _sizes(_common(section))
    numbers = {}
    for loss in section.losses:
        results = section.of(loss)
        trend = _trend(results) if section.ordered else []
        numbers[loss] = (*_numbers(loss, results), *trend, *([] if sizes else _sizes(results)))
    for losses in _side_by_side(section.losses, numbers, (*names, *sizes), page):
        columns = tuple(column for loss in losses for column in numbers[loss])
        if len(losses) == 1:
            columns = (replace(columns[0], heading=_value_heading("value", columns[0])), *columns[1:])
        title = f"{losses[0]} by {by}" if len(losses) == 1 else f"by {by}"
        kept = latest_first(len(section.cells)) if section.ordered else worst_first(section.of(losses[0]))
        yield Table(title, (*names, *columns, *sizes), kept, in_order=section.ordered)


def _side_by_side(
    losses: Sequence[str],
    numbers: Mapping[str, tuple[Column, ...]],
    shared: tuple[Column, ...],
    page: int | None,
) -> list[tuple[str, ...]]:
    """The losses of each table: as many as fit, on a narrow page with the most important columns alone."""
    width = page or PAGE

    def fits(part: tuple[str, ...]) -> bool:
        columns = [*shared, *(column for loss in part for column in numbers[loss])]
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


def _common(section: Section) -> list[Result | None]:
    """Results that give the number of rows of each cell for all losses; none if the losses differ in it."""
    found: list[Result | None] = []
    for cell in section.cells:
        results = [r for loss in section.losses if (r := section.results.get((loss, cell))) is not None]
        if len({(result.rows, result.weight) for result in results}) > 1:
            return []
        found.append(results[0])
    return found


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
    cells = tuple("" if ends is None else axis.draw(ends) for ends in drawn)
    return [Column(f"{low}{high:>{WIDTH - len(low)}}", cells, "drawing", priority=_TREND)]


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
