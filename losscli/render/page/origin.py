"""Where a report comes from: what was asked, by which version, on which rows."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.render import markup
from losscli.report.model import Report

_WORDS = {"eps": "clip under logarithms", "targets": "digest of the targets"}
"""What fields of the provenance are called, if not by their names."""


def origin(report: Report) -> Iterator[str]:
    """A list of all that is known of the run."""
    facts = {
        "losscli": report.losscli,
        "signature": report.signature,
        **{_WORDS.get(name, name.replace("_", " ")): value for name, value in report.provenance.items()},
    }
    facts |= {f"loss {name}": loss for name, loss in report.names.items() if name != loss}
    items = "".join(
        f"<div><dt>{markup.text(name)}</dt><dd>{markup.text(value)}</dd></div>"
        for name, value in facts.items()
        if value
    )
    if items:
        yield f"<dl>{items}</dl>"
