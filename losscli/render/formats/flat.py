"""A report as one flat JSON object, one number per name: metrics for DVC, MLflow, W&B and TensorBoard.

A name is LOSS/COLUMN/VALUE, or LOSS/overall for all rows: MLflow stores metrics as files, so no name may be
the folder of another.  All four tools accept letters, digits, '_', '-', '.', and '/' between parts; MLflow
rejects other characters and longer names, and TensorBoard replaces them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from losscli.render.formats import Data
from losscli.render.naming import loss_label
from losscli.report.model import Comparison, Report, Result, Segment, cell_name, result_name
from losscli.text import printable_json

LONGEST = 250
"""The maximum length of a name in MLflow."""
OVERALL = "overall"
"""Replaces the column and the value in the name of an overall result."""
_REFUSED = re.compile(r"[^\w.-]+")
_BINS = (("<= ", "up_to_"), ("> ", "above_"))
"""The signs in names of bins and their replacements, without which two bins would have one name."""
_ROOM = 8
"""Characters reserved for a number at the end of a name."""


Entry: TypeAlias = Result | Segment | Comparison


class Metric(Struct, frozen=True, gc=False):
    """An entry of a report with its name; `taken` is the name that another metric has."""

    name: str
    entry: Entry
    taken: str = ""

    @property
    def value(self) -> float | None:
        """Its value; that of a comparison is the difference."""
        return self.entry.difference if isinstance(self.entry, Comparison) else self.entry.value

    @property
    def result(self) -> str:
        """Its name in a gate."""
        return _gate_name(self.entry)


def text(report: Report) -> str:
    """The value of each result by name; null if it is undefined."""
    values = {metric.name: metric.value for metric in metrics(report)}
    return printable_json(json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False)) + "\n"


def notes(report: Report) -> list[str]:
    """Notes on results with a number appended to their name, which another one has already."""
    return [
        f"{metric.result} is the metric {metric.name}, since {metric.taken} is another one"
        for metric in metrics(report)
        if metric.taken
    ]


def metrics(report: Report) -> list[Metric]:
    """The results, then the segments and the comparisons, each with a unique name."""
    entries: list[Entry] = [*report.results, *report.segments, *report.comparisons]
    names = [_name(entry)[:LONGEST] for entry in entries]
    if len(set(names)) == len(names):
        return list(map(Metric, names, entries))
    unique = _numbered(names, list(map(_gate_name, entries)))
    return [
        Metric(name, entry, "" if name == taken else taken)
        for name, entry, taken in zip(unique, entries, names, strict=True)
    ]


def _numbered(names: Sequence[str], gate_names: Sequence[str]) -> list[str]:
    """The names, with a number at the end of those that are taken.

    Numbers are assigned in the order of the names in gates, which is the same in each run; that of the
    results depends on their values.
    """
    indices, numbers = dict[str, int](), dict.fromkeys(names, 1)
    for index in sorted(range(len(names)), key=gate_names.__getitem__):
        name = taken = names[index]
        while name in indices:
            numbers[taken] += 1  # all lower numbers are taken too
            name = f"{taken[: LONGEST - _ROOM]}_{numbers[taken]}"
        indices[name] = index
    return sorted(indices, key=indices.__getitem__)


def _gate_name(entry: Entry) -> str:
    name = f"{result_name(entry)}[{cell_name(entry.cell)}]" if entry.cell else result_name(entry)
    return f"{name}: {entry.b} - {entry.a}" if isinstance(entry, Comparison) else name


def _name(entry: Entry) -> str:
    """A name from its parts; crossed columns are one part, and so are their values."""
    cell_parts = [".".join(entry.cell), ".".join(entry.cell.values())] if entry.cell else [OVERALL]
    if entry.cell and cell_parts[0] == OVERALL:
        cell_parts[0] += "_"  # or the name of the overall result would be a folder
    return "/".join(map(_part, [*_models(entry), loss_label(entry), *cell_parts]))


def _models(entry: Entry) -> list[str]:
    if isinstance(entry, Comparison):
        return [f"{entry.b}-{entry.a}"]
    return [entry.model] if isinstance(entry, Result) and entry.model is not None else []


@lru_cache(1 << 10)
def _part(text: str) -> str:
    """A part of a name: not '.', '..' or empty."""
    for sign, word in _BINS:
        text = text.replace(sign, word)
    plain = _REFUSED.sub("_", text)
    return plain if plain.strip(".") else plain.replace(".", "_") or "_"


FORMAT = Data("flat", ".flat.json", text, meaning="DVC, MLflow, W&B, TensorBoard", notes=notes)
