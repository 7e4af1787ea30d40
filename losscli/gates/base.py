"""Whether the numbers of a baseline may be compared with those of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from losscli.errors import UsageError
from losscli.gates.judge import PLAIN, Rules, judge
from losscli.gates.parse import Gate
from losscli.report.comparable import compared
from losscli.report.model import Report


def judged(gates: Iterable[Gate], report: Report, base: Report | None = None, rules: Rules = PLAIN) -> Report:
    """The report with the verdicts of the gates, and what to know of its baseline.  Raises as `compared`."""
    notes = () if base is None else compared(report, base)
    return replace(report, gates=judge(gates, report, base, rules), findings=(*report.findings, *notes))


def rules(confident: bool = False, strict: bool = False, min_n: int | str = 0) -> Rules:
    """The rules that options ask for.  Raises UsageError for a number of rows that is none."""
    try:
        number = float(min_n)
    except (TypeError, ValueError):
        number = -1.0
    if not (number >= 0 and number.is_integer()):
        raise UsageError(f"--min-n must be a whole number >= 0, got {min_n}")
    return Rules(confident, strict, int(number))


def meaningful(gates: Sequence[Gate], base: Report | None, rules: Rules) -> None:
    """Raise UsageError for options that no gate would heed, rather than ignore them."""
    if base is not None and not any(gate.limit.base for gate in gates):
        raise UsageError("no gate speaks of the baseline", remedy="-g 'huber <= base + 1%'")
    if rules != PLAIN and not gates:
        raise UsageError(
            "--confident, --strict and --min-n say how gates are judged, and there is no gate",
            remedy="-g 'huber <= 0.5'",
        )
