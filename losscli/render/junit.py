"""The verdicts of a report as JUnit XML: a test case for each gate and cell."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from losscli.render.content import judgement, plain
from losscli.report.model import Report, Verdict

_OUTCOMES = {
    "fail": "failure",
    "error": "error",
    "unsure": "skipped",
    "warn": "skipped",
    "skipped": "skipped",
}
_COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def text(report: Report) -> str:
    """One suite in the schema of Jenkins; an unsure verdict is a skipped case, which says why."""
    outcomes = [_OUTCOMES.get(verdict.status, "") for verdict in report.gates]
    counts = {name: str(outcomes.count(outcome)) for name, outcome in _COUNTS.items()}
    whole = {"name": "losscli", "tests": str(len(outcomes))}
    # Only a suite counts what was skipped: the schema has no such attribute above it.
    suites = Xml.Element("testsuites", whole | {name: counts[name] for name in ("failures", "errors")})
    suite = Xml.SubElement(suites, "testsuite", whole | counts)
    for verdict, outcome in zip(report.gates, outcomes, strict=True):
        _case(suite, verdict, outcome)
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _case(suite: Xml.Element, verdict: Verdict, outcome: str) -> None:
    cell = verdict.place
    name = plain(f"{verdict.title} ({cell})" if cell else verdict.title)
    case = Xml.SubElement(suite, "testcase", {"classname": "losscli.gate", "name": name})
    said = judgement(verdict)
    if outcome:
        Xml.SubElement(case, outcome, {"message": said} | ({} if outcome == "skipped" else {"type": outcome}))
    else:
        Xml.SubElement(case, "system-out").text = said
