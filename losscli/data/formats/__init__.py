"""File formats: each module of this folder with FORMATS defines one or more; there is no other list.

`base` defines a format, `text`, `columnar` and `frames` hold shared code, and `memory` reads data in memory.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from losscli.data.formats.base import Format

PLAIN = "csv"
"""The format of text that no other format claims."""


@cache
def all_formats() -> tuple[Format, ...]:
    """All formats: text formats first, then by the names of their modules."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    unsorted = [form for module in modules for form in getattr(module, "FORMATS", ())]
    return tuple(sorted(unsorted, key=lambda form: bool(form.magic)))


def names() -> tuple[str, ...]:
    """The names that --input-format takes."""
    return tuple(each.name for each in all_formats() if each.is_option)


def named(name: str) -> Format:
    """The format of that name."""
    return next(each for each in all_formats() if each.name == name)


def by_suffix(path: str) -> Format | None:
    """The format with the suffix of a path, or None."""
    return next((each for each in all_formats() if each.fits(path)), None)


def by_first_line(line: str) -> Format:
    """The format of text, by its first non-blank line."""
    return next((each for each in all_formats() if each.claims(line)), named(PLAIN))
