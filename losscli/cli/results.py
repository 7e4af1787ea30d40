"""The stdout of results: once user code has run, all other output to stdout goes to stderr."""

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
    """stdout for the main thread of the program; stderr for user code and the threads that it starts."""

    @property
    def _is_ours(self) -> bool:
        return threading.current_thread() is threading.main_thread() and not guard.is_running()

    @property
    def buffer(self) -> Any:
        """The binary stream below."""
        return super().buffer if self._is_ours else sys.stderr.buffer

    def write(self, text: str, /) -> int:
        """Write to stdout, or to stderr while user code runs."""
        return super().write(text) if self._is_ours else sys.stderr.write(text)

    def close(self) -> None:
        """Close stdout, unless user code calls it."""
        if self._is_ours:
            super().close()


def reserve_stdout() -> None:
    """From now on, user code cannot write to the stdout of results."""
    guard.streams.append(streams)


@cache
def streams() -> tuple[TextIO, TextIO]:
    """The output streams of the program; from the first call on, both file descriptors point to stderr."""
    stdout = sys.stdout
    with suppress(OSError, ValueError):  # stdout is closed, or there is no descriptor left
        stdout.flush()
        with suppress(OSError):
            # rich would determine the width by the descriptor.
            os.environ.setdefault("COLUMNS", str(os.get_terminal_size(stdout.fileno()).columns))
        descriptor = os.dup(stdout.fileno())
        os.dup2(2, stdout.fileno())
        stdout = Results(
            io.BufferedWriter(io.FileIO(descriptor, "w")), encoding=stdout.encoding, errors="replace"
        )
    return stdout, sys.stderr
