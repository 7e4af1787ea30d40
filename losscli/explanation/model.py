"""What `losscli explain` found: losses, each with its parameters if they are known, and the rows of files."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from losscli.catalog import registry
from losscli.catalog import request as requests
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.request import LossSpec
from losscli.errors import UsageError
from losscli.numeric.arrays import Array
from losscli.plan.options import OPTIONS
from losscli.report.findings import Note
from losscli.states.histogram import Histogram
from losscli.text import near

if TYPE_CHECKING:
    from losscli.evaluation.hooks import Hooks
    from losscli.plan.resolve import Run


QUANTILES = (0.5, 0.9, 0.99)
"""The shares of the rows whose largest |residual| is reported."""


class Part(Struct, frozen=True):
    """The rows that `what` describes: their number, their share of the weight and of the loss."""

    what: str
    rows: int
    weight_share: float
    loss_share: float | None


class Facts(Struct, frozen=True):
    """The rows of a loss; a share of the loss is None if the loss is not a sum of positive parts.

    `value` is the mean of the row losses; `quantiles` are those of |residual|, or of the probability or
    margin from below; `covers` is the parameter that would leave nine in ten residuals before the tail.
    """

    rows: int
    weight: float
    value: float
    parts: tuple[Part, ...]
    worst_share: float | None
    quantiles: dict[float, float]
    covers: dict[str, float]
    notes: tuple[Note, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain data; quantiles by their share of the rows in text."""
        quantiles = {f"{share:g}": value for share, value in self.quantiles.items()}
        return {**to_builtins(replace(self, quantiles={})), "quantiles": quantiles}


class Profiled(Struct, frozen=True, eq=False):
    """A loss with its parameters, and the rows of files on its curve."""

    choice: Choice
    profile: Histogram
    facts: Facts

    @property
    def reach(self) -> float:
        """The end of the axis, so that it covers nearly all rows."""
        return self.profile.sizes.quantile(QUANTILES[-1]) or 1.0

    def bars(self, edges: Array) -> list[float]:
        """The weight of the rows between consecutive edges on the axis."""
        found: list[float] = self.profile.places(edges).tolist()
        return found


class Page(Struct, frozen=True, eq=False):
    """One loss; `choice` is the loss with its parameters, or None if a required one is not given."""

    loss: Loss
    choice: Choice | None = None


class Explanation(Struct, frozen=True, eq=False):
    """Losses explained; `print` shows the page of each, or if they are a list of the catalog, their names.

    `profiled` is the one loss with the rows of files on its curve.
    """

    pages: tuple[Page, ...]
    is_list: bool = False
    profiled: Profiled | None = None

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The losses that are explained: a short name may mean one per task."""
        return tuple(page.loss for page in self.pages)

    @property
    def facts(self) -> Facts | None:
        """Which rows of the files make up the loss; None without files."""
        return None if self.profiled is None else self.profiled.facts

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain JSON types: what `losscli explain --json` prints."""
        from losscli.explanation import catalog

        return catalog.plain(self)

    def to_json(self) -> str:
        """The explanation as indented JSON text."""
        from losscli.explanation import catalog

        return catalog.as_json(self)

    def __str__(self) -> str:
        from losscli.explanation import page  # draws with rich

        return page.text(self).rstrip("\n")


def check(loss: LossSpec | None, search: str | None, given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that have no effect on what is explained."""
    if "predictions" not in given:
        idle = [OPTIONS[name].flag for name in given if name in OPTIONS and name != "task"]
        if idle:
            raise UsageError(
                f"{', '.join(idle)}: there are no files to read", remedy="losscli explain LOSS PREDS TARGETS"
            )
    if (task := given.get("task")) is not None:
        OPTIONS["task"].read(task)
    if loss is not None and not isinstance(loss, str) and not callable(loss):
        raise UsageError(f"one loss is explained at a time, got {loss!r}")
    if loss is None:
        if params := [name for name in given if name not in OPTIONS]:
            raise UsageError(f"--{params[0].replace('_', '-')} belongs to a loss, and none is named")
        if "predictions" in given:
            raise UsageError(
                "files show the rows of one loss, and none is named", remedy="losscli explain LOSS PREDS"
            )
    elif search is not None:
        raise UsageError("--search lists losses, and one is named already")


def of_catalog(search: str | None, task: str | None) -> Explanation:
    """The losses of a task, or of all, in which all words occur.  Raises UsageError if there are none."""
    from losscli.explanation.catalog import text_of  # only a search reads what libraries call them

    words = (search or "").lower().split()
    entries = registry.list_losses(task)
    texts = {entry: text_of(entry) for entry in entries} if words else {}
    found = [entry for entry in entries if all(word in texts[entry] for word in words)]
    if not found:
        raise UsageError(
            f"no loss has the words {search!r}.{near(search or '', registry.names())}",
            remedy="losscli explain lists all losses",
        )
    return Explanation(tuple(map(Page, found)), is_list=True)


def of_loss(loss: LossSpec, given: Mapping[str, object]) -> Explanation:
    """The losses that a name may mean, with their parameters if all required ones are given."""
    task = given.get("task")
    params = {name: value for name, value in given.items() if name not in OPTIONS}
    request = requests.find(loss)
    entries = [entry for entry in request.losses if task in (None, entry.task)]
    if not entries:
        raise UsageError(
            f"{request.name} is not a {task} loss", remedy=f"losscli explain --task {task} lists them"
        )
    # A parameter that only one of several losses of that name takes says which one is meant.
    named = {*request.inline, *params}
    fitting = [entry for entry in entries if named <= {param.name for param in entry.params}]
    if not fitting and (idle := [p for p in params if not any(entry.param(p) for entry in entries)]):
        raise UsageError(
            f"{entries[0].name} does not take --{idle[0].replace('_', '-')}",
            remedy=f"losscli explain {quote(entries[0].asked_as)}",
        )
    pages = (Page(entry, _choice(entry, request.inline, params)) for entry in fitting or entries)
    return Explanation(tuple(pages))


def _choice(entry: Loss, inline: Mapping[str, str], params: Mapping[str, object]) -> Choice | None:
    if not {*inline, *params} and any(param.required for param in entry.params):
        return None
    return registry.choose(entry, inline, params)


def of_rows(run: Run, hooks: Hooks) -> Explanation:
    """The loss of a run that `facts.planned` made, with the rows on its curve.  Raises DataError."""
    from losscli.explanation.facts import profiled  # the engine

    found = profiled(run, hooks.progress, hooks.say)
    return Explanation((Page(found.choice.loss, found.choice),), profiled=found)
