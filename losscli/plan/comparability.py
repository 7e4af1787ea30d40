"""What must agree before numbers can be compared with others, or merged with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.plan.options import OPTIONS, option_text
from losscli.plan.plan import Plan
from losscli.text import join_names

_WHERE_IT_RUNS = ("device",)
"""Options of a plan on which no value depends."""


def of(plan: Plan, fingerprint: int | None) -> dict[str, str]:
    """What determines the numbers of a plan, except for losses and their parameters, which results name.

    The names of prediction columns are left out, since models may name them freely.  `fingerprint` is that of
    the targets, None if it was not computed.
    """
    provenance = {
        **plan.compared,
        "classes": join_names(plan.roles.names) if plan.cell in ("class", "label") else "",
        "alignment": "key" if plan.roles.ids else "position",
        "eps": repr(plan.roles.eps) if plan.roles.eps else "",
        "targets": "" if fingerprint is None else f"{fingerprint:016x}",
    }
    return {name: text for name, text in provenance.items() if text}


def differences(plan: Plan, other: Plan) -> list[str]:
    """The options in which another plan differs: '--delta 2, not 1'."""
    own, others = plan.options(), other.options()
    names = [name for name in OPTIONS if (name in own or name in others) and name not in _WHERE_IT_RUNS]
    found = [
        f"{OPTIONS[name].flag} {_value(name, others)}, not {_value(name, own)}"
        for name in names
        if own.get(name) != others.get(name)
    ]
    identities = [[choice.identity for choice in each.choices] for each in (plan, other)]
    if not found and identities[0] != identities[1]:
        found.append("the source of a loss")
    return found


def _value(name: str, options: Mapping[str, Any]) -> str:
    """The value of an option, or its default, in words."""
    value = options.get(name, OPTIONS[name].default)
    if value is False:
        return "no"
    return "none" if value is None or value == () or value == {} else option_text(value)
