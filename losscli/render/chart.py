"""Curves, points, maps and bars in a terminal: in braille if it shows colours, else a mark for each curve."""

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
"""The columns to the left of a chart."""
WIDEST, WIDE, NARROW = 100, 80, 20
"""The width of a drawing: on a terminal, elsewhere, and the minimum."""
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_MOST_DIGITS = 13
_BLOCKS = " ▁▂▃▄▅▆▇█"
_SHADES = {True: "░▒▓█", False: ".:*#"}
Cells = dict[tuple[int, int], tuple[int | str, str]]
"""What is drawn at each place, in characters from the left and from the top: dots or text, and a style."""


class Line(Struct, frozen=True):
    """A curve: its values from the left edge to the right, its style and its mark without colours."""

    label: str
    values: Sequence[float]
    style: str
    mark: str


class Canvas(Struct, frozen=True):
    """What the terminal can show: the size of a chart in characters, colours, and Unicode."""

    width: int
    height: int
    colour: bool
    unicode: bool

    @property
    def dots(self) -> bool:
        """Whether curves are drawn in dots, eight per character, which only colours distinguish."""
        return self.colour and self.unicode


def canvas_of(console: Console) -> Canvas:
    """What a console can show, less the labels to the left of a chart."""
    unicode = console.encoding.lower().startswith("utf")
    colour = console.is_terminal and console.color_system is not None and not console.no_color
    widest = min(console.width, WIDEST if console.is_terminal else WIDE)
    height = 16 if console.is_terminal and console.height >= 36 else 11
    return Canvas(max(NARROW, widest - LABELS), height, colour, unicode)


