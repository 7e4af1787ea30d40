"""The charts of a report, each a module of this folder with its `CHART`: no list is kept elsewhere."""

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
"""What charts one below the other do not share: each has a legend of its own."""
LINE = 52
"""Characters of a title on one line of a chart."""


class Figure(Struct, frozen=True):
    """A chart that is drawn.

    `title` says what is seen, `description` is the alternative text for readers who do not see it, and
    `notes` what the chart leaves out.
    """

    title: str
    description: str
    chart: Drawn
    notes: tuple[str, ...] = ()


class Drawing(Struct, frozen=True):
    """How a kind of chart is drawn: `figures` gives those of a report, none if it does not apply.

    Of a section, charts of a lower `place` come first.
    """

    name: str
    section: Section
    figures: Callable[[Report], Iterable[Figure]]
    place: int = 0


def names() -> list[str]:
    """The kinds of charts, each that of its module, without what draws them."""
    return sorted(module.name for module in iter_modules(__path__))


@cache
def all_drawings() -> dict[str, Drawing]:
    """Every kind of chart by its name, in the order of a page."""
    found = [import_module(f"{__name__}.{name}").CHART for name in names()]
    found.sort(key=lambda each: (each.place, each.name))
    return {each.name: each for each in found}


def figures(report: Report, section: Section) -> Iterator[Figure]:
    """The charts of one section of a page: the first of each kind, then the second ones, and so on."""
    kinds = [each.figures(report) for each in all_drawings().values() if each.section == section]
    for row in zip_longest(*kinds):
        yield from filter(None, row)


def figures_named(report: Report, wanted: str) -> list[Figure]:
    """The charts of one kind, one for each loss, model or kind of cell: "cells", or of one loss "cells:mae".

    Raises UsageError for a kind or a loss that is not known, or of which this report has no chart.
    """
    known = all_drawings()
    name, loss = parts_of(wanted)
    if name not in known:
        raise UsageError(f"unknown chart {name!r}.{near(name, known)}", remedy=f"charts: {', '.join(known)}")
    found = list(known[name].figures(of_loss(report, loss) if loss else report))
    if not found:
        raise _missing(report, name, loss)
    return found


def _missing(report: Report, name: str, loss: str) -> UsageError:
    """The error of a chart that a report does not have, with those that it has."""
    known = all_drawings()
    if loss and any(True for _ in known[name].figures(report)):
        losses = [
            each
            for each in losses_of(report)
            if any(True for _ in known[name].figures(of_loss(report, each)))
        ]
        remedy = f"it has that of {', '.join(losses)}" if losses else "it is of no loss: leave out the loss"
        return UsageError(f"the report has no chart {name!r} of {loss}", remedy=remedy)
    has = [each.name for each in known.values() if any(True for _ in each.figures(report))]
    remedy = f"it has: {', '.join(has) or 'none'}"
    if name in KINDS and not report.charts:
        remedy += "; --charts, in Python charts=True, keeps those of the task"
    return UsageError(f"the report has no chart {name!r}", remedy=remedy)


def heading(figure: Figure) -> list[str] | dict[str, list[str]]:
    """The title of a chart, with its notes below, on lines that fit its width."""
    title = textwrap.wrap(figure.title, LINE)
    notes = [line for note in figure.notes for line in textwrap.wrap(note, LINE)]
    return {"text": title, "subtitle": notes} if notes else title


def plot(report: Report, wanted: str) -> alt.TopLevelMixin:
    """The charts of one kind as one, with their titles.  Raises UsageError as `figures_named`."""
    import altair as alt

    drawn = [figure.chart.properties(title=heading(figure)) for figure in figures_named(report, wanted)]
    if len(drawn) == 1:
        return drawn[0]
    own: dict[str, Any] = dict.fromkeys(SCALES, "independent")
    charts: alt.VConcatChart = alt.vconcat(*drawn).resolve_scale(**own).resolve_legend(**own)
    return charts
