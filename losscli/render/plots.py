"""The charts of a report as text, readable at 60 columns, without colours and without Unicode."""

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
    columns,
    framed,
    legend,
    line_chart,
    relative_position,
    shaded,
)
from losscli.report.charts import KINDS, Chart, Value
from losscli.report.model import cell_name
from losscli.text import line_of_log

Rows = list[list[Segment]]
_DOT = ("·", ".")
_RULE = ("─", "-")
_OFF, _ON = "red", "cyan"
"""The styles of points whose interval misses the expected value, and contains it."""
_PANEL = 5
"""The height of the histogram of one of several classes, in lines."""
_BARS = 8
"""The height of a histogram, in lines."""
_ENDS = ("ci_low", "ci_high", "share")
"""Columns in which numbers may be missing."""
_OPTIONAL = {
    "roc": ("threshold",),
    "precision_recall": ("threshold",),
    "loss_distribution": ("share", "top_loss_share"),
}
"""Such columns by chart, instead of `_ENDS`."""


def drawn(chart: Chart, canvas: Canvas) -> Rows:
    """The rows of a chart, with its title, the names of its axes and its notes."""
    kind = KINDS[chart.name]
    subject = [part for part in (chart.model, chart.loss, cell_name(chart.cell)) if part]
    title = f"{kind.title}: {', '.join(subject)}" if subject else kind.title
    notes = [[(f"- {line_of_log(str(note))}", "dim")] for note in chart.notes]
    complete = _complete(chart)
    if not complete.columns[kind.columns[0].name]:
        rows: Rows = [[("there is nothing to draw", "")]]
    else:
        rows = _DRAWN[chart.name](complete, canvas)
    rows = [_stripped(row) for row in rows]
    return [[(line_of_log(title), "bold")], *_folded([*rows, *notes], canvas.width + LABELS)]


def _stripped(row: list[Segment]) -> list[Segment]:
    """A row without trailing blanks."""
    segments = list(row)
    while len(segments) > 1 and not segments[-1][0].strip():
        segments.pop()
    return [*segments[:-1], (segments[-1][0].rstrip(), segments[-1][1])]


def _complete(chart: Chart) -> Chart:
    """The chart without the rows in which a number to draw is missing; an undefined share becomes 0."""
    names = [column.name for column in KINDS[chart.name].columns if not column.is_text]
    needed = [name for name in names if name not in _OPTIONAL.get(chart.name, _ENDS)]
    indices = [
        index
        for index, values in enumerate(zip(*(chart.columns[name] for name in needed), strict=True))
        if None not in values
    ]
    columns = {name: [values[index] for index in indices] for name, values in chart.columns.items()}
    columns |= {name: [value or 0.0 for value in columns[name]] for name in ("share",) if name in columns}
    return replace(chart, columns=columns)


def _folded(rows: Rows, width: int) -> Iterator[list[Segment]]:
    """Rows wrapped to a width, if they are a single segment; continuation lines keep the indent."""
    for row in rows:
        text, style = row[0]
        if len(row) > 1 or len(text) <= width:
            yield row
            continue
        indent = text[: len(text) - len(text.lstrip())]
        for line in wrap(text.strip(), width - len(indent)):
            yield [(indent + line, style)]


def _numbers(chart: Chart, name: str) -> list[float]:
    """A column of numbers, NaN for undefined ones."""
    return [math.nan if value is None else float(value) for value in chart.columns[name]]


def _texts(values: Sequence[Value]) -> list[str]:
    return [line_of_log(str(value)) for value in values]


def _caption(up: str, across: str, rows: Rows, canvas: Canvas) -> Rows:
    """Rows with the names of the axes."""
    under = across if len(across) >= canvas.width else across.center(canvas.width).rstrip()
    return [[(" " * (LABELS - 1) + up, "dim")], *rows, [(" " * LABELS + under, "dim")]]


def _ends(low: Sequence[float], high: Sequence[float]) -> list[tuple[float, float] | None]:
    pairs = zip(low, high, strict=True)
    return [(a, b) if math.isfinite(a) and math.isfinite(b) else None for a, b in pairs]


def _points(chart: Chart, x: str, y: str, expected: Callable[[float], float] | None = None) -> list[Point]:
    """The points of two columns with their intervals; points whose interval misses `expected` stand out."""
    ends = _ends(_numbers(chart, "ci_low"), _numbers(chart, "ci_high"))
    points = []
    for x_value, y_value, interval in zip(_numbers(chart, x), _numbers(chart, y), ends, strict=True):
        if math.isfinite(x_value) and math.isfinite(y_value):
            off = (
                expected is not None
                and interval is not None
                and not interval[0] <= expected(x_value) <= interval[1]
            )
            marks = ("◆", "X") if off else ("●", "o")
            points.append(Point(x_value, y_value, interval, _OFF if off else _ON, marks))
    return points


