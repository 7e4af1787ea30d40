"""Curves and bars in a terminal: braille dots if it shows colours, else a mark for each curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

Segment = tuple[str, str]
"""Text and its style."""
LABELS = 10
"""The columns to the left of a chart."""
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLOCKS = " ▁▂▃▄▅▆▇█"


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


def chart(
    lines: Sequence[Line], low: float, high: float, canvas: Canvas, bars: Sequence[float] = ()
) -> list[list[Segment]]:
    """The rows of a chart, whose first line sets the scale; `bars` (width,) are drawn under it, if given.

    `low` and `high` are the places of the left and the right edge.
    """
    finite = [value for value in lines[0].values if math.isfinite(value)] or [0.0]
    top, bottom = max(finite), min(0.0, *finite)
    top = top if top > bottom else bottom + 1.0
    cells: dict[tuple[int, int], tuple[int | str, str]] = {}
    for line in reversed(lines):
        _draw(cells, line, bottom, top, canvas)
    vertical, corner, flat = "│└─" if canvas.unicode else "|+-"
    shown = {0: f"{top:.3g}", canvas.height - 1: f"{bottom:.3g}"}
    rows: list[list[Segment]] = []
    for y in range(canvas.height):
        row = [(f"{shown.get(y, ''):>{LABELS - 2}} {vertical}", "dim")]
        rows.append(row + [_cell(cells, x, y) for x in range(canvas.width)])
    rows.append([(" " * (LABELS - 1) + corner + flat * canvas.width, "dim")])
    under = _bars(bars, canvas) if len(bars) else []
    rows.extend([(" " * LABELS, ""), (text, "")] for text in under)
    middle = f"{(low + high) / 2:.3g}".center(canvas.width - len(f"{low:.3g}") - len(f"{high:.3g}"))
    rows.append([(" " * LABELS + f"{low:.3g}{middle}{high:.3g}", "dim")])
    return rows


def legend(lines: Sequence[Line], canvas: Canvas) -> list[list[Segment]]:
    """A row for each line: its style or mark, and its label."""
    return [
        [(" " * LABELS + ("⣀⣀" if canvas.dots else line.mark * 2), line.style), (f" {line.label}", "")]
        for line in lines
    ]


def _draw(
    cells: dict[tuple[int, int], tuple[int | str, str]],
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
