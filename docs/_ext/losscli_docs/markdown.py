"""Text in MyST Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def cell(text: str) -> str:
    """Markdown on one line of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as code."""
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str]) -> str:
    """Several texts as code."""
    return ", ".join(map(code, texts))


def escape(text: str) -> str:
    """Text escaped for Markdown; `code` in backticks stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if i % 2 else re.sub(r"([\\*_<>\[\]|$~#])", r"\\\1", part) for i, part in enumerate(parts)
    )


def with_flags(text: str) -> str:
    """Plain text in which the flags of options are code."""
    return re.sub(r"(?<![\w`-])--?[a-zA-Z][\w-]*", r"`\g<0>`", escape(text))


def linked(text: str) -> str:
    """Plain text in which DOIs and URLs are links."""
    parts = re.split(r"(doi:10\.\S*[^\s.,;)]|https?://\S*[^\s.,;)])", text)
    return "".join(_link(part) if i % 2 else escape(part) for i, part in enumerate(parts))


def _link(text: str) -> str:
    url = text if text.startswith("http") else f"https://doi.org/{text.removeprefix('doi:')}"
    return f"[{text}](<{url}>)"


def fenced(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"
