"""How inputs are read if their names do not say; does not load Polars."""

from __future__ import annotations

from msgspec import Struct

from losscli.data import formats
from losscli.errors import UsageError
from losscli.text import not_one_of

FORMATS = formats.names()
"""The values of --input-format."""
_NAMED_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}


class Reading(Struct, frozen=True):
    """The separator of fields in text, and a format; None if names and contents tell."""

    separator: str | None = None
    input_format: str | None = None


def separator_of(text: str) -> str:
    """The separator for a character or its name.  Raises UsageError."""
    separator = _NAMED_SEPARATORS.get(text, text)
    if len(separator.encode()) != 1 or separator in '"\n\r':
        names = sorted(filter(str.isalpha, _NAMED_SEPARATORS))
        raise UsageError(not_one_of("--separator", text, ["one character", *names]))
    return separator
