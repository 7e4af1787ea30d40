"""A leaderboard: overall, by cell, and the submissions that could not be ranked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from losscli.render.digits import DASH, Precision, decimal, span
from losscli.render.naming import interval_heading, loss_label, plain, visible
from losscli.render.tables import Column, Table
from losscli.report.model import Placing, Report, cell_name

LEGEND = "= tied: a paired test, adjusted for all pairs, does not distinguish it from the best in its place"


def tables(report: Report) -> list[Table]:
    """The leaderboard of each cell, overall first; then the submissions without a place."""
    boards: dict[str, list[Placing]] = {}
    broken = []
    for placing in report.board:
        if placing.place is None and placing.value is None and not placing.cell and placing.reason:
            broken.append(placing)
        else:
            boards.setdefault(cell_name(placing.cell), []).append(placing)
    loss = next(map(loss_label, report.results), "")
    tables = [
        Table(f"{loss}, {cell}" if cell else loss, tuple(_columns(placings)))
        for cell, placings in boards.items()
    ]
    if tables and any(placing.tied for placing in report.board):
        tables[-1] = replace(tables[-1], notes=(LEGEND,))
    if broken:
        reasons = Column("reason", tuple(plain(placing.reason) for placing in broken), "name")
        tables.append(Table("not ranked", (_names(broken), reasons)))
    return tables


def _columns(placings: Sequence[Placing]) -> Iterator[Column]:
    values, spans = zip(*_numbers(placings), strict=True)
    error = " ± se" if any("±" in cell for cell in values) else ""
    p_values = tuple(DASH if p.p_value is None else decimal(p.p_value, 2) for p in placings)
    yield Column("place", tuple(map(_place, placings)))
    yield _names(placings)
    yield Column(f"value{error}", values, is_value=True)
    yield Column("p", p_values, priority=1)
    yield Column(interval_heading(placings), spans, priority=2)
    yield Column("rows", tuple(DASH if p.rows is None else f"{p.rows:,}" for p in placings), priority=3)
    if any(p.reason for p in placings):
        yield Column("reason", tuple(plain(p.reason) for p in placings), "name")


def _numbers(placings: Sequence[Placing]) -> Iterator[tuple[str, str]]:
    """Each value with its standard error, and its interval.

    A paired test distinguishes submissions better than their standard errors suggest, so values get more
    digits if they would read the same in different places.
    """
    for extra in range(5):
        precisions = [Precision.of(p.value, p.se).finer(extra) for p in placings]
        texts = [precision.text(p.value) for precision, p in zip(precisions, placings, strict=True)]
        if len(set(zip(texts, (p.place for p in placings), strict=True))) == len(set(texts)):
            break
    for precision, text, p in zip(precisions, texts, placings, strict=True):
        error = precision.error(p.se)
        yield f"{text} ± {error}" if error else text, span(p.ci_low, p.ci_high, precision)


def _place(placing: Placing) -> str:
    return DASH if placing.place is None else f"{placing.place}{'=' if placing.tied else ''}"


def _names(placings: Iterable[Placing]) -> Column:
    return Column("submission", tuple(visible(p.model) for p in placings), "name")
