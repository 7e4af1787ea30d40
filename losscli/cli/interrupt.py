"""Ctrl-C ends the program within a second, also while it waits for a library's own code."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

GRACE = 0.5
"""Seconds that Python has to answer an interrupt in its own way."""


def watch() -> None:
    """From now on an interrupt that Python has not answered in time ends the process.

    Python runs no handler before the call it waits for returns, and a join in Polars may take seconds.  The
    pipe is written to at once, by the handler below Python.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(reader,), daemon=True, name="losscli-interrupt").start()


def _wait(reader: int) -> None:
    while os.read(reader, 1)[0] != signal.SIGINT:
        pass
    time.sleep(GRACE)
    # A bar that was being drawn has hidden the cursor.
    os.write(2, b"\x1b[?25h\nlosscli: interrupted\n" if sys.stderr.isatty() else b"losscli: interrupted\n")
    os._exit(130)
