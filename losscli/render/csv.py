"""A report as CSV: one row a result, every digit."""

from __future__ import annotations

import csv
import io
from dataclasses import fields

from losscli.report import Report, Result, cell_name

COLUMNS = tuple(entry.name for entry in fields(Result))
"""The same in every file, so that files of several runs can be stacked."""


def text(report: Report) -> str:
    """One line a result, under a heading; what is not defined is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, report.results))
    return buffer.getvalue()


def _row(result: Result) -> list[str]:
    written = {
        **{name: _written(getattr(result, name)) for name in COLUMNS},
        "params": cell_name({name: str(value) for name, value in result.params.items()}),
        "cell": cell_name(result.cell),
        "notes": "; ".join(result.notes),
    }
    return [written[name] for name in COLUMNS]


def _written(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)  # repr: the shortest text of the same number
