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
"""Rows of a table above which it is folded."""
FIGURES = 6
"""The charts of a section, of which the first ones matter most."""
_MORE = "There are more charts: -o NAME.svg and report.plot(NAME) in Python draw all of a kind."
OPEN = 3
"""The tables of a section that are not folded, the first ones."""
ROOM = 600_000
"""Characters of all tables together, of the 1.5 MB of a page; what has no room is said."""
SHORTEST = 60
"""Characters of a row of a table, at least."""
_ROW = 12
"""Characters of the markup of a row, and of a cell."""
_WIDE = 150
"""Characters of losses side by side; a table that is wider than the page scrolls."""
_ELSEWHERE = "the report as JSON (-o report.json) has all"
_CLASSES = {"name": "", "number": ' class="n"', "drawing": ' class="d"'}


class Part(Struct, frozen=True):
    """A section: its id, title and blocks of HTML."""

    id: str
    title: str
    blocks: tuple[str, ...]


class _Draft(Struct, frozen=True):
    """A section before it is written: its tables and charts, and what else is in it."""

    id: str
    title: str
    tables: Sequence[Table] = ()
    charts: Section | None = None
    most: int = FIGURES
    others: Callable[[], Iterable[str]] = tuple


def parts_of(report: Report, most: int | None, written: Origin | None) -> Iterator[Part]:
    """The sections of a report in the order in which they are read; those without content have no blocks.

    `most` is the number of cells of a table, None for as many as there is room for.
    """
    drafts = list(_drafts(report, written))
    cells = _room([table for draft in drafts for table in draft.tables], most)
    for draft in drafts:
        found = () if draft.charts is None else figures(report, draft.charts)
        tables = list(_tables(draft.id, draft.tables, cells))
        drawn = list(islice(found, draft.most + 1))  # charts that are not shown are not drawn either
        charts = [_figure(f"{draft.id}-c{place}", figure) for place, figure in enumerate(drawn[: draft.most])]
        blocks = (
            _beside(charts[0], tables)
            if len(charts) == 1
            else [*_grid(charts, len(drawn) > draft.most), *tables]
        )
        yield Part(draft.id, draft.title, (*blocks, *draft.others()))


def parts_of_tables(document: Document) -> Iterator[Part]:
    """Sections of tables alone, then the notes."""
    cells = _room(document.tables, None)
    yield Part("results", "Results", tuple(_tables("results", document.tables, cells)))
    yield Part("notes", "Notes", tuple(_notes(document.notes)))


def _drafts(report: Report, written: Origin | None) -> Iterator[_Draft]:
    by_kind = results.sections(report)
    overall = [results.overall(each, results.detectable(report)) for each in by_kind if not each.columns]
    overall = [replace(table, title="", notes=(*table.details, *table.notes)) for table in overall]
    cells = [table for each in by_kind if each.columns for table in _of_cells(each)]
    judged = [*verdicts.against_base(report), *verdicts.tables(report)]
    yield _Draft("verdict", "Verdict", judged, "verdict")
    yield _Draft("leaderboard", "Leaderboard", leaderboard.tables(report), "board")
    yield _Draft("comparison", "Comparison", comparisons.tables(report), "comparison")
    yield _Draft("overall", "Overall", overall)
    yield _Draft("segments", "Weak segments", list(segments.tables(report)), "segments")
    yield _Draft("cells", "Where it hurts", cells, "cells")
    yield _Draft("spread", "Loss distribution", (), "spread")
    yield _Draft("task", "Diagnostics", (), "task", 2 * FIGURES)
    yield _Draft("rows", "Individual rows", list(rows.tables(report)))
    yield _Draft("notes", "Notes and findings", others=lambda: _notes(notes(report)))
    yield _Draft("origin", "Provenance", others=lambda: origin(report, written))


