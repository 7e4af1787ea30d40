"""Choose the losses: the requested ones, those that gates name, or the usual ones of the task."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog.conventions import libraries
from losscli.catalog.conventions.libraries import LIBRARIES
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.request import LossRequest
from losscli.data.stream import Part, Roles
from losscli.errors import UsageError, all_of
from losscli.gates.parse import Gate, parse_gate
from losscli.plan.columns import InferredColumns
from losscli.plan.options import OPTIONS, Request, loss_params
from losscli.plan.values import listed
from losscli.tasks.binary import BinaryLabel
from losscli.tasks.catalog import TASKS
from losscli.tasks.classes import MulticlassLabel
from losscli.tasks.grouped import Relevance
from losscli.text import counted, either, enumerated, near


def gates_of(
    given: object, custom_names: Mapping[str, str]
) -> tuple[tuple[Gate, ...], Mapping[tuple[str, ...], str]]:
    """Parse gates from text or tables; also returns the names of losses as written in gates.

    `custom_names` maps names in the request to custom losses.  Raises UsageError for an invalid gate or an
    unknown loss.
    """
    written: dict[tuple[str, ...], str] = {}

    def canonical(name: str) -> tuple[str, ...]:
        names = (
            (custom_names[name],)
            if name in custom_names
            else tuple(entry.name for entry in registry.find(name))
        )
        written.setdefault(names, name)
        return names

    return tuple(all_of(*(partial(parse_gate, gate, canonical) for gate in listed(given)))), written


def of_gates(
    gates: Sequence[Gate],
    written: Mapping[tuple[str, ...], str],
    given: Sequence[LossRequest],
    custom_names: Collection[str],
) -> list[LossRequest]:
    """The losses that gates name and that are not `given`, so that each gate has a value.

    `custom_names` are the names of custom losses.
    """
    requested = {entry.name for request in given for entry in request.losses}
    gated: list[LossRequest] = []
    for gate in gates:
        names, params = gate.subject.losses, dict(gate.subject.params)
        if (
            names
            and not {*custom_names}.intersection(names)
            and (params or not requested.intersection(names))
        ):
            gated.append(LossRequest(written[names], params, tuple(registry.find(name)[0] for name in names)))
    return gated


def of_task(given: Sequence[LossRequest], task: str | None) -> list[LossRequest]:
    """The losses, limited to a task if one is named.  Raises UsageError for losses of other tasks."""
    narrowed: list[LossRequest] = all_of(*(partial(_limited_to_task, request, task) for request in given))
    _check_names(narrowed)
    return narrowed


def _limited_to_task(request: LossRequest, task: str | None) -> LossRequest:
    if task is None:
        return request
    fitting = tuple(entry for entry in request.losses if entry.task == task)
    if not fitting:
        names = [entry.name for entry in registry.list_losses(task)]
        raise UsageError(
            f"{request.name} is not a {task} loss.{near(request.name, names)}",
            remedy=f"losscli explain lists the {task} losses",
        )
    return replace(request, losses=fitting)


def _check_names(candidates: Sequence[LossRequest]) -> None:
    """Raise UsageError if two custom losses have the same name, which a report could not distinguish."""
    first: dict[str, Loss] = {}
    for loss in (candidate.losses[0] for candidate in candidates if candidate.losses[0].request):
        other = first.setdefault(loss.name, loss)
        if (other.request, other.digest) != (loss.request, loss.digest):
            raise UsageError(
                f"two losses are named {loss.name}: {other.request} and {loss.request}",
                remedy="choose another name for one of them",
            )


def open_tasks(candidates: Sequence[LossRequest]) -> set[str]:
    """The tasks common to all losses.  Raises UsageError if there is none."""
    tasks = set(TASKS)
    for candidate in candidates:
        loss_tasks = {entry.task for entry in candidate.losses}
        if not tasks & loss_tasks:
            raise UsageError(
                f"{candidate.name} is a {either(sorted(loss_tasks))} loss, "
                f"and {candidates[0].name} belongs to {either(sorted(tasks))}",
                remedy="choose losses of one task",
            )
        tasks &= loss_tasks
    return tasks


def aliases(candidates: Sequence[LossRequest], task: str) -> dict[str, str]:
    """The names of losses, by the aliases in the request."""
    names = {c.name: next(entry.name for entry in c.losses if entry.task == task) for c in candidates}
    return {alias: name for alias, name in names.items() if alias != name}


def choices(
    request: Request,
    given: Sequence[LossRequest],
    gated: Sequence[LossRequest],
    task: str,
    link: str,
    inferred: InferredColumns,
) -> tuple[Choice, ...]:
    """The losses with their parameters: those `given`, else the usual ones, and those of gates.

    Raises UsageError for parameters that no chosen loss takes.
    """
    chosen = [(_loss_of(named_loss, task), named_loss) for named_loss in given] or _default_losses(
        request, task, link, inferred
    )
    chosen += [(_loss_of(named_loss, task), named_loss) for named_loss in gated]
    accepted = {param.name for entry, _ in chosen for param in entry.params}
    unused = [name for name in request.params if name not in accepted]
    takers, names = loss_params() if unused else {}, ", ".join(entry.name for entry, _ in chosen)
    *parsed, _ = all_of(
        *(partial(_choice, entry, requested, request) for entry, requested in chosen),
        *(partial(_refuse_param, name, takers[name][1], names) for name in unused),
        lambda: None,
    )
    return tuple({str(choice): choice for choice in parsed}.values())


def _loss_of(request: LossRequest, task: str) -> Loss:
    return next(entry for entry in request.losses if entry.task == task)


def _default_losses(
    request: Request, task: str, link: str, inferred: InferredColumns
) -> list[tuple[Loss, LossRequest]]:
    """The default losses of a task, limited to those whose columns exist."""
    usual = TASKS[task].usual_labels if link == "label" else TASKS[task].usual
    shown = {part.batch for part in inferred.parts}
    entries = [registry.find(name)[0] for name in usual]
    entries = [entry for entry in entries if not shown or entry.batch in shown]
    if request.like is not None:
        of_library = LIBRARIES[request.like].losses
        entries = [entry for entry in entries if entry.name in of_library] or entries
    return [(entry, LossRequest(entry.name, {}, (entry,))) for entry in entries]


def _choice(entry: Loss, requested: LossRequest, request: Request) -> Choice:
    defaults = {} if request.like is None else libraries.convention(request.like, entry).params
    name = entry.name if entry.request else requested.name
    return registry.choose(entry, requested.inline, request.params, defaults, name)


def as_in_library(
    library: str, choices: Sequence[Choice], roles: Roles, type_eps: float
) -> tuple[Choice, ...]:
    """The losses with the conventions of a library."""
    *settled, _ = all_of(
        *(partial(libraries.settled, library, choice, roles, type_eps) for choice in choices), lambda: None
    )
    return tuple(settled)


def parts_taken(choices: Sequence[Choice], parts: Sequence[Part]) -> tuple[Part, ...]:
    """The columns of batches, with -1 allowed as a relevance if a loss accepts it."""
    takers = {choice.loss.batch for choice in choices if choice.params.get("negative") == "zero"}
    return tuple(
        replace(part, ranges={"target": part.batch.with_negative})
        if issubclass(part.batch, Relevance) and part.batch in takers
        else part
        for part in parts
    )


def check_dimensions(choices: Sequence[Choice], parts: Sequence[Part], widths: Mapping[str, int]) -> None:
    """Raise UsageError for a parameter whose length is not the dimension of the vectors."""
    columns = {part.batch: next(iter(part.arrays.values())) for part in parts}
    for choice in choices:
        for param in choice.loss.params:
            if param.dimensions is None:
                continue
            names, given = columns[choice.loss.batch], len(choice.params[param.name])
            dimensions = widths[names[0]] if names[0] in widths else len(names)
            if given != dimensions:
                raise UsageError(
                    f"{choice.loss.name}: {param.name} has {counted(given, 'dimension')}, and the vectors "
                    f"have {dimensions}",
                    remedy=f"{param.name} is {param.describe()}",
                )


def of_zero_classes(choices: Sequence[Choice], roles: Roles) -> tuple[Choice, ...]:
    """The losses; where rows of classes with weight zero count, with these rows included."""
    if 0.0 not in (roles.class_weight or ()) or not roles.spreads_class_weight:
        return tuple(choices)
    return tuple(_with_zero_class(choice) for choice in choices)


def _with_zero_class(choice: Choice) -> Choice:
    if not choice.loss.keeps_zero_class(choice.params):
        return choice
    mean = choice.loss.additive and not choice.by_rows
    return replace(choice, keeps_zero_class=True, loss=choice.loss.as_ratio() if mean else choice.loss)


def _refuse_param(name: str, takers: Sequence[str], chosen: str) -> None:
    raise UsageError(
        f"no chosen loss ({chosen}) takes --{name.replace('_', '-')}",
        remedy=f"it belongs to {', '.join(takers[:5])}",
    )


def check_scales(request: Request, roles: Roles, choices: Collection[Choice]) -> None:
    """Raise UsageError for losses without the required scale, and for scales that no loss uses."""
    needs = {choice.loss.name: choice.loss.batch.needs for choice in choices}
    for name, options in needs.items():
        if options and not any(getattr(request, option) for option in options):
            flags = either(OPTIONS[option].flag for option in options)
            shown = [
                f"{OPTIONS[option].flag} COLUMN: {OPTIONS[option].text.rstrip('.')}" for option in options
            ]
            raise UsageError(f"{name} needs {flags}", remedy="; ".join(shown))
    for option in ("scale_by", "naive"):
        if getattr(request, option) and not any(option in options for options in needs.values()):
            takers = [entry.name for entry in registry.list_losses(roles.task) if option in entry.batch.needs]
            _refuse_option(option, takers)
    if any(needs.values()) and roles.task == "regression" and len(roles.predictions) > 1:
        raise UsageError(
            f"{len(roles.predictions)} outputs, but a scale or a naive forecast for only one",
            remedy="choose one with -p and -y",
        )


def check_clip(request: Request, roles: Roles, choices: Collection[Choice]) -> None:
    """Raise UsageError for a clip of probabilities if no loss clips them."""
    if request.eps is not None and not any(map(may_clip, choices)):
        _refuse_option("eps", [entry.name for entry in registry.list_losses(roles.task) if entry.clips])


def may_clip(choice: Choice) -> bool:
    """Whether a loss clips probabilities; a loss of a user may."""
    return choice.loss.clips or bool(choice.loss.request)


def _refuse_option(option: str, takers: Sequence[str]) -> None:
    raise UsageError(
        f"{OPTIONS[option].flag}: no chosen loss takes it", remedy=f"it belongs to {enumerated(takers)}"
    )


def check_labels(roles: Roles, choices: Collection[Choice]) -> None:
    """Raise UsageError for losses that need probabilities if predictions are labels."""
    if roles.link != "label":
        return
    labels = (BinaryLabel, MulticlassLabel)
    wrong = [choice.loss.name for choice in choices if not issubclass(choice.loss.batch, labels)]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)} needs probabilities or scores; {roles.predictions[0][2:]} holds labels",
            remedy="-p names other columns",
        )
