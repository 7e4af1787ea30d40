"""Renderers: each is a function of a Report, and is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath

from losscli.errors import UsageError
from losscli.report.model import Report
from losscli.text import near

FORMATS = ("table", "json", "csv", "markdown", "junit", "flat")
"""What `render` writes; each is the module of that name."""

_SUFFIXES = {".json": "json", ".csv": "csv", ".md": "markdown", ".txt": "table", ".xml": "junit"}
_FLAT = ".flat.json"


def render(report: Report, format: str) -> str:  # noqa: A002  the option's name, which callers pass on
    """The report as text that ends in a newline.  Raises UsageError for a format that is not in FORMATS."""
    if format not in FORMATS:
        raise UsageError(
            f"unknown format {format!r}.{near(format, FORMATS)}", remedy=f"formats: {', '.join(FORMATS)}"
        )
    text: str = import_module(f"losscli.render.{format}").text(report)
    return text


def format_of_suffix(path: str | PurePath) -> str:
    """The format that a file's suffix stands for.  Raises UsageError, naming the suffixes, for any other."""
    if PurePath(path).name.lower().endswith(_FLAT):
        return "flat"
    suffix = PurePath(path).suffix.lower()
    if suffix not in _SUFFIXES:
        known = ", ".join([*_SUFFIXES, _FLAT])
        raise UsageError(f"{path}: the suffix says the format, and {suffix or 'none'} is none of {known}")
    return _SUFFIXES[suffix]
