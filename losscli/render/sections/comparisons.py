"""Comparisons of models: how the losses of two models differ, overall and cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from losscli.render.digits import DASH, Precision, decimal, distinct, signed, span
from losscli.render.drawing import WIDTH, Axis, Drawing, Ends
from losscli.render.naming import interval_heading, loss_label, visible
from losscli.render.tables import REMEDY, Column, Table, kept_rows, latest_first
from losscli.report.model import Comparison, Report

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
LEGEND = "* p < 0.05, ** p < 0.01, *** p < 0.001; Holm-adjusted for all comparisons of the same kind"
AXIS = f"-{'0':^{WIDTH - 2}}+"
"""The heading of the drawn intervals."""


def tables(report: Report, cells: int | None = None) -> list[Table]:
    """A table for each pair of models, overall; then tables of the contributions of each kind of cell.

    If these have more than `cells` cells, only those that a short form keeps are formatted.
    """
    kinds: dict[str, list[Comparison]] = {}
    for comparison in sorted(report.comparisons, key=lambda comparison: bool(comparison.cell)):
        pair = f"{visible(comparison.b)} against {visible(comparison.a)}"
        title = (
            f"{pair}, {loss_label(comparison)} by {', '.join(map(visible, comparison.cell))}"
            if comparison.cell
            else pair
        )
        kinds.setdefault(title, []).append(comparison)
    tables = [_table(title, rows, report.times, cells) for title, rows in kinds.items()]
    starred = [index for index, rows in enumerate(kinds.values()) if any(map(stars, rows))]
    for index in starred[:1]:
        tables[index] = replace(tables[index], notes=(LEGEND,))
    return tables


def _table(title: str, rows: Sequence[Comparison], times: Mapping[str, str], cells: int | None) -> Table:
    """The table of one pair: all losses overall, or the cells of one loss, by their contribution."""
    in_order = bool(rows[0].cell.keys() & times.keys())
    worst = latest_first(len(rows)) if in_order else tuple(range(len(rows))) if rows[0].cell else ()
    kept = [rows[index] for index in kept_rows(len(rows), worst, cells, in_order)]
    hidden = len(rows) - len(kept)
    columns = (*_names(kept), *_numbers(kept, _scales(rows)), *_judgement(kept))
    return Table(
        title,
        tuple(c for c in columns if c.priority == 0 or not {"", DASH} >= set(c.cells)),
        () if hidden else worst,
        in_order=in_order,
        hidden_rows=hidden,
        remedy=REMEDY if hidden else "",
    )


def _names(rows: Sequence[Comparison]) -> Iterator[Column]:
    if not rows[0].cell:
        yield Column("loss", tuple(map(loss_label, rows)), "name", fold=20)
    for column in rows[0].cell:
        yield Column(visible(column), tuple(visible(each.cell[column]) for each in rows), "name")


def _numbers(rows: Sequence[Comparison], scales: Sequence[float]) -> Iterator[Column]:
    rounded = [(each, Precision.of(each.difference, each.se)) for each in rows]
    values = [_values(each, precision) for each, precision in rounded]
    spans = (span(each.ci_low, each.ci_high, precision) for each, precision in rounded)
    yield Column(visible(rows[0].a), tuple(a for a, _ in values), priority=3)
    yield Column(visible(rows[0].b), tuple(b for _, b in values), priority=3)
    differences = tuple(precision.estimate(each.difference, each.se) for each, precision in rounded)
    error = " ± se" if any("±" in cell for cell in differences) else ""
    yield Column(f"difference{error}", differences, is_value=True)
    yield Column("%", tuple(signed(each.percent) or DASH for each in rows), priority=5)
    yield Column(interval_heading(rows), tuple(spans), priority=2)
    yield Column.of(AXIS, map(_bar, rows, scales), 4)


def _judgement(rows: Sequence[Comparison]) -> Iterator[Column]:
    yield Column("p", tuple(map(_p_value, rows)), "name", priority=1)
    if any(each.contribution is not None for each in rows):
        yield Column("contribution", tuple(decimal(each.contribution, 3) for each in rows), priority=2)
    winners = tuple(visible(each.winner) if each.winner else _neither(each) for each in rows)
    yield Column("better", winners, "name", priority=1)
    counts = tuple(DASH if each.better is None else f"{each.better:,} : {each.worse:,}" for each in rows)
    yield Column("rows better : worse", counts, "name", priority=7)
    yield Column("rows", tuple(f"{each.rows:,}" for each in rows), priority=6)


def _values(comparison: Comparison, precision: Precision) -> tuple[str, str]:
    """The losses of both models, rounded like their difference."""
    if precision.place is None:
        return distinct(comparison.value_a, comparison.value_b)
    return precision.text(comparison.value_a), precision.text(comparison.value_b)


def stars(comparison: Comparison) -> str:
    """The stars for the level at which the adjusted p-value is significant."""
    if comparison.adjusted is None:
        return ""
    return next((text for limit, text in STARS if comparison.adjusted < limit), "")


def _neither(comparison: Comparison) -> str:
    return "neither" if comparison.adjusted is not None else DASH


def _p_value(comparison: Comparison) -> str:
    if comparison.adjusted is None:
        return DASH
    text = "< 1e-16" if comparison.adjusted < 1e-16 else decimal(comparison.adjusted, 2)
    return f"{text} {stars(comparison)}".rstrip()


def _scales(rows: Sequence[Comparison]) -> list[float]:
    """The axis limit for each interval: cells share one; losses do not, because their units differ."""
    ends = [0.0 if row.ci_low is None else _furthest(row) for row in rows]
    return [max(ends)] * len(rows) if rows[0].cell else ends


def _bar(row: Comparison, scale: float) -> Drawing | None:
    """The interval drawn on an axis about zero.

    A difference without an interval is not drawn, since it may lie outside of the axis.
    """
    return Drawing(Axis(-scale, scale, 0.0), _ends(row)) if scale and row.ci_low is not None else None


def _ends(comparison: Comparison) -> Ends:
    return comparison.ci_low or 0.0, comparison.difference or 0.0, comparison.ci_high or 0.0


def _furthest(comparison: Comparison) -> float:
    """The largest distance from zero of a difference and its interval."""
    return max(map(abs, _ends(comparison)))
