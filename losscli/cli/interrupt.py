"""Signals that end the program within a second, even while it waits for native code.

Its temporary files are deleted first.  The exit status is 128 plus the number of the signal, as in a shell.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType

from losscli.data import scratch

GRACE = 0.5
"""The seconds that Python has to handle a signal by itself."""
_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
_ENDINGS = {getattr(signal, name): word for name, word in _WORDS.items() if hasattr(signal, name)}
_NAME = "losscli-interrupt"
_received = [int(signal.SIGINT)]
"""The signals received; the first is assumed if Python itself raises KeyboardInterrupt."""


def watch() -> None:
    """From now on, a signal that Python does not handle in time ends the process.

    Python runs no handler before a native call returns, and a join in Polars may take seconds.  The C-level
    handler writes to a pipe immediately.  Ignored signals stay ignored, as under nohup.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _ENDINGS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)
    threading.Thread(target=_wait, args=(reader,), daemon=True, name=_NAME).start()
    sys.unraisablehook = _unraisable


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Hide an interrupt that Python ignores in a callback, as in an import; it still ends the run."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def is_on() -> bool:
    """Whether `watch` was called, so that this process is the program and not one that imports it."""
    return any(thread.name == _NAME for thread in threading.enumerate())


def status() -> int:
    """The exit status after a signal."""
    return 128 + _received[-1]


def word() -> str:
    """The message about the last signal."""
    return _ENDINGS[signal.Signals(_received[-1])]


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def _wait(reader: int) -> None:
    while (number := os.read(reader, 1)[0]) not in _ENDINGS:
        pass
    time.sleep(GRACE)
    _received.append(number)
    scratch.remove_all()
    # A progress bar hides the cursor.
    cursor = "\x1b[?25h\n" if sys.stderr.isatty() else ""
    os.write(sys.stderr.fileno(), f"{cursor}losscli: {word()}\n".encode())
    os._exit(status())
