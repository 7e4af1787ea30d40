"""Messages on stderr: the one place that writes them."""

from __future__ import annotations

import sys
from contextlib import suppress

from losscli.text import line_of_log, without_credentials

MORE_MEMORY = "--threads 1 needs less, or raise the limit of memory"
"""What to do if there is not enough."""


def say(message: str, *below: str) -> None:
    """Write a message of losscli: a line, and lines below it."""
    write(f"losscli: {message}", *below)


def write(*lines: str) -> None:
    """Write lines; if stderr is full or closed, the exit status has to say all.

    What comes from files cannot steer a terminal, and is no command to whoever reads the log of a job.  URLs
    show no credentials.
    """
    with suppress(OSError, ValueError):
        shown = (line_of_log(without_credentials(line)) for line in lines)
        print("\n".join(shown), file=sys.stderr, flush=True)
