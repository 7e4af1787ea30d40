"""A leaderboard, and the worst rows, as columns of text, which the table and Markdown lay out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from losscli.render.comparison import Field
from losscli.render.content import label, plain, shown
from losscli.render.digits import DASH, decimal, error
from losscli.report.model import Placing, Report, cell_name

LEGEND = (
    "= shares its place: the paired test, adjusted for all pairs, does not tell it from the best one there"
)


def sections(report: Report) -> list[tuple[str, list[Field]]]:
    """Each cell's leaderboard with its title, overall first; then what is broken."""
    cells: dict[str, list[Placing]] = {}
    broken = []
    for placing in report.board:
        if placing.place is None and placing.value is None and not placing.cell and placing.reason:
            broken.append(placing)
        else:
            cells.setdefault(cell_name(placing.cell), []).append(placing)
    loss = next((label(result).partition(" [")[0] for result in report.results), "")
    found = [(f"{loss}, {cell}" if cell else loss, _fields(own)) for cell, own in cells.items()]
    if broken:
        reasons = tuple(plain(placing.reason) for placing in broken)
        found.append(("not ranked", [_names("submission", broken), Field("why", reasons, number=False)]))
    return found


def _fields(placings: list[Placing]) -> list[Field]:
    spans = [DASH if p.low is None else f"{decimal(p.low)} to {decimal(p.high)}" for p in placings]
    ps = [DASH if p.p_value is None else decimal(p.p_value, 2) for p in placings]
    found = [
        Field("place", tuple(map(_place, placings))),
        _names("submission", placings),
        Field("value", tuple(decimal(p.value) for p in placings)),
        Field("± se", tuple(error(p.se, p.value) for p in placings), rank=1),
        Field("p", tuple(ps), rank=2),
        Field("interval", tuple(spans), rank=3),
        Field("rows", tuple(DASH if p.rows is None else f"{p.rows:,}" for p in placings), rank=4),
    ]
    reasons = tuple(plain(p.reason) for p in placings)
    return [*found, Field("why", reasons, number=False)] if any(reasons) else found


def _place(placing: Placing) -> str:
    return DASH if placing.place is None else f"{placing.place}{'=' if placing.tied else ''}"


def _names(head: str, placings: Iterable[Placing]) -> Field:
    return Field(head, tuple(shown(p.model) for p in placings), number=False)


def single_rows(report: Report) -> list[tuple[str, list[Field]]]:
    """Tables of single rows with their titles: the worst ones, and those that changed most."""
    found = [("worst rows", _rows(report.worst))] if report.worst else []
    pairs = dict.fromkeys((row["a"], row["b"]) for row in report.changed)
    for a, b in pairs:
        rows = [row for row in report.changed if (row["a"], row["b"]) == (a, b)]
        alone = [{name: value for name, value in row.items() if name not in ("a", "b")} for row in rows]
        found.append((f"{shown(b)} against {shown(a)}, rows that changed most", _rows(alone)))
    return found


def _rows(rows: Sequence[Mapping[str, object]]) -> list[Field]:
    """A column for all that is known of single rows."""
    found = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        number = all(value is None or isinstance(value, int | float) for value in values)
        found.append(Field(shown(name), tuple(map(_value, values)), number=number))
    return found


def _value(value: object) -> str:
    if isinstance(value, float):
        return decimal(value)
    return DASH if value is None else plain(str(value))
