"""Crashes that the user can fix: they end the program with a message."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

from losscli.cli import native
from losscli.cli.messages import MORE_MEMORY
from losscli.data import scratch
from losscli.errors import Status
from losscli.text import line_of_log

_TRUNCATED = (
    "error: a file became shorter while it was read, or its disk failed",
    "  -> write files under another name, and rename them",
)


_FIRST = threading.Lock()
"""Held by the thread that reports its crash."""


def watch() -> None:
    """From now on, handle SIGBUS and SIGABRT in the thread that raises them.

    SIGBUS means that a page of a mapped file is gone, SIGABRT that native code aborted, as Rust does without
    memory.  A handler of Python's signal module would return to the fault forever.
    """
    for name in ("SIGBUS", "SIGABRT"):
        if hasattr(signal, name):
            ctypes.CDLL(None).signal(getattr(signal, name), _HANDLER)


def _crashed(number: int) -> None:
    if not _FIRST.acquire(blocking=False):
        threading.Event().wait()  # until the other thread has ended the process
    status: Status = Status.DATA
    lines: tuple[str, ...] = _TRUNCATED
    try:
        scratch.remove_all()
        if number == signal.SIGABRT:
            status, lines = _aborted(native.captured(panics=True))
    finally:  # even without memory
        os.write(sys.stderr.fileno(), ("losscli: " + "\n".join(map(line_of_log, lines)) + "\n").encode())
        os._exit(status)


def _aborted(output: str) -> tuple[Status, tuple[str, ...]]:
    """The exit status and the message for the output of native code before it aborted."""
    first, *rest = output.strip().splitlines() or ["a library aborted"]
    if first.startswith("memory allocation of "):
        return Status.DATA, (f"error: {first}", f"  -> {MORE_MEMORY}")
    return Status.BUG, (f"bug: {first}", *rest)


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)(_crashed)
"""The callback for the system, which must not be garbage-collected."""
