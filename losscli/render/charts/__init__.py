"""The charts of a report: each module of this folder defines one as `CHART`; there is no other list."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from itertools import zip_longest
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from losscli.errors import UsageError
from losscli.render.naming import losses_of, of_loss
from losscli.report.charts import KINDS, parts_of
from losscli.report.model import Report
from losscli.text import near

if TYPE_CHECKING:
    import altair as alt

    from losscli.render.graphics.style import Drawn

Section = Literal["verdict", "cells", "spread", "task", "comparison", "board", "segments"]
"""The parts of a page that have charts."""
SCALES = ("color", "opacity", "size", "strokeDash")
"""Scales that charts one below the other do not share: each chart has its own legend."""
LINE = 52
"""The maximum number of characters on one line of a title."""


class Figure(Struct, frozen=True):
    """A drawn chart.

    `title` states the main result, `description` is the alternative text, and `notes` say what the chart
    omits.
    """

    title: str
    description: str
    chart: Drawn
    notes: tuple[str, ...] = ()


class Drawing(Struct, frozen=True):
    """How a kind of chart is drawn: `figures` yields those of a report, none if it does not apply.

    Within a section, charts with a lower `order` come first.
    """

    name: str
    section: Section
    figures: Callable[[Report], Iterable[Figure]]
    order: int = 0


def names() -> list[str]:
    """The names of all kinds of charts, which are those of the modules; nothing is imported."""
    return sorted(module.name for module in iter_modules(__path__))


@cache
def all_drawings() -> dict[str, Drawing]:
    """Every kind of chart by name, in the order of a page."""
    drawings = [import_module(f"{__name__}.{name}").CHART for name in names()]
    drawings.sort(key=lambda drawing: (drawing.order, drawing.name))
    return {drawing.name: drawing for drawing in drawings}


def figures(report: Report, section: Section) -> Iterator[Figure]:
    """The charts of one section of a page: the first of each kind, then the second ones, and so on."""
    kinds = [drawing.figures(report) for drawing in all_drawings().values() if drawing.section == section]
    for row in zip_longest(*kinds):
        yield from filter(None, row)


def figures_named(report: Report, chart_id: str) -> list[Figure]:
    """The charts of one kind, such as "cells", or of one kind and loss, such as "cells:mae".

    There is one per loss, model or kind of cell.  Raises UsageError for an unknown kind or loss, and if the
    report has no such chart.
    """
    known = all_drawings()
    name, loss = parts_of(chart_id)
    if name not in known:
        raise UsageError(f"unknown chart {name!r}.{near(name, known)}", remedy=f"charts: {', '.join(known)}")
    figures = list(known[name].figures(of_loss(report, loss) if loss else report))
    if not figures:
        raise _missing(report, name, loss)
    return figures


def _missing(report: Report, name: str, loss: str) -> UsageError:
    """The error for a chart that the report does not have; it lists the available ones."""
    known = all_drawings()
    if loss and any(True for _ in known[name].figures(report)):
        losses = [
            label
            for label in losses_of(report)
            if any(True for _ in known[name].figures(of_loss(report, label)))
        ]
        remedy = f"it has the one of {', '.join(losses)}" if losses else f"omit the loss: {name} has none"
        return UsageError(f"the report has no chart {name!r} of {loss}", remedy=remedy)
    available = [drawing.name for drawing in known.values() if any(True for _ in drawing.figures(report))]
    remedy = f"it has: {', '.join(available) or 'none'}"
    if name in KINDS and not report.charts:
        remedy += "; --charts, in Python charts=True, keeps those of the task"
    return UsageError(f"the report has no chart {name!r}", remedy=remedy)


def heading(figure: Figure) -> list[str] | dict[str, list[str]]:
    """The title of a chart with its notes below, wrapped to its width."""
    title = textwrap.wrap(figure.title, LINE)
    notes = [line for note in figure.notes for line in textwrap.wrap(note, LINE)]
    return {"text": title, "subtitle": notes} if notes else title


def plot(report: Report, chart_id: str) -> alt.TopLevelMixin:
    """The charts of one kind in one chart, with their titles.  Raises what `figures_named` raises."""
    import altair as alt

    drawn = [figure.chart.properties(title=heading(figure)) for figure in figures_named(report, chart_id)]
    if len(drawn) == 1:
        return drawn[0]
    independent: dict[str, Any] = dict.fromkeys(SCALES, "independent")
    charts: alt.VConcatChart = alt.vconcat(*drawn).resolve_scale(**independent).resolve_legend(**independent)
    return charts
