"""Notes on results, each shown once with the losses and cells that it applies to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from losscli.render.naming import joined, label, loss_label, plain, visible
from losscli.report.model import Comparison, Report, Result, cell_name, representatives, with_notes

NAMED = 2
"""The number of cells that a note names if it applies to more than two others."""
_PLURALS = {"class": "classes", "label": "labels", "output": "outputs"}


def notes(report: Report) -> list[str]:
    """The notes of results and comparisons, then those of the whole report."""
    losses = set(map(label, representatives(report.results)))
    results = ((label(result), result) for result in with_notes(report.results))
    pairs = set(map(_pair, report.comparisons))
    differences = ((_pair(each), each) for each in report.comparisons if each.notes)
    lines = [*_grouped(results, len(losses)), *_grouped(differences, len(pairs))]
    return [*lines, *(plain(note.text) for note in report.findings)]


def _pair(comparison: Comparison) -> str:
    """The name of a loss and its pair of models."""
    return plain(f"{loss_label(comparison)} [{comparison.b} - {comparison.a}]")


def _grouped(entries: Iterable[tuple[str, Result | Comparison]], count: int) -> list[str]:
    """One line for each note and set of cells that share it; entries have `count` different names."""
    about: dict[str, dict[str, list[Mapping[str, str]]]] = {}
    for name, entry in entries:
        for note in entry.notes:
            about.setdefault(plain(note.text), {}).setdefault(name, []).append(entry.cell)
    lines = []
    for text, cells_of in about.items():
        losses_of: dict[str, list[str]] = {}
        for loss, cells in cells_of.items():
            losses_of.setdefault(_cells(cells), []).append(loss)
        for cell_text, losses in losses_of.items():
            loss_text = "" if len(losses) == count else joined(losses, NAMED)
            context = ": ".join(filter(None, (loss_text, cell_text)))
            lines.append(f"{text} ({context})" if context else text)
    return lines


def _cells(cells: Sequence[Mapping[str, str]]) -> str:
    """'classes 3, 5 and 28 more'; 'overall, class 3'; empty for overall alone."""
    kinds: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for cell in cells:
        kinds.setdefault(tuple(cell), []).append(cell)
    if list(kinds) == [()]:
        return ""
    return ", ".join(_kind(columns, kinds[columns]) for columns in sorted(kinds, key=len))


def _kind(columns: tuple[str, ...], cells: Sequence[Mapping[str, str]]) -> str:
    if not columns:
        return "overall"
    limit = NAMED if len(cells) > NAMED + 2 else None
    if len(columns) > 1:
        return joined([cell_name(cell) for cell in cells], limit)
    [column] = columns
    noun = _PLURALS.get(column, column) if len(cells) > 1 else column
    return f"{visible(noun)} {joined([visible(cell[column]) for cell in cells], limit)}"
