"""A report as one flat JSON object, one number per name: the metrics that DVC and dashboards read."""

from __future__ import annotations

import json

from losscli.render.formats import Data
from losscli.report.model import Report, cell_name, result_name
from losscli.text import printable_json


def text(report: Report) -> str:
    """The value of each result under the name that a gate has for it; null if it is not defined."""
    values = {}
    for result in report.results:
        cell = f"[{cell_name(result.cell)}]" if result.cell else ""
        values[result_name(result) + cell] = result.value
    for segment in report.segments:
        values[f"{result_name(segment)}[{cell_name(segment.cell)}]"] = segment.value
    for each in report.comparisons:
        cell = f"[{cell_name(each.cell)}]" if each.cell else ""
        values[f"{result_name(each)}{cell}: {each.b} - {each.a}"] = each.difference
    return printable_json(json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False)) + "\n"


FORMAT = Data("flat", ".flat.json", text, meaning="DVC")
