"""The charts of a report as text: each reads at 60 columns, without colours and without Unicode."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import wrap

from msgspec.structs import replace

from losscli.render import worst
from losscli.render.chart import (
    LABELS,
    Canvas,
    Cells,
    Line,
    Plane,
    Point,
    Segment,
    chart,
    columns,
    framed,
    legend,
    shaded,
    share_of,
)
from losscli.report.charts import KINDS, Chart, Value
from losscli.report.model import cell_name
from losscli.text import line_of_log

Rows = list[list[Segment]]
_DOT = ("·", ".")
_RULE = ("─", "-")
_OFF, _ON = "red", "cyan"
"""The styles of points whose interval does not hold what is expected, and does."""
_PANEL = 5
"""Lines of the distribution of one of several classes."""
_BARS = 8
"""Lines of a histogram."""
_ENDS = ("ci_low", "ci_high", "share")
"""Columns that may lack numbers."""
_OPTIONAL = {
    "roc": ("threshold",),
    "precision_recall": ("threshold",),
    "loss_distribution": ("share", "top_loss_share"),
}
"""The same of some charts."""


def drawn(chart: Chart, canvas: Canvas) -> Rows:
    """A chart with its title, the names of its axes and its notes."""
    kind = KINDS[chart.name]
    of = [part for part in (chart.model, chart.loss, cell_name(chart.cell)) if part]
    title = f"{kind.title}: {', '.join(of)}" if of else kind.title
    notes = [[(f"- {line_of_log(str(note))}", "dim")] for note in chart.notes]
    own = _complete(chart)
    if not own.columns[kind.columns[0].name]:
        rows: Rows = [[("there is nothing to draw", "")]]
    else:
        rows = _DRAWN[chart.name](own, canvas)
    rows = [_without_end(row) for row in rows]
    return [[(line_of_log(title), "bold")], *_folded([*rows, *notes], canvas.width + LABELS)]


def _without_end(row: list[Segment]) -> list[Segment]:
    """A row without the blanks at its end."""
    kept = list(row)
    while len(kept) > 1 and not kept[-1][0].strip():
        kept.pop()
    return [*kept[:-1], (kept[-1][0].rstrip(), kept[-1][1])]


def _complete(chart: Chart) -> Chart:
    """The chart without the rows that lack a number which is drawn; a share that is not defined is 0."""
    names = [column.name for column in KINDS[chart.name].columns if not column.is_text]
    needed = [name for name in names if name not in _OPTIONAL.get(chart.name, _ENDS)]
    kept = [
        place
        for place, values in enumerate(zip(*(chart.columns[name] for name in needed), strict=True))
        if None not in values
    ]
    columns = {name: [values[place] for place in kept] for name, values in chart.columns.items()}
    columns |= {name: [value or 0.0 for value in columns[name]] for name in ("share",) if name in columns}
    return replace(chart, columns=columns)


def _folded(rows: Rows, width: int) -> Iterator[list[Segment]]:
    """Rows, of which those of one text are folded to a width; blanks at their start are kept."""
    for row in rows:
        text, style = row[0]
        if len(row) > 1 or len(text) <= width:
            yield row
            continue
        indent = text[: len(text) - len(text.lstrip())]
        for line in wrap(text.strip(), width - len(indent)):
            yield [(indent + line, style)]


def _numbers(chart: Chart, name: str) -> list[float]:
    """A column of numbers, NaN where one is not defined."""
    return [math.nan if value is None else float(value) for value in chart.columns[name]]


def _texts(values: Sequence[Value]) -> list[str]:
    return [line_of_log(str(value)) for value in values]


def _caption(up: str, across: str, rows: Rows, canvas: Canvas) -> Rows:
    """Rows with the names of their axes."""
    under = across if len(across) >= canvas.width else across.center(canvas.width).rstrip()
    return [[(" " * (LABELS - 1) + up, "dim")], *rows, [(" " * LABELS + under, "dim")]]


def _ends(low: Sequence[float], high: Sequence[float]) -> list[tuple[float, float] | None]:
    pairs = zip(low, high, strict=True)
    return [(a, b) if math.isfinite(a) and math.isfinite(b) else None for a, b in pairs]


def _points(chart: Chart, x: str, y: str, expected: Callable[[float], float] | None = None) -> list[Point]:
    """The points of two columns with their intervals; those off what is expected stand out."""
    ends = _ends(_numbers(chart, "ci_low"), _numbers(chart, "ci_high"))
    found = []
    for a, b, own in zip(_numbers(chart, x), _numbers(chart, y), ends, strict=True):
        if math.isfinite(a) and math.isfinite(b):
            off = expected is not None and own is not None and not own[0] <= expected(a) <= own[1]
            marks = ("◆", "X") if off else ("●", "o")
            found.append(Point(a, b, own, _OFF if off else _ON, marks))
    return found


def _against_diagonal(x: str, y: str, across: str, up: str) -> Callable[[Chart, Canvas], Rows]:
    """Points about the diagonal, with the number of rows under them."""

    def draw(chart: Chart, canvas: Canvas) -> Rows:
        cells: Cells = {}
        plane = Plane((0.0, 1.0), (0.0, 1.0), canvas)
        points = _points(chart, x, y, lambda value: value)
        plane.points(cells, points)
        plane.line(cells, lambda value: value, _DOT)
        weight = [0.0] * canvas.width
        for at, own in zip(_numbers(chart, x), _numbers(chart, "weight"), strict=True):
            if math.isfinite(at):
                weight[plane.column(at)] += own
        weight = [min(each, sys.float_info.max) for each in weight]
        rows = framed(cells, plane.across, plane.upright, canvas, weight)
        return [*_caption(up, f"{across}; bars: {chart.whole}", rows, canvas), *_off(points, canvas)]

    return draw


def _off(points: Sequence[Point], canvas: Canvas) -> Rows:
    judged = [point for point in points if point.ends is not None]
    off = sum(point.style == _OFF for point in judged)
    if not judged:
        return []
    mark = f" ({'◆' if canvas.unicode else 'X'})" if off else ""
    return [[(f"{off} of {len(judged)} intervals miss the expected value{mark}", "")]]


def _bias(chart: Chart, canvas: Canvas) -> Rows:
    points = _points(chart, "prediction", "residual", lambda value: 0.0)
    if not points:
        return []
    ys = [y for point in points for y in (point.y, *(point.ends or ()))]
    low, high = min(0.0, *ys), max(0.0, *ys)
    across = min(point.x for point in points), max(point.x for point in points)
    cells: Cells = {}
    plane = Plane(across, (low, high if high > low else low + 1.0), canvas)
    plane.points(cells, points)
    plane.line(cells, lambda value: 0.0, _RULE)
    rows = framed(cells, plane.across, plane.upright, canvas)
    up = "mean of prediction - target (unit of the target)"
    return [*_caption(up, "mean prediction (unit of the target)", rows, canvas), *_off(points, canvas)]


def _residuals(chart: Chart, canvas: Canvas) -> Rows:
    x = list(zip(_numbers(chart, "prediction_low"), _numbers(chart, "prediction_high"), strict=True))
    y = list(zip(_numbers(chart, "residual_low"), _numbers(chart, "residual_high"), strict=True))
    if not x:
        return []
    plane = Plane(_reach(x), _reach(y), canvas)
    cells: Cells = {}
    shaded(cells, plane, list(zip(x, y, _numbers(chart, "weight"), strict=True)))
    if plane.upright[0] <= 0 <= plane.upright[1]:
        plane.line(cells, lambda value: 0.0, _RULE)
    rows = framed(cells, plane.across, plane.upright, canvas)
    return _caption(
        "prediction - target (unit of the target)", "prediction (unit of the target)", rows, canvas
    )


def _reach(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def _curve(
    x: str, y: str, across: str, at: Callable[[Sequence[float], float], int], diagonal: bool
) -> Callable[[Chart, Canvas], Rows]:
    """A curve from 0 to 1 over a share that rises, whose point `at` a share is found; with the diagonal."""

    def draw(chart_of: Chart, canvas: Canvas) -> Rows:
        xs, ys = _numbers(chart_of, x), _numbers(chart_of, y)
        count = 2 * canvas.width
        shares = [(place + 0.5) / count for place in range(count)]
        values = [ys[min(max(at(xs, share), 0), len(ys) - 1)] for share in shares]
        up = y.replace("_", " ")
        lines = [Line(up, values, "bold cyan", "*")]
        lines += [Line("without skill", shares, "dim", ".")] if diagonal else []
        rows = chart(lines, 0.0, 1.0, canvas, upright=(0.0, 1.0))
        return _caption(up, across, rows, canvas)

    return draw


def _costs(chart_of: Chart, canvas: Canvas) -> Rows:
    """Three curves over the threshold."""
    thresholds = _numbers(chart_of, "threshold")[::-1]  # ascending
    low, high = thresholds[0], thresholds[-1]
    count = 2 * canvas.width
    shares = [(place + 0.5) / count for place in range(count)]
    at = [low * (1 - share) + high * share for share in shares]
    # The rows at or above a threshold are those from the first point on that is not below it.
    places = [min(bisect_left(thresholds, value), len(thresholds) - 1) for value in at]
    looks = (
        ("cost", "bold cyan", "*"),
        ("false_positives", "yellow", "+"),
        ("false_negatives", "magenta", "-"),
    )
    lines = []
    for name, style, mark in looks:
        values = _numbers(chart_of, name)[::-1]
        lines.append(Line(name.replace("_", " "), [values[place] for place in places], style, mark))
    most = max(max(line.values) for line in lines)
    rows = chart(lines, low, high, canvas, upright=(0.0, most))
    return [*_caption("share of all rows, by weight", "threshold", rows, canvas), *legend(lines, canvas)]


def _heights(
    low: Sequence[float],
    high: Sequence[float],
    values: Sequence[float],
    plane: tuple[float, float],
    width: int,
) -> list[float]:
    """The value of the bin at each of so many characters across, 0 between bins; narrow bins are seen."""
    found = [0.0] * width
    for a, b, value in zip(low, high, values, strict=True):
        ends = [round(share_of(end, *plane) * width) for end in (a, b)]
        first = min(max(ends[0], 0), width - 1)
        last = max(first + 1, min(ends[1], width))
        for place in range(first, last):
            found[place] = max(found[place], value)
    return found


def _bars(
    values: Sequence[float],
    ends: tuple[float, float],
    canvas: Canvas,
    up: str,
    across: str,
    mark: float | None = None,
) -> Rows:
    """Bars (width,) with both axes."""
    top = max([*values, mark or 0.0]) or 1.0
    heights = [value / top for value in values]
    cells = columns(heights, canvas, None if mark is None else mark / top)
    return _caption(up, across, framed(cells, ends, (0.0, top), canvas), canvas)


def _lower(canvas: Canvas, height: int) -> Canvas:
    return Canvas(canvas.width, min(canvas.height, height), canvas.colour, canvas.unicode)


def _histogram(
    axis: str, value: str, up: str, across: str, mark: float | None = None
) -> Callable[[Chart, Canvas], Rows]:
    """Bars over an axis of numbers."""

    def draw(chart_of: Chart, canvas: Canvas) -> Rows:
        low, high = _numbers(chart_of, f"{axis}_low"), _numbers(chart_of, f"{axis}_high")
        if not low:
            return []
        ends = _reach(list(zip(low, high, strict=True)))
        own = _lower(canvas, _BARS)
        values = _heights(low, high, _numbers(chart_of, value), ends, canvas.width)
        return _bars(values, ends, own, up or f"share of {chart_of.whole}", across, mark)

    return draw


def _scores(chart_of: Chart, canvas: Canvas) -> Rows:
    """The distribution of scores in one panel for each class."""
    low, high = _numbers(chart_of, "score_low"), _numbers(chart_of, "score_high")
    if not low:
        return []
    classes, share = chart_of.columns["class"], _numbers(chart_of, "share")
    ends, own = _reach(list(zip(low, high, strict=True))), _lower(canvas, _PANEL)
    rows: Rows = []
    for name in dict.fromkeys(classes):
        at = [place for place, each in enumerate(classes) if each == name]
        first, last, own_share = ([values[place] for place in at] for values in (low, high, share))
        values = _heights(first, last, own_share, ends, canvas.width)
        up = f"class {line_of_log(str(name))}: share of its {chart_of.whole}"
        rows += _bars(values, ends, own, up, "score")
    return rows


def _losses(chart_of: Chart, canvas: Canvas) -> Rows:
    """Bars of the same width for each bin of the logarithmic axis, and what the greatest losses make up."""
    share, low, high = (_numbers(chart_of, name) for name in ("share", "loss_low", "loss_high"))
    if not share:
        return []
    is_loss = low[0] >= 0
    what = f"loss per {chart_of.unit.removesuffix('s')}"
    own = _lower(canvas, _BARS)
    places = [place * len(share) // canvas.width for place in range(canvas.width)]
    if is_loss:
        rows = _bars(
            [share[place] for place in places], (low[0], high[-1]), own, f"share of {chart_of.whole}", ""
        )
        rows = _without_middle(rows, f"{low[len(low) // 2]:.3g}", canvas)
        rows[-1] = [(" " * LABELS + f"{what} (log scale)".center(canvas.width).rstrip(), "dim")]
    else:
        ends = (low[0], high[-1])
        values = _heights(low, high, share, ends, canvas.width)
        rows = _bars(values, ends, own, f"share of {chart_of.whole}", what)
    said = worst.sentence(chart_of)
    return [*rows, *([[(said, "")]] if said else [])]


def _without_middle(rows: Rows, middle: str, canvas: Canvas) -> Rows:
    """Rows whose number in the middle of the axis is that of a bin, as the axis is not linear."""
    text = rows[-2][0][0].strip()
    first, last = text.split()[0], text.split()[-1]
    own = middle.center(canvas.width - len(first) - len(last))
    return [*rows[:-2], [(" " * LABELS + f"{first}{own}{last}", "dim")], rows[-1]]


def _gain(chart_of: Chart, canvas: Canvas) -> Rows:
    points = _points(chart_of, "rank", "relevance")
    ideal = [
        Point(a, b, None, "magenta", ("◇", "x"))
        for a, b in zip(_numbers(chart_of, "rank"), _numbers(chart_of, "ideal"), strict=True)
    ]
    if not points:
        return []
    top = max([point.y for point in ideal] + [end for point in points for end in point.ends or (point.y,)])
    plane = Plane((0.5, points[-1].x + 0.5), (0.0, top or 1.0), canvas)
    cells: Cells = {}
    plane.points(cells, [*ideal, *points])
    rows = framed(cells, (1.0, points[-1].x), plane.upright, canvas)
    marks = ("●", "◇") if canvas.unicode else ("o", "x")
    return [
        *_caption("mean relevance", "rank", rows, canvas),
        [(f"{marks[0]} by the scores, {marks[1]} in the best order", "")],
    ]


def _confusion(chart_of: Chart, canvas: Canvas) -> Rows:
    """The matrix, in per cent of the true class, if it fits; else the pairs that are confused most."""
    actual, predicted = (_texts(chart_of.columns[name]) for name in ("actual", "predicted"))
    names = list(dict.fromkeys([*actual, *predicted]))
    pairs = dict(zip(zip(actual, predicted, strict=True), _numbers(chart_of, "share"), strict=True))
    wide = max([*map(len, names), 3], default=3) + 1
    whole = all((name, other) in pairs for name in names for other in names)
    if not whole or LABELS + wide * (len(names) + 1) > LABELS + canvas.width:
        return _pairs(chart_of, canvas)
    head = [[("true class in rows, predicted in columns: % of the true class", "dim")]]
    rows: Rows = [*head, [(" " * wide + "".join(name.rjust(wide) for name in names), "dim")]]
    for name in names:
        row: list[Segment] = [(name.rjust(wide), "dim")]
        for other in names:
            share = pairs[name, other]
            style = "bold green" if name == other else "red" if share >= 0.05 else ""
            row.append((_percent(share).rjust(wide), style))
        rows.append(row)
    return rows


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "-"
    return "0" if share == 0 else "<1" if share < 0.005 else f"{100 * share:.0f}"


def _pairs(chart_of: Chart, canvas: Canvas) -> Rows:
    """The pairs of true and predicted class that are confused most, as bars."""
    actual, predicted = (_texts(chart_of.columns[name]) for name in ("actual", "predicted"))
    each = zip(actual, predicted, _numbers(chart_of, "weight"), _numbers(chart_of, "share"), strict=True)
    wrong = sorted((pair for pair in each if pair[0] != pair[1] and pair[2] > 0), key=lambda pair: -pair[2])[
        :20
    ]
    if not wrong:
        return [[("no row is in another class", "")]]
    arrow = "→" if canvas.unicode else "->"
    names = [f"{a} {arrow} {b}" for a, b, _, _ in wrong]
    wide = max(map(len, names))
    texts = [f"{weight:,.6g} ({_percent(share)} %)" for _, _, weight, share in wrong]
    room = max(LABELS + canvas.width - wide - max(map(len, texts)) - 2, 4)
    full = "█" if canvas.unicode else "#"
    rows: Rows = [[(f"errors, true {arrow} predicted: weight (% of the true class)", "dim")]]
    for name, text, (_, _, weight, _) in zip(names, texts, wrong, strict=True):
        bar = full * max(1, round(weight / wrong[0][2] * room))
        rows.append([(name.ljust(wide) + " ", ""), (bar.ljust(room) + " ", "cyan"), (text, "")])
    return rows


_DRAWN: Mapping[str, Callable[[Chart, Canvas], Rows]] = {
    "residuals": _residuals,
    "bias": _bias,
    "residual_distribution": _histogram("residual", "share", "", "prediction - target (unit of the target)"),
    "loss_distribution": _losses,
    "reliability": _against_diagonal(
        "probability", "observed", "predicted probability", "observed frequency"
    ),
    "roc": _curve(
        "false_positive_rate",
        "true_positive_rate",
        "false positive rate",
        lambda shares, share: bisect_right(shares, share) - 1,
        diagonal=True,
    ),
    "precision_recall": _curve("recall", "precision", "recall", bisect_left, diagonal=False),
    "score_distribution": _scores,
    "threshold_cost": _costs,
    "confusion": _confusion,
    "coverage": _against_diagonal("nominal", "observed", "level of the quantile", "observed share"),
    "pit": _histogram("pit", "density", "density", "predicted probability of at most the target", mark=1.0),
    "rank_histogram": _histogram(
        "rank", "density", "density", "rank among the members, as a share", mark=1.0
    ),
    "gain": _gain,
}
