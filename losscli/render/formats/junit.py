"""The verdicts of a report as JUnit XML: a test case for each gate and cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.render.formats import Data
from losscli.render.naming import plain
from losscli.render.sections.verdicts import judgement
from losscli.report.model import Report, Verdict

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_OUTCOMES = {
    "fail": "failure",
    "error": "error",
    "unsure": "skipped",
    "warn": "skipped",
    "skipped": "skipped",
}
_COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def text(report: Report) -> str:
    """One suite in the schema of Jenkins; an unsure verdict is a skipped case with its reason."""
    from xml.etree import ElementTree as Xml  # loads a parser, which only this format needs

    outcomes = [_OUTCOMES.get(verdict.status, "") for verdict in report.gates]
    counts = {name: str(outcomes.count(outcome)) for name, outcome in _COUNTS.items()}
    whole = {"name": "losscli", "tests": str(len(outcomes))}
    # The schema has the attribute `skipped` for a suite, but not for the suites.
    suites = Xml.Element("testsuites", whole | {name: counts[name] for name in ("failures", "errors")})
    suite = Xml.SubElement(suites, "testsuite", whole | counts)
    for verdict, outcome in zip(report.gates, outcomes, strict=True):
        _case(suite, verdict, outcome)
    Xml.indent(suites)
    whole_text = Xml.tostring(suites, encoding="unicode").replace("##", "#&#35;")  # commands of logs
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{whole_text}\n'


def _case(suite: Element, verdict: Verdict, outcome: str) -> None:
    from xml.etree.ElementTree import SubElement

    cell = verdict.place
    name = plain(f"{verdict.title} ({cell})" if cell else verdict.title)
    case = SubElement(suite, "testcase", {"classname": "losscli.gate", "name": name})
    message = judgement(verdict)
    if outcome:
        kind = {} if outcome == "skipped" else {"type": outcome}
        SubElement(case, outcome, {"message": message} | kind)
    else:
        SubElement(case, "system-out").text = message


FORMAT = Data("junit", ".xml", text, meaning="JUnit")
