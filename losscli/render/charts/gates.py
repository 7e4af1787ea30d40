"""Gates: how far each value is from its limit."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import decimal
from losscli.render.graphics import style
from losscli.render.naming import joined, plain
from losscli.render.sections.verdicts import judgement, worst_first
from losscli.report.model import Report, Verdict
from losscli.text import counted

MOST = 20
"""The maximum number of gates in a chart, which shows the worst ones."""
_SIDES = ("within limit", "beyond limit")


def figures(report: Report) -> Iterator[Figure]:
    """One chart of all verdicts that have a margin."""
    verdicts = [verdict for verdict in worst_first(report.gates) if verdict.margin is not None]
    if not verdicts:
        return
    titles = [": ".join(filter(None, (verdict.place, plain(verdict.title)))) for verdict in verdicts[:MOST]]
    rows = [_row(*verdict) for verdict in zip(style.shortened(titles), titles, verdicts, strict=False)]
    colour = alt.Color(
        "side:N",
        title=None,
        scale=alt.Scale(domain=list(_SIDES), range=[style.GOOD, style.BAD]),
    )
    axis = "margin in standard errors (limit at 0)"
    bars = (
        style.base(rows)
        .mark_bar(height={"band": 0.6})
        .encode(y=style.names(), x=style.x("margin", axis, zero=True), color=colour, **style.tooltip())
    )
    missed = sum(row["margin"] < 0 for row in rows)
    yield Figure(
        f"Margins: {counted(missed, 'value misses its limit', 'values miss their limits')}"
        if missed
        else f"Margins: the closest is {decimal(rows[0]['margin'], 3)} standard errors within its limit",
        f"Bars of the distance to the limit in standard errors, the worst first: "
        f"{joined([row['text'] for row in rows], 8)}.",
        style.layered(bars, style.rule(0, dash=False)).properties(height=alt.Step(style.STEP)),
    )


def _row(name: str, title: str, verdict: Verdict) -> style.Row:
    margin = verdict.margin or 0.0
    side = _SIDES[margin < 0]
    return {"name": name, "margin": margin, "side": side, "text": f"{title[:200]}: {judgement(verdict)}"}


CHART = Drawing("gates", "verdict", figures)
