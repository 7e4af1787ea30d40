"""How losses, cells and other text from the data are written for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec.structs import replace

from losscli.errors import UsageError
from losscli.report.codec import Record
from losscli.report.model import Report, Result
from losscli.text import near, param_text, printable


def label(result: Result) -> str:
    """A loss as the user named it, and its model if it has one."""
    return plain(f"{loss_label(result)} [{result.model}]" if result.model else loss_label(result))


def loss_label(result: Record) -> str:
    """A loss as the user named it; without a label, its name and parameters: 'huber:delta=1'."""
    if result.label:
        return plain(result.label)
    params = ",".join(
        f"{name}={param_text(value).removesuffix('.0')}"
        for name, value in result.params.items()
        # a parameter that is off changes nothing
        if value is not None and value is not False
    )
    return plain(f"{result.loss}{':' if params else ''}{params}")


def losses_of(report: Report) -> dict[str, str]:
    """The losses of a report as the user named them, each with its name in the catalog."""
    own = (*report.results, *report.comparisons, *report.segments)
    return {loss_label(each): each.loss for each in own}


def of_loss(report: Report, loss: str) -> Report:
    """What a report holds of one loss, by the name that the user gave or by that of the catalog.

    Raises UsageError, which lists the losses, for any other.
    """
    known = losses_of(report)
    named = [label for label in known if label == plain(loss)]
    named = named or [label for label, name in known.items() if name == report.names.get(loss, loss)]
    if not named:
        raise UsageError(
            f"the report has no loss {loss!r}.{near(loss, known)}", remedy=f"it has: {', '.join(known)}"
        )
    return replace(
        report,
        results=tuple(each for each in report.results if loss_label(each) in named),
        comparisons=tuple(each for each in report.comparisons if loss_label(each) in named),
        segments=tuple(each for each in report.segments if loss_label(each) in named),
        charts=tuple(each for each in report.charts if each.loss and plain(each.loss) in named),
        board=tuple(each for each in report.board if plain(each.label) in named),
        gates=(),
    )


def interval_heading(estimates: Iterable[object]) -> str:
    """'95 % interval', or 'interval' if the levels differ."""
    levels = {level for each in estimates if (level := getattr(each, "level", None)) is not None}
    return f"{100 * levels.pop():g} % interval" if len(levels) == 1 else "interval"


def shown(name: str) -> str:
    """A name from the data, quoted if it has spaces at an end or characters that cannot be seen."""
    clear = name.isprintable() and name and name == name.strip()
    return name if clear else json.dumps(name, ensure_ascii=not name.isprintable())


@lru_cache(maxsize=1 << 10)
def plain(text: str) -> str:
    """Text on one line that cannot steer a terminal."""
    return printable(" ".join(text.split()))


def listed(names: Sequence[str], most: int | None = None) -> str:
    """'a', 'a and b', 'a, b and c'; beyond `most` names 'a, b and 28 more'."""
    named, left = list(names), 0
    if most is not None and len(named) > most:
        named, left = named[:most], len(named) - most
    last = f"{left:,} more" if left else named.pop()
    return f"{', '.join(named)} and {last}" if named else last