def _of_cells(section: results.Section) -> Iterator[Table]:
    """The tables of a kind of cell, of which those are not laid out that could not have room."""
    kept = section.first(ROOM // SHORTEST)
    for table in results.by_cell(kept, _WIDE):
        yield replace(table, hidden_rows=len(section.cells) - len(kept.cells), remedy=_ELSEWHERE)


def _undrawn(table: Table) -> Table:
    """A table without the intervals that are drawn in text: a chart has them."""
    return replace(table, columns=tuple(each for each in table.columns if each.kind != "drawing"))


def _room(tables: Sequence[Table], most: int | None) -> int:
    """How many cells each table may have, `most` of them if given, so that all tables have room."""
    sizes = [(table.height, _length(table)) for table in tables]
    low, high = 1, max((height for height, _ in sizes), default=1)
    high = high if most is None else min(high, most)
    while low < high:
        middle = (low + high + 1) // 2
        fits = sum(min(height, middle) * length for height, length in sizes) <= ROOM
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _length(table: Table) -> float:
    """The mean length of a row, from a sample of the rows."""
    step = max(1, table.height // 200)
    rows = [
        sum(_ROW + min(len(column.cells[place]), markup.LONGEST) for column in table.columns)
        for place in range(0, table.height, step)
    ]
    return _ROW + sum(rows) / len(rows) if rows else 0.0


def _grid(charts: Sequence[str], has_more: bool) -> Iterator[str]:
    """The charts side by side, and whether there are more."""
    if charts:
        yield f'<div class="charts">{"".join(charts)}</div>'
    if has_more:
        yield f'<p class="small block">{_MORE}</p>'


def _beside(chart: str, tables: Sequence[str]) -> Iterator[str]:
    """One chart, and its tables next to it where there is room."""
    yield f'<div class="pair">{chart}<div>{"".join(tables)}</div></div>'


def _figure(name: str, figure: Figure) -> str:
    title = f'<figcaption><h3 id="{name}">{markup.text(figure.title)}</h3></figcaption>'
    notes = "".join(f'<p class="small">{markup.text(line)}</p>' for line in figure.notes)
    return f"<figure>{title}{inline(figure.chart, name, figure.description)}{notes}</figure>"


def _tables(part: str, found: Sequence[Table], cells: int) -> Iterator[str]:
    """The tables, of which those beyond the first ones are folded together."""
    written = [_table(f"{part}-t{place}", table, cells) for place, table in enumerate(found) if table.height]
    yield from written[:OPEN]
    if more := written[OPEN:]:
        title = f'<h3 id="{part}-more">{counted(len(more), "more table")}</h3>'
        yield f"<details><summary>{title}</summary>{''.join(more)}</details>"


def _table(name: str, table: Table, cells: int) -> str:
    """A table under its title, folded if it is long."""
    whole, shown = table.height + table.hidden_rows, _cut(_undrawn(table), cells)
    label = f' aria-labelledby="{name}"' if table.title else ' aria-label="Overall"'
    lines = "\n".join(markup.table(shown, _class, label))
    content = f'<div class="scroll" tabindex="0" role="group"{label}>{lines}</div>'
    content += "".join(f'<p class="small">{markup.text(line)}</p>' for line in shown.below)
    title = f'<h3 id="{name}">{markup.text(table.title)}</h3>' if table.title else ""
    if whole <= FOLDED:
        return f'<div class="block">{title}{content}</div>'
    rows = f"{whole:,} {'row' if whole == 1 else 'rows'}"
    return f'<details class="table"><summary>{title}<span>{rows}</span></summary>{content}</details>'


def _class(column: Column) -> str:
    """The class of the cells of a column: numbers, drawings, and names that are short enough for one line."""
    if column.kind != "name":
        return _CLASSES[column.kind]
    return ' class="s"' if markup.is_short(column) else ""


def _cut(table: Table, cells: int) -> Table:
    """The worst cells of a table, or the first rows of one that has none."""
    if table.worst or table.height <= cells:
        return table.first(cells, _ELSEWHERE)
    columns = tuple(column.rows(range(cells)) for column in table.columns)
    return replace(table, columns=columns, hidden_rows=table.height - cells, remedy=_ELSEWHERE)


def _notes(lines: Iterable[str]) -> Iterator[str]:
    items = "".join(f"<li>{markup.text(line)}</li>" for line in lines)
    if items:
        yield f'<ul class="notes">{items}</ul>'
