"""Leaderboards: places with values and intervals; those in the first place stand out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import estimate
from losscli.render.graphics import style
from losscli.render.naming import joined, loss_label, visible
from losscli.report.model import Placing, Report, cell_name

MOST = 30
"""The maximum number of submissions in a chart, which shows the best ones."""
PLACES = ("first place", "lower places")
_BETTER = 0.5
"""The share of the submissions, best first, that the axis always covers."""
_OUTLYING = 4.0
"""The maximum range of the axis, as a multiple of the range of these submissions."""


def figures(report: Report) -> Iterator[Figure]:
    """A chart for each cell, overall first."""
    boards: dict[str, list[Placing]] = {}
    for placing in report.board:
        if placing.place is not None and placing.value is not None:
            boards.setdefault(cell_name(placing.cell), []).append(placing)
    loss = next(map(loss_label, report.results), "value")
    for cell, placings in boards.items():
        yield _figure(f"{loss}, {cell}" if cell else loss, loss, placings)


def _figure(what: str, loss: str, placings: Sequence[Placing]) -> Figure:
    top = placings[:MOST]
    models = style.stems([p.model for p in top])
    labels = [
        f"{p.place}{'=' if p.tied else ''}  {visible(model)}" for p, model in zip(top, models, strict=True)
    ]
    rows: list[style.Row] = [
        {
            "name": name,
            "value": p.value,
            "low": p.value if p.ci_low is None else p.ci_low,
            "high": p.value if p.ci_high is None else p.ci_high,
            "group": PLACES[p.place != 1],
            "text": f"{label[:200]}: {estimate(p.value, p.se)}",
        }
        for name, label, p in zip(style.shortened(labels), labels, top, strict=True)
    ]
    colour = alt.Color(
        "group:N", title=None, scale=alt.Scale(domain=list(PLACES), range=[style.BLUE, style.WEAK])
    )
    first = [p for p in placings if p.place == 1]
    left_out = f" The best {MOST} of {len(placings):,}." if len(placings) > MOST else ""
    scale = _scale(rows)
    beyond = [row["text"] for row in rows if scale and not scale[0] <= row["value"] <= scale[1]]
    return Figure(
        f"{what}: {len(first)} of {len(placings):,} submissions in first place",
        f"Dots with intervals, the best first: {joined([row['text'] for row in rows], 8)}.{left_out}",
        style.intervals(rows, loss, colour, scale={"domain": scale, "nice": False} if scale else {}),
        (f"outside of the plotted range: {joined(beyond, 5)}",) if beyond else (),
    )


def _scale(rows: Sequence[style.Row]) -> tuple[float, float] | None:
    """The ends of the axis if outliers would squeeze the better submissions, else None."""
    spans = [(min(row["low"], row["value"]), max(row["high"], row["value"])) for row in rows]
    better = spans[: max(2, math.ceil(_BETTER * len(spans)))]
    low, high = min(low for low, _ in better), max(high for _, high in better)
    widest, has_all = _OUTLYING * (high - low), True
    for span in spans:
        wider = min(low, span[0]), max(high, span[1])
        fits = wider[1] - wider[0] <= widest
        (low, high), has_all = wider if fits else (low, high), has_all and fits
    return None if has_all or not widest else (low, high)


CHART = Drawing("leaderboard", "board", figures)
