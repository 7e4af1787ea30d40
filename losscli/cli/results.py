"""The stdout of results: once code of a user runs, whatever else is written there goes to stderr."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import Any, TextIO

from losscli.catalog.custom import guard


class Results(io.TextIOWrapper):
    """stdout for the main thread of the program; stderr for code of users and the threads that it starts."""

    @property
    def _is_ours(self) -> bool:
        return threading.current_thread() is threading.main_thread() and not guard.is_running()

    @property
    def buffer(self) -> Any:
        """The bytes below."""
        return super().buffer if self._is_ours else sys.stderr.buffer

    def write(self, text: str, /) -> int:
        """Write to stdout, or to stderr while code of a user runs."""
        return super().write(text) if self._is_ours else sys.stderr.write(text)

    def close(self) -> None:
        """Close nothing, unless the program asks for it."""
        if self._is_ours:
            super().close()


def keep_apart() -> None:
    """From now on code of users that runs leaves stdout to results."""
    guard.streams.append(streams)


@cache
def streams() -> tuple[TextIO, TextIO]:
    """The streams of the program; from the first call on, the descriptors of both lead to stderr."""
    out = sys.stdout
    with suppress(OSError, ValueError):  # stdout is closed, or there is no descriptor left
        out.flush()
        with suppress(OSError):
            # The width that rich finds by the descriptor.
            os.environ.setdefault("COLUMNS", str(os.get_terminal_size(out.fileno()).columns))
        own = os.dup(out.fileno())
        os.dup2(2, out.fileno())
        out = Results(io.BufferedWriter(io.FileIO(own, "w")), encoding=out.encoding, errors="replace")
    return out, sys.stderr
