"""The verdicts of a report as JUnit XML: a test case for each gate and cell.

Without gates there is a skipped case for each overall value: some CI systems take a file without cases for
an error, others for success.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from losscli.render.digits import estimate
from losscli.render.formats import Data
from losscli.render.naming import label, plain
from losscli.render.sections.verdicts import judgement
from losscli.report.model import Report

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
    """One test suite in the schema of Jenkins; an unsure verdict is a skipped case with its reason."""
    from xml.etree import ElementTree as Xml  # loads a parser, which only this format needs

    cases = [*_cases(report)]
    outcomes = [outcome for _, outcome, _ in cases]
    counts = {name: str(outcomes.count(outcome)) for name, outcome in _COUNTS.items()}
    attributes = {"name": "losscli", "tests": str(len(outcomes))}
    # The schema has the attribute `skipped` for a suite, but not for the suites.
    suites = Xml.Element("testsuites", attributes | {name: counts[name] for name in ("failures", "errors")})
    suite = Xml.SubElement(suites, "testsuite", attributes | counts)
    for case in cases:
        _add(suite, *case)
    Xml.indent(suites)
    body = Xml.tostring(suites, encoding="unicode").replace("##", "#&#35;")  # commands of logs
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _cases(report: Report) -> Iterator[tuple[str, str, str]]:
    """The name, the outcome, empty for passed, and the message of each case."""
    for verdict in report.gates:
        name = f"{verdict.title} ({verdict.place})" if verdict.place else verdict.title
        yield name, _OUTCOMES.get(verdict.status, ""), judgement(verdict)
    for result in () if report.gates else report.overall:
        yield label(result), "skipped", f"no gate: value {estimate(result.value, result.se)}"


def _add(suite: Element, name: str, outcome: str, message: str) -> None:
    from xml.etree.ElementTree import SubElement

    case = SubElement(suite, "testcase", {"classname": "losscli.gate", "name": plain(name)})
    if outcome:
        kind = {} if outcome == "skipped" else {"type": outcome}
        SubElement(case, outcome, {"message": message} | kind)
    else:
        SubElement(case, "system-out").text = message


def _notes(report: Report) -> list[str]:
    return [] if report.gates else ["JUnit has skipped cases only, as no gate was given"]


FORMAT = Data("junit", ".xml", text, meaning="JUnit", notes=_notes)