def _against_diagonal(x: str, y: str, across: str, up: str) -> Callable[[Chart, Canvas], Rows]:
    """Points about the diagonal, with bars below for the weight of their rows."""

    def draw(chart: Chart, canvas: Canvas) -> Rows:
        cells: Cells = {}
        plane = Plane((0.0, 1.0), (0.0, 1.0), canvas)
        points = _points(chart, x, y, lambda value: value)
        plane.points(cells, points)
        plane.line(cells, lambda value: value, _DOT)
        weight = [0.0] * canvas.width
        for position, row_weight in zip(_numbers(chart, x), _numbers(chart, "weight"), strict=True):
            if math.isfinite(position):
                weight[plane.column(position)] += row_weight
        weight = [min(total, sys.float_info.max) for total in weight]
        rows = framed(cells, plane.across, plane.upright, canvas, weight)
        return [*_caption(up, f"{across}; bars: {chart.share_unit}", rows, canvas), *_off(points, canvas)]

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
    x: str, y: str, across: str, index_at: Callable[[Sequence[float], float], int], diagonal: bool
) -> Callable[[Chart, Canvas], Rows]:
    """A curve from 0 to 1 over an ascending share; `index_at` finds the point of the curve at a share.

    `diagonal` adds the curve of a model without skill.
    """

    def draw(chart: Chart, canvas: Canvas) -> Rows:
        xs, ys = _numbers(chart, x), _numbers(chart, y)
        count = 2 * canvas.width
        shares = [(index + 0.5) / count for index in range(count)]
        values = [ys[min(max(index_at(xs, share), 0), len(ys) - 1)] for share in shares]
        up = y.replace("_", " ")
        lines = [Line(up, values, "bold cyan", "*")]
        lines += [Line("without skill", shares, "dim", ".")] if diagonal else []
        rows = line_chart(lines, 0.0, 1.0, canvas, upright=(0.0, 1.0))
        return _caption(up, across, rows, canvas)

    return draw


def _costs(chart: Chart, canvas: Canvas) -> Rows:
    """Curves of the cost and of both kinds of errors over the threshold."""
    thresholds = _numbers(chart, "threshold")[::-1]  # ascending
    low, high = thresholds[0], thresholds[-1]
    count = 2 * canvas.width
    shares = [(index + 0.5) / count for index in range(count)]
    positions = [low * (1 - share) + high * share for share in shares]
    # The rows at or above a threshold are those from the first point on that is not below it.
    indices = [min(bisect_left(thresholds, value), len(thresholds) - 1) for value in positions]
    styles = (
        ("cost", "bold cyan", "*"),
        ("false_positives", "yellow", "+"),
        ("false_negatives", "magenta", "-"),
    )
    lines = []
    for name, style, mark in styles:
        values = _numbers(chart, name)[::-1]
        lines.append(Line(name.replace("_", " "), [values[index] for index in indices], style, mark))
    top = max(max(line.values) for line in lines)
    rows = line_chart(lines, low, high, canvas, upright=(0.0, top))
    return [*_caption("share of all rows, by weight", "threshold", rows, canvas), *legend(lines, canvas)]


def _heights(
    low: Sequence[float],
    high: Sequence[float],
    values: Sequence[float],
    axis: tuple[float, float],
    width: int,
) -> list[float]:
    """The value of the bin at each of `width` characters, 0 between bins; narrow bins remain visible."""
    heights = [0.0] * width
    for low_end, high_end, value in zip(low, high, values, strict=True):
        ends = [round(relative_position(end, *axis) * width) for end in (low_end, high_end)]
        first = min(max(ends[0], 0), width - 1)
        last = max(first + 1, min(ends[1], width))
        for column in range(first, last):
            heights[column] = max(heights[column], value)
    return heights


def _bars(
    values: Sequence[float],
    ends: tuple[float, float],
    canvas: Canvas,
    up: str,
    across: str,
    mark: float | None = None,
) -> Rows:
    """Bars with heights `values` (width,), with both axes."""
    top = max([*values, mark or 0.0]) or 1.0
    heights = [value / top for value in values]
    cells = columns(heights, canvas, None if mark is None else mark / top)
    return _caption(up, across, framed(cells, ends, (0.0, top), canvas), canvas)


def _lower(canvas: Canvas, height: int) -> Canvas:
    return Canvas(canvas.width, min(canvas.height, height), canvas.colour, canvas.unicode)


def _histogram(
    axis: str, value: str, up: str, across: str, mark: float | None = None
) -> Callable[[Chart, Canvas], Rows]:
    """Draws bars of the column `value` over the bins of `axis`."""

    def draw(chart: Chart, canvas: Canvas) -> Rows:
        low, high = _numbers(chart, f"{axis}_low"), _numbers(chart, f"{axis}_high")
        if not low:
            return []
        ends = _reach(list(zip(low, high, strict=True)))
        lower = _lower(canvas, _BARS)
        values = _heights(low, high, _numbers(chart, value), ends, canvas.width)
        return _bars(values, ends, lower, up or f"share of {chart.share_unit}", across, mark)

    return draw


