"""The curve of a loss as SVG, in the colors of the theme."""

from __future__ import annotations

import math
from html import escape
from itertools import groupby

from losscli.catalog import registry
from losscli.catalog.loss import Loss
from losscli.errors import UsageError
from losscli.explanation.curve import AXES, Curve, Drawing, drawing

WIDTH, HEIGHT, LEFT, BOTTOM, LINE = 640, 280, 48, 24, 18
SAMPLES = 160


def curve(entry: Loss) -> str:
    """The curve of a loss with those of well-known ones, as a MyST block; empty for a loss without one."""
    try:
        drawn = drawing(registry.choose(entry, {}, {}), SAMPLES)
    except UsageError:  # a required parameter has no value to draw
        return ""
    return "" if drawn is None else f"```{{raw}} html\n{svg(drawn)}\n```\n"


def svg(drawn: Drawing) -> str:
    """A drawing as an SVG element, with its axes and legend."""
    curves = [(each, f"own{nth(i)}") for i, each in enumerate(drawn.own)]
    curves += [(each, f"known{nth(i)}") for i, each in enumerate(drawn.beside)]
    finite = [v for each in drawn.own for v in each.values if math.isfinite(v)]
    low, high = min(0.0, *finite), max(finite)
    high = high if high > low else low + 1.0
    height = HEIGHT + BOTTOM + LINE * (1 + len(curves))
    lines = [f'<svg class="curve" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Curve of the loss">']
    lines += [_axes(drawn, low, high)]
    lines += [_polyline(each, kind, low, high) for each, kind in reversed(curves)]
    for i, (each, kind) in enumerate(curves):
        y = HEIGHT + BOTTOM + LINE * (i + 1) + 10
        lines.append(f'<polyline class="{kind}" points="{LEFT},{y} {LEFT + 28},{y}"/>')
        lines.append(f'<text x="{LEFT + 36}" y="{y + 4}">{escape(each.label)}</text>')
    return "\n".join([*lines, "</svg>"])


def nth(place: int) -> str:
    """The class of a line by its place among its kind."""
    return " second" if place else ""


def _axes(drawn: Drawing, low: float, high: float) -> str:
    right, base = WIDTH - 8, HEIGHT
    middle = (LEFT + right) / 2
    texts = [
        (LEFT, base + 16, "middle", f"{drawn.low:g}"),
        (right, base + 16, "end", f"{drawn.high:g}"),
        (middle, base + 16, "middle", AXES[drawn.axis]),
        (LEFT - 6, base, "end", f"{low:.3g}"),
        (LEFT - 6, 16, "end", f"{high:.3g}"),
    ]
    axes = f'<path d="M{LEFT},8 V{base} H{right}" fill="none" stroke="currentColor"/>'
    return axes + "".join(
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
        for x, y, anchor, text in texts
    )


def _polyline(line: Curve, kind: str, low: float, high: float) -> str:
    """A curve, in as many pieces as there are in the frame."""
    step = (WIDTH - 8 - LEFT) / len(line.values)
    scale = (HEIGHT - 8) / (high - low)
    pieces = []
    for inside, points in groupby(enumerate(line.values), lambda point: low <= point[1] <= high * 1.02):
        if inside:
            places = (f"{LEFT + (i + 0.5) * step:.1f},{HEIGHT - (v - low) * scale:.1f}" for i, v in points)
            pieces.append(f'<polyline class="{kind}" points="{" ".join(places)}"/>')
    return "".join(pieces)