def chart(
    lines: Sequence[Line],
    low: float,
    high: float,
    canvas: Canvas,
    bars: Sequence[float] = (),
    upright: Sequence[float] = (),
) -> list[list[Segment]]:
    """The rows of a chart; `bars` (width,) are drawn under it, if given.

    `low` and `high` are the places of the left and the right edge.  The numbers `upright` set the scale, by
    default those of the first line.
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
    """The rows of what is drawn, with the ends of both axes, and `bars` (width,) under it, if given."""
    (low, high), (bottom, top) = across, upright
    vertical, corner, flat = "│└─" if canvas.unicode else "|+-"
    shown = {0: _short(top), canvas.height - 1: _short(bottom)}
    rows: list[list[Segment]] = []
    for y in range(canvas.height):
        row = [(f"{shown.get(y, ''):>{LABELS - 2}} {vertical}", "dim")]
        rows.append(row + [_cell(cells, x, y) for x in range(canvas.width)])
    rows.append([(" " * (LABELS - 1) + corner + flat * canvas.width, "dim")])
    under = _bars(bars, canvas) if len(bars) else []
    rows.extend([(" " * LABELS, ""), (text, "")] for text in under)
    first, middle, last = _apart(low, low / 2 + high / 2, high)
    rows.append([(" " * LABELS + first + middle.center(canvas.width - len(first) - len(last)) + last, "dim")])
    return rows


def _short(value: float) -> str:
    """A number that fits next to a chart."""
    text = f"{value:.3g}"
    return text if len(text) <= LABELS - 2 else f"{value:.2g}"


def _apart(*values: float) -> list[str]:
    """Numbers in order with as many digits as tell them apart, within a hundredth of what they span."""
    span = values[-1] / 100 - values[0] / 100
    for digits in range(3, _MOST_DIGITS):
        texts = [f"{value:.{digits}g}" for value in values]
        if all(abs(float(text) - value) <= span for text, value in zip(texts, values, strict=True)):
            break
    return texts


class Point(Struct, frozen=True):
    """A point with the ends of its interval, if it has one; `marks` with and without Unicode."""

    x: float
    y: float
    ends: tuple[float, float] | None = None
    style: str = ""
    marks: tuple[str, str] = ("●", "o")


class Plane(Struct, frozen=True):
    """Where numbers are on a canvas: the ends of both axes."""

    across: tuple[float, float]
    upright: tuple[float, float]
    canvas: Canvas

    def column(self, x: float) -> int:
        """The character from the left."""
        return _place(x, *self.across, self.canvas.width)

    def row(self, y: float) -> int:
        """The character from the top."""
        return self.canvas.height - 1 - _place(y, *self.upright, self.canvas.height)

    def line(self, cells: Cells, height: Callable[[float], float], marks: tuple[str, str]) -> None:
        """Draw a line for reference, under all else."""
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


def _place(value: float, low: float, high: float, count: int) -> int:
    """Which of so many characters from low to high holds a value."""
    return min(max(math.floor(share_of(value, low, high) * count), 0), count - 1)


def share_of(value: float, low: float, high: float) -> float:
    """Where a value is between two others: 0 to 1, a little beyond if it is beyond them."""
    across = high / 2 - low / 2  # the difference itself may be infinite
    return min(max((value / 2 - low / 2) / across, -1.0), 2.0) if across > 0 else 0.5


def shaded(
    cells: Cells, plane: Plane, boxes: Sequence[tuple[tuple[float, float], tuple[float, float], float]]
) -> None:
    """Shade boxes, each with its ends across and upright and its weight, by their density."""
    shades = _SHADES[plane.canvas.unicode]
    dense: dict[tuple[int, int], float] = {}
    for across, upright, density in boxes:
        columns = _covered(across, plane.across, plane.canvas.width)
        rows = _covered(upright, plane.upright, plane.canvas.height)
        for column in columns:
            for row in rows:
                at = column, plane.canvas.height - 1 - row
                dense[at] = dense.get(at, 0.0) + density / (len(columns) * len(rows))
    greatest = max(dense.values(), default=0.0)
    for at, density in dense.items():
        # Of a share of the root, so that what is rare is seen next to what is not.
        share = math.sqrt(min(max(density / greatest, 0.0), 1.0)) if 0 < greatest < math.inf else 1.0
        level = math.ceil(share * len(shades))
        cells[at] = (shades[max(level, 1) - 1], "cyan")


def _covered(ends: tuple[float, float], axis: tuple[float, float], count: int) -> range:
    """The characters whose middle is between the ends, or the one that holds them all."""
    low, high = axis
    first, last = (math.ceil(share_of(end, low, high) * count - 0.5) for end in ends)
    if last > first:
        return range(max(first, 0), min(last, count))
    place = _place(ends[0] / 2 + ends[1] / 2, low, high, count)
    return range(place, place + 1)


def columns(
    heights: Sequence[float], canvas: Canvas, mark: float | None = None, style: str = "cyan"
) -> Cells:
    """Bars (width,) from the bottom to their height, 1 for the top; those above zero are always visible.

    A `mark` is a line across at a height.
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
        row = canvas.height - 1 - _place(mark, 0.0, 1.0, canvas.height)
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
    """Draw a line into cells, over what is there; steep parts are connected vertically."""
    across, down = (2, 4) if canvas.dots else (1, 1)
    columns, last = canvas.width * across, canvas.height * down - 1
    before: int | None = None
    for i in range(columns):
        value = line.values[i * len(line.values) // columns]
        if not math.isfinite(value):
            before = None
            continue
        at = round((top - min(value, 2 * top - bottom)) / (top - bottom) * last)
        start = at if before is None else before + (at > before) - (at < before)
        before = at
        for y in range(max(0, min(start, at)), min(last, max(start, at)) + 1):
            place = (i // across, y // down)
            if not canvas.dots:
                cells[place] = (line.mark, line.style)
                continue
            bits, style = cells.get(place, (0, ""))
            mine = bits if style == line.style and isinstance(bits, int) else 0
            cells[place] = (mine | _BITS[y % 4][i % 2], line.style)


def _cell(cells: Mapping[tuple[int, int], tuple[int | str, str]], x: int, y: int) -> Segment:
    content, style = cells.get((x, y), (" ", ""))
    return (chr(0x2800 + content) if isinstance(content, int) else content), style


def _bars(heights: Sequence[float], canvas: Canvas, rows: int = 3) -> list[str]:
    """Bars, the highest of which fills all rows; values that are not zero are always visible."""
    steps = 8 if canvas.unicode else 1
    greatest = max(heights) or 1.0
    filled = [math.ceil(height / greatest * rows * steps) for height in heights]
    signs = _BLOCKS if canvas.unicode else " #"
    return [
        "".join(signs[min(max(count - row * steps, 0), steps)] for count in filled)
        for row in reversed(range(rows))
    ]
