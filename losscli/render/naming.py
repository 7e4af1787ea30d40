"""How losses, cells and other text from the data are written for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec.structs import replace

from losscli.errors import UsageError
from losscli.report.codec import Record
from losscli.report.model import Report, Result, representatives
from losscli.text import near, param_text, printable


def label(result: Result) -> str:
    """The label of a loss, followed by its model if it has one."""
    return plain(f"{loss_label(result)} [{result.model}]" if result.model else loss_label(result))


def loss_label(result: Record) -> str:
    """The label that the user gave a loss; by default its name and parameters: 'huber:delta=1'."""
    if result.label:
        return plain(result.label)
    params = ",".join(
        f"{name}={param_text(value).removesuffix('.0')}"
        for name, value in result.params.items()
        # a parameter that is off has no effect
        if value is not None and value is not False
    )
    return plain(f"{result.loss}{':' if params else ''}{params}")


def losses_of(report: Report) -> dict[str, str]:
    """The losses of a report: the label that the user gave each one, with its name in the catalog."""
    entries = (*representatives(report.results), *report.comparisons, *report.segments)
    return {loss_label(entry): entry.loss for entry in entries}


def of_loss(report: Report, loss: str) -> Report:
    """The part of a report about one loss, which is given by its label or its name in the catalog.

    Raises UsageError, which lists the losses of the report, if it has no such loss.
    """
    losses = losses_of(report)
    labels = [label for label in losses if label == plain(loss)]
    labels = labels or [label for label, name in losses.items() if name == report.names.get(loss, loss)]
    if not labels:
        raise UsageError(
            f"the report has no loss {loss!r}.{near(loss, losses)}", remedy=f"it has: {', '.join(losses)}"
        )
    return replace(
        report,
        results=tuple(entry for entry in report.results if loss_label(entry) in labels),
        comparisons=tuple(entry for entry in report.comparisons if loss_label(entry) in labels),
        segments=tuple(entry for entry in report.segments if loss_label(entry) in labels),
        charts=tuple(entry for entry in report.charts if entry.loss and plain(entry.loss) in labels),
        board=tuple(entry for entry in report.board if plain(entry.label) in labels),
        gates=(),
    )


def interval_heading(estimates: Iterable[object]) -> str:
    """'95 % interval', or 'interval' if the levels differ."""
    levels = {level for estimate in estimates if (level := getattr(estimate, "level", None)) is not None}
    return f"{100 * levels.pop():g} % interval" if len(levels) == 1 else "interval"


def visible(name: str) -> str:
    """A name from the data, quoted if it has leading or trailing spaces, or characters that do not print."""
    clear = name.isprintable() and name and name == name.strip()
    return name if clear else json.dumps(name, ensure_ascii=not name.isprintable())


@lru_cache(maxsize=1 << 10)
def plain(text: str) -> str:
    """Text on one line, with control characters escaped."""
    return printable(" ".join(text.split()))


def joined(names: Sequence[str], limit: int | None = None, more: int = 0) -> str:
    """'a', 'a and b', 'a, b and c'; with `more` names, or more than `limit`, 'a, b and 28 more'."""
    head = list(names[:limit])
    more += len(names) - len(head)
    last = f"{more:,} more" if more else head.pop()
    return f"{', '.join(head)} and {last}" if head else last
