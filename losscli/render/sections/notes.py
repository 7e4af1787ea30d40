"""Notes on results, each shown once with the losses and cells that it applies to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeAlias

from losscli.render.naming import joined, label, loss_label, plain, visible
from losscli.report.findings import Note
from losscli.report.model import Comparison, Report, Result, by_note, cell_name, representatives

NAMED = 2
"""The number of cells that a note names if it applies to more than two others."""
_PLURALS = {"class": "classes", "label": "labels", "output": "outputs"}
_Entries: TypeAlias = Sequence[Result | Comparison]
"""Results or comparisons of one loss and kind of cell."""


def notes(report: Report) -> list[str]:
    """The notes of results and comparisons, then those of the whole report."""
    losses = set(map(label, representatives(report.results)))
    results = ((label(part[0]), note, part) for note, part in by_note(report.results))
    pairs = set(map(_pair, report.comparisons))
    differences = ((_pair(each), note, (each,)) for each in report.comparisons for note in each.notes)
    lines = chain(_grouped(results, len(losses)), _grouped(differences, len(pairs)))
    # A note may apply to the same cells of the models and of their difference.
    return [*dict.fromkeys(lines), *(plain(note.text) for note in report.findings)]


def _pair(comparison: Comparison) -> str:
    """The name of a loss and its pair of models."""
    return plain(f"{loss_label(comparison)} [{comparison.b} - {comparison.a}]")


def _grouped(noted: Iterable[tuple[str, Note, _Entries]], count: int) -> Iterator[str]:
    """One line for each note and set of cells that share it; the losses have `count` different names."""
    about: dict[str, dict[str, list[_Entries]]] = {}
    for name, note, entries in noted:
        about.setdefault(plain(note.text), {}).setdefault(name, []).append(entries)
    for text, parts_of in about.items():
        losses_of: dict[str, list[str]] = {}
        for loss, parts in parts_of.items():
            losses_of.setdefault(_cells(parts), []).append(loss)
        for cell_text, losses in losses_of.items():
            loss_text = "" if len(losses) == count else joined(losses, NAMED)
            context = ": ".join(filter(None, (loss_text, cell_text)))
            yield f"{text} ({context})" if context else text


def _cells(parts: Iterable[_Entries]) -> str:
    """'classes 3, 5 and 28 more'; 'overall, class 3'; empty for overall alone."""
    kinds: dict[tuple[str, ...], list[_Entries]] = {}
    for part in parts:
        kinds.setdefault(tuple(part[0].cell), []).append(part)
    if list(kinds) == [()]:
        return ""
    return ", ".join(_kind(columns, kinds[columns]) for columns in sorted(kinds, key=len))


def _kind(columns: tuple[str, ...], parts: Sequence[_Entries]) -> str:
    if not columns:
        return "overall"
    count = sum(map(len, parts))
    limit = NAMED if count > NAMED + 2 else count
    cells = [entry.cell for entry in islice(chain.from_iterable(parts), limit)]
    if len(columns) > 1:
        return joined([cell_name(cell) for cell in cells], more=count - limit)
    [column] = columns
    noun = _PLURALS.get(column, column) if count > 1 else column
    return f"{visible(noun)} {joined([visible(cell[column]) for cell in cells], more=count - limit)}"
