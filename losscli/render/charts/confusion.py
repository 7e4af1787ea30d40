"""The confusion matrix; with many classes, the most frequent confusions."""

from __future__ import annotations

import altair as alt

from losscli.render.charts import Drawing, Figure
from losscli.render.digits import percent
from losscli.render.graphics import style, tables
from losscli.render.naming import joined, visible
from losscli.report.charts import Chart

_LONGEST = 190
"""The maximum width of the names of a pair, in pixels."""
_LEVEL = 45
"""The total number of characters up to which the names below a matrix fit on one line."""
_NUMBERED = 10
"""The number of classes up to which the fields of a matrix have room for numbers."""


def draw(chart: Chart, rows: list[style.Row]) -> Figure:
    """A matrix, or bars of pairs."""
    wrong = sorted((r for r in rows if r["actual"] != r["predicted"]), key=lambda row: -row["rows"])
    for row in rows:
        actual, predicted = visible(row["actual"])[:200], visible(row["predicted"])[:200]
        row["text"] = f"{actual} predicted as {predicted}" if actual != predicted else f"{actual} correct"
        row["text"] += f": {row['counted']}, {percent(row['share'])} % of {actual}"
        row["percent"] = 100 * (row["share"] or 0.0)
    errors = [row["text"] for row in wrong if row["rows"]]
    most = f"most often, {errors[0]}" if errors else "no errors"
    is_matrix = len(wrong) < len(rows)
    what = "Matrix of true and predicted classes" if is_matrix else "Bars of pairs of classes"
    return Figure(
        f"Confusion: {most}",
        f"{what}: {joined(errors, 10) if errors else most}.",
        _matrix(rows) if is_matrix else _pairs(wrong),
    )


def _matrix(rows: list[style.Row]) -> style.Drawn:
    classes = list(dict.fromkeys(row["actual"] for row in rows))
    classes += [name for name in dict.fromkeys(row["predicted"] for row in rows) if name not in classes]
    short = dict(zip(classes, style.shortened(map(visible, classes)), strict=True))
    for row in rows:
        row["true"], row["taken"] = short[row["actual"]], short[row["predicted"]]
        row["kind"] = "correct" if row["actual"] == row["predicted"] else "confused"
        row["light"] = row["percent"] > 55
    order = list(short.values())
    angle = 0 if len(order) * max(map(len, order)) <= _LEVEL else -45
    common = style.base(rows).encode(
        x=alt.X("taken:N", sort=order, title="predicted class", axis=alt.Axis(labelAngle=angle)),
        y=alt.Y("true:N", sort=order, title="true class"),
    )
    colour = alt.Scale(domain=["correct", "confused"], range=[style.BLUE, style.ORANGE])
    opacity = alt.Scale(type="sqrt", domain=[0, 100], range=[0.03, 1])
    fields: alt.Chart = common.mark_rect().encode(
        color=alt.Color("kind:N", title=None, scale=colour),
        opacity=alt.Opacity("percent:Q", legend=None, scale=opacity),
        **style.tooltip(),
    )
    if len(order) > _NUMBERED:
        return fields
    numbers = common.mark_text(fontSize=10 if len(order) > 5 else 12).encode(
        text=alt.Text("rows:Q", format=",d"),
        color=alt.condition("datum.light", alt.value(style.PAPER), alt.value(style.INK)),
    )
    return style.layered(fields, numbers)


def _pairs(wrong: list[style.Row]) -> style.Drawn:
    names = style.shortened(
        f"{visible(row['actual'])[:18]} → {visible(row['predicted'])[:18]}" for row in wrong
    )
    for row, name in zip(wrong, names, strict=True):
        row["name"] = name
    chart: alt.Chart = (
        style.base(wrong)
        .mark_bar(color=style.ORANGE, opacity=0.8, height={"band": 0.6})
        .encode(
            y=style.names(_LONGEST),
            x=style.x("rows", "rows, true class → predicted class", zero=True),
            **style.tooltip(),
        )
        .properties(height=alt.Step(style.STEP))
    )
    return chart


CHART = Drawing("confusion", "task", tables.figures_of("confusion", draw), order=5)
