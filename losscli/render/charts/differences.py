"""Forest plots: paired differences between models with their intervals, about zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal, estimate, signed
from losscli.render.graphics import style
from losscli.render.naming import joined, loss_label, visible
from losscli.report.model import Comparison, Report

MOST = 20
"""The maximum number of differences in a chart, which shows the largest ones."""
VERDICTS = ("better", "worse", "neither")


def figures(report: Report) -> Iterator[Figure]:
    """Overall: a chart per loss, or for one pair of models a chart of all losses in percent; then by cell."""
    comparisons = [
        each for each in report.comparisons if each.ci_low is not None and each.difference is not None
    ]
    overall = [each for each in comparisons if not each.cell]
    if len({(each.a, each.b) for each in overall}) == 1:
        relative = [each for each in overall if each.value_a]
        if relative:
            yield _of_losses(relative)
    else:
        for loss in dict.fromkeys(map(loss_label, overall)):
            yield _of_pairs(loss, [each for each in overall if loss_label(each) == loss])
    kinds: dict[tuple[str, str, str, tuple[str, ...]], list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.cell:
            kind = (comparison.a, comparison.b, loss_label(comparison), tuple(comparison.cell))
            kinds.setdefault(kind, []).append(comparison)
    for (a, b, loss, columns), rows in kinds.items():
        title = f"{loss} by {', '.join(map(visible, columns))}, {visible(b)} against {visible(a)}"
        yield _of_cells(title, loss, rows)


def _of_losses(comparisons: Sequence[Comparison]) -> Figure:
    pair = f"{visible(comparisons[0].b)} against {visible(comparisons[0].a)}"
    scales = [100 / abs(each.value_a or 1.0) for each in comparisons]
    names = [loss_label(each) for each in comparisons]
    better, worse = (
        sum(each.winner == side for each in comparisons) for side in (comparisons[0].b, comparisons[0].a)
    )
    title = f"{pair}: better in {better}, worse in {worse} of {len(comparisons)} losses"
    if len(comparisons) == 1:
        verdict = "significantly better" if better else "significantly worse" if worse else "not significant"
        title = f"{pair}: {names[0]} {signed(comparisons[0].percent)} %, {verdict}"
    axis = f"difference, % of the loss of {visible(comparisons[0].a)[: style.LONGEST]}"
    return _forest(title, axis, names, comparisons, scales)


def _of_pairs(loss: str, comparisons: Sequence[Comparison]) -> Figure:
    models = list(dict.fromkeys(model for each in comparisons for model in (each.a, each.b)))
    short_names = dict(zip(models, map(visible, style.stems(models)), strict=True))
    names = [f"{short_names[each.b]} - {short_names[each.a]}" for each in comparisons]
    better = sum(each.winner is not None for each in comparisons)
    title = f"{loss}: {better} of {len(comparisons)} pairs of models differ significantly"
    return _forest(title, f"difference of {loss}", names, comparisons, [1.0] * len(comparisons))


def _of_cells(title: str, loss: str, comparisons: Sequence[Comparison]) -> Figure:
    def effect(each: Comparison) -> float:
        return -abs(each.difference or 0.0) if each.contribution is None else -abs(each.contribution)

    largest = sorted(comparisons, key=effect)[:MOST]
    names = [", ".join(map(visible, each.cell.values())) for each in largest]
    better, worse = (
        sum(each.winner == side for each in comparisons) for side in (comparisons[0].b, comparisons[0].a)
    )
    title += f": better in {better:,}, worse in {worse:,} of {len(comparisons):,}"
    return _forest(title, f"difference of {loss}", names, largest, [1.0] * len(largest))


def _forest(
    title: str, axis: str, labels: Sequence[str], comparisons: Sequence[Comparison], scales: Sequence[float]
) -> Figure:
    rows = [
        _row(name, label, each, scale)
        for name, label, each, scale in zip(style.shortened(labels), labels, comparisons, scales, strict=True)
    ]
    colour = alt.Color(
        "verdict:N",
        title=None,
        scale=alt.Scale(domain=list(VERDICTS), range=[style.GOOD, style.BAD, style.WEAK]),
    )
    directions = {each.higher_is_better for each in comparisons}
    if len(directions) == 1:
        axis += " (above 0 is better)" if directions.pop() else " (below 0 is better)"
    chart = style.intervals(rows, axis, colour, [style.rule(0, dash=False)], zero=True)
    return Figure(
        title, f"Dots with intervals about zero: {joined([row['text'] for row in rows], 8)}.", chart
    )


def _row(name: str, label: str, comparison: Comparison, scale: float) -> style.Row:
    verdict = VERDICTS[2] if comparison.winner is None else VERDICTS[comparison.winner == comparison.a]
    p = "" if comparison.adjusted is None else f", adjusted p {decimal(comparison.adjusted, 2)}"
    return {
        "name": name,
        "value": (comparison.difference or 0.0) * scale,
        "low": _scaled(comparison.ci_low, scale),
        "high": _scaled(comparison.ci_high, scale),
        "verdict": verdict,
        "text": f"{label[:200]}: {estimate(comparison.difference, comparison.se)}, {verdict}{p}",
    }


def _scaled(bound: float | None, scale: float) -> float | None:
    return None if bound is None or not math.isfinite(bound) else bound * scale


CHART = Drawing("differences", "comparison", figures)
