"""losscli gate."""

from __future__ import annotations

from functools import partial

from losscli import gates
from losscli.catalog import registry
from losscli.cli.output import display_of, emit
from losscli.cli.parser import Given
from losscli.errors import UsageError, all_of
from losscli.plan.options import in_python, request_of
from losscli.report import saved
from losscli.report.model import Report


def gate(given: Given) -> None:
    """Judge a saved report, by gates that may speak of another one; nothing is evaluated.

    Examples:
        losscli gate report.json git:main:report.json -g 'huber <= base + 1%'
    """
    if not given.get("gate"):
        raise UsageError("no gate", remedy="-g 'huber <= 0.5'")
    display, request, report, base = all_of(
        lambda: display_of(given),
        lambda: request_of(in_python(given)),
        lambda: saved.load(given["report"]),
        lambda: saved.load(given["base"]) if "base" in given else None,
    )
    conditions = all_of(*(partial(gates.parse, text, partial(_names, report)) for text in request.gate))
    rules = gates.Rules(request.confident, request.strict, request.min_n)
    gates.meaningful(conditions, base, rules)
    emit(gates.judged(conditions, report, base, rules), display)


def _names(report: Report, name: str) -> tuple[str, ...]:
    """The names that a loss may have in a report."""
    if name in report.names:
        return (report.names[name],)
    if any(result.loss == name for result in report.results):
        return (name,)
    return tuple(entry.name for entry in registry.find(name))
