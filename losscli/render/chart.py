"""Curves, points, maps and bars in a terminal: braille if it shows colours, else one mark per curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rich.console import Console

Segment = tuple[str, str]
"""Text and its style."""
LABELS = 10
"""The width of the labels to the left of a chart."""
WIDEST, WIDE, NARROW = 100, 80, 20
"""The maximum width of a drawing on a terminal, the maximum elsewhere, and the minimum."""
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_MOST_DIGITS = 13
_BLOCKS = " ▁▂▃▄▅▆▇█"
_SHADES = {True: "░▒▓█", False: ".:*#"}
Cells = dict[tuple[int, int], tuple[int | str, str]]
"""A drawing, by column and row from the top left: the bits of a braille character or text, and a style."""


class Line(Struct, frozen=True):
    """A curve: its values from the left edge to the right, its style and its mark without colours."""

    label: str
    values: Sequence[float]
    style: str
    mark: str


class Canvas(Struct, frozen=True):
    """The size of a chart in characters, and whether the terminal shows colours and Unicode."""

    width: int
    height: int
    colour: bool
    unicode: bool

    @property
    def dots(self) -> bool:
        """Whether curves are drawn as braille dots, eight per character, which only colours distinguish."""
        return self.colour and self.unicode


def canvas_of(console: Console) -> Canvas:
    """The canvas of a console, without the labels to the left of a chart."""
    unicode = console.encoding.lower().startswith("utf")
    colour = console.is_terminal and console.color_system is not None and not console.no_color
    widest = min(console.width, WIDEST if console.is_terminal else WIDE)
    height = 16 if console.is_terminal and console.height >= 36 else 11
    return Canvas(max(NARROW, widest - LABELS), height, colour, unicode)


def line_chart(
    lines: Sequence[Line],
    low: float,
    high: float,
    canvas: Canvas,
    bars: Sequence[float] = (),
    upright: Sequence[float] = (),
) -> list[list[Segment]]:
    """The rows of a chart; `bars` (width,) are drawn below it, if given.

    `low` and `high` are the values at the left and the right edge.  The numbers `upright` set the vertical
    scale, by default the values of the first line.
    """
    finite = [value for value in upright or lines[0].values if math.isfinite(value)] or [0.0]
    top, bottom = max(finite), min(0.0, *finite)
    top = top if top > bottom else bottom + 1.0
    cells: Cells = {}
    for line in reversed(lines):
        _draw(cells, line, bottom, top, canvas)
    return framed(cells, (low, high), (bottom, top), canvas, bars)


def framed(
    cells: Cells,
    across: tuple[float, float],
    upright: tuple[float, float],
    canvas: Canvas,
    bars: Sequence[float] = (),
) -> list[list[Segment]]:
    """The rows of a drawing, with both axes labelled at their ends, and `bars` (width,) below, if given."""
    (low, high), (bottom, top) = across, upright
    vertical, corner, flat = "│└─" if canvas.unicode else "|+-"
    labels = {0: _short(top), canvas.height - 1: _short(bottom)}
    rows: list[list[Segment]] = []
    for y in range(canvas.height):
        row = [(f"{labels.get(y, ''):>{LABELS - 2}} {vertical}", "dim")]
        rows.append(row + [_segment(cells, x, y) for x in range(canvas.width)])
    rows.append([(" " * (LABELS - 1) + corner + flat * canvas.width, "dim")])
    under = _bars(bars, canvas) if len(bars) else []
    rows.extend([(" " * LABELS, ""), (text, "")] for text in under)
    first, middle, last = _distinct(low, low / 2 + high / 2, high)
    rows.append([(" " * LABELS + first + middle.center(canvas.width - len(first) - len(last)) + last, "dim")])
    return rows


def _short(value: float) -> str:
    """A number that fits into the labels of a chart."""
    text = f"{value:.3g}"
    return text if len(text) <= LABELS - 2 else f"{value:.2g}"


def _distinct(*values: float) -> list[str]:
    """Sorted numbers with enough digits to be accurate to one hundredth of their range."""
    span = values[-1] / 100 - values[0] / 100
    for digits in range(3, _MOST_DIGITS):
        texts = [f"{value:.{digits}g}" for value in values]
        if all(abs(float(text) - value) <= span for text, value in zip(texts, values, strict=True)):
            break
    return texts


class Point(Struct, frozen=True):
    """A point with the ends of its interval, if any; `marks` are its characters with and without Unicode."""

    x: float
    y: float
    ends: tuple[float, float] | None = None
    style: str = ""
    marks: tuple[str, str] = ("●", "o")


class Plane(Struct, frozen=True):
    """A coordinate system on a canvas; `across` and `upright` are the ends of its axes."""

    across: tuple[float, float]
    upright: tuple[float, float]
    canvas: Canvas

    def column(self, x: float) -> int:
        """The column of a horizontal coordinate, from the left."""
        return _position(x, *self.across, self.canvas.width)

    def row(self, y: float) -> int:
        """The row of a vertical coordinate, from the top."""
        return self.canvas.height - 1 - _position(y, *self.upright, self.canvas.height)

    def line(self, cells: Cells, height: Callable[[float], float], marks: tuple[str, str]) -> None:
        """Draw a reference line below everything else."""
        low, high = self.across
        for column in range(self.canvas.width):
            across = (column + 0.5) / self.canvas.width
            y = height(low * (1 - across) + high * across)
            if self.upright[0] <= y <= self.upright[1]:
                cells.setdefault((column, self.row(y)), (marks[not self.canvas.unicode], "dim"))

    def points(self, cells: Cells, points: Sequence[Point]) -> None:
        """Draw points over their intervals."""
        bar = "│" if self.canvas.unicode else "|"
        for point in points:
            if point.ends is not None:
                ends = sorted(self.row(min(max(end, self.upright[0]), self.upright[1])) for end in point.ends)
                for row in range(ends[0], ends[1] + 1):
                    cells[self.column(point.x), row] = (bar, point.style)
        for point in points:
            cells[self.column(point.x), self.row(point.y)] = (
                point.marks[not self.canvas.unicode],
                point.style,
            )


def _position(value: float, low: float, high: float, count: int) -> int:
    """The index of the character that holds a value, of `count` characters from low to high."""
    return min(max(math.floor(relative_position(value, low, high) * count), 0), count - 1)


def relative_position(value: float, low: float, high: float) -> float:
    """The position of a value between two others, from 0 to 1; values outside are clipped to [-1, 2]."""
    across = high / 2 - low / 2  # the difference itself may be infinite
    return min(max((value / 2 - low / 2) / across, -1.0), 2.0) if across > 0 else 0.5


def shaded(
    cells: Cells, plane: Plane, boxes: Sequence[tuple[tuple[float, float], tuple[float, float], float]]
) -> None:
    """Shade boxes by their density; a box is its horizontal ends, its vertical ends and its weight."""
    shades = _SHADES[plane.canvas.unicode]
    densities: dict[tuple[int, int], float] = {}
    for across, upright, density in boxes:
        columns = _covered(across, plane.across, plane.canvas.width)
        rows = _covered(upright, plane.upright, plane.canvas.height)
        for column in columns:
            for row in rows:
                cell = column, plane.canvas.height - 1 - row
                densities[cell] = densities.get(cell, 0.0) + density / (len(columns) * len(rows))
    largest = max(densities.values(), default=0.0)
    for cell, density in densities.items():
        # On a square-root scale, so that rare values remain visible next to frequent ones.
        share = math.sqrt(min(max(density / largest, 0.0), 1.0)) if 0 < largest < math.inf else 1.0
        level = math.ceil(share * len(shades))
        cells[cell] = (shades[max(level, 1) - 1], "cyan")


def _covered(ends: tuple[float, float], axis: tuple[float, float], count: int) -> range:
    """The characters whose middle is between the ends; if there are none, the one that holds their middle."""
    low, high = axis
    first, last = (math.ceil(relative_position(end, low, high) * count - 0.5) for end in ends)
    if last > first:
        return range(max(first, 0), min(last, count))
    middle = _position(ends[0] / 2 + ends[1] / 2, low, high, count)
    return range(middle, middle + 1)


def columns(
    heights: Sequence[float], canvas: Canvas, mark: float | None = None, style: str = "cyan"
) -> Cells:
    """Bars (width,) with heights from 0 to 1; bars above zero are always visible.

    `mark` is the height of a horizontal reference line.
    """
    steps = 8 if canvas.unicode else 1
    signs = _BLOCKS if canvas.unicode else " #"
    cells: Cells = {}
    for x, height in enumerate(heights):
        filled = math.ceil(min(height, 1.0) * canvas.height * steps - 1e-9)
        for row in range(canvas.height):
            level = min(max(filled - row * steps, 0), steps)
            if level:
                cells[x, canvas.height - 1 - row] = (signs[level], style)
    if mark is not None:
        row = canvas.height - 1 - _position(mark, 0.0, 1.0, canvas.height)
        for x in range(canvas.width):
            cells.setdefault((x, row), ("─" if canvas.unicode else "-", "dim"))
    return cells


def legend(lines: Sequence[Line], canvas: Canvas) -> list[list[Segment]]:
    """A row for each line: its style or mark, and its label."""
    return [
        [(" " * LABELS + ("⣀⣀" if canvas.dots else line.mark * 2), line.style), (f" {line.label}", "")]
        for line in lines
    ]


def _draw(
    cells: Cells,
    line: Line,
    bottom: float,
    top: float,
    canvas: Canvas,
) -> None:
    """Draw a line into cells, on top of their content; steep parts are connected vertically."""
    across, down = (2, 4) if canvas.dots else (1, 1)
    columns, last = canvas.width * across, canvas.height * down - 1
    previous: int | None = None
    for i in range(columns):
        value = line.values[i * len(line.values) // columns]
        if not math.isfinite(value):
            previous = None
            continue
        dot = round((top - min(value, 2 * top - bottom)) / (top - bottom) * last)
        start = dot if previous is None else previous + (dot > previous) - (dot < previous)
        previous = dot
        for y in range(max(0, min(start, dot)), min(last, max(start, dot)) + 1):
            cell = (i // across, y // down)
            if not canvas.dots:
                cells[cell] = (line.mark, line.style)
                continue
            bits, style = cells.get(cell, (0, ""))
            dots = bits if style == line.style and isinstance(bits, int) else 0
            cells[cell] = (dots | _BITS[y % 4][i % 2], line.style)


def _segment(cells: Mapping[tuple[int, int], tuple[int | str, str]], x: int, y: int) -> Segment:
    content, style = cells.get((x, y), (" ", ""))
    return (chr(0x2800 + content) if isinstance(content, int) else content), style


def _bars(heights: Sequence[float], canvas: Canvas, rows: int = 3) -> list[str]:
    """Bars of which the highest fills all rows; values above zero are always visible."""
    steps = 8 if canvas.unicode else 1
    largest = max(heights) or 1.0
    filled = [math.ceil(height / largest * rows * steps) for height in heights]
    signs = _BLOCKS if canvas.unicode else " #"
    return [
        "".join(signs[min(max(count - row * steps, 0), steps)] for count in filled)
        for row in reversed(range(rows))
    ]
