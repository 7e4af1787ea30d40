"""The libraries of --like: the convention of a loss in each, and its effect on a run."""

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
    """The convention of a library for a loss.  Raises UsageError if the library has no equivalent."""
    conventions = LIBRARIES[library]
    definition = conventions.losses.get(entry.name)
    if definition is None:
        available = [
            other.name for other in registry.list_losses(entry.task) if other.name in conventions.losses
        ]
        equivalents = f"of its {entry.task} losses it is known to have {enumerated(available)}"
        raise UsageError(
            f"--like {library}: {conventions.title} has no equivalent of {entry.name}",
            remedy=f"leave out --like; {equivalents}" if available else "leave out --like",
        )
    return definition


def settled(library: str, choice: Choice, roles: Roles, type_eps: float) -> Choice:
    """The choice with the convention of a library applied to predictions, targets and weights.

    `type_eps` is the machine epsilon of the predictions' type.  Raises UsageError for parameters and weights
    that the library does not support.
    """
    definition, title = convention(library, choice.loss), LIBRARIES[library].title
    for param in choice.loss.params:
        if param.name in definition.lacks and choice.params[param.name] != param.default:
            raise UsageError(f"--like {library}: {definition.call} of {title} has no {param.name}")
    soft = roles.task == "multiclass" and roles.target_form == "matrix"
    of_classes = (
        definition.soft_class_weights if soft and definition.soft_class_weights else definition.class_weights
    )
    divisors = {"rows": definition.weights} if roles.weight is not None else {}
    divisors |= {"classes": of_classes} if roles.class_weight is not None else {}
    for what, divisor in divisors.items():
        if divisor is None:
            raise UsageError(f"--like {library}: {definition.call} of {title} takes no weights of {what}")
    low, high = (
        definition.clip.resolved(type_eps) if definition.clip and roles.link == "probability" else (0.0, 0.0)
    )
    return replace(choice, policy=Policy(definition, low, high, ROW_COUNT in divisors.values()))


def parts_read(choices: Sequence[Choice], parts: Sequence[Part]) -> tuple[Part, ...]:
    """The columns of batches, with scale columns read as variances if the library expects variances.

    A column named as a standard deviation is still read as one.
    """
    variances = {
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
                for field, names in part.arrays.items()
                if field in part.variances
                or ((part.batch, field) in variances and not says_deviation(names[0][2:]))
            ),
        )
        for part in parts
    )


def notes_on_variances(parts: Sequence[Part]) -> tuple[Note, ...]:
    """Notes on the columns that are read as variances."""
    read = {(part.arrays[field][0][2:], field): None for part in parts for field in part.variances}
    return tuple(note(Code.VARIANCE_COLUMN, column=column, field=field) for column, field in read)


def notes(choices: Sequence[Choice], roles: Roles) -> tuple[Note, ...]:
    """Notes on the conventions of the library for each loss."""
    if roles.like is None:
        return ()
    library = LIBRARIES[roles.like]
    weighted = roles.weight is not None or roles.class_weight is not None
    texts = [
        f"{choice.loss.name} as {library.title}'s "
        f"{choice.policy.describe(choice.params, roles.link, weighted)}"
        for choice in choices
        if choice.policy is not None
    ]
    return tuple(
        note(Code.CONVENTION, text=text)
        for text in (*texts, *([f"{library.title}: {library.remark}"] if library.remark else []))
    )
