"""The fields of a report's JSON, and the findings."""

from __future__ import annotations

import inspect

from markdown import code, escape, table
from msgspec.structs import fields

from losscli.report import model

RECORDS = {
    "results": model.Result,
    "comparisons": model.Comparison,
    "board": model.Placing,
    "gates": model.Verdict,
}
"""The records in a report by the name of their list."""


def fragments() -> dict[str, str]:
    """The text of each fragment by its file name."""
    return {"report.md": _report(), "findings.md": ""}


def _report() -> str:
    parts = ["## Report\n", escape(inspect.getdoc(model.Report) or "") + "\n"]
    for name, record in RECORDS.items():
        rows = [(code(each.name), code(str(each.type))) for each in fields(record)]
        parts += [f"## {name}\n", escape(inspect.getdoc(record) or "") + "\n", table(("field", "type"), rows)]
    return "\n".join(parts)
