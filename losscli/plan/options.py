"""What options say, checked: words, names, levels and weights, and whether they mean anything here."""

from __future__ import annotations

import inspect
import math
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog.conventions.libraries import LIBRARIES
from losscli.catalog.params import Param
from losscli.data.labels import label_text
from losscli.data.request import Reading, reading
from losscli.data.stream import Roles
from losscli.engines import devices
from losscli.errors import Problem, UsageError, all_of
from losscli.tasks.catalog import TASKS
from losscli.text import near, split_names

POLICIES = ("error", "drop")
VARIABLES = {"device": "LOSSCLI_DEVICE"}
"""Options that the environment sets, where no argument does; it is above files of settings."""

Names = str | Iterable[object] | None
"""Names as text with commas between them, or a list of them."""


class Asked(Struct, frozen=True):
    """The options of a run, each checked by itself; `params` are parameters of losses, as they were given."""

    on: tuple[str, ...]
    target: tuple[str, ...]
    pred: tuple[str, ...]
    weight: str | None
    classes: tuple[str, ...]
    positive: str | None
    class_weight: Mapping[str, float]
    ignore_label: str | None
    from_logits: bool
    from_log_probs: bool
    task: str | None
    drop_missing: bool
    drop_unmatched: bool
    eps: float | None
    like: str | None
    normalize: bool
    level: float | None
    device: str
    threads: int | None
    where: str | None
    group: str | None
    by: tuple[tuple[str, ...], ...]
    cluster: str | None
    reading: Reading
    params: Mapping[str, object]


def checked(
    *,
    on: Names = None,
    target: Names = None,
    pred: Names = None,
    weight: str | None = None,
    classes: Names = None,
    positive: object = None,
    class_weight: str | Mapping[Any, float] | None = None,
    ignore_label: object = None,
    from_logits: bool = False,
    from_log_probs: bool = False,
    task: str | None = None,
    missing: str = "error",
    unmatched: str = "error",
    eps: float | str | None = None,
    like: str | None = None,
    normalize: bool = False,
    ci: float | str | None = 0.95,
    device: str | None = None,
    where: str | None = None,
    group: str | None = None,
    by: str | Iterable[str] | None = None,
    cluster: str | None = None,
    separator: str | None = None,
    input_format: str | None = None,
    threads: int | str | None = None,
    **params: object,
) -> Asked:
    """The options of `losscli.evaluate`, checked.  Raises UsageError with everything that is wrong.

    Whether some loss has the parameters in `params` is not looked at: see `known`.
    """
    place = device if device is not None else os.environ.get(VARIABLES["device"]) or devices.CPU
    inputs, level, weights, clip, named, workers, *_ = all_of(
        lambda: reading(separator, input_format),
        lambda: _level(ci),
        lambda: _weights(class_weight),
        lambda: _clip(eps),
        lambda: _different(_names(classes)),
        lambda: _threads(threads),
        lambda: _one_of("task", task, (None, *TASKS)),
        lambda: _one_of("missing", missing, POLICIES),
        lambda: _one_of("unmatched", unmatched, POLICIES),
        lambda: _device(place, device),
        lambda: _one_of("like", like, (None, *LIBRARIES)),
        lambda: _apart("--from-logits and --from-log-probs", from_logits, from_log_probs),
        lambda: _apart(
            "--cluster and --ci none", cluster is not None, ci is None or str(ci).lower() == "none"
        ),
        lambda: _apart("--eps and --like, which sets the clip,", eps is not None, like is not None),
    )
    return Asked(
        on=_names(on),
        target=_names(target),
        pred=_names(pred),
        weight=weight,
        classes=named,
        positive=None if positive is None else label_text(positive),
        class_weight=weights,
        ignore_label=None if ignore_label is None else label_text(ignore_label),
        from_logits=from_logits,
        from_log_probs=from_log_probs,
        task=task,
        drop_missing=missing == "drop",
        drop_unmatched=unmatched == "drop",
        eps=clip,
        like=like,
        normalize=normalize,
        level=level,
        device=place,
        threads=workers,
        where=where,
        group=group,
        by=tuple(tuple(split_names(text)) for text in ([by] if isinstance(by, str) else by or ())),
        cluster=cluster,
        reading=inputs,
        params=params,
    )


def loss_params() -> dict[str, tuple[Param, Sequence[str]]]:
    """The parameters of losses that are options too, with the losses that take them.

    One that has the name of another option (eps) is written in line alone: epsilon_insensitive:eps=0.1.
    """
    taken = inspect.signature(checked).parameters
    return {name: found for name, found in registry.option_params().items() if name not in taken}


def _names(value: Names) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(split_names(value)) if isinstance(value, str) else tuple(map(label_text, value))


def _different(classes: tuple[str, ...]) -> tuple[str, ...]:
    if twice := [name for name, count in Counter(classes).items() if count > 1]:
        raise UsageError(f"--classes names {', '.join(twice)} twice")
    return classes


def _one_of(name: str, value: str | None, known: Sequence[str | None]) -> None:
    if value not in known:
        words = [word for word in known if word]
        raise UsageError(f"--{name} must be {' or '.join(words)}, got {value!r}.{near(str(value), words)}")


