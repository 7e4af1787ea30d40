"""What makes the numbers of two reports comparable, in words that a report keeps."""

from __future__ import annotations

from losscli.plan.plan import Plan
from losscli.text import join_names


def of(plan: Plan, fingerprint: int | None) -> dict[str, str]:
    """What stands behind the numbers of a plan, besides losses and their parameters, which results name.

    The columns of the predictions are not among it: models name them as they like.  `fingerprint` is that
    of the targets, None where it was not taken.
    """
    roles = plan.roles
    pairs = zip(roles.names, roles.class_weight or (), strict=bool(roles.class_weight))
    said = {
        "task": roles.task,
        "classes": join_names(roles.names) if plan.cell in ("class", "label") else "",
        "weight": roles.weight[2:] if roles.weight else "",
        "group": roles.group[2:] if roles.group else "",
        "cluster": roles.cluster[2:] if roles.cluster else "",
        "class weight": join_names(f"{name}={weight!r}" for name, weight in pairs),
        "ignored label": roles.ignore_label or "",
        "like": roles.like or "",
        "normalize": "yes" if roles.normalize else "",
        "missing": "drop" if roles.drop_missing else "",
        "unmatched": "drop" if roles.drop_unmatched else "",
        "where": plan.where or "",
        "alignment": "key" if roles.ids else "position",
        "eps": repr(roles.eps) if roles.eps else "",
        "targets": "" if fingerprint is None else f"{fingerprint:016x}",
    }
    return {name: text for name, text in said.items() if text}
