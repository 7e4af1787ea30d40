"""The report as an HTML page: one self-contained file that sends no requests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from altair.utils.schemapi import debug_mode

from losscli.render.formats import Origin
from losscli.render.markup import escaped
from losscli.render.page.heading import heading
from losscli.render.page.parts import Part, parts_of
from losscli.render.tables import Document
from losscli.report.model import Report

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'"
"""A content security policy that allows only the style and the script of the page itself."""


def page(report: Report, cells: int | None, origin: Origin | None) -> str:
    """The page of a report, with at most `cells` cells, the worst ones, in each table."""
    title, header = heading(report)
    with debug_mode(False):  # Altair would validate each part of a chart, whatever the report
        return _page(title, header, parts_of(report, cells, origin))


def page_of_tables(title: str, document: Document) -> str:
    """A page with only tables, as for several reports side by side."""
    from losscli.render.page.parts import parts_of_tables

    return _page(title, f"<h1>{escaped(title)}</h1>", parts_of_tables(document))


def _page(title: str, header: str, parts: Iterable[Part]) -> str:
    style, script = (_resource(name) for name in ("page.css", "page.js"))
    nonempty = [part for part in parts if part.blocks]
    links = "".join(f'<li><a href="#{part.id}">{escaped(part.title)}</a></li>' for part in nonempty)
    sections = "\n".join(map(_section, nonempty))
    policy = f"{_NOTHING}; style-src {_hash(style)}; script-src {_hash(script)}"
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<header>
{header}
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main id="main">
{sections}
</main>
<script>{script}</script>
</body>
</html>
"""


def _section(part: Part) -> str:
    heading = f'<h2 id="{part.id}-h">{escaped(part.title)}</h2>'
    lines = (f'<section id="{part.id}" aria-labelledby="{part.id}-h">', heading, *part.blocks, "</section>")
    return "\n".join(lines)


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """The source expression that allows an inline style or script with exactly this content."""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
