"""The provenance of a report: the command, the options, the version and the rows."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.render import markup
from losscli.render.formats import Origin
from losscli.render.markup import escaped
from losscli.report.model import Report

_LONGEST = 10_000
"""The maximum length of a command, which may name thousands of files."""
_WORDS = {"eps": "clip under logarithms", "targets": "digest of the targets"}
"""Labels of provenance fields that are not shown by their names."""


def origin(report: Report, written_by: Origin | None) -> Iterator[str]:
    """The command, ready to paste, and a list of facts about the run and the page."""
    if written_by is not None and written_by.command:
        yield f"<pre><code>{escaped(written_by.command[:_LONGEST])}</code></pre>"
    rows = max((result.rows for result in report.overall), default=0)
    facts = {
        report.unit: f"{rows:,}" if rows else "",
        "losscli": report.losscli,
        "signature": report.signature,
        **{_WORDS.get(name, name.replace("_", " ")): value for name, value in report.provenance.items()},
    }
    facts |= {f"loss {name}": loss for name, loss in report.names.items() if name != loss}
    if written_by is not None:
        facts |= {"written": written_by.time, "commit": written_by.commit}
    items = "".join(
        f"<div><dt>{markup.text(name)}</dt><dd>{markup.text(value)}</dd></div>"
        for name, value in facts.items()
        if value
    )
    if items:
        yield f"<dl>{items}</dl>"
