"""Reports for people and programs; what people read is laid out from one model of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from losscli.errors import UsageError
from losscli.render.formats import DEFAULT, Data, Format, Origin, Page, Picture, all_formats, printed_formats
from losscli.render.naming import listed, of_loss
from losscli.report.charts import parts_of
from losscli.report.model import Report
from losscli.text import either, near

if TYPE_CHECKING:
    import altair as alt
    from rich.console import Console

    from losscli.render.tables import Document

CELLS = 10
"""The classes or slices of a table on a terminal, the worst ones."""
NOTEBOOK_CELLS = 20
"""The same in a notebook, which keeps its outputs."""
ALL = 1 << 62
"""A number of cells that shows all of them."""


def render(
    report: Report,
    form: str,
    cells: int | None = None,
    verbose: bool = False,
    formulas: bool = True,
    origin: Origin | None = None,
) -> str:
    """The report in a format, as text that ends in a newline.

    `cells` is the number of classes or slices, the worst ones, in a table for people; data are always
    complete.  `verbose` adds details to formats that omit them; without `formulas` spreadsheets run no text;
    `origin` is how the text comes to be written, which pages say.

    Raises UsageError for an unknown format.
    """
    chosen = format_named(form)
    if isinstance(chosen, Picture):
        raise UsageError(f"{form} is an image of a chart", remedy=f"-o cells.{form}")
    if isinstance(chosen, Page):
        return chosen.write(report, cells, origin)
    if isinstance(chosen, Data):
        text = chosen.write(report)
        return text if formulas else chosen.without_formulas(text)
    from losscli.render.sections import document

    shown = document(report, cells=cells).first(cells)
    return chosen.write(shown.detailed() if verbose or chosen.details else shown)


def print_tables(report: Report, console: Console, cells: int | None = None, verbose: bool = False) -> None:
    """Print the report as tables: all of it, or on a terminal the columns that fit and the worst cells."""
    from losscli.render.sections import document

    page = console.width if console.is_terminal else None
    most = _most(console, cells)
    _print(document(report, page, most).first(most), console, verbose)


def print_charts(report: Report, names: Iterable[str], console: Console) -> list[str]:
    """Draw these charts, as "bias" or "loss_distribution:mae"; those that the report does not have."""
    from rich.text import Text

    from losscli.render.chart import canvas_of
    from losscli.render.plots import drawn

    canvas, missing = canvas_of(console), []
    for wanted in names:
        name, loss = parts_of(wanted)
        own = of_loss(report, loss) if loss else report
        charts = [chart for chart in own.charts if chart.name == name]
        if not charts:
            missing.append(wanted)
        for chart in charts:
            console.print()
            for row in drawn(chart, canvas):
                console.print(Text.assemble(*row), no_wrap=True, overflow="crop", soft_wrap=True)
    return missing


def render_side_by_side(reports: Mapping[str, Report], form: str, cells: int | None = None) -> str:
    """Several reports by their names in the same tables, as text that ends in a newline.

    Raises UsageError for an unknown format and for formats of data, which hold one report.
    """
    chosen = format_named(form)
    if isinstance(chosen, Data | Picture):
        names = [name for name, each in all_formats().items() if not isinstance(each, Data | Picture)]
        raise UsageError(f"{form} holds one report", remedy=f"{listed(names)} show several side by side")
    from losscli.render.sections.side_by_side import side_by_side

    document = side_by_side(reports).first(cells)
    return chosen.write_tables(document) if isinstance(chosen, Page) else chosen.write(document)


def print_side_by_side(reports: Mapping[str, Report], console: Console, cells: int | None = None) -> None:
    """Print several reports in the same tables, on a terminal those columns that fit."""
    from losscli.render.sections.side_by_side import side_by_side

    _print(side_by_side(reports).first(_most(console, cells)), console)


def _most(console: Console, cells: int | None) -> int | None:
    """The cells of a table that are printed, None for all."""
    return CELLS if cells is None and console.is_terminal else cells


def _print(document: Document, console: Console, verbose: bool = False) -> None:
    from losscli.render.formats.table import show

    show(document.detailed() if verbose else document, console)


def format_named(name: str) -> Format:
    """The format of this name.  Raises UsageError, which names all of them, for an unknown one."""
    known = all_formats()
    if name not in known:
        raise UsageError(
            f"unknown format {name!r}.{near(name, known)}", remedy=f"formats: {', '.join(known)}"
        )
    return known[name]


def require(names: Iterable[str]) -> None:
    """Raise UsageError if packages are missing that one of these formats needs, before there is work."""
    for name in names:
        chosen = format_named(name)
        if isinstance(chosen, Page | Picture):
            chosen.require()


def has_charts(name: str) -> bool:
    """Whether a format draws what charts show."""
    return isinstance(format_named(name), Page | Picture)


def pictured(path: PurePath, plots: Sequence[str]) -> tuple[str, ...]:
    """The charts that an image shows: `plots`, or the one that its file is named for; none of a text.

    Raises UsageError if no chart is named.
    """
    if not isinstance(format_named(format_of_suffix(path)), Picture):
        return ()
    from losscli.render.charts import names

    if not plots and path.stem not in names():
        raise UsageError(
            f"-o {path}: which chart?{near(path.stem, names())}",
            remedy=f"--plot NAME, or name the file for it: cells{path.suffix}; charts: {listed(names())}",
        )
    return tuple(plots or [path.stem])


def picture(report: Report, path: PurePath, names: Sequence[str]) -> str | bytes:
    """The content of an image of the charts of these names.  Raises UsageError if the report has none."""
    chosen = format_named(format_of_suffix(path))
    assert isinstance(chosen, Picture)
    return chosen.write(report, names)


def format_of_suffix(path: str | PurePath) -> str:
    """The format of a file by its suffix.  Raises UsageError, which lists the suffixes, for any other."""
    name = PurePath(path).name.lower()
    matching = [each for each in all_formats().values() if name.endswith(each.suffix)]
    if not matching:
        suffix = PurePath(path).suffix
        what = f"unknown suffix {suffix}" if suffix else "no suffix"
        suffixes = either(each.suffix for each in all_formats().values())
        raise UsageError(f"{path}: {what}; it chooses the format", remedy=f"end the name in {suffixes}")
    return max(matching, key=lambda each: len(each.suffix)).name


def format_help() -> str:
    """The formats for the help of --format: 'table (default), csv, ...'."""
    names = [f"{name} (default)" if name == DEFAULT else name for name in printed_formats()]
    return either(names)


def suffix_help() -> str:
    """The suffixes for the help of --output: '.txt, .csv, .xml (JUnit), ...'."""
    known = all_formats().values()
    return ", ".join(f"{each.suffix} ({each.meaning})" if each.meaning else each.suffix for each in known)


def text_of(report: Report) -> str:
    """The report as the text that `print(report)` shows."""
    return render(report, DEFAULT).rstrip("\n")


def gates_of(report: Report) -> str:
    """The table of gates alone, as text."""
    from losscli.render.formats.table import text
    from losscli.render.sections import verdicts
    from losscli.render.tables import Document

    return text(Document(tuple(verdicts.tables(report)))).rstrip("\n")


def html_of(report: Report) -> str:
    """The report as the HTML that a notebook shows: the worst classes and slices, with their intervals."""
    from losscli.render import html
    from losscli.render.sections import document

    shown = document(report, cells=NOTEBOOK_CELLS, drawn=True).first(NOTEBOOK_CELLS)
    return html.text(shown.with_remedy("report.to_dict() has all"))


def page_of(report: Report) -> str:
    """The report as a page of HTML with charts."""
    require(["html"])
    return render(report, "html")


def plot_of(report: Report, name: str, loss: str | None) -> alt.TopLevelMixin:
    """A chart of the report, or all of its kind one below the other; only of one loss if given."""
    from losscli.render.graphics import image

    image.require()
    from losscli.render.charts import plot

    return plot(report, name if loss is None else f"{name}:{loss}")
