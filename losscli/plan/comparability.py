"""Which settings must agree before results can be compared or merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.plan.options import OPTIONS, option_text
from losscli.plan.plan import Plan
from losscli.text import join_names

_WITHOUT_EFFECT = ("device",)
"""Options of a plan that do not affect values."""


def of(plan: Plan, fingerprint: int | None) -> dict[str, str]:
    """The settings that determine the values of a plan, except losses and parameters, which results name.

    Names of prediction columns are excluded, since models may choose them freely.  `fingerprint` is the hash
    of the targets, None if it was not computed.
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
    options, other_options = plan.options(), other.options()
    names = [
        name for name in OPTIONS if (name in options or name in other_options) and name not in _WITHOUT_EFFECT
    ]
    differing = [
        f"{OPTIONS[name].flag} {_value(name, other_options)}, not {_value(name, options)}"
        for name in names
        if options.get(name) != other_options.get(name)
    ]
    identities = [[choice.identity for choice in compared.choices] for compared in (plan, other)]
    if not differing and identities[0] != identities[1]:
        differing.append("the source of a loss")
    return differing


def _value(name: str, options: Mapping[str, Any]) -> str:
    """The value of an option, or its default, in words."""
    value = options.get(name, OPTIONS[name].default)
    if value is False:
        return "no"
    return "none" if value is None or value == () or value == {} else option_text(value)
