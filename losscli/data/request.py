"""How to read inputs where their names and contents leave it open; does not load Polars."""

from __future__ import annotations

from msgspec import Struct

from losscli.data.limits import MAX_MEMORY
from losscli.data.numbers import Spelling
from losscli.errors import UsageError
from losscli.text import not_one_of

DECIMALS = (".", ",")
_THOUSANDS = (",", ".", "'", "_", " ")
NO_QUOTE = "none"
"""The value of --quote for text in which quotes are plain characters."""
_NAMED_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}


class Reading(Struct, frozen=True):
    """What the user states about inputs; None or empty for what names and contents show.

    `separator`, `quote` (or none), `escape`, `comment` and `header` apply to delimited text; `decimal`,
    `thousands` and `null_values` say how numbers are written in text.  `max_memory` is the maximum number of
    bytes that far fewer compressed bytes may hold.
    """

    separator: str | None = None
    input_format: str | None = None
    quote: str | None = None
    escape: str | None = None
    comment: str | None = None
    header: bool | None = None
    decimal: str = "."
    thousands: str | None = None
    null_values: tuple[str, ...] = ()
    max_memory: int = MAX_MEMORY

    def __post_init__(self) -> None:
        """Raise UsageError if one sign is to have two meanings in numbers."""
        if self.thousands == self.decimal:
            other = next(sign for sign in DECIMALS if sign != self.decimal)
            raise UsageError(
                f"--thousands {self.thousands}: {self.decimal} is the decimal sign",
                remedy=f"--decimal {other} --thousands {self.thousands}",
            )

    @property
    def spelling(self) -> Spelling:
        """How numbers are written in text."""
        return Spelling(self.decimal, self.null_values, self.thousands)


LAYOUT = ("separator", "quote", "escape", "comment", "header")
"""The fields that apply to delimited text only."""
NUMBERS = ("decimal", "thousands", "null_values")
"""The fields that apply to text only."""


def separator_of(text: str) -> str:
    """The separator given as a character or by name.  Raises UsageError."""
    separator = _NAMED_SEPARATORS.get(text, text)
    if len(separator.encode()) != 1 or separator in '"\n\r':
        names = sorted(filter(str.isalpha, _NAMED_SEPARATORS))
        raise UsageError(not_one_of("--separator", text, ["one character", *names]))
    return separator


def quote_of(text: str) -> str:
    """The quote character, or none.  Raises UsageError."""
    if text != NO_QUOTE:
        return _sign("--quote", text, NO_QUOTE)
    return text


def escape_of(text: str) -> str:
    """The character that escapes a quote.  Raises UsageError."""
    return _sign("--escape", text)


def _sign(flag: str, text: str, *others: str) -> str:
    if len(text) != 1 or not text.isascii() or text.isalnum() or text in "\n\r":
        raise UsageError(not_one_of(flag, text, ["one character", *others]))
    return text


def thousands_of(text: str) -> str:
    """The thousands separator.  Raises UsageError."""
    if text not in _THOUSANDS:
        raise UsageError(not_one_of("--thousands", text, _THOUSANDS))
    return text


def comment_of(text: str) -> str:
    """The prefix of comment lines.  Raises UsageError."""
    if not 0 < len(text.encode()) <= 5:
        raise UsageError(f"--comment must be 1 to 5 characters, got {text!r}", remedy="--comment '#'")
    return text