def _device(device: str, given: str | None) -> None:
    try:
        if devices.checked(device) != devices.AUTO:
            devices.found(device)
    except UsageError as error:
        if given is not None:
            raise
        where = f"environment, {VARIABLES['device']}"
        raise UsageError([replace(problem, where=where) for problem in error.problems]) from None


def _apart(names: str, one: bool, other: bool) -> None:
    if one and other:
        raise UsageError(f"{names} exclude each other")


def known(given: Iterable[str], own: Collection[str] = ()) -> None:
    """Raise UsageError for names that are no option, no loss's parameter, and not one of `own` losses'."""
    options = [name for name in inspect.signature(checked).parameters if name != "params"]
    unknown = [name for name in given if name not in options and name not in own]
    if not unknown:
        return  # most runs give no parameter so, and need not look through the catalogue
    words = [*loss_params(), *own, *options]
    if unknown := [name for name in unknown if name not in words]:
        raise UsageError(
            [Problem(f"no option or loss parameter {name!r}.{near(name, words)}") for name in unknown]
        )


def _level(ci: float | str | None) -> float | None:
    """The level of intervals: a number between 0 and 1, or None for none."""
    if ci is None or str(ci).lower() == "none":
        return None
    number = _number(ci)
    if not 0 < number < 1:
        raise UsageError(f"--ci must be a number between 0 and 1, or none, got {ci}", remedy="--ci 0.95")
    return number


def _clip(eps: float | str | None) -> float | None:
    if eps is None:
        return None
    number = _number(eps)
    if not 0 <= number < 0.5:
        raise UsageError(f"--eps must be a number >= 0, < 0.5, got {eps}")
    return number


def _threads(threads: int | str | None) -> int | None:
    if threads is None:
        return None
    number = _number(threads)
    if not (number >= 1 and number.is_integer()):
        raise UsageError(f"--threads must be a whole number >= 1, got {threads}")
    return int(number)


def _number(given: object) -> float:
    """The number that an option says; NaN where it says none."""
    try:
        return float(given)  # type: ignore[arg-type]  # what float() refuses is caught here
    except (TypeError, ValueError):
        return math.nan


def _weights(given: str | Mapping[Any, float] | None) -> dict[str, float]:
    """The weight of each class that is named: 'cat=2,dog=1', or a mapping."""
    if given is None:
        return {}
    pairs = given.items() if isinstance(given, Mapping) else [_pair(part) for part in split_names(given)]
    weights = {}
    for name, text in pairs:
        weight = _number(text)
        if not 0 <= weight < math.inf:
            raise UsageError(f"--class-weight {label_text(name)}: a weight is a number >= 0, got {text}")
        weights[label_text(name)] = weight
    return weights


def _pair(part: str) -> tuple[str, str]:
    name, equals, text = part.rpartition("=")
    if not equals:
        raise UsageError(f"--class-weight {part}: written class=number, as in cat=2,dog=1")
    return name, text


def meaningful(asked: Asked, task: str, link: str) -> None:
    """Raise UsageError for options that have no meaning in this task, rather than ignore them."""
    options, of_probabilities = TASKS[task].options, link == "probability"
    idle = {
        "--eps clips probabilities": asked.eps is not None and not ("eps" in options and of_probabilities),
        "--normalize rescales probabilities of classes": asked.normalize
        and not ("normalize" in options and of_probabilities),
        "--ignore-label leaves out a class": asked.ignore_label is not None and "ignore_label" not in options,
        "--class-weight weighs classes": bool(asked.class_weight) and "class_weight" not in options,
        "--classes names the classes of a multiclass task": bool(asked.classes) and "classes" not in options,
        "--positive names one of two labels": asked.positive is not None and "positive" not in options,
        "--group tells groups that are ranked": asked.group is not None and "group" not in options,
        "--from-logits is for classification": asked.from_logits and "from_logits" not in options,
        "--from-log-probs is for multiclass tasks": asked.from_log_probs and "from_log_probs" not in options,
    }
    shown = f"a {task} task" + (f" of {link.replace('_', '-')}s" if link in ("logit", "label") else "")
    remedies = {"--eps clips probabilities": "a loss's own is written in line: epsilon_insensitive:eps=0.1"}
    if wrong := [what for what, is_idle in idle.items() if is_idle]:
        raise UsageError(
            [Problem(f"{what}, and this is {shown}", remedy=remedies.get(what, "")) for what in wrong]
        )


def class_weights(weights: Mapping[str, float], roles: Roles) -> tuple[float, ...] | None:
    """The weight of each class, one where none is given.  Raises UsageError for a class that is none."""
    if not weights:
        return None
    unknown = [name for name in weights if name not in roles.names]
    if unknown:
        raise UsageError(
            [
                Problem(
                    f"--class-weight: no class {name!r}.{near(name, roles.names)}",
                    remedy=f"the classes: {', '.join(roles.names[:20])}",
                )
                for name in unknown
            ]
        )
    return tuple(weights.get(name, 1.0) for name in roles.names)
