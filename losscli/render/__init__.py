"""Reports for people and programs; what people read is laid out from one model of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from losscli.errors import UsageError
from losscli.render.formats import DEFAULT, Data, Format, Origin, Page, Picture, all_formats, printed_formats
from losscli.render.naming import joined, of_loss
from losscli.report.charts import parts_of
from losscli.report.model import Report
from losscli.text import either, near

if TYPE_CHECKING:
    import altair as alt
    from rich.console import Console

    from losscli.render.tables import Document

CELLS = 10
"""The maximum number of classes or slices in a table on a terminal; the worst are shown."""
NOTEBOOK_CELLS = 20
"""The maximum in a notebook, which saves its outputs."""
ALL = 1 << 62
"""A number of cells that no report exceeds."""


def render(
    report: Report,
    form: str,
    cells: int | None = None,
    verbose: bool = False,
    formulas: bool = True,
    origin: Origin | None = None,
) -> str:
    """The report in a format, as text that ends in a newline.

    `cells` is the maximum number of classes or slices in a table for people, which shows the worst ones;
    data formats are always complete.  `verbose` adds details to formats that omit them; without `formulas`,
    text that a spreadsheet would run is escaped; `origin` is the run that an HTML page mentions.

    Raises UsageError for an unknown format.
    """
    format_ = format_named(form)
    if isinstance(format_, Picture):
        raise UsageError(f"{form} is an image of a chart", remedy=f"-o cells.{form}")
    if isinstance(format_, Page):
        return format_.write(report, cells, origin)
    if isinstance(format_, Data):
        text = format_.write(report)
        return text if formulas else format_.without_formulas(text)
    from losscli.render.sections import document

    short = document(report, cells=cells).first(cells)
    return format_.write(short.detailed() if verbose or format_.details else short)


def print_tables(report: Report, console: Console, cells: int | None = None, verbose: bool = False) -> None:
    """Print the report as tables: completely, or on a terminal the columns that fit and the worst cells."""
    from losscli.render.sections import document

    width = console.width if console.is_terminal else None
    max_cells = _cell_limit(console, cells)
    _print(document(report, width, max_cells).first(max_cells), console, verbose)


def print_charts(report: Report, names: Iterable[str], console: Console) -> list[str]:
    """Draw charts by name, such as "bias" or "loss_distribution:mae"; return the names of missing ones."""
    from rich.text import Text

    from losscli.render.chart import canvas_of
    from losscli.render.plots import drawn

    canvas, missing = canvas_of(console), []
    for chart_id in names:
        name, loss = parts_of(chart_id)
        selected = of_loss(report, loss) if loss else report
        charts = [chart for chart in selected.charts if chart.name == name]
        if not charts:
            missing.append(chart_id)
        for chart in charts:
            console.print()
            for row in drawn(chart, canvas):
                console.print(Text.assemble(*row), no_wrap=True, overflow="crop", soft_wrap=True)
    return missing


def render_side_by_side(reports: Mapping[str, Report], form: str, cells: int | None = None) -> str:
    """Several named reports in the same tables, as text that ends in a newline.

    Raises UsageError for an unknown format and for data formats, which hold one report.
    """
    format_ = format_named(form)
    if isinstance(format_, Data | Picture):
        names = [name for name, other in all_formats().items() if not isinstance(other, Data | Picture)]
        raise UsageError(f"{form} holds one report", remedy=f"{joined(names)} show several side by side")
    from losscli.render.sections.side_by_side import side_by_side

    document = side_by_side(reports).first(cells)
    return format_.write_tables(document) if isinstance(format_, Page) else format_.write(document)


def print_side_by_side(reports: Mapping[str, Report], console: Console, cells: int | None = None) -> None:
    """Print several reports in the same tables; on a terminal, only the columns that fit."""
    from losscli.render.sections.side_by_side import side_by_side

    _print(side_by_side(reports).first(_cell_limit(console, cells)), console)


def _cell_limit(console: Console, cells: int | None) -> int | None:
    """The maximum number of cells in a printed table, None for all."""
    return CELLS if cells is None and console.is_terminal else cells


def _print(document: Document, console: Console, verbose: bool = False) -> None:
    from losscli.render.formats.table import show

    show(document.detailed() if verbose else document, console)


def format_named(name: str) -> Format:
    """The format with this name.  Raises UsageError, which lists all formats, if there is none."""
    known = all_formats()
    if name not in known:
        raise UsageError(
            f"unknown format {name!r}.{near(name, known)}", remedy=f"formats: {', '.join(known)}"
        )
    return known[name]


def require(names: Iterable[str]) -> None:
    """Raise UsageError if a package that one of these formats needs is missing."""
    for name in names:
        format_ = format_named(name)
        if isinstance(format_, Page | Picture):
            format_.require()


def has_charts(name: str) -> bool:
    """Whether a format has charts."""
    return isinstance(format_named(name), Page | Picture)


def image_charts(path: PurePath, plots: Sequence[str]) -> tuple[str, ...]:
    """The charts in an image file: `plots`, or the one that the file is named after; () for other formats.

    Raises UsageError if no chart is named.
    """
    if not isinstance(format_named(format_of_suffix(path)), Picture):
        return ()
    from losscli.render.charts import names

    if not plots and path.stem not in names():
        raise UsageError(
            f"-o {path}: which chart?{near(path.stem, names())}",
            remedy=f"--plot NAME, or name the file for it: cells{path.suffix}; charts: {joined(names())}",
        )
    return tuple(plots or [path.stem])


def picture(report: Report, path: PurePath, names: Sequence[str]) -> str | bytes:
    """The content of an image file with the named charts.  Raises UsageError if the report lacks one."""
    format_ = format_named(format_of_suffix(path))
    assert isinstance(format_, Picture)
    return format_.write(report, names)


def format_of_suffix(path: str | PurePath) -> str:
    """The format of a file by its suffix.  Raises UsageError, which lists the suffixes, if it is unknown."""
    name = PurePath(path).name.lower()
    matching = [format_ for format_ in all_formats().values() if name.endswith(format_.suffix)]
    if not matching:
        suffix = PurePath(path).suffix
        what = f"unknown suffix {suffix}" if suffix else "no suffix"
        suffixes = either(format_.suffix for format_ in all_formats().values())
        raise UsageError(f"{path}: {what}; it chooses the format", remedy=f"end the name in {suffixes}")
    return max(matching, key=lambda format_: len(format_.suffix)).name


def format_help() -> str:
    """The formats for the help of --format: 'table (default), csv, ...'."""
    names = [f"{name} (default)" if name == DEFAULT else name for name in printed_formats()]
    return either(names)


def suffix_help() -> str:
    """The suffixes for the help of --output: '.txt, .csv, .xml (JUnit), ...'."""
    known = all_formats().values()
    return ", ".join(
        f"{format_.suffix} ({format_.meaning})" if format_.meaning else format_.suffix for format_ in known
    )


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
    """The report as HTML for a notebook: the worst classes and slices, with their intervals."""
    from losscli.render import html
    from losscli.render.sections import document

    short = document(report, cells=NOTEBOOK_CELLS, with_intervals=True).first(NOTEBOOK_CELLS)
    return html.text(short.with_remedy("report.to_dict() has all"))


def page_of(report: Report) -> str:
    """The report as a page of HTML with charts."""
    require(["html"])
    return render(report, "html")


def plot_of(report: Report, name: str, loss: str | None) -> alt.TopLevelMixin:
    """The charts of one kind, of `loss` or of all losses, one below the other."""
    from losscli.render.graphics import image

    image.require()
    from losscli.render.charts import plot

    return plot(report, name if loss is None else f"{name}:{loss}")
