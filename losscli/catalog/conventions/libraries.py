"""The libraries of --like: the convention of a loss in one of them, and what it means for a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog.conventions.keras import KERAS
from losscli.catalog.conventions.policy import ROW_COUNT, Convention, Library, Policy
from losscli.catalog.conventions.sklearn import SKLEARN
from losscli.catalog.conventions.torch import TORCH
from losscli.catalog.loss import Choice, Loss
from losscli.data.stream import Part, Roles
from losscli.errors import UsageError
from losscli.report.findings import Code, Note, note
from losscli.tasks.named import says_deviation
from losscli.text import enumerated

LIBRARIES: Mapping[str, Library] = {"sklearn": SKLEARN, "torch": TORCH, "keras": KERAS}


def convention(library: str, entry: Loss) -> Convention:
    """How a library computes a loss.  Raises UsageError if it is not known to have it."""
    own = LIBRARIES[library]
    found = own.losses.get(entry.name)
    if found is None:
        same = [each.name for each in registry.list_losses(entry.task) if each.name in own.losses]
        known = f"of its {entry.task} losses it is known to have {enumerated(same)}"
        raise UsageError(
            f"--like {library}: {own.title} has no equivalent of {entry.name}",
            remedy=f"leave out --like; {known}" if same else "leave out --like",
        )
    return found


def settled(library: str, choice: Choice, roles: Roles, type_eps: float) -> Choice:
    """A loss as a library computes it from predictions, targets and weights with these roles.

    `type_eps` is the machine epsilon of the predictions' type.  Raises UsageError for parameters and weights
    that the library does not support.
    """
    own, title = convention(library, choice.loss), LIBRARIES[library].title
    for param in choice.loss.params:
        if param.name in own.lacks and choice.params[param.name] != param.default:
            raise UsageError(f"--like {library}: {own.call} of {title} has no {param.name}")
    soft = roles.task == "multiclass" and roles.target_form == "matrix"
    of_classes = own.soft_class_weights if soft and own.soft_class_weights else own.class_weights
    asked = {"rows": own.weights} if roles.weight is not None else {}
    asked |= {"classes": of_classes} if roles.class_weight is not None else {}
    for what, divisor in asked.items():
        if divisor is None:
            raise UsageError(f"--like {library}: {own.call} of {title} takes no weights of {what}")
    low, high = own.clip.resolved(type_eps) if own.clip and roles.link == "probability" else (0.0, 0.0)
    return replace(choice, policy=Policy(own, low, high, ROW_COUNT in asked.values()))


def parts_read(choices: Sequence[Choice], parts: Sequence[Part]) -> tuple[Part, ...]:
    """The columns of batches as a library reads them: one that takes a variance reads a variance.

    A column whose name says that it holds the deviation is taken at its word.
    """
    taken = {
        (choice.loss.batch, field)
        for choice in choices
        if choice.policy is not None
        for field in choice.policy.convention.variances
    }
    return tuple(
        replace(
            part,
            variances=tuple(
                field
                for field, own in part.arrays.items()
                if field in part.variances
                or ((part.batch, field) in taken and not says_deviation(own[0][2:]))
            ),
        )
        for part in parts
    )


def notes_on_variances(parts: Sequence[Part]) -> tuple[Note, ...]:
    """Which columns are read as variances."""
    read = {(part.arrays[field][0][2:], field): None for part in parts for field in part.variances}
    return tuple(note(Code.VARIANCE_COLUMN, column=column, field=field) for column, field in read)


def notes(choices: Sequence[Choice], roles: Roles) -> tuple[Note, ...]:
    """What the library of a run chose for each loss, in words."""
    if roles.like is None:
        return ()
    own = LIBRARIES[roles.like]
    weighted = roles.weight is not None or roles.class_weight is not None
    texts = [
        f"{choice.loss.name} as {own.title}'s {choice.policy.describe(choice.params, roles.link, weighted)}"
        for choice in choices
        if choice.policy is not None
    ]
    return tuple(
        note(Code.CONVENTION, text=text)
        for text in (*texts, *([f"{own.title}: {own.remark}"] if own.remark else []))
    )
