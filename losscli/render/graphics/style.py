"""The style that all charts share: colours, sizes, axes and marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import altair as alt

from losscli.text import printable

WIDTH = 360
"""The width of a chart with its axes, in pixels: that of a phone, and a third of a page."""
HEIGHT = 250
STEP = 19
"""The height of a row of a chart with names."""
LONGEST = 40
"""Characters of a name on an axis."""

# From the color-blind safe palette of Okabe and Ito, darkened until text in these colors is legible.
BLUE, ORANGE, GREEN, PURPLE = "#0b62a4", "#b4530a", "#087f62", "#9a4a86"
INK, MUTED, GRID, PAPER = "#1b2430", "#5a6675", "#e2e6eb", "#fffffe"
SERIES = (BLUE, ORANGE, GREEN, PURPLE)
GOOD, BAD, WEAK = BLUE, ORANGE, "#76808c"
"""Colours for better, worse, and undecided; never the only indication."""
VARIABLES: Mapping[str, str] = {
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    PURPLE: "--purple",
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    WEAK: "--weak",
}
"""The CSS variable of each colour, which has a light and a dark value."""

CONFIG: Mapping[str, Any] = {
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",  # of the same metrics as the measured font
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelPadding": 5,
        "titlePadding": 8,
        "tickCount": 5,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
    },
    "axisY": {"domain": False, "ticks": False},
    "legend": {
        "orient": "top",
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "symbolType": "square",
        "symbolOpacity": 1,
        "columnPadding": 16,
    },
    "text": {"color": MUTED, "fontSize": 11},
    "title": {"color": INK, "fontSize": 13, "anchor": "start", "offset": 10, "subtitleColor": MUTED},
}
"""The Vega-Lite configuration of all charts."""

Row = dict[str, Any]
Drawn: TypeAlias = alt.Chart | alt.LayerChart
"""A chart that has marks."""


def base(rows: Sequence[Row]) -> alt.Chart:
    """A chart with data but without marks."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    """A table of columns as a list of rows."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def shortened(names: Iterable[str]) -> list[str]:
    """Names truncated to fit an axis; those that would read the same get a number."""
    labels: list[str] = []
    for name in map(printable, names):
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        number, unique = 1, short
        while unique in labels:
            number += 1
            unique = f"{short} ({number})"
        labels.append(unique)
    return labels


def stems(names: Sequence[str]) -> list[str]:
    """File names without their suffix, if all have the same one."""
    suffixes = {name.rpartition(".")[2] for name in names}
    if len(suffixes) != 1 or any(not name.rpartition(".")[0] for name in names):
        return list(names)
    return [name.rpartition(".")[0] for name in names]


def x(field: str, title: str, **options: Any) -> alt.X:
    """A horizontal axis of numbers, which includes zero only with the option `zero`."""
    scale = alt.Scale(**{"zero": options.pop("zero", False), "nice": True} | options.pop("scale", {}))
    return alt.X(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(**options))


def y(field: str, title: str, **options: Any) -> alt.Y:
    """A vertical axis of numbers."""
    scale = alt.Scale(**{"zero": options.pop("zero", False), "nice": True} | options.pop("scale", {}))
    return alt.Y(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(**options))


def names(room: int = 150) -> alt.Y:
    """A vertical axis of the field `name`, in the order of the rows; `room` is its width in pixels."""
    return alt.Y("name:N", sort=None, title=None, axis=alt.Axis(grid=False, labelLimit=room))


def counted(number: int, unit: str = "rows") -> str:
    """A number with its unit: '1 row', '1,000 rows'."""
    return f"{number:,} {unit.removesuffix('s') if number == 1 else unit}"


def tooltip(field: str = "text") -> dict[str, Any]:
    """The encoding of the text in a mark's tooltip and description."""
    return {"tooltip": alt.Tooltip(f"{field}:N"), "description": alt.Description(f"{field}:N")}


def rule(at: float, axis: str = "x", dash: bool = True) -> alt.Chart:
    """A reference line at a value, across the chart."""
    mark = base([{}]).mark_rule(color=MUTED, strokeWidth=1, strokeDash=[4, 3] if dash else [1, 0])
    chart: alt.Chart = mark.encode(alt.XDatum(at) if axis == "x" else alt.YDatum(at))
    return chart


def intervals(
    rows: Sequence[Row], title: str, colour: Any = None, under: Sequence[alt.Chart] = (), **axis: Any
) -> alt.LayerChart:
    """Dots with their intervals, one line per row, from the fields name, value, low, high and text.

    `under` are charts drawn below them on the same axes.  Marks are clipped at the ends of the axis.
    """
    colour = alt.ColorValue(BLUE) if colour is None else colour
    common = base(rows).encode(y=names(), color=colour)
    lines = common.mark_rule(strokeWidth=2, opacity=0.55, clip=True).encode(
        x=x("low", title, **axis), x2=alt.X2("high:Q")
    )
    dots = common.mark_circle(size=52, opacity=1, clip=True).encode(x=x("value", title, **axis), **tooltip())
    return layered(*under, lines, dots).properties(height=alt.Step(STEP))


def layered(*charts: alt.Chart) -> alt.LayerChart:
    """Charts layered on the same axes, the last one on top."""
    return alt.LayerChart(layer=list(charts))
