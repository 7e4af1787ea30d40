"""The catalog: losses by name, alias or short name, built from the signatures of their functions."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from shlex import quote
from typing import Any, Literal, TypeVar

from losscli.catalog import hints
from losscli.catalog.families import FAMILIES
from losscli.catalog.index import HOMES
from losscli.catalog.loss import Choice, Loss, Replacement
from losscli.catalog.params import Param
from losscli.errors import UsageError
from losscli.states import reductions
from losscli.states.base import State
from losscli.states.moments import Moments
from losscli.states.order import Order
from losscli.states.ranks import Ranks
from losscli.states.reductions import Reduction
from losscli.text import near, not_one_of, param_text

_Function = TypeVar("_Function", bound=Callable[..., Any])


_QUANTILE = re.compile(r"(.+?)\s*@\s*[pP](\d+(?:\.\d+)?)")
"""A loss and the percentage of a quantile: huber@p95."""
_registry: dict[str, Loss] = {}
_named: dict[str, list[Loss]] = {}
"""The losses by name or alias in lower case, at most one per task."""


def loss(
    *aliases: str,
    reduction: Reduction = reductions.mean,
    best: float | None = 0.0,
    worst: float | None = None,
    limit: float | None = None,
    signed: bool = False,
    score: bool = False,
    domain: str = "",
    remedy: str = "",
    replaces: Replacement | None = None,
    zero_class: Literal["", "smoothed", "always"] = "",
    infinite_at_zero: str = "",
    clips: bool = False,
    increasing: tuple[str, ...] = (),
    tail: tuple[str, str] | None = None,
    state: type[State] = Moments,
    order: Order | None = None,
) -> Callable[[_Function], _Function]:
    """Register a function as a loss of the catalog under its own name.

    The annotation of the first argument is the type of batch, the keyword arguments are the parameters with
    their ranges, and the docstring is what `losscli explain` prints.

    Args:
        aliases: Its names in other libraries; each may name one loss per task.
        reduction: The function from the weighted means of its row columns to its value.
        best: The value of a perfect prediction, or None if that depends on the targets.
        worst: The value that no prediction exceeds, or None without a limit.
        limit: The bound on the best value, if that depends on the targets.
        signed: Whether the value can be on either side of the best one.
        score: Whether larger values are better.
        domain: The values that it is defined for, in words, if those are not all values of its task.
        remedy: How to handle values outside the domain, such as a parameter.
        replaces: Values that it replaces, such as a target of zero, which the report then notes.
        zero_class: When rows count whose class has weight zero.
        infinite_at_zero: The parameter whose zero allows rows of infinite loss.
        clips: Whether probabilities of 0 and 1 are clipped, as under a logarithm.
        increasing: Names of parameters that have to increase in this order.
        tail: The parameter beyond which a residual is treated differently, and how: linear.
        state: The type of state that summarizes the rows; moments are enough for every function of means.
        order: The function of sorted rows of a loss of order; its state is `Ranks` of the returned columns.

    Returns:
        A decorator, which returns the function itself.
    """

    def register(function: _Function) -> _Function:
        name: str = function.__name__
        entry = Loss(
            name,
            aliases,
            function,
            reduction,
            best,
            score,
            (named, (name,)),
            domain=domain,
            remedy=remedy,
            replaces=replaces,
            zero_class=zero_class,
            infinite_at_zero=infinite_at_zero,
            clips=clips,
            increasing=increasing,
            tail=tail,
            state=state if order is None else Ranks,
            worst=worst,
            limit=limit,
            signed=signed,
            order=order,
        )
        if name in _registry:
            raise ValueError(f"two losses are named {name}")
        names = {text.lower() for text in (name, *aliases)}
        for alias in names:
            for other in _named.get(alias, ()):
                if other.task == entry.task:
                    raise ValueError(f"{name} and {other.name} of {entry.task} share the name {alias}")
        for alias in names:
            _named.setdefault(alias, []).append(entry)
        _registry[name] = entry
        return function

    return register


@cache
def _load(families: tuple[str, ...] = FAMILIES) -> None:
    for family in families:
        importlib.import_module(f"losscli.losses.{family}")


_PLACES = {f"losscli.losses.{family}": i for i, family in enumerate(FAMILIES)}


def _in_order(entries: Iterable[Loss]) -> list[Loss]:
    """Losses in the order of the catalog, whatever the order in which their families were imported."""
    return sorted(entries, key=lambda entry: _PLACES.get(entry.function.__module__, len(_PLACES)))


def list_losses(task: str | None = None) -> tuple[Loss, ...]:
    """List the losses of the catalog.

    Args:
        task: The task whose losses are listed: "regression", "binary", ...; if omitted, all of them.

    Returns:
        The losses by task, in the order of the catalog.  A `Loss` has `name`, `aliases`, `task`, `summary`,
        `formula`, `unit`, `best`, `score`, `domain`, `params` and `reference`.

    Raises:
        UsageError: No task has that name.

    Examples:
        >>> huber = next(loss for loss in losscli.list_losses("regression") if loss.name == "huber")
        >>> huber.unit, [(param.name, param.default) for param in huber.params]
        ('target^2', [('delta', 1.0)])
    """
    _load()
    entries = _in_order(_registry.values())
    tasks = [*dict.fromkeys(entry.task for entry in entries)]
    if task is not None and task not in tasks:
        raise UsageError(not_one_of("task", task, tasks))
    by_task = sorted(entries, key=lambda entry: tasks.index(entry.task))
    return tuple(entry for entry in by_task if task in (None, entry.task))


def names() -> list[str]:
    """Every name of a loss in lower case: canonical names and aliases."""
    _load()
    return sorted(_named)


def named(name: str) -> Loss:
    """The loss with this canonical name."""
    _load(HOMES[name])
    return _registry[name]


def find(name: str) -> tuple[Loss, ...]:
    """The losses that a name can refer to: one, or one per task for a short name.

    Case is ignored, and so are spaces, hyphens and underscores if the name is unique without them.  NAME@p95
    is the 95 % quantile of the row losses.

    Raises:
        UsageError: No loss has the name; the error names a replacement, or near names.
    """
    if (match := _QUANTILE.fullmatch(name.strip())) is not None:
        entries, percent = find(match[1]), _percent(name, match[2])
        if entries[0].quantile is not None:
            raise UsageError(f"{name}: {match[1]} is a quantile already, as in mae@p95")
        return tuple(_at_quantile(entry.name, percent) for entry in entries)
    lowered = name.lower()
    # Importing all families would take longer than a small run.
    _load(HOMES.get(lowered, FAMILIES))
    matches = _named.get(lowered) or _find_ignoring_separators(lowered)
    if not matches:
        raise _unknown(name)
    return tuple(sorted(_in_order(matches), key=lambda entry: entry.name != lowered))


def _percent(name: str, written: str) -> str:
    """The percentage in a name such as huber@p99.90, in its shortest form.  Raises UsageError if invalid."""
    percent = Decimal(written)
    if not 0 < float(percent / 100) < 1:
        raise UsageError(f"{name}: a quantile is written @p50, @p95 or @p99.9, between @p0 and @p100")
    return f"{percent.normalize():f}"


@cache
def _at_quantile(name: str, percent: str) -> Loss:
    """The loss that is a quantile of the row losses of the named loss."""
    return named(name).at_quantile(percent, _at_quantile)


def _find_ignoring_separators(name: str) -> list[Loss]:
    """The losses whose name differs only in spaces, hyphens and underscores; empty if that is ambiguous."""
    squeezed = hints.squeezed(name)
    matches = [
        entry for other, entries in _named.items() if hints.squeezed(other) == squeezed for entry in entries
    ]
    by_name = {entry.name: entry for entry in matches}
    tasks = {entry.task for entry in by_name.values()}
    return list(by_name.values()) if len(tasks) == len(by_name) else []


def _unknown(name: str) -> UsageError:
    """The error for a name that no loss has."""
    if hint := hints.of(name):
        remedy = ", or ".join(f"-l {loss}" for loss in hint.losses)
        return UsageError(f"unknown loss {name!r}: {hint.text}", remedy=remedy)
    if cut := _cut_off(name):
        return UsageError(f"unknown loss {name!r}: the number of ranks is a parameter", remedy=f"-l {cut}")
    stem = hints.without_ending(hints.squeezed(name))
    matches = [other for other in names() if hints.squeezed(other) == stem]
    suggestion = f" Did you mean {matches[0]}?" if matches else near(name, names())
    return UsageError(f"unknown loss {name!r}.{suggestion}", remedy="losscli explain lists all losses")


def _cut_off(name: str) -> str:
    """The correct form of a name such as ndcg@10 or precision@10, if the loss has k; else empty."""
    stem, _, ranks = name.lower().partition("@")
    names = [
        candidate
        for candidate in (f"{stem}_at_k", stem)
        for entry in _named.get(candidate, ())
        if entry.param("k")
    ]
    return f"{names[0]}:k={ranks}" if names and ranks.isdigit() else ""


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Split 'huber:delta=2' into the name and its in-line parameters.  Raises UsageError."""
    name, _, inline = text.strip().partition(":")
    return name.strip(), parse_inline(text, inline)


