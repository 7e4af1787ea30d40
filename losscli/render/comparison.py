"""Comparisons of models as columns of text, which the table and Markdown lay out."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from losscli.render.content import loss_label, shown
from losscli.render.digits import DASH, ERROR_DIGITS, apart, decimal, error, signed
from losscli.report.model import Comparison, Report

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
LEGEND = "* p < 0.05, ** p < 0.01, *** p < 0.001; p is adjusted by Holm for all comparisons of one kind"
BAR = 19
"""Cells of a bar; the middle one is zero."""


class Field(Struct, frozen=True):
    """A column: its heading, its cells, and whether they are numbers, which stand right.

    The lower the `rank`, the more it is wanted where there is no room for all.  `bar` says that cells are
    drawn, which takes a font of one width.
    """

    head: str
    cells: tuple[str, ...]
    number: bool = True
    rank: int = 0
    bar: bool = False


class Kind(Struct, frozen=True):
    """The comparisons of one pair that belong in one table: all losses overall, or the cells of one loss."""

    title: str
    rows: tuple[Comparison, ...]

    def first(self, most: int | None) -> tuple[Kind, int]:
        """At most so many rows, and how many are left out."""
        left = 0 if most is None else max(0, len(self.rows) - most)
        return (Kind(self.title, self.rows[: len(self.rows) - left]), left) if left else (self, 0)

    def fields(self, drawn: bool) -> list[Field]:
        """The columns, names first; with intervals `drawn` as bars, or in numbers."""
        rows = self.rows
        values = [apart(each.value_a, each.value_b) for each in rows]
        found = [
            *self._names(),
            Field(shown(rows[0].a), tuple(a for a, _ in values), rank=3),
            Field(shown(rows[0].b), tuple(b for _, b in values), rank=3),
            Field("difference", tuple(decimal(each.difference) for each in rows)),
            Field("± se", tuple(error(each.se, each.difference) for each in rows), rank=4),
            Field("%", tuple(_percent(each.percent) for each in rows), rank=6),
            Field(
                _interval_head(rows),
                _bars(rows, self.is_overall) if drawn else tuple(map(_span, rows)),
                number=not drawn,
                rank=2,
                bar=drawn,
            ),
            Field("p", tuple(map(_p_value, rows)), number=False, rank=1),
        ]
        if any(each.contribution is not None for each in rows):
            found.append(Field("adds", tuple(_contribution(each) for each in rows), rank=2))
        winners = tuple(shown(each.winner) if each.winner else _neither(each) for each in rows)
        found.append(Field("better", winners, number=False, rank=1))
        if any(each.better or each.worse for each in rows):
            counts = tuple(_counts(each) for each in rows)
            found.append(Field("rows better : worse", counts, number=False, rank=7))
        found.append(Field("rows", tuple(f"{each.rows:,}" for each in rows), rank=5))
        return [field for field in found if field.rank == 0 or any(c not in ("", DASH) for c in field.cells)]

    @property
    def is_overall(self) -> bool:
        """Whether it is of all rows: then each of its rows is another loss, in a unit of its own."""
        return not self.rows[0].cell

    def _names(self) -> list[Field]:
        if self.is_overall:
            return [Field("loss", tuple(map(loss_label, self.rows)), number=False)]
        return [
            Field(shown(column), tuple(shown(each.cell[column]) for each in self.rows), number=False)
            for column in self.rows[0].cell
        ]


def kinds(report: Report) -> list[Kind]:
    """The comparisons of a report, pair by pair: overall, then what each kind of cell adds."""
    found: dict[tuple[str, ...], list[Comparison]] = {}
    for each in sorted(report.comparisons, key=lambda each: bool(each.cell)):
        pair = f"{shown(each.b)} against {shown(each.a)}"
        title = f"{pair}, {loss_label(each)} by {', '.join(map(shown, each.cell))}" if each.cell else pair
        found.setdefault((title,), []).append(each)
    return [Kind(title, tuple(rows)) for (title,), rows in found.items()]


def stars(each: Comparison) -> str:
    """As many as the adjusted p-value earns."""
    if each.adjusted is None:
        return ""
    return next((text for limit, text in STARS if each.adjusted < limit), "")


def _neither(each: Comparison) -> str:
    return "neither" if each.adjusted is not None else DASH


def _span(each: Comparison) -> str:
    return DASH if each.low is None else f"{decimal(each.low)} to {decimal(each.high)}"


def _p_value(each: Comparison) -> str:
    if each.adjusted is None:
        return DASH
    text = "< 1e-16" if each.adjusted < 1e-16 else decimal(each.adjusted, 2)
    return f"{text} {stars(each)}".rstrip()


def _percent(percent: float | None) -> str:
    return DASH if percent is None else signed(percent)


def _contribution(each: Comparison) -> str:
    return DASH if each.contribution is None else decimal(each.contribution, ERROR_DIGITS)


def _counts(each: Comparison) -> str:
    return f"{each.better:,} : {each.worse:,}" if each.better is not None else DASH


def _interval_head(rows: Sequence[Comparison]) -> str:
    levels = {each.level for each in rows if each.level is not None}
    return f"{100 * levels.pop():g} % interval" if len(levels) == 1 else "interval"


def _bars(rows: Sequence[Comparison], alone: bool) -> tuple[str, ...]:
    """Each interval drawn about zero; of cells on one scale, of losses each on its own."""
    ends = [max(abs(each.low or 0.0), abs(each.high or 0.0)) for each in rows]
    return tuple(
        _bar(each, end if alone else max(ends)) if end else "" for each, end in zip(rows, ends, strict=True)
    )


def _bar(each: Comparison, scale: float) -> str:
    """An interval as '├──●──┤' on a line with zero in the middle."""
    half = BAR // 2
    low, middle, high = (
        half + round((value or 0.0) / scale * half) for value in (each.low, each.difference, each.high)
    )
    cells = [" "] * BAR
    cells[low : high + 1] = "─" * (high + 1 - low)
    cells[half] = "┼" if low <= half <= high else "│"
    cells[low], cells[high] = "├", "┤"
    cells[middle] = "●"
    return "".join(cells)
