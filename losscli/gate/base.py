"""Whether the numbers of a baseline may be compared with those of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from losscli.errors import Problem, UsageError
from losscli.gate.judge import PLAIN, Rules, judge
from losscli.gate.parse import Gate
from losscli.report import Report

_TOLD = {
    "targets": "the baseline has other targets: a difference may come from the data too",
    "alignment": "the baseline was aligned otherwise",
    "eps": "the baseline clips probabilities elsewhere",
}
"""What may differ from a baseline, and is said; anything else that differs is an error."""
UNPAIRED = "the baseline is compared as other rows: its noise adds to that of this report"


def judged(gates: Iterable[Gate], report: Report, base: Report | None = None, rules: Rules = PLAIN) -> Report:
    """The report with the verdicts of the gates, and what to know of its baseline.  Raises as `compared`."""
    notes = () if base is None else compared(report, base)
    return replace(report, gates=judge(gates, report, base, rules), notes=(*report.notes, *notes))


def compared(report: Report, base: Report) -> tuple[str, ...]:
    """What to know of a comparison with `base`, in words.

    Raises UsageError where the reports were made with different policies, and their numbers mean different
    things.
    """
    names = [name for name in {**base.basis, **report.basis} if _differs(name, report, base)]
    if base.basis and (wrong := [name for name in names if name not in _TOLD]):
        raise UsageError(
            [
                Problem(
                    f"the baseline was made with {name} {base.basis.get(name, 'none')}, this report with "
                    f"{report.basis.get(name, 'none')}",
                    remedy="evaluate one of them again, with the options of the other",
                )
                for name in wrong
            ]
        )
    told = [_TOLD[name] for name in names if name in _TOLD]
    if not base.basis:
        told = ["the baseline does not say how it was made: whether its numbers compare is not checked"]
    if base.losscli != report.losscli:
        told.append(f"the baseline is of losscli {base.losscli}, this report of {report.losscli}")
    return (UNPAIRED, *told)


def _differs(name: str, report: Report, base: Report) -> bool:
    return base.basis.get(name) != report.basis.get(name)


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
