"""A report as one flat JSON object, one number per name: metrics of DVC, MLflow, W&B and TensorBoard.

A name is LOSS/COLUMN/VALUE, and LOSS/overall of all rows: in a folder of MLflow no name may be in another.
All of them take letters, digits, '_', '-', '.', and '/' between parts; MLflow refuses other characters and
longer names, and TensorBoard replaces them.
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
"""What stands for the column and the value in the name of a result of all rows."""
_REFUSED = re.compile(r"[^\w.-]+")
_BINS = (("<= ", "up_to_"), ("> ", "above_"))
"""The signs of bins, which would else have one name."""
_ROOM = 8
"""Characters that a number at the end of a name may need."""


class Metric(Struct, frozen=True):
    """A number under its name; `result` is what a gate calls it.  `taken` is a name that another one has."""

    name: str
    result: str
    value: float | None
    taken: str = ""


def text(report: Report) -> str:
    """The value of each result under its name; null if it is not defined."""
    values = {each.name: each.value for each in metrics(report)}
    return printable_json(json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False)) + "\n"


def notes(report: Report) -> list[str]:
    """Which results have a number in their name, since it would be that of another one."""
    return [
        f"{each.result} is the metric {each.name}, since {each.taken} is another one"
        for each in metrics(report)
        if each.taken
    ]


def metrics(report: Report) -> list[Metric]:
    """The results, then the segments and the comparisons, each under a name of its own."""
    values, names = list(_values(report)), dict[str, int]()
    # Results are in the order of their values: in that of what they are called, a name is of the same one in
    # each run.
    for place in sorted(range(len(values)), key=lambda place: values[place][1]):
        short = own = values[place][0][:LONGEST]
        number = 1
        while own in names:
            number += 1
            own = f"{short[: LONGEST - _ROOM]}_{number}"
        names[own] = place
    owners = {place: name for name, place in names.items()}
    return [
        Metric(owners[place], result, value, "" if owners[place] == name[:LONGEST] else name[:LONGEST])
        for place, (name, result, value) in enumerate(values)
    ]


def _values(report: Report) -> Iterator[tuple[str, str, float | None]]:
    for result in report.results:
        models = [] if result.model is None else [result.model]
        name = _name([*models, loss_label(result)], result.cell)
        yield name, _called(result_name(result), result.cell), result.value
    for segment in report.segments:
        name = _name([loss_label(segment)], segment.cell)
        yield name, _called(result_name(segment), segment.cell), segment.value
    for each in report.comparisons:
        name = _name([f"{each.b}-{each.a}", loss_label(each)], each.cell)
        yield name, f"{_called(result_name(each), each.cell)}: {each.b} - {each.a}", each.difference


def _called(name: str, cell: Mapping[str, str]) -> str:
    return f"{name}[{cell_name(cell)}]" if cell else name


def _name(parts: list[str], cell: Mapping[str, str]) -> str:
    """The parts of a name; crossed columns are one part, and so are their values."""
    own = [".".join(cell), ".".join(cell.values())] if cell else [OVERALL]
    if cell and own[0] == OVERALL:
        own[0] += "_"  # else the results of all rows would be a folder
    return "/".join(map(_part, [*parts, *own]))


def _part(text: str) -> str:
    """A part of a name, which is no '.' or '..' and not empty."""
    for sign, word in _BINS:
        text = text.replace(sign, word)
    plain = _REFUSED.sub("_", text)
    return plain if plain.strip(".") else plain.replace(".", "_") or "_"


FORMAT = Data("flat", ".flat.json", text, meaning="DVC, MLflow, W&B, TensorBoard", notes=notes)
