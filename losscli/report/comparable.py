"""Whether two reports can be compared."""

from __future__ import annotations

from losscli.errors import Problem, UsageError
from losscli.report.findings import Note
from losscli.report.model import Report

_TOLD = {
    "targets": "the baseline has other targets: a difference may come from the data too",
    "alignment": "the baseline was aligned otherwise",
    "eps": "the baseline clips probabilities elsewhere",
}
"""What may differ from a baseline, and is said; anything else that differs is an error."""
UNPAIRED = "the baseline is compared as other rows: its noise adds to that of this report"


def compared(report: Report, base: Report) -> tuple[Note, ...]:
    """What to know of a comparison with `base`, in words.

    Raises UsageError where the reports were made with different policies, and their numbers mean different
    things.
    """
    names = [name for name in {**base.provenance, **report.provenance} if _differs(name, report, base)]
    if base.provenance and (wrong := [name for name in names if name not in _TOLD]):
        raise UsageError(
            [
                Problem(
                    f"the baseline was made with {name} {base.provenance.get(name, 'none')}, "
                    f"this report with {report.provenance.get(name, 'none')}",
                    remedy="evaluate one of them again, with the options of the other",
                )
                for name in wrong
            ]
        )
    told = [_TOLD[name] for name in names if name in _TOLD]
    if not base.provenance:
        told = ["the baseline does not say how it was made: whether its numbers compare is not checked"]
    if base.losscli != report.losscli:
        told.append(f"the baseline is of losscli {base.losscli}, this report of {report.losscli}")
    return tuple(Note("", text) for text in (UNPAIRED, *told))


def unlike(report: Report, base: Report) -> str:
    """What makes the numbers of two reports mean different things, in words; '' if they are comparable."""
    names = [name for name in {**base.provenance, **report.provenance} if _differs(name, report, base)]
    wrong = [name for name in names if name not in _TOLD or name == "targets"]
    return ", ".join(
        "other targets"
        if name == "targets"
        else f"{name} {report.provenance.get(name, 'none')} and {base.provenance.get(name, 'none')}"
        for name in wrong
    )


def _differs(name: str, report: Report, base: Report) -> bool:
    return base.provenance.get(name) != report.provenance.get(name)
