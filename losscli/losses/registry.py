"""The catalogue: every loss, found by name, alias or short name, made from its function's signature."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise
from shlex import quote
from typing import Any, TypeVar

from losscli import finish as finishes
from losscli.errors import UsageError, near
from losscli.finish import Finish
from losscli.losses.convention import Policy
from losscli.losses.families import FAMILIES, homes
from losscli.params import Param, text
from losscli.records import frozen
from losscli.tasks.base import Batch
from losscli.xp import Array

_Function = TypeVar("_Function", bound=Callable[..., Any])


@frozen
class Loss:
    """A loss: the function from a batch to row columns, and all that its signature and docstring say.

    `batch` is the type of batch that the function takes, and its `task` is the loss's task.  `best` is
    the value of a perfect prediction, None where that depends on the targets; `score` says that greater is
    better; `domain` says in words which values it is defined for, where that is not all of its task's;
    `increasing` names parameters that must rise in that order; `tail` names the one beyond which a residual
    costs in another way, and that way in a word: linear.  A loss that users wrote has a `request`, by which
    it is asked for, and a `digest` of its source where the request does not hold it.
    """

    name: str
    aliases: tuple[str, ...]
    function: Callable[..., Array | tuple[Array, ...]]
    finish: Finish
    best: float | None
    score: bool
    domain: str = ""
    increasing: tuple[str, ...] = ()
    tail: tuple[str, str] | None = None
    request: str = ""
    digest: str = ""

    def __repr__(self) -> str:
        return f"<loss {self.name} of {self.task}>"

    # What annotations say is found when it is asked for: most runs ask it of one loss.

    @cached_property
    def batch(self) -> type[Batch]:
        """The type of the function's first argument."""
        # Asked of every loss when names are told apart: a signature would take fifty times as long.
        found: type[Batch] = self._annotation(self.function.__code__.co_varnames[0])
        return found

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """The keyword arguments of the function, with their ranges."""
        _, *others = inspect.signature(self.function).parameters.values()
        return tuple(
            Param.of(p.name, self._annotation(p.name), ... if p.default is p.empty else p.default)
            for p in others
        )

    def _annotation(self, argument: str) -> Any:
        text = self.function.__annotations__[argument]
        if not isinstance(text, str):
            return text
        # A name is looked up, which is what its evaluation comes to, in a tenth of the time.
        scope = self.function.__globals__
        return scope[text] if text in scope else eval(text, scope)

    @property
    def asked_as(self) -> str:
        """How it is named on the command line."""
        return self.request or self.name

    @property
    def task(self) -> str:
        """The task whose columns it reads."""
        return self.batch.task

    @cached_property
    def doc(self) -> str:
        """The docstring, without its indentation."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.split("\n", 1)[0]

    @property
    def formula(self) -> str:
        """The second paragraph of the docstring, less the unit."""
        paragraphs = self.doc.split("\n\n")
        return re.sub(r"\s*Unit: .*", "", paragraphs[1], flags=re.DOTALL) if len(paragraphs) > 1 else ""

    @property
    def details(self) -> tuple[str, ...]:
        """The paragraphs of the docstring between formula and reference: conventions, one line each."""
        return tuple(" ".join(paragraph.split()) for paragraph in self.doc.split("\n\n")[2:-1])

    @property
    def reference(self) -> str:
        """Where the formula comes from: the last paragraph."""
        return self.doc.split("\n\n")[-1]

    @property
    def unit(self) -> str:
        """The unit of the value, in words: 'target', 'nat', '1'."""
        found = re.search(r"Unit:\s+(.*?)\.(?:\s|$)", self.doc, flags=re.DOTALL)
        return found.group(1) if found else "1"

    def param(self, name: str) -> Param | None:
        """The parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)

    def columns(self, batch: Batch, params: Mapping[str, Any]) -> tuple[Array, ...]:
        """The row columns of a batch, each of shape (n,)."""
        columns = self.function(batch, **params)
        return columns if isinstance(columns, tuple) else (columns,)


