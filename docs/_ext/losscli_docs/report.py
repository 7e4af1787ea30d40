"""The fields of a report's JSON, and the findings."""

from __future__ import annotations

import inspect
import re
from typing import get_args

from msgspec import Struct
from msgspec.structs import fields

from losscli.report import model
from losscli_docs.markdown import code, escape, table

RECORDS: dict[str, type[Struct]] = {
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
        rows = [(code(each.name), code(_type(each.type))) for each in fields(record)]
        parts += [f"## {name}\n", escape(inspect.getdoc(record) or "") + "\n", table(("field", "type"), rows)]
    return "\n".join(parts)


def _type(annotation: object) -> str:
    """A type as it is written."""
    text = (
        annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    )
    return re.sub(r"\b(?:\w+\.)+", "", text)
