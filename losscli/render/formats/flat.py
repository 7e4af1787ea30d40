"""A report as one flat JSON object, one number per name: metrics for DVC, MLflow, W&B and TensorBoard.

A name is LOSS/COLUMN/VALUE, or LOSS/overall for all rows: MLflow stores metrics as files, so no name may be
the folder of another.  All four tools accept letters, digits, '_', '-', '.', and '/' between parts; MLflow
rejects other characters and longer names, and TensorBoard replaces them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from losscli.render.formats import Data
from losscli.render.naming import loss_label
from losscli.report.model import Report, cell_name, result_name
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


class Metric(Struct, frozen=True):
    """A value with its name; `result` is its name in a gate, `taken` the name that another metric has."""

    name: str
    result: str
    value: float | None
    taken: str = ""


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
    values, names = list(_values(report)), dict[str, int]()
    # Numbers are assigned in the order of the names in gates, which is the same in each run; that of the
    # results depends on their values.
    for index in sorted(range(len(values)), key=lambda index: values[index][1]):
        prefix = name = values[index][0][:LONGEST]
        number = 1
        while name in names:
            number += 1
            name = f"{prefix[: LONGEST - _ROOM]}_{number}"
        names[name] = index
    name_of = {index: name for name, index in names.items()}
    return [
        Metric(name_of[index], result, value, "" if name_of[index] == name[:LONGEST] else name[:LONGEST])
        for index, (name, result, value) in enumerate(values)
    ]


def _values(report: Report) -> Iterator[tuple[str, str, float | None]]:
    for result in report.results:
        models = [] if result.model is None else [result.model]
        name = _name([*models, loss_label(result)], result.cell)
        yield name, _gate_name(result_name(result), result.cell), result.value
    for segment in report.segments:
        name = _name([loss_label(segment)], segment.cell)
        yield name, _gate_name(result_name(segment), segment.cell), segment.value
    for comparison in report.comparisons:
        name = _name([f"{comparison.b}-{comparison.a}", loss_label(comparison)], comparison.cell)
        yield (
            name,
            f"{_gate_name(result_name(comparison), comparison.cell)}: {comparison.b} - {comparison.a}",
            comparison.difference,
        )


def _gate_name(name: str, cell: Mapping[str, str]) -> str:
    return f"{name}[{cell_name(cell)}]" if cell else name


def _name(parts: list[str], cell: Mapping[str, str]) -> str:
    """A name from its parts; crossed columns are one part, and so are their values."""
    cell_parts = [".".join(cell), ".".join(cell.values())] if cell else [OVERALL]
    if cell and cell_parts[0] == OVERALL:
        cell_parts[0] += "_"  # or the name of the overall result would be a folder
    return "/".join(map(_part, [*parts, *cell_parts]))


def _part(text: str) -> str:
    """A part of a name: not '.', '..' or empty."""
    for sign, word in _BINS:
        text = text.replace(sign, word)
    plain = _REFUSED.sub("_", text)
    return plain if plain.strip(".") else plain.replace(".", "_") or "_"


FORMAT = Data("flat", ".flat.json", text, meaning="DVC, MLflow, W&B, TensorBoard", notes=notes)