@frozen(eq=True)
class Choice:
    """A loss chosen for a run, with all its parameters; `policy` is that of the library it is to be like."""

    loss: Loss
    params: Mapping[str, Any]
    policy: Policy | None = None

    def __str__(self) -> str:
        """As it can be written again: 'huber:delta=2.0'; parameters at their default are left out.

        A library's own defaults are written, as they may differ from these.
        """
        return self._written(self.loss.asked_as)

    @property
    def identity(self) -> str:
        """What it computes: as it is written, or by the digest of a source that the request does not hold."""
        return self._written(self.loss.digest or self.loss.asked_as)

    def _written(self, name: str) -> str:
        of_library = () if self.policy is None else self.policy.convention.params
        inline = ",".join(
            f"{param.name}={text(self.params[param.name])}"
            for param in self.loss.params
            if param.required or self.params[param.name] != param.default or param.name in of_library
        )
        return f"{name}:{inline}" if inline else name

    @property
    def by_rows(self) -> bool:
        """Whether a weighted mean divides by the number of rows, not by the sum of the weights."""
        return self.policy is not None and self.policy.by_rows

    def columns(self, batch: Batch) -> tuple[Array, ...]:
        """The row columns of a batch, each of shape (n,)."""
        return self.loss.columns(batch if self.policy is None else self.policy.seen(batch), self.params)


_registry: dict[str, Loss] = {}
_named: dict[str, list[Loss]] = {}
"""The losses that each name in lower case may mean: one a task."""


def loss(
    *aliases: str,
    finish: Finish = finishes.mean,
    best: float | None = 0.0,
    score: bool = False,
    domain: str = "",
    increasing: tuple[str, ...] = (),
    tail: tuple[str, str] | None = None,
) -> Callable[[_Function], _Function]:
    """Register a function as a loss under its own name; `aliases` are its names elsewhere.

    The annotation of the first argument names the batch, the keyword arguments are the parameters with
    their ranges, the docstring is what `losscli explain` prints.  An alias may stand for one loss a task.
    """

    def register(function: _Function) -> _Function:
        name: str = function.__name__
        entry = Loss(name, aliases, function, finish, best, score, domain, increasing, tail)
        if name in _registry:
            raise ValueError(f"two losses are named {name}")
        for known in {each.lower() for each in (name, *aliases)}:
            for other in _named.setdefault(known, []):
                if other.task == entry.task:
                    raise ValueError(f"{name} and {other.name} of {entry.task} share the name {known}")
            _named[known].append(entry)
        _registry[name] = entry
        return function

    return register


@cache
def _load(families: tuple[str, ...] = FAMILIES) -> None:
    for family in families:
        importlib.import_module(f"losscli.losses.{family}")


def _in_order(entries: Iterable[Loss]) -> list[Loss]:
    """Losses in the order of the catalogue, in whatever order their families were imported."""
    place = {f"losscli.losses.{family}": i for i, family in enumerate(FAMILIES)}
    return sorted(entries, key=lambda entry: place.get(entry.function.__module__, len(place)))


def losses(task: str | None = None) -> tuple[Loss, ...]:
    """All losses task by task, or those of one task, in the order of the catalogue."""
    _load()
    entries = _in_order(_registry.values())
    tasks = [*dict.fromkeys(entry.task for entry in entries)]
    found = sorted(entries, key=lambda entry: tasks.index(entry.task))
    return tuple(entry for entry in found if task in (None, entry.task))


def names() -> list[str]:
    """Every name that finds a loss, in lower case: canonical names and aliases."""
    _load()
    return sorted(_named)


def find(name: str) -> tuple[Loss, ...]:
    """The losses that a name may mean: one, or one a task for a short name.  Case does not matter.

    Raises UsageError that suggests near names.
    """
    wanted = name.lower()
    _load(homes(wanted))
    if wanted not in _named:
        _load()
    found = _named.get(wanted)
    if not found:
        raise UsageError(
            f"unknown loss {name!r}.{near(name, names())}", remedy="losscli explain lists all losses"
        )
    return tuple(sorted(_in_order(found), key=lambda entry: entry.name != wanted))


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
) -> Choice:
    """A loss with its parameters: in-line ones first, then options, then `defaults`, then its own.

    Raises UsageError for an unknown parameter, a value out of range, or one that is missing.
    """
    known = [param.name for param in entry.params]
    problems = [
        f"{entry.name} has no parameter {name!r}."
        + (near(name, known) or f" It has: {', '.join(known) or 'none'}.")
        for name in inline
        if name not in known
    ]
    params: dict[str, Any] = {}
    for param in entry.params:
        own = (defaults or {}).get(param.name, param.default)
        given = inline.get(param.name, options.get(param.name, own))
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
    return Choice(entry, params)


@cache
def option_params() -> dict[str, tuple[Param, Sequence[str]]]:
    """Every parameter name of the catalogue with a description and the losses that take it."""
    found: dict[str, tuple[Param, list[str]]] = {}
    for entry in losses():
        for param in entry.params:
            found.setdefault(param.name, (param, []))[1].append(entry.name)
    return {name: found[name] for name in sorted(found)}
