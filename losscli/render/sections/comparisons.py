"""Comparisons of models: how the losses of two models differ, overall and cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from losscli.render.digits import DASH, Precision, apart, decimal, estimate, signed, span
from losscli.render.drawing import WIDTH, Axis, Drawing, Ends
from losscli.render.naming import interval_heading, loss_label, shown
from losscli.render.tables import Column, Table, latest_first
from losscli.report.model import Comparison, Report

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
LEGEND = "* p < 0.05, ** p < 0.01, *** p < 0.001; Holm-adjusted for all comparisons of the same kind"
AXIS = f"-{'0':^{WIDTH - 2}}+"
"""The heading of bars."""


def tables(report: Report) -> list[Table]:
    """The comparisons pair by pair: overall, then what each kind of cell contributes."""
    kinds: dict[str, list[Comparison]] = {}
    for each in sorted(report.comparisons, key=lambda each: bool(each.cell)):
        pair = f"{shown(each.b)} against {shown(each.a)}"
        title = f"{pair}, {loss_label(each)} by {', '.join(map(shown, each.cell))}" if each.cell else pair
        kinds.setdefault(title, []).append(each)
    found = [_table(title, rows, report.times) for title, rows in kinds.items()]
    starred = [place for place, rows in enumerate(kinds.values()) if any(map(stars, rows))]
    for place in starred[:1]:
        found[place] = replace(found[place], notes=(LEGEND,))
    return found


def _table(title: str, rows: Sequence[Comparison], times: Mapping[str, str]) -> Table:
    """One pair: all losses overall, or the cells of one loss, in the order of their contribution."""
    columns = (*_names(rows), *_numbers(rows), *_judgement(rows))
    informative = (c for c in columns if c.priority == 0 or not {"", DASH} >= set(c.cells))
    if rows[0].cell.keys() & times.keys():
        return Table(title, tuple(informative), latest_first(len(rows)), in_order=True)
    return Table(title, tuple(informative), tuple(range(len(rows))) if rows[0].cell else ())


def _names(rows: Sequence[Comparison]) -> Iterator[Column]:
    if not rows[0].cell:
        yield Column("loss", tuple(map(loss_label, rows)), "name", fold=20)
    for column in rows[0].cell:
        yield Column(shown(column), tuple(shown(each.cell[column]) for each in rows), "name")


def _numbers(rows: Sequence[Comparison]) -> Iterator[Column]:
    values = [_values(each) for each in rows]
    precisions = [Precision.of(each.difference, each.se) for each in rows]
    spans = (span(each.ci_low, each.ci_high, at) for each, at in zip(rows, precisions, strict=True))
    yield Column(shown(rows[0].a), tuple(a for a, _ in values), priority=3)
    yield Column(shown(rows[0].b), tuple(b for _, b in values), priority=3)
    differences = tuple(estimate(each.difference, each.se) for each in rows)
    error = " ± se" if any("±" in cell for cell in differences) else ""
    yield Column(f"difference{error}", differences, is_value=True)
    yield Column("%", tuple(signed(each.percent) or DASH for each in rows), priority=5)
    yield Column(interval_heading(rows), tuple(spans), priority=2)
    yield Column.of(AXIS, _bars(rows), 4)


def _judgement(rows: Sequence[Comparison]) -> Iterator[Column]:
    yield Column("p", tuple(map(_p_value, rows)), "name", priority=1)
    if any(each.contribution is not None for each in rows):
        yield Column("contribution", tuple(decimal(each.contribution, 3) for each in rows), priority=2)
    winners = tuple(shown(each.winner) if each.winner else _neither(each) for each in rows)
    yield Column("better", winners, "name", priority=1)
    counts = tuple(DASH if each.better is None else f"{each.better:,} : {each.worse:,}" for each in rows)
    yield Column("rows better : worse", counts, "name", priority=7)
    yield Column("rows", tuple(f"{each.rows:,}" for each in rows), priority=6)


def _values(each: Comparison) -> tuple[str, str]:
    """The losses of both models, to the place of their difference."""
    precision = Precision.of(each.difference, each.se)
    if precision.place is None:
        return apart(each.value_a, each.value_b)
    return precision.text(each.value_a), precision.text(each.value_b)


def stars(each: Comparison) -> str:
    """The mark of the level at which the adjusted p-value is significant."""
    if each.adjusted is None:
        return ""
    return next((text for limit, text in STARS if each.adjusted < limit), "")


def _neither(each: Comparison) -> str:
    return "neither" if each.adjusted is not None else DASH


def _p_value(each: Comparison) -> str:
    if each.adjusted is None:
        return DASH
    text = "< 1e-16" if each.adjusted < 1e-16 else decimal(each.adjusted, 2)
    return f"{text} {stars(each)}".rstrip()


def _bars(rows: Sequence[Comparison]) -> Iterator[Drawing | None]:
    """Each interval drawn about zero: cells on one scale, losses, whose units differ, each on its own.

    A difference without an interval is not drawn, as it may be beyond the scale.
    """
    ends = [0.0 if each.ci_low is None else _furthest(each) for each in rows]
    scales = [max(ends)] * len(rows) if rows[0].cell else ends
    for each, scale in zip(rows, scales, strict=True):
        is_drawn = scale and each.ci_low is not None
        yield Drawing(Axis(-scale, scale, 0.0), _ends(each)) if is_drawn else None


def _ends(each: Comparison) -> Ends:
    return each.ci_low or 0.0, each.difference or 0.0, each.ci_high or 0.0


def _furthest(each: Comparison) -> float:
    """How far a difference and its interval reach from zero."""
    return max(map(abs, _ends(each)))
