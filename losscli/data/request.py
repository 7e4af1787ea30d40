"""What options say of inputs, checked; reads nothing, and loads no engine."""

from __future__ import annotations

from msgspec import Struct

from losscli.data import formats
from losscli.errors import UsageError
from losscli.text import near

FORMATS = formats.names()
"""What --input-format takes."""
_NAMED_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}


class Reading(Struct, frozen=True):
    """How inputs are read where their names do not tell: a separator of text, a format."""

    separator: str | None = None
    input_format: str | None = None


def reading(separator: str | None, input_format: str | None) -> Reading:
    """Options checked.  Raises UsageError."""
    if separator is not None:
        separator = _NAMED_SEPARATORS.get(separator, separator)
        if len(separator.encode()) != 1 or separator in '"\n\r':
            names = ", ".join(sorted(filter(str.isalpha, _NAMED_SEPARATORS)))
            raise UsageError(f"--separator must be one character, or {names}, got {separator!r}")
    if input_format is not None and input_format not in FORMATS:
        raise UsageError(
            f"--input-format must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, "
            f"got {input_format!r}.{near(input_format, FORMATS)}"
        )
    return Reading(separator, input_format)
