"""Where a report comes from: the command, what was asked, by which version, on which rows."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.render import markup
from losscli.render.formats import Origin
from losscli.render.markup import escaped
from losscli.report.model import Report

_LONGEST = 10_000
"""Characters of a command; one may name thousands of files."""
_WORDS = {"eps": "clip under logarithms", "targets": "digest of the targets"}
"""What fields of the provenance are called, if not by their names."""


def origin(report: Report, written: Origin | None) -> Iterator[str]:
    """The command to paste, and a list of all that is known of the run and of the page."""
    if written is not None and written.command:
        yield f"<pre><code>{escaped(written.command[:_LONGEST])}</code></pre>"
    rows = max((result.rows for result in report.results if not result.cell), default=0)
    facts = {
        report.unit: f"{rows:,}" if rows else "",
        "losscli": report.losscli,
        "signature": report.signature,
        **{_WORDS.get(name, name.replace("_", " ")): value for name, value in report.provenance.items()},
    }
    facts |= {f"loss {name}": loss for name, loss in report.names.items() if name != loss}
    if written is not None:
        facts |= {"written": written.time, "commit": written.commit}
    items = "".join(
        f"<div><dt>{markup.text(name)}</dt><dd>{markup.text(value)}</dd></div>"
        for name, value in facts.items()
        if value
    )
    if items:
        yield f"<dl>{items}</dl>"
