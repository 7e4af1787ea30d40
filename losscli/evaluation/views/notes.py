"""Notes on the rows that charts leave out."""

from __future__ import annotations

from collections.abc import Mapping

from losscli.render.digits import decimal
from losscli.report.findings import Code, Note, note

_SMALLEST = 0.0001
"""Smaller shares are not written in percent."""


def beyond(rows: float, total: float, extents: Mapping[str, tuple[float, float]]) -> tuple[Note, ...]:
    """A note on rows outside the plotted range, if any; `extents` are the ranges of all rows."""
    if rows <= 0:
        return ()
    noun, verb = ("row", "is") if rows == 1 else ("rows", "are")
    share = f"{rows / total:.2g}" if rows / total < _SMALLEST else f"{100 * rows / total:.2f} %"
    ranges = ", ".join(
        f"{name} are from {decimal(low, 4)} to {decimal(high, 4)}" for name, (low, high) in extents.items()
    )
    count = f"{rows:,.0f}"
    return (note(Code.BEYOND_CHART, count=count, noun=noun, verb=verb, share=share, extents=ranges),)


def infinite(rows: float) -> tuple[Note, ...]:
    """A note on rows with an infinite loss, which are in no bin, if any."""
    if rows <= 0:
        return ()
    noun, verb = ("row", "has") if rows == 1 else ("rows", "have")
    return (note(Code.INFINITE_IN_CHART, count=f"{rows:,.0f}", noun=noun, verb=verb),)
