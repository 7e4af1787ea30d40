"""Gates: conditions on a report, judged with its noise."""

from losscli.gate.base import compared, judged, meaningful, rules
from losscli.gate.judge import PLAIN, Rules, judge, status
from losscli.gate.parse import Gate, Limit, Subject, of, parse

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
    "of",
    "parse",
    "rules",
    "status",
]
