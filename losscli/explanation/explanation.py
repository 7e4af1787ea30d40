"""`losscli explain`: checks the request, finds the losses, and shows them as text or JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

from losscli.catalog import registry
from losscli.catalog import request as requests
from losscli.catalog.loss import Choice, Loss
from losscli.catalog.request import LossSpec
from losscli.errors import UsageError
from losscli.evaluation.hooks import Hooks
from losscli.explanation import catalog
from losscli.explanation.model import Content, Facts, Page
from losscli.plan.options import OPTIONS
from losscli.text import near

if TYPE_CHECKING:
    from losscli.plan.resolve import Run


class Explanation(Content, frozen=True, eq=False):
    """Explained losses; `print` shows the page of each, or the names in a list of the catalog.

    `profiled` is a single loss with the rows of files on its curve.
    """

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The explained losses: a short name may stand for one per task."""
        return tuple(page.loss for page in self.pages)

    @property
    def facts(self) -> Facts | None:
        """Which rows of the files make up the loss; None without files."""
        return None if self.profiled is None else self.profiled.facts

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain JSON types: what `losscli explain --json` prints."""
        return catalog.plain(self)

    def to_json(self) -> str:
        """The explanation as indented JSON text."""
        return catalog.as_json(self)

    def __str__(self) -> str:
        from losscli.explanation import page  # draws with rich

        return page.text(self).rstrip("\n")


def check(loss: LossSpec | None, search: str | None, given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that have no effect on the explanation, and if docstrings are missing."""
    if sys.flags.optimize > 1:
        raise UsageError("explain shows docstrings, which python -OO drops", remedy="run python -O, or plain")
    if "predictions" not in given:
        unused = [OPTIONS[name].flag for name in given if name in OPTIONS and name != "task"]
        if unused:
            raise UsageError(
                f"{', '.join(unused)}: there are no files to read",
                remedy="losscli explain LOSS PREDS TARGETS",
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
    """The losses of a task, or of all tasks, that contain all words.  Raises UsageError if there are none."""
    words = (search or "").lower().split()
    entries = registry.list_losses(task)
    texts = {entry: catalog.text_of(entry) for entry in entries} if words else {}
    matches = [entry for entry in entries if all(word in texts[entry] for word in words)]
    if not matches:
        raise UsageError(
            f"no loss has the words {search!r}.{near(search or '', registry.names())}",
            remedy="losscli explain lists all losses",
        )
    return Explanation(tuple(map(Page, matches)), is_list=True)


def of_loss(loss: LossSpec, given: Mapping[str, object]) -> Explanation:
    """The losses that a name may stand for, with their parameters if all required ones are given."""
    task = given.get("task")
    params = {name: value for name, value in given.items() if name not in OPTIONS}
    request = requests.loaded(requests.find(loss))
    entries = [entry for entry in request.losses if task in (None, entry.task)]
    if not entries:
        raise UsageError(
            f"{request.name} is not a {task} loss", remedy=f"losscli explain --task {task} lists them"
        )
    # Among several losses of that name, the parameters may identify the one that is meant.
    parameters = {*request.inline, *params}
    fitting = [entry for entry in entries if parameters <= {param.name for param in entry.params}]
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
    """The loss of a run made by `facts.planned`, with the rows on its curve.  Raises DataError."""
    from losscli.explanation.facts import profiled  # the engine

    explained = profiled(run, hooks.progress, hooks.say)
    return Explanation((Page(explained.choice.loss, explained.choice),), profiled=explained)
