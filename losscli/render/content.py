"""What the renderers share: how a report is cut into tables, and how its parts are named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from losscli.render.digits import ERROR_DIGITS, apart, decimal, signed
from losscli.report.model import Comparison, Report, Result, Verdict, cell_name

WEAK = "weak: the interval straddles the limit"

Cell = tuple[str, ...]


class Section(Struct, frozen=True):
    """The results of one kind of cell: `columns` are what tells its cells apart, () for overall."""

    columns: tuple[str, ...]
    losses: tuple[str, ...]
    cells: tuple[Cell, ...]
    results: Mapping[tuple[str, Cell], Result]

    def row(self, cell: Cell, losses: Iterable[str]) -> list[Result | None]:
        """The results of a cell, None where a loss has none."""
        return [self.results.get((loss, cell)) for loss in losses]

    def column(self, loss: str, cells: Iterable[Cell]) -> list[Result | None]:
        """The results of a loss, None where a cell has none."""
        return [self.results.get((loss, cell)) for cell in cells]


def sections(report: Report) -> list[Section]:
    """The report by kind of cell, overall first, each in the report's order; of one model.

    The losses of models that are compared stand in the comparisons.
    """
    kinds: dict[tuple[str, ...], list[Result]] = {}
    for result in report.results:
        if result.model is not None and (report.comparisons or report.board):
            continue
        kinds.setdefault(tuple(result.cell), []).append(result)
    return [_section(kind, kinds[kind]) for kind in sorted(kinds, key=len)]


def _section(columns: tuple[str, ...], results: Sequence[Result]) -> Section:
    keyed = {(label(result), tuple(result.cell.values())): result for result in results}
    losses = tuple(dict.fromkeys(loss for loss, _ in keyed))
    cells = tuple(dict.fromkeys(cell for _, cell in keyed))
    return Section(columns, losses, cells, keyed)


def label(result: Result) -> str:
    """A loss with its parameters: 'huber(delta=1)', and its model where there are several."""
    return plain(f"{loss_label(result)} [{result.model}]" if result.model else loss_label(result))


def loss_label(result: Result | Comparison) -> str:
    """A loss with its parameters: 'huber(delta=1)'."""
    inside = ", ".join(
        f"{name}={_param(value)}"
        for name, value in result.params.items()
        # one that is off says nothing
        if value is not None and value is not False
    )
    return plain(f"{result.loss}({inside})" if inside else result.loss)


def _param(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")


def shown(name: str) -> str:
    """A name from the data, quoted where spaces or unprintable characters would not be seen."""
    clear = name.isprintable() and name and name == name.strip()
    return name if clear else json.dumps(name, ensure_ascii=not name.isprintable())


def plain(text: str) -> str:
    """Text on one line that cannot steer a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))


_ORDER = ("error", "fail", "warn", "unsure", "pass", "skipped")


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Verdicts by how bad they are, then by how far the value is from its limit in standard errors."""

    def badness(verdict: Verdict) -> tuple[int, float]:
        margin = 0.0 if verdict.margin is None else verdict.margin
        return _ORDER.index(verdict.status) if verdict.status in _ORDER else 0, margin

    return sorted(verdicts, key=badness)


def judgement(verdict: Verdict) -> str:
    """A verdict in words: 'fail, weak: value 0.5, limit 0.4, margin -1.2 se'."""
    status = f"{verdict.status}, weak" if verdict.weak else verdict.status
    value, limit = apart(verdict.value, verdict.limit)
    numbers = [
        *([] if verdict.value is None else [f"value {value}"]),
        *([] if verdict.limit is None else [f"limit {limit}"]),
        *([] if verdict.margin is None else [f"margin {signed(verdict.margin)} se"]),
        *([verdict.reason] if verdict.reason else []),
    ]
    return plain(f"{status}: {', '.join(numbers)}" if numbers else status)


def detectable(report: Report) -> str:
    """What differences of the overall values a comparison would likely show; nothing without intervals."""
    overall = [result for result in report.results if not result.cell and result.model is None]
    values = {label(r): decimal(r.detectable, ERROR_DIGITS) for r in overall if r.detectable}
    if not values:
        return ""
    told = values.values() if len(overall) == 1 else [f"{loss} {value}" for loss, value in values.items()]
    units = "clusters" if "cluster" in report.basis else "groups" if "group" in report.basis else "rows"
    return f"detectable on as many other {units}, 80 % power: {', '.join(told)}"


def interval_head(results: Iterable[Result | None]) -> str:
    """'95 % interval', or 'interval' where the levels differ."""
    levels = {result.level for result in results if result is not None and result.level is not None}
    return f"{100 * levels.pop():g} % interval" if len(levels) == 1 else "interval"


def weighted(results: Iterable[Result | None]) -> bool:
    """Whether weights say something that the numbers of rows do not."""
    return any(result is not None and result.weight != result.rows for result in results)


def notes(report: Report, most: int | None = None) -> list[str]:
    """The notes of the results, each said once with the losses and cells it is about; then the report's.

    At most `most` cells are named in a note.
    """
    results = [(label(result), result) for result in report.results]
    differences = [(f"{loss_label(each)} [{each.b} - {each.a}]", each) for each in report.comparisons]
    found = [*_said(results, most), *_said(differences, most)]
    return found + [plain(note) for note in report.notes]


def _said(entries: Sequence[tuple[str, Result | Comparison]], most: int | None) -> list[str]:
    """The notes of results, each said once."""
    by_note: dict[str, dict[str, list[str]]] = {}
    for name, each in entries:
        for note in each.notes:
            by_note.setdefault(plain(note), {}).setdefault(plain(name), []).append(cell_name(each.cell))
    everything = len({name for name, _ in entries})
    found = []
    for note, cells_of in by_note.items():
        for cells in dict.fromkeys(map(tuple, cells_of.values())):
            losses = [loss for loss, theirs in cells_of.items() if tuple(theirs) == cells]
            about = [] if len(losses) == everything else losses
            found.append(": ".join(filter(None, (", ".join([*about, *_first(cells, most)]), note))))
    return found


def _first(cells: Sequence[str], most: int | None) -> list[str]:
    named = [cell or "overall" for cell in cells] if len(cells) > 1 else [cell for cell in cells if cell]
    if most is None or len(named) <= most:
        return named
    return [*named[:most], f"{len(named) - most} more"]
