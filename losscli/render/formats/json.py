"""A report as JSON: every digit; null with a note if a value is not defined."""

from __future__ import annotations

from losscli.render.formats import Data
from losscli.report.model import Report


def text(report: Report) -> str:
    """The report as indented JSON, as `Report.from_dict` reads it back."""
    return report.to_json() + "\n"


FORMAT = Data("json", ".json", text)
