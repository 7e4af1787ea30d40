"""What charts leave out, in words."""

from __future__ import annotations

from collections.abc import Mapping

from losscli.render.digits import decimal
from losscli.report.findings import Code, Note, note

_SMALLEST = 0.0001
"""Shares below this are not written in percent."""


def beyond(rows: float, of: float, extents: Mapping[str, tuple[float, float]]) -> tuple[Note, ...]:
    """That so many rows are outside of the plotted range, if any are; `extents` are those of all rows."""
    if rows <= 0:
        return ()
    noun, verb = ("row", "is") if rows == 1 else ("rows", "are")
    share = f"{rows / of:.2g}" if rows / of < _SMALLEST else f"{100 * rows / of:.2f} %"
    reach = ", ".join(
        f"{name} are from {decimal(low, 4)} to {decimal(high, 4)}" for name, (low, high) in extents.items()
    )
    count = f"{rows:,.0f}"
    return (note(Code.BEYOND_CHART, count=count, noun=noun, verb=verb, share=share, extents=reach),)


def infinite(rows: float) -> tuple[Note, ...]:
    """That so many rows have an infinite loss, which no bin holds, if any do."""
    if rows <= 0:
        return ()
    noun, verb = ("row", "has") if rows == 1 else ("rows", "have")
    return (note(Code.INFINITE_IN_CHART, count=f"{rows:,.0f}", noun=noun, verb=verb),)
