"""Common parts of the drawings of `Report.charts`: their tables as rows, and their titles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import altair as alt
from msgspec.structs import replace

from losscli.render.charts import Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style
from losscli.render.naming import visible
from losscli.report.charts import Chart
from losscli.report.model import Report, cell_name

Draw = Callable[[Chart, list[style.Row]], Figure | None]
"""Draws a chart, whose table is also given as rows; returns None if there is nothing to draw."""


def figures_of(name: str, draw: Draw) -> Callable[[Report], Iterator[Figure]]:
    """The function that draws all charts of a kind; titles name the model and the cell of a chart."""

    def figures(report: Report) -> Iterator[Figure]:
        losses = list(dict.fromkeys(chart.loss for chart in report.charts))
        for chart in sorted(report.charts, key=lambda chart: losses.index(chart.loss)):
            rows = style.rows_of(chart.columns) if chart.name == name else []
            for row in rows if "rows" in chart.columns else ():
                row["counted"] = style.counted(row["rows"], chart.unit)
            figure = draw(chart, rows) if rows else None
            if figure is not None:
                subject = ", ".join(
                    filter(None, (chart.model and visible(chart.model), cell_name(chart.cell)))
                )
                title = f"{figure.title} ({subject})" if subject else figure.title
                yield replace(figure, title=title, notes=tuple(map(str, chart.notes)))

    return figures


def finite(rows: Sequence[style.Row], *fields: str) -> list[style.Row]:
    """The rows in which all these fields are finite numbers."""
    return [row for row in rows if all(is_number(row[field]) for field in fields)]


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def bars(
    rows: Sequence[style.Row],
    bounds: str,
    height: str,
    titles: tuple[str, str],
    colour: Any = None,
    opacity: float = 0.8,
    **scale: Any,
) -> alt.Chart:
    """A histogram: bars between the bounds `low` and `high` of a field, up to `height`.

    `titles` are those of the axes, `scale` sets the horizontal one.
    """
    for row in rows:
        row.setdefault("text", f"{span(row, bounds)}: {decimal(row[height], 3)}, {row['counted']}")
    chart: alt.Chart = (
        style.base(rows)
        .mark_bar(opacity=opacity, binSpacing=1)
        .encode(
            x=style.x(f"{bounds}_low", titles[0], scale=scale, grid=False),
            x2=alt.X2(f"{bounds}_high:Q"),
            y=style.y(height, titles[1], zero=True),
            y2=alt.Y2Datum(0),
            color=alt.ColorValue(style.BLUE) if colour is None else colour,
            **style.tooltip(),
        )
    )
    return chart


def span(row: style.Row, bounds: str) -> str:
    """The bounds of a bin in words."""
    return f"{decimal(row[f'{bounds}_low'], 3)} to {decimal(row[f'{bounds}_high'], 3)}"


def diagonal(low: float = 0.0, high: float = 1.0) -> alt.Chart:
    """The line of equal values on both axes."""
    ends = [{"x": low, "y": low}, {"x": high, "y": high}]
    line = style.base(ends).mark_line(color=style.MUTED, strokeDash=[4, 3], strokeWidth=1)
    chart: alt.Chart = line.encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    return chart


def whiskers(rows: Sequence[style.Row], across: str, colour: str = style.BLUE) -> alt.Chart:
    """Vertical lines between the bounds of intervals, for the rows that have one."""
    chart: alt.Chart = (
        style.base(finite(rows, across, "ci_low", "ci_high"))
        .mark_rule(color=colour, strokeWidth=2, opacity=0.5)
        .encode(x=alt.X(f"{across}:Q"), y=alt.Y("ci_low:Q"), y2=alt.Y2("ci_high:Q"))
    )
    return chart
