"""The text of errors of libraries, without credentials."""

from __future__ import annotations

import os
import re

from losscli.numeric.arrays import pl
from losscli.text import without_credentials

_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL")


def redacted(text: str) -> str:
    """A message without the credentials in URLs and the environment."""
    text = without_credentials(text)
    for name, value in os.environ.items():
        if _SECRET.search(name.upper()) and len(value) >= 8:
            text = text.replace(value, "***")
    return text


def reason(error: BaseException) -> str:
    """The first line of a Polars error, without credentials; a panic is described in our own words."""
    if isinstance(error, pl.exceptions.PanicException):
        return "it cannot be decoded, or has a column of an unknown type"
    return redacted((str(error).strip().splitlines() or [type(error).__name__])[0])
