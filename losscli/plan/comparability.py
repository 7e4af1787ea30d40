"""What makes the numbers of two reports comparable, in words that a report keeps."""

from __future__ import annotations

from losscli.plan.plan import Plan
from losscli.text import join_names


def of(plan: Plan, fingerprint: int | None) -> dict[str, str]:
    """What determines the numbers of a plan, except for losses and their parameters, which results name.

    The columns of the predictions are not among it: models name them as they like.  `fingerprint` is that
    of the targets, None where it was not taken.
    """
    provenance = plan.compared() | {
        "classes": join_names(plan.roles.names) if plan.cell in ("class", "label") else "",
        "alignment": "key" if plan.roles.ids else "position",
        "eps": repr(plan.roles.eps) if plan.roles.eps else "",
        "targets": "" if fingerprint is None else f"{fingerprint:016x}",
    }
    return {name: text for name, text in provenance.items() if text}
