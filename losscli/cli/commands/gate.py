"""losscli gate."""

from __future__ import annotations

from losscli import api
from losscli.cli.output import emit
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.plan.options import in_python


def gate(given: Given) -> None:
    """Judge a saved report by gates, also against another report; nothing is evaluated.

    Examples:
        losscli gate report.json git:main:report.json -g 'huber <= base + 1%'
    """
    with Watch(given) as watch:
        report = api.gate(given["report"], given.get("base"), hooks=watch, **in_python(given))
    emit(report, watch.display)