def parse_inline(text: str, inline: str) -> dict[str, str]:
    """The parameters in 'delta=2,...', the end of a text that names a loss.  Raises UsageError."""
    given: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in inline.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"{text!r}: parameters are written name=value, as in huber:delta=2")
        given[key.strip().replace("-", "_")] = value.strip()
    return given


def choose(
    entry: Loss,
    inline: Mapping[str, object],
    options: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
    name: str = "",
) -> Choice:
    """Set the parameters of a loss: in-line ones first, then options, then `defaults`, then its own defaults.

    `name` is the name that the user wrote.

    Raises UsageError for an unknown parameter, a value out of range, or a missing value.
    """
    param_names = [param.name for param in entry.params]
    problems = [
        f"{entry.name} has no parameter {name!r}."
        + (near(name, param_names) or f" It has: {', '.join(param_names) or 'none'}.")
        for name in inline
        if name not in param_names
    ]
    params: dict[str, Any] = {}
    for param in entry.params:
        default = (defaults or {}).get(param.name, param.default)
        given = inline.get(param.name, options.get(param.name, default))
        if given is ...:
            example = f"{entry.asked_as}:{param.name}=..."
            problems.append(f"{entry.name} needs {param.name}: {param.describe()}, as in {example}")
            continue
        try:
            params[param.name] = param.parse(given)
        except UsageError as error:
            problems.append(f"{entry.name}: {error.problems[0].what}")
    rising = [params[name] for name in entry.increasing if name in params]
    if any(lower >= upper for lower, upper in pairwise(rising)):
        values = ", ".join(f"{name}={params[name]:g}" for name in entry.increasing if name in params)
        problems.append(f"{entry.name} needs {' < '.join(entry.increasing)}, got {values}")
    if problems:
        raise UsageError("; ".join(problems), remedy=f"losscli explain {quote(entry.asked_as)}")
    given = [key for key in params if key in inline or key in options]
    written = ",".join(f"{key}={param_text(params[key]).removesuffix('.0')}" for key in given)
    label = f"{name or entry.name}:{written}" if written else name or entry.name
    return Choice(entry, params, label=label)


@cache
def option_params() -> dict[str, tuple[Param, Sequence[str]]]:
    """Every parameter of the catalog by name, with the losses that take it."""
    params: dict[str, tuple[Param, list[str]]] = {}
    for entry in list_losses():
        for param in entry.params:
            params.setdefault(param.name, (param, []))[1].append(entry.name)
    return {name: params[name] for name in sorted(params)}
