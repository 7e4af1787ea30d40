"""Messages on stderr: the one place that writes them."""

from __future__ import annotations

import sys
from contextlib import suppress

from losscli.text import line_of_log, without_credentials

MORE_MEMORY = "--threads 1 needs less, or raise the limit of memory"
"""The remedy for too little memory."""


def say(message: str, *below: str) -> None:
    """Write a message with the prefix 'losscli: ', and further lines below it."""
    write(f"losscli: {message}", *below)


def write(*lines: str) -> None:
    """Write lines; if stderr is full or closed, only the exit status remains.

    Text from files cannot control a terminal, and is no command to a CI system that reads the log.  URLs are
    shown without credentials.
    """
    with suppress(OSError, ValueError):
        safe_lines = (line_of_log(without_credentials(line)) for line in lines)
        print("\n".join(safe_lines), file=sys.stderr, flush=True)
