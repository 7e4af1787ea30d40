"""What charts leave out, in words."""

from __future__ import annotations

from losscli.report.findings import Code, Note, note


def beyond(rows: float, of: float) -> tuple[Note, ...]:
    """That so many rows lie beyond the bins of a chart, if any do."""
    if rows <= 0:
        return ()
    noun, verb = ("row", "lies") if rows == 1 else ("rows", "lie")
    share = f"{rows / of:.2g}" if rows / of < 1e-4 else f"{rows / of:.2%}"
    return (note(Code.BEYOND_CHART, count=f"{rows:,.0f}", noun=noun, verb=verb, share=share),)


def infinite(rows: float) -> tuple[Note, ...]:
    """That so many rows have an infinite loss, which no bin holds, if any do."""
    if rows <= 0:
        return ()
    noun, verb = ("row", "has") if rows == 1 else ("rows", "have")
    return (note(Code.INFINITE_IN_CHART, count=f"{rows:,.0f}", noun=noun, verb=verb),)
