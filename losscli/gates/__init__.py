"""Gates: conditions on a report, judged with regard to its noise."""

from __future__ import annotations

from losscli.gates.base import judged, meaningful
from losscli.gates.judge import PLAIN, Rules, judge, status
from losscli.gates.parse import Gate, Limit, Subject, parse, parse_gate
from losscli.report.comparable import compared

__all__ = [
    "PLAIN",
    "Gate",
    "Limit",
    "Rules",
    "Subject",
    "compared",
    "judge",
    "judged",
    "meaningful",
    "parse",
    "parse_gate",
    "status",
]
