"""Crashes that the user can do something about: they end the program with a message."""

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

_SHORTER = (
    "error: a file became shorter while it was read, or its disk failed",
    "  -> write files under another name, and rename them",
)


_FIRST = threading.Lock()
"""Held by the thread that reports its crash."""


def watch() -> None:
    """Handle two signals of crashes from now on, in the thread in which they are raised.

    SIGBUS says that a page of a mapped file is gone, and SIGABRT that native code gave up, as Rust does if
    there is no memory.  A handler of Python's signal module would return to the fault for ever.
    """
    for name in ("SIGBUS", "SIGABRT"):
        if hasattr(signal, name):
            ctypes.CDLL(None).signal(getattr(signal, name), _HANDLER)


def _crashed(number: int) -> None:
    if not _FIRST.acquire(blocking=False):
        threading.Event().wait()  # until the other thread has ended the process
    status: Status = Status.DATA
    lines: tuple[str, ...] = _SHORTER
    try:
        scratch.remove_all()
        if number == signal.SIGABRT:
            status, lines = _aborted(native.said(panics=True))
    finally:  # whatever there is still memory for
        os.write(sys.stderr.fileno(), ("losscli: " + "\n".join(map(line_of_log, lines)) + "\n").encode())
        os._exit(status)


def _aborted(said: str) -> tuple[Status, tuple[str, ...]]:
    """The exit status, and the message, for what native code said before it gave up."""
    first, *others = said.strip().splitlines() or ["a library aborted"]
    if first.startswith("memory allocation of "):
        return Status.DATA, (f"error: {first}", f"  -> {MORE_MEMORY}")
    return Status.BUG, (f"bug: {first}", *others)


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)(_crashed)
"""What the system calls; it has to exist as long as the process."""
