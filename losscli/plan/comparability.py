"""The provenance of a report: what must agree before its numbers can be compared with another's."""

from __future__ import annotations

from losscli.plan.plan import Plan
from losscli.text import join_names


def of(plan: Plan, fingerprint: int | None) -> dict[str, str]:
    """What determines the numbers of a plan, except for losses and their parameters, which results name.

    The names of prediction columns are left out, since models may name them freely.  `fingerprint` is that of
    the targets, None if it was not computed.
    """
    provenance = plan.compared() | {
        "classes": join_names(plan.roles.names) if plan.cell in ("class", "label") else "",
        "alignment": "key" if plan.roles.ids else "position",
        "eps": repr(plan.roles.eps) if plan.roles.eps else "",
        "targets": "" if fingerprint is None else f"{fingerprint:016x}",
    }
    return {name: text for name, text in provenance.items() if text}
