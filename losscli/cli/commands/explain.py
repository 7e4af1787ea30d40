"""losscli explain: the catalog, one loss of it, and a loss on the user's rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

from losscli.catalog import registry
from losscli.catalog import request as requests
from losscli.catalog.loss import Choice, Loss
from losscli.cli.parser import Given
from losscli.cli.watch import Watch
from losscli.errors import UsageError
from losscli.plan.options import OPTIONS, in_python
from losscli.text import near

if TYPE_CHECKING:
    from losscli.explain.facts import Explanation


Pages = Sequence[tuple[Loss, Choice | None]]
"""Losses, each with its parameters where those are known."""


def explain(given: Given) -> None:
    """List all losses by task, or show one: formula, curve, parameters, and its names in other libraries.

    With files it says where their rows stand on the curve, and which of them the loss comes from.

    Examples:
        losscli explain huber preds.csv targets.csv --delta 2
        losscli explain --search "squared log"
    """
    options = in_python(given)
    loss, predictions, task = options.get("loss"), options.get("predictions"), options.get("task")
    params = {name: value for name, value in options.items() if name not in OPTIONS}
    idle = [OPTIONS[name].flag for name in options if name in OPTIONS and name not in ("loss", "task")]
    if predictions is None and idle:
        raise UsageError(
            f"{', '.join(idle)}: there are no files to read", remedy="losscli explain LOSS PREDS TARGETS"
        )
    if task is not None:
        OPTIONS["task"].read(task)
    explanation: Explanation | None = None
    if loss is None:
        if params:
            raise UsageError(f"--{next(iter(params)).replace('_', '-')} belongs to a loss, and none is named")
        pages: Pages = [(entry, None) for entry in _found(given.get("search"), task)]
    elif given.get("search") is not None:
        raise UsageError("--search lists losses, and one is named already")
    elif predictions is not None:
        explanation = _explained(given, options)
        pages = [(explanation.choice.loss, explanation.choice)]
    else:
        pages = _chosen(loss, task, params)
    if given.get("json"):
        from losscli.explain.catalog import as_json

        sys.stdout.write(as_json(pages, explanation))
    else:
        _show(pages, explanation, listed=loss is None)


def _show(pages: Pages, explanation: Explanation | None, listed: bool) -> None:
    """The names of losses, or a page of each."""
    from losscli.explain import page  # draws with rich

    with page.console(paged=len(pages) > 1) as console:
        if listed:
            page.catalog(console, [entry for entry, _ in pages])
            return
        for number, (entry, choice) in enumerate(pages):
            if number:
                console.print()
            page.one(console, entry, choice, explanation)


def _found(search: str | None, task: str | None) -> list[Loss]:
    """The losses of the task that all words fit."""
    from losscli.explain.catalog import text_of  # only a search reads what libraries call them

    words = (search or "").lower().split()
    texts = {entry: text_of(entry) for entry in registry.list_losses(task)} if words else {}
    found = [entry for entry in registry.list_losses(task) if all(word in texts[entry] for word in words)]
    if not found:
        raise UsageError(
            f"no loss has the words {search!r}.{near(search or '', registry.names())}",
            remedy="losscli explain lists all losses",
        )
    return found


def _chosen(text: str, task: str | None, params: Mapping[str, object]) -> Pages:
    """The losses that a name may mean, with their parameters where all that are required are given."""
    request = requests.find(text)
    inline = request.inline
    entries = [entry for entry in request.losses if task in (None, entry.task)]
    if not entries:
        raise UsageError(
            f"{request.name} is not a {task} loss", remedy=f"losscli explain --task {task} lists them"
        )
    # What only one of several losses of that name takes, says which one is meant.
    named = {*inline, *params}
    fitting = [entry for entry in entries if named <= {param.name for param in entry.params}]
    if not fitting and (idle := [p for p in params if not any(entry.param(p) for entry in entries)]):
        raise UsageError(
            f"{entries[0].name} does not take --{idle[0].replace('_', '-')}",
            remedy=f"losscli explain {quote(entries[0].asked_as)}",
        )
    return [(entry, _choice(entry, inline, params)) for entry in fitting or entries]


def _choice(entry: Loss, inline: Mapping[str, str], params: Mapping[str, object]) -> Choice | None:
    given = {*inline, *params}
    if not given and any(param.required for param in entry.params):
        return None
    return registry.choose(entry, inline, params)


def _explained(given: Given, options: dict[str, Any]) -> Explanation:
    from losscli.explain.facts import explained, planned  # the engine

    with Watch(given, displays=False) as watch:
        run = planned(**options)
        watch.planned(run)
        return explained(run, watch.progress, watch.say)
