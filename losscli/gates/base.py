"""Judge the gates of a report, and check the options for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from losscli.errors import UsageError
from losscli.gates.judge import PLAIN, Rules, judge
from losscli.gates.parse import Gate
from losscli.report.comparable import compared
from losscli.report.model import Report


def judged(gates: Iterable[Gate], report: Report, base: Report | None = None, rules: Rules = PLAIN) -> Report:
    """The report with the verdicts of the gates and notes on the baseline.  Raises what `compared` raises."""
    notes = () if base is None else compared(report, base)
    return replace(report, gates=judge(gates, report, base, rules), findings=(*report.findings, *notes))


def meaningful(gates: Sequence[Gate], base: Report | None, rules: Rules) -> None:
    """Raise UsageError for options that have no effect on these gates."""
    if base is not None and not any(gate.limit.base for gate in gates):
        raise UsageError("--baseline has no effect: no gate refers to base", remedy="-g 'huber <= base + 1%'")
    if replace(rules, skips_base=False) != PLAIN and not gates:
        raise UsageError(
            "--confident, --strict and --min-n have no effect without a gate",
            remedy="-g 'huber <= 0.5'",
        )
