"""Signals that end the program within a second, also while it waits for a library's own code.

Its temporary files are deleted first.  The status is 128 and the number of the signal, as a shell has it.
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
"""Seconds that Python has to answer a signal in its own way."""
_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
_ENDINGS = {getattr(signal, name): word for name, word in _WORDS.items() if hasattr(signal, name)}
_NAME = "losscli-interrupt"
_received = [int(signal.SIGINT)]
"""The signals that came, after the one that is assumed where Python itself was interrupted."""


def watch() -> None:
    """From now on a signal that Python has not answered in time ends the process.

    Python runs no handler before the call it waits for returns, and a join in Polars may take seconds.  The
    pipe is written to at once, by the handler below Python.  What is ignored stays so, as under nohup.
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
    """Hide an interrupt that Python ignores in a callback, as during an import; it still ends the run."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def is_on() -> bool:
    """Whether this process is the program, and no other that calls it."""
    return any(thread.name == _NAME for thread in threading.enumerate())


def status() -> int:
    """The exit status after a signal."""
    return 128 + _received[-1]


def word() -> str:
    """What a signal did to the program."""
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
    # A bar that was being drawn has hidden the cursor.
    cursor = "\x1b[?25h\n" if sys.stderr.isatty() else ""
    os.write(sys.stderr.fileno(), f"{cursor}losscli: {word()}\n".encode())
    os._exit(status())
