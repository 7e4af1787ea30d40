"""Whether two reports can be compared."""

from __future__ import annotations

from losscli.errors import Problem, UsageError
from losscli.report.findings import Code, Note, note
from losscli.report.model import Report

_NOTES = {
    "targets": Code.BASELINE_TARGETS,
    "alignment": Code.BASELINE_ALIGNMENT,
    "eps": Code.BASELINE_CLIP,
    "intervals": Code.BASELINE_INTERVALS,
    "replicates": Code.BASELINE_INTERVALS,
    "seed": Code.BASELINE_INTERVALS,
}
"""The provenance fields that may differ from a baseline, with their notes; other differences are errors."""


def compared(report: Report, base: Report) -> tuple[Note, ...]:
    """Notes on the comparison with `base`.

    Raises UsageError if the reports were made with different options, so that their numbers are not
    comparable.
    """
    names = [name for name in {**base.provenance, **report.provenance} if _differs(name, report, base)]
    if base.provenance and (incompatible := [name for name in names if name not in _NOTES]):
        raise UsageError(
            [
                Problem(
                    f"the baseline was made with {name} {base.provenance.get(name, 'none')}, "
                    f"this report with {report.provenance.get(name, 'none')}",
                    remedy="evaluate one of them again, with the options of the other",
                )
                for name in incompatible
            ]
        )
    notes = [note(Code.INDEPENDENT_BASELINE)]
    if base.provenance:
        notes += [note(code) for code in dict.fromkeys(_NOTES[name] for name in names if name in _NOTES)]
    else:
        notes.append(note(Code.BASELINE_PROVENANCE))
    if base.losscli != report.losscli:
        notes.append(note(Code.BASELINE_VERSION, base=base.losscli, now=report.losscli))
    return tuple(notes)


def unlike(report: Report, base: Report) -> str:
    """Why two reports are not comparable, in words; '' if they are."""
    names = [name for name in {**base.provenance, **report.provenance} if _differs(name, report, base)]
    incompatible = [name for name in names if name not in _NOTES or name == "targets"]
    return ", ".join(
        "other targets"
        if name == "targets"
        else f"{name} {report.provenance.get(name, 'none')} and {base.provenance.get(name, 'none')}"
        for name in incompatible
    )


def _differs(name: str, report: Report, base: Report) -> bool:
    return base.provenance.get(name) != report.provenance.get(name)
