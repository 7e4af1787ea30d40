"""Notes on results, each once with the losses and cells it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from losscli.render.naming import label, listed, loss_label, plain, shown
from losscli.report.model import Comparison, Report, Result, cell_name

NAMED = 2
"""The cells that a note names if it is about more than these and two others."""
_PLURALS = {"class": "classes", "label": "labels", "output": "outputs"}


def notes(report: Report) -> list[str]:
    """The notes of the results and of the comparisons, then the report's own."""
    results = [(label(result), result) for result in report.results]
    differences = [(plain(f"{loss_label(each)} [{each.b} - {each.a}]"), each) for each in report.comparisons]
    return [*_grouped(results), *_grouped(differences), *(plain(note.text) for note in report.findings)]


def _grouped(entries: Sequence[tuple[str, Result | Comparison]]) -> list[str]:
    """One line for each note and the cells that share it."""
    about: dict[str, dict[str, list[Mapping[str, str]]]] = {}
    for name, each in entries:
        for note in each.notes:
            about.setdefault(plain(note.text), {}).setdefault(name, []).append(each.cell)
    everything = len({name for name, _ in entries})
    found = []
    for text, cells_of in about.items():
        losses_of: dict[str, list[str]] = {}
        for loss, cells in cells_of.items():
            losses_of.setdefault(_cells(cells), []).append(loss)
        for where, losses in losses_of.items():
            of = "" if len(losses) == everything else listed(losses, NAMED)
            place = ": ".join(filter(None, (of, where)))
            found.append(f"{text} ({place})" if place else text)
    return found


def _cells(cells: Sequence[Mapping[str, str]]) -> str:
    """'classes 3, 5 and 28 more'; 'overall, class 3'; nothing for overall alone."""
    kinds: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for cell in cells:
        kinds.setdefault(tuple(cell), []).append(cell)
    if list(kinds) == [()]:
        return ""
    return ", ".join(_kind(columns, kinds[columns]) for columns in sorted(kinds, key=len))


def _kind(columns: tuple[str, ...], cells: Sequence[Mapping[str, str]]) -> str:
    if not columns:
        return "overall"
    most = NAMED if len(cells) > NAMED + 2 else None
    if len(columns) > 1:
        return listed([cell_name(cell) for cell in cells], most)
    [column] = columns
    noun = _PLURALS.get(column, column) if len(cells) > 1 else column
    return f"{shown(noun)} {listed([shown(cell[column]) for cell in cells], most)}"
