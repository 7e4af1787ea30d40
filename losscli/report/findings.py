"""Findings of a report: what was found in the data or done to it, each with a code."""

from __future__ import annotations

from msgspec import Struct


class Note(Struct, frozen=True, omit_defaults=True):
    """One finding as a report shows it.

    `code` names its kind and stays the same whatever the wording of `text`.  `count` is how often it
    occurred, `where` the file and columns, `examples` the first rows.
    """

    code: str
    text: str
    count: int | None = None
    where: str = ""
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text
