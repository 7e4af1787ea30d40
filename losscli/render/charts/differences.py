"""Forest plots: paired differences between models with their intervals, about zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, estimate, signed
from losscli.render.graphics import style
from losscli.render.naming import listed, loss_label, shown
from losscli.report.model import Comparison, Report

MOST = 20
"""The differences of a chart: the largest ones where cells are many."""
VERDICTS = ("better", "worse", "neither")


def figures(report: Report) -> Iterator[Figure]:
    """Overall, a chart for each loss; of one pair, one of all losses in percent.  Then by kind of cell."""
    drawn = [each for each in report.comparisons if each.ci_low is not None and each.difference is not None]
    overall = [each for each in drawn if not each.cell]
    if len({(each.a, each.b) for each in overall}) == 1:
        relative = [each for each in overall if each.value_a]
        if relative:
            yield _of_losses(relative)
    else:
        for loss in dict.fromkeys(map(loss_label, overall)):
            yield _of_pairs(loss, [each for each in overall if loss_label(each) == loss])
    kinds: dict[tuple[str, str, str, tuple[str, ...]], list[Comparison]] = {}
    for each in drawn:
        if each.cell:
            kinds.setdefault((each.a, each.b, loss_label(each), tuple(each.cell)), []).append(each)
    for (a, b, loss, columns), rows in kinds.items():
        title = f"{loss} by {', '.join(map(shown, columns))}, {shown(b)} against {shown(a)}"
        yield _of_cells(title, loss, rows)


def _of_losses(rows: Sequence[Comparison]) -> Figure:
    pair = f"{shown(rows[0].b)} against {shown(rows[0].a)}"
    scales = [100 / abs(each.value_a or 1.0) for each in rows]
    names = [loss_label(each) for each in rows]
    better, worse = (sum(each.winner == side for each in rows) for side in (rows[0].b, rows[0].a))
    title = f"{pair}: better in {better}, worse in {worse} of {len(rows)} losses"
    if len(rows) == 1:
        verdict = "significantly better" if better else "significantly worse" if worse else "not significant"
        title = f"{pair}: {names[0]} {signed(rows[0].percent)} %, {verdict}"
    axis = f"difference, % of the loss of {shown(rows[0].a)[: style.LONGEST]}"
    return _forest(title, axis, names, rows, scales)


def _of_pairs(loss: str, rows: Sequence[Comparison]) -> Figure:
    models = list(dict.fromkeys(model for each in rows for model in (each.a, each.b)))
    short = dict(zip(models, map(shown, style.stems(models)), strict=True))
    names = [f"{short[each.b]} - {short[each.a]}" for each in rows]
    better = sum(each.winner is not None for each in rows)
    title = f"{loss}: {better} of {len(rows)} pairs of models differ significantly"
    return _forest(title, f"difference of {loss}", names, rows, [1.0] * len(rows))


def _of_cells(title: str, loss: str, rows: Sequence[Comparison]) -> Figure:
    def effect(each: Comparison) -> float:
        return -abs(each.difference or 0.0) if each.contribution is None else -abs(each.contribution)

    largest = sorted(rows, key=effect)[:MOST]
    names = [", ".join(map(shown, each.cell.values())) for each in largest]
    better, worse = (sum(each.winner == side for each in rows) for side in (rows[0].b, rows[0].a))
    title += f": better in {better:,}, worse in {worse:,} of {len(rows):,}"
    return _forest(title, f"difference of {loss}", names, largest, [1.0] * len(largest))


def _forest(
    title: str, axis: str, labels: Sequence[str], found: Sequence[Comparison], scales: Sequence[float]
) -> Figure:
    rows = [
        _row(name, label, each, scale)
        for name, label, each, scale in zip(style.shortened(labels), labels, found, scales, strict=True)
    ]
    colour = alt.Color(
        "verdict:N",
        title=None,
        scale=alt.Scale(domain=list(VERDICTS), range=[style.GOOD, style.BAD, style.WEAK]),
    )
    directions = {each.higher_is_better for each in found}
    if len(directions) == 1:
        axis += " (above 0 is better)" if directions.pop() else " (below 0 is better)"
    chart = style.intervals(rows, axis, colour, [style.rule(0, dash=False)], zero=True)
    return Figure(
        title, f"Dots with intervals about zero: {listed([row['text'] for row in rows], 8)}.", chart
    )


def _row(name: str, label: str, each: Comparison, scale: float) -> style.Row:
    verdict = VERDICTS[2] if each.winner is None else VERDICTS[each.winner == each.a]
    p = "" if each.adjusted is None else f", adjusted p {decimal(each.adjusted, 2)}"
    return {
        "name": name,
        "value": (each.difference or 0.0) * scale,
        "low": _within(each.ci_low, scale),
        "high": _within(each.ci_high, scale),
        "verdict": verdict,
        "text": f"{label[:200]}: {estimate(each.difference, each.se)}, {verdict}{p}",
    }


def _within(bound: float | None, scale: float) -> float | None:
    return None if bound is None or not math.isfinite(bound) else bound * scale


CHART = Drawing("differences", "comparison", figures)
