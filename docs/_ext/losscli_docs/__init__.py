"""A Sphinx extension that writes the reference from the package: losses, options, report, findings.

Pages go to `reference/losses/` and fragments, which hand-written pages include, to `_generated/`.  Both are
ignored by git and written anew by every build, so that no list is kept by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from losscli_docs import losses, options, python, report

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for its sources."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir)))
    app.connect("autodoc-process-docstring", shorten, priority=100)  # before napoleon reads it
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def shorten(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Give the parameters of losses, which are one entry of Args with forty names, one name."""
    names = r"^( +)(?:\w+,\s+)+\w+(?=:\s+Parameters of losses)"
    lines[:] = re.sub(names, r"\1**parameters", "\n".join(lines), flags=re.MULTILINE).split("\n")


def write(docs: Path) -> None:
    """Write all pages and fragments; files that nothing generates any more are removed."""
    fragments = options.fragments() | report.fragments() | python.fragments()
    _write_folder(docs / "_generated", fragments)
    _write_folder(docs / "reference" / "losses", losses.pages())


def _write_folder(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        # An unchanged file keeps its time, so that Sphinx need not read it again.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
