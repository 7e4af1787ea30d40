"""A report as tables for people: whole numbers and whole names at any width."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from rich.console import Console, RenderableType
from rich.text import Text

from losscli.render import board, comparison
from losscli.render.comparison import Field, Kind
from losscli.render.content import (
    WEAK,
    Cell,
    Section,
    detectable,
    interval_head,
    notes,
    plain,
    sections,
    shown,
    weighted,
)
from losscli.render.digits import DASH, aligned, apart, decimal, error, percent, signed
from losscli.render.grid import Column, fits, fold, grid, names, richest
from losscli.report.model import Report, Result, Verdict

MOST = 20
"""Rows of cells that a terminal shows."""
_NAMED = 5
_UNLIMITED = 120
"""Where the width has no limit, losses are still put side by side only as far as this."""
_EXTRAS = ("se", "rows", "share", "weight", "interval")
"""Columns beside the value, the most wanted first."""
_STYLES = {"pass": "green", "fail": "red", "unsure": "yellow", "warn": "yellow", "error": "red"}


def print_table(report: Report, console: Console) -> None:
    """Print the report as tables that fit the console.

    A terminal shows the heaviest cells of many; anything else gets all of them, without colour and as
    wide as they are.
    """
    if not console.is_terminal:
        console.print(Text(text(report)), soft_wrap=True, end="")
        return
    for part in _parts(report, console.width, MOST):
        console.print(part, crop=False)


def text(report: Report, width: int | None = None) -> str:
    """The tables as plain text with every cell, folded at `width`, or as wide as they are."""
    buffer = io.StringIO()
    # wider than any table: the grid sets the widths
    console = Console(
        file=buffer, width=width or 1 << 20, color_system=None, force_terminal=False, legacy_windows=False
    )
    for part in _parts(report, width, None):
        console.print(part, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _parts(report: Report, width: int | None, most: int | None) -> Iterator[RenderableType]:
    """What is printed, piece by piece: tables with their headings, at most `most` cells each."""
    blocks = [_section(section, width, most) for section in sections(report)]
    blocks += [_compared(kind, width, most) for kind in comparison.kinds(report)]
    blocks += [_board(title, fields, width) for title, fields in board.sections(report)]
    if any(placing.tied for placing in report.board):
        blocks.append(iter([_paragraph(board.LEGEND, width)]))
    blocks += [_board(title, fields, width) for title, fields in board.single_rows(report)]
    if any(map(comparison.stars, report.comparisons)):
        blocks.append(iter([_paragraph(comparison.LEGEND, width)]))
    if found := detectable(report):
        blocks[0] = chain(blocks[0], [_paragraph(found, width)])
    if report.gates:
        blocks.append(_gates(report.gates, width, most))
    if said := notes(report, most and _NAMED):
        blocks.append(iter([Text("notes"), *(_paragraph(f"- {note}", width) for note in said)]))
    for count, block in enumerate(blocks):
        if count:
            yield Text()
        yield from block


def _section(section: Section, width: int | None, most: int | None) -> Iterator[RenderableType]:
    if not section.columns:
        yield Text("overall")
        yield grid(richest(partial(_overall, section), _EXTRAS, width), width)
        return
    for count, losses in enumerate(_side_by_side(section, width)):
        if count:
            yield Text()
        cells, by = _heaviest(section, losses[0], most)
        build = partial(_cells, section, losses, cells)
        of = f"{losses[0]} " if len(losses) == 1 else ""
        yield _paragraph(f"{of}by {', '.join(map(shown, section.columns))}", width)
        yield grid(richest(build, _EXTRAS, width), width)
        if len(cells) < len(section.cells):
            left = len(section.cells) - len(cells)
            largest = f"the {len(cells)} with the largest {by} of {losses[0]}"
            yield _paragraph(f"{largest}; {left} more are left out, --json has all", width)


def _side_by_side(section: Section, width: int | None) -> list[tuple[str, ...]]:
    """The losses, as many to a table as fit beside each other with what a reader most wants of each."""
    losses, extras = section.losses, frozenset(_EXTRAS if width is None else _EXTRAS[:3])
    for tables in range(1, len(losses) + 1):
        size = -(-len(losses) // tables)
        parts = [losses[start : start + size] for start in range(0, len(losses), size)]
        if all(fits(_cells(section, part, section.cells, extras), width or _UNLIMITED) for part in parts):
            break
    return parts


def _heaviest(section: Section, loss: str, most: int | None) -> tuple[tuple[Cell, ...], str]:
    """At most `most` cells, by their share of a loss if it has shares, else by its value."""
    results = section.column(loss, section.cells)
    by = "share" if any(result and result.share is not None for result in results) else "value"
    if most is None or len(section.cells) <= most:
        return section.cells, by
    weights = [getattr(result, by) if result else None for result in results]
    sizes = dict(zip(section.cells, weights, strict=True))
    order = sorted(section.cells, key=lambda cell: (sizes[cell] is None, -(sizes[cell] or 0)))
    return tuple(order[:most]), by


def _overall(section: Section, extras: frozenset[str]) -> list[Column]:
    results = section.row((), section.losses)
    first = names("loss", section.losses, least=20)
    return [first, *_numbers("value", results, extras - {"share"}), *_sizes(results, extras)]


def _cells(
    section: Section, losses: Sequence[str], cells: Sequence[Cell], extras: frozenset[str]
) -> list[Column]:
    """The cells down, the losses across."""
    least = max(8, 20 // len(section.columns))
    found = [
        names(shown(column), map(shown, parts), least)
        for column, parts in zip(section.columns, zip(*cells, strict=True), strict=True)
    ]
    counted = _counted(section, losses, cells)
    for loss in losses:
        results = section.column(loss, cells)
        found += _numbers("value" if len(losses) == 1 else loss, results, extras)
        found += _sizes(results, extras) if counted is None else []
    return found if counted is None else [*found, *_sizes(counted, extras)]


def _counted(section: Section, losses: Sequence[str], cells: Sequence[Cell]) -> list[Result | None] | None:
    """Results that give the rows of each cell for all losses, or None where the losses differ in them."""
    found: list[Result | None] = []
    for cell in cells:
        results = [result for result in section.row(cell, losses) if result is not None]
        if len({(result.rows, result.weight) for result in results}) > 1:
            return None
        found.append(next(iter(results), None))
    return found


def _numbers(head: str, results: Sequence[Result | None], extras: frozenset[str]) -> list[Column]:
    """The value of each result, with its standard error; its interval; its share."""
    values = aligned(decimal(result.value if result else None) for result in results)
    errors = [error(result.se, result.value) if result else "" for result in results]
    cells = [Text(value, "bold") for value in values]
    found = [Column(head, tuple(cells))]
    if "se" in extras and any(errors):
        head = "value ± se" if head == "value" else head
        tails = _left(f" ± {se}" if se else "" for se in errors)
        found = [Column(head, tuple(Text.assemble(*parts) for parts in zip(cells, tails, strict=True)))]
    if "interval" in extras and any(result and result.low is not None for result in results):
        found.append(_column(interval_head(results), _intervals(results)))
    if "share" in extras and any(result and result.share is not None for result in results):
        found.append(_column("share %", [percent(result.share if result else None) for result in results]))
    return found


def _intervals(results: Sequence[Result | None]) -> list[str]:
    lows = aligned(decimal(result.low if result else None) for result in results)
    highs = [decimal(result.high if result else None) for result in results]
    return _left(low if high == DASH else f"{low} to {high}" for low, high in zip(lows, highs, strict=True))


def _left(texts: Iterable[str]) -> list[str]:
    padded = list(texts)
    width = max(map(len, padded), default=0)
    return [text.ljust(width) for text in padded]


def _sizes(results: Sequence[Result | None], extras: frozenset[str]) -> list[Column]:
    found = []
    if "rows" in extras:
        found.append(_column("rows", [DASH if result is None else f"{result.rows:,}" for result in results]))
    if "weight" in extras and weighted(results):
        found.append(
            _column("weight", aligned(decimal(result.weight if result else None) for result in results))
        )
    return found


def _column(head: str, cells: Sequence[str]) -> Column:
    return Column(head, tuple(map(Text, cells)))


def _compared(kind: Kind, width: int | None, most: int | None) -> Iterator[RenderableType]:
    """Comparisons of one pair: as many columns as fit, the most telling first."""
    kind, left = kind.first(most)
    fields = kind.fields(drawn=True)
    yield _paragraph(kind.title, width)
    yield _laid_out(fields, width)
    if left:
        yield _paragraph(
            f"the {len(kind.rows)} that add most; {left} more are left out, --json has all", width
        )


def _board(title: str, fields: Sequence[Field], width: int | None) -> Iterator[RenderableType]:
    yield _paragraph(title, width)
    yield _laid_out(fields, width)


def _laid_out(fields: Sequence[Field], width: int | None) -> RenderableType:
    """As many of the columns as fit, the most wanted first."""
    ranks = sorted({field.rank for field in fields} - {0})

    def build(extras: frozenset[str]) -> list[Column]:
        return [_field(field) for field in fields if not field.rank or str(field.rank) in extras]

    return grid(richest(build, list(map(str, ranks)), width), width)


def _field(field: Field) -> Column:
    if field.number:
        return _column(field.head, aligned(field.cells))
    if field.bar:
        return _column(field.head, _left(field.cells))
    return names(field.head, field.cells, least=12)


def _gates(verdicts: Sequence[Verdict], width: int | None, most: int | None) -> Iterator[RenderableType]:
    verdicts, left = _telling(verdicts, most)
    columns = richest(partial(_verdicts, verdicts), ("margin", "reason"), width)
    yield Text("gates")
    yield grid(columns, width)
    if left:
        yield _paragraph(f"{left} more pass; --json has all", width)
    if any(verdict.weak for verdict in verdicts):
        yield _paragraph(WEAK, width)
    if columns[-1].head != "why":
        reasons = dict.fromkeys(f"{plain(v.title)}: {plain(v.reason)}" for v in verdicts if v.reason)
        yield from (_paragraph(line, width) for line in reasons)


def _telling(verdicts: Sequence[Verdict], most: int | None) -> tuple[Sequence[Verdict], int]:
    """All that are not a plain pass, and of those as many as there is room for; how many are left out."""
    room = len(verdicts) if most is None else most - sum(map(_troubled, verdicts))
    passes = [i for i, verdict in enumerate(verdicts) if not _troubled(verdict)]
    left = frozenset(passes[max(0, room) :])
    return [verdict for i, verdict in enumerate(verdicts) if i not in left], len(left)


def _troubled(verdict: Verdict) -> bool:
    return verdict.status != "pass" or verdict.weak


def _verdicts(verdicts: Sequence[Verdict], extras: frozenset[str]) -> list[Column]:
    statuses = [f"{v.status}, weak" if v.weak else v.status for v in verdicts]
    styles = ["yellow" if v.weak and v.status == "pass" else _STYLES.get(v.status, "red") for v in verdicts]
    values, limits = zip(*(apart(v.value, v.limit) for v in verdicts), strict=True)
    cells = [verdict.place for verdict in verdicts]
    reasons = [plain(verdict.reason) for verdict in verdicts]
    found = [
        Column("status", tuple(map(Text, statuses, styles)), least=6),
        names("gate", [plain(verdict.title) for verdict in verdicts], least=14),
        *([names("cell", cells, least=10)] if any(cells) else []),
        _column("value", aligned(values)),
        _column("limit", aligned(limits)),
    ]
    if "margin" in extras and any(verdict.margin is not None for verdict in verdicts):
        found.append(_column("margin/se", aligned(signed(verdict.margin) for verdict in verdicts)))
    return [*found, names("why", reasons, least=30)] if "reason" in extras and any(reasons) else found


def _paragraph(line: str, width: int | None) -> Text:
    hang = 2 if line.startswith("- ") else 0
    return Text(line if width is None else "\n".join(fold(line, width, hang, after=" ")))