def _scores(chart: Chart, canvas: Canvas) -> Rows:
    """The distribution of scores, in one panel per class."""
    low, high = _numbers(chart, "score_low"), _numbers(chart, "score_high")
    if not low:
        return []
    classes, all_shares = chart.columns["class"], _numbers(chart, "share")
    ends, lower = _reach(list(zip(low, high, strict=True))), _lower(canvas, _PANEL)
    rows: Rows = []
    for name in dict.fromkeys(classes):
        indices = [index for index, class_ in enumerate(classes) if class_ == name]
        first, last, shares = ([values[index] for index in indices] for values in (low, high, all_shares))
        values = _heights(first, last, shares, ends, canvas.width)
        up = f"class {line_of_log(str(name))}: share of its {chart.share_unit}"
        rows += _bars(values, ends, lower, up, "score")
    return rows


def _losses(chart: Chart, canvas: Canvas) -> Rows:
    """Bars of equal width on a logarithmic axis, and the share of the loss in the worst rows."""
    share, low, high = (_numbers(chart, name) for name in ("share", "loss_low", "loss_high"))
    if not share:
        return []
    is_loss = low[0] >= 0
    what = f"loss per {chart.unit.removesuffix('s')}"
    lower = _lower(canvas, _BARS)
    indices = [index * len(share) // canvas.width for index in range(canvas.width)]
    if is_loss:
        rows = _bars(
            [share[index] for index in indices], (low[0], high[-1]), lower, f"share of {chart.share_unit}", ""
        )
        rows = _with_middle_label(rows, f"{low[len(low) // 2]:.3g}", canvas)
        rows[-1] = [(" " * LABELS + f"{what} (log scale)".center(canvas.width).rstrip(), "dim")]
    else:
        ends = (low[0], high[-1])
        values = _heights(low, high, share, ends, canvas.width)
        rows = _bars(values, ends, lower, f"share of {chart.share_unit}", what)
    summary = worst.sentence(chart)
    return [*rows, *([[(summary, "")]] if summary else [])]


def _with_middle_label(rows: Rows, label: str, canvas: Canvas) -> Rows:
    """Rows in which the label in the middle of the axis is replaced, since the axis is not linear."""
    text = rows[-2][0][0].strip()
    first, last = text.split()[0], text.split()[-1]
    centered = label.center(canvas.width - len(first) - len(last))
    return [*rows[:-2], [(" " * LABELS + f"{first}{centered}{last}", "dim")], rows[-1]]


def _gain(chart: Chart, canvas: Canvas) -> Rows:
    points = _points(chart, "rank", "relevance")
    ideal = [
        Point(a, b, None, "magenta", ("◇", "x"))
        for a, b in zip(_numbers(chart, "rank"), _numbers(chart, "ideal"), strict=True)
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


def _confusion(chart: Chart, canvas: Canvas) -> Rows:
    """The matrix, in percent of the true class, if it fits; else the most frequent confusions."""
    actual, predicted = (_texts(chart.columns[name]) for name in ("actual", "predicted"))
    names = list(dict.fromkeys([*actual, *predicted]))
    pairs = dict(zip(zip(actual, predicted, strict=True), _numbers(chart, "share"), strict=True))
    width = max([*map(len, names), 3], default=3) + 1
    is_complete = all((name, other) in pairs for name in names for other in names)
    if not is_complete or LABELS + width * (len(names) + 1) > LABELS + canvas.width:
        return _pairs(chart, canvas)
    head = [[("true class in rows, predicted in columns: % of the true class", "dim")]]
    rows: Rows = [*head, [(" " * width + "".join(name.rjust(width) for name in names), "dim")]]
    for name in names:
        row: list[Segment] = [(name.rjust(width), "dim")]
        for other in names:
            share = pairs[name, other]
            style = "bold green" if name == other else "red" if share >= 0.05 else ""
            row.append((_percent(share).rjust(width), style))
        rows.append(row)
    return rows


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "-"
    return "0" if share == 0 else "<1" if share < 0.005 else f"{100 * share:.0f}"


def _pairs(chart: Chart, canvas: Canvas) -> Rows:
    """The most frequent confusions of two classes, as bars."""
    actual, predicted = (_texts(chart.columns[name]) for name in ("actual", "predicted"))
    pairs = zip(actual, predicted, _numbers(chart, "weight"), _numbers(chart, "share"), strict=True)
    wrong = sorted((pair for pair in pairs if pair[0] != pair[1] and pair[2] > 0), key=lambda pair: -pair[2])[
        :20
    ]
    if not wrong:
        return [[("no row is in another class", "")]]
    arrow = "→" if canvas.unicode else "->"
    names = [f"{a} {arrow} {b}" for a, b, _, _ in wrong]
    width = max(map(len, names))
    texts = [f"{weight:,.6g} ({_percent(share)} %)" for _, _, weight, share in wrong]
    room = max(LABELS + canvas.width - width - max(map(len, texts)) - 2, 4)
    full = "█" if canvas.unicode else "#"
    rows: Rows = [[(f"errors, true {arrow} predicted: weight (% of the true class)", "dim")]]
    for name, text, (_, _, weight, _) in zip(names, texts, wrong, strict=True):
        bar = full * max(1, round(weight / wrong[0][2] * room))
        rows.append([(name.ljust(width) + " ", ""), (bar.ljust(room) + " ", "cyan"), (text, "")])
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
