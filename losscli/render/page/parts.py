"""The sections of a page: their tables, from the model that all layouts share, and their charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from losscli.render import markup
from losscli.render.charts import Figure, Section, figures
from losscli.render.formats import Origin
from losscli.render.graphics.inline import inline
from losscli.render.page.origin import origin
from losscli.render.sections import comparisons, leaderboard, results, rows, segments, verdicts
from losscli.render.sections.notes import notes
from losscli.render.tables import Column, Document, Table
from losscli.report.model import Report
from losscli.text import counted

FOLDED = 24
"""The maximum number of rows of a table that is not collapsed."""
FIGURES = 6
"""The maximum number of charts in a section."""
_MORE = "There are more charts: -o NAME.svg and report.plot(NAME) in Python draw all of a kind."
OPEN = 3
"""The number of tables in a section that are not collapsed."""
ROOM = 600_000
"""The maximum size of all tables in characters, of the 1.5 MB of a page."""
SHORTEST = 60
"""The minimum size of a table row in characters."""
_ROW = 12
"""The size of the markup of a row, and of a cell, in characters."""
_WIDE = 150
"""The width up to which losses are side by side; a table that is wider than the page scrolls."""
_ELSEWHERE = "the report as JSON (-o report.json) has all"
_CLASSES = {"name": "", "number": ' class="n"', "drawing": ' class="d"'}


class Part(Struct, frozen=True):
    """A section: its id, title and blocks of HTML."""

    id: str
    title: str
    blocks: tuple[str, ...]


class _Draft(Struct, frozen=True):
    """A section before rendering: its tables, the section of its charts, and its other blocks."""

    id: str
    title: str
    tables: Sequence[Table] = ()
    charts: Section | None = None
    max_charts: int = FIGURES
    others: Callable[[], Iterable[str]] = tuple


def parts_of(report: Report, max_cells: int | None, written_by: Origin | None) -> Iterator[Part]:
    """The sections of a report in reading order; those without content have no blocks.

    `max_cells` is the maximum number of cells in a table, None for as many as fit.
    """
    drafts = list(_drafts(report, written_by))
    cells = _cells_that_fit([table for draft in drafts for table in draft.tables], max_cells)
    for draft in drafts:
        section_figures = () if draft.charts is None else figures(report, draft.charts)
        tables = list(_tables(draft.id, draft.tables, cells))
        # Drawing is lazy: one more figure than is shown tells whether there are more.
        first = list(islice(section_figures, draft.max_charts + 1))
        charts = [
            _figure(f"{draft.id}-c{index}", figure) for index, figure in enumerate(first[: draft.max_charts])
        ]
        blocks = (
            _pair(charts[0], tables)
            if len(charts) == 1
            else [*_grid(charts, len(first) > draft.max_charts), *tables]
        )
        yield Part(draft.id, draft.title, (*blocks, *draft.others()))


def parts_of_tables(document: Document) -> Iterator[Part]:
    """The sections of a page with only tables, then the notes."""
    cells = _cells_that_fit(document.tables, None)
    yield Part("results", "Results", tuple(_tables("results", document.tables, cells)))
    yield Part("notes", "Notes", tuple(_notes(document.notes)))


def _drafts(report: Report, written_by: Origin | None) -> Iterator[_Draft]:
    by_kind = results.sections(report)
    overall = [
        results.overall(section, results.detectable(report)) for section in by_kind if not section.columns
    ]
    overall = [replace(table, title="", notes=(*table.details, *table.notes)) for table in overall]
    cells = [table for section in by_kind if section.columns for table in _cell_tables(section)]
    verdict_tables = [*verdicts.against_base(report), *verdicts.tables(report)]
    yield _Draft("verdict", "Verdict", verdict_tables, "verdict")
    yield _Draft("leaderboard", "Leaderboard", leaderboard.tables(report), "board")
    yield _Draft("comparison", "Comparison", comparisons.tables(report), "comparison")
    yield _Draft("overall", "Overall", overall)
    yield _Draft("segments", "Weak segments", list(segments.tables(report)), "segments")
    yield _Draft("cells", "Where it hurts", cells, "cells")
    yield _Draft("spread", "Loss distribution", (), "spread")
    yield _Draft("task", "Diagnostics", (), "task", 2 * FIGURES)
    yield _Draft("rows", "Individual rows", list(rows.tables(report)))
    yield _Draft("notes", "Notes and findings", others=lambda: _notes(notes(report)))
    yield _Draft("origin", "Provenance", others=lambda: origin(report, written_by))


def _cell_tables(section: results.Section) -> Iterator[Table]:
    """The tables of a kind of cell, without the rows that cannot fit: laying them out would waste time."""
    shown = section.first(ROOM // SHORTEST)
    for table in results.by_cell(shown, _WIDE):
        yield replace(table, hidden_rows=len(section.cells) - len(shown.cells), remedy=_ELSEWHERE)


def _without_drawings(table: Table) -> Table:
    """A table without its text drawings of intervals, which the charts show."""
    return replace(table, columns=tuple(column for column in table.columns if column.kind != "drawing"))


def _cells_that_fit(tables: Sequence[Table], max_cells: int | None) -> int:
    """The maximum number of cells per table, at most `max_cells`, with which all tables fit the page."""
    sizes = [(table.height, _row_length(table)) for table in tables]
    low, high = 1, max((height for height, _ in sizes), default=1)
    high = high if max_cells is None else min(high, max_cells)
    while low < high:
        middle = (low + high + 1) // 2
        fits = sum(min(height, middle) * length for height, length in sizes) <= ROOM
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _row_length(table: Table) -> float:
    """The mean length of a table row, from a sample of the rows."""
    step = max(1, table.height // 200)
    rows = [
        sum(_ROW + min(len(column.cells[index]), markup.LONGEST) for column in table.columns)
        for index in range(0, table.height, step)
    ]
    return _ROW + sum(rows) / len(rows) if rows else 0.0


def _grid(charts: Sequence[str], has_more: bool) -> Iterator[str]:
    """The charts side by side, with a hint if there are more."""
    if charts:
        yield f'<div class="charts">{"".join(charts)}</div>'
    if has_more:
        yield f'<p class="small block">{_MORE}</p>'


def _pair(chart: str, tables: Sequence[str]) -> Iterator[str]:
    """One chart, with the tables next to it on a wide screen."""
    yield f'<div class="pair">{chart}<div>{"".join(tables)}</div></div>'


def _figure(name: str, figure: Figure) -> str:
    title = f'<figcaption><h3 id="{name}">{markup.text(figure.title)}</h3></figcaption>'
    notes = "".join(f'<p class="small">{markup.text(line)}</p>' for line in figure.notes)
    return f"<figure>{title}{inline(figure.chart, name, figure.description)}{notes}</figure>"


def _tables(part: str, tables: Sequence[Table], cells: int) -> Iterator[str]:
    """The tables as HTML; all but the first `OPEN` are collapsed together."""
    blocks = [_table(f"{part}-t{index}", table, cells) for index, table in enumerate(tables) if table.height]
    yield from blocks[:OPEN]
    if folded := blocks[OPEN:]:
        title = f'<h3 id="{part}-more">{counted(len(folded), "more table")}</h3>'
        yield f"<details><summary>{title}</summary>{''.join(folded)}</details>"


def _table(name: str, table: Table, cells: int) -> str:
    """A table with its title, collapsed if it is long."""
    height, shown = table.height + table.hidden_rows, _shortened(_without_drawings(table), cells)
    label = f' aria-labelledby="{name}"' if table.title else ' aria-label="Overall"'
    lines = "\n".join(markup.table(shown, _class, label))
    content = f'<div class="scroll" tabindex="0" role="group"{label}>{lines}</div>'
    content += "".join(f'<p class="small">{markup.text(line)}</p>' for line in shown.below)
    title = f'<h3 id="{name}">{markup.text(table.title)}</h3>' if table.title else ""
    if height <= FOLDED:
        return f'<div class="block">{title}{content}</div>'
    rows = f"{height:,} {'row' if height == 1 else 'rows'}"
    return f'<details class="table"><summary>{title}<span>{rows}</span></summary>{content}</details>'


def _class(column: Column) -> str:
    """The class attribute of a column's cells: numbers, drawings, or names short enough not to wrap."""
    if column.kind != "name":
        return _CLASSES[column.kind]
    return ' class="s"' if markup.is_short(column) else ""


def _shortened(table: Table, cells: int) -> Table:
    """The worst cells of a table; the first rows if it does not rank its cells."""
    if table.worst or table.height <= cells:
        return table.first(cells, _ELSEWHERE)
    columns = tuple(column.rows(range(cells)) for column in table.columns)
    return replace(table, columns=columns, hidden_rows=table.height - cells, remedy=_ELSEWHERE)


def _notes(lines: Iterable[str]) -> Iterator[str]:
    items = "".join(f"<li>{markup.text(line)}</li>" for line in lines)
    if items:
        yield f'<ul class="notes">{items}</ul>'
