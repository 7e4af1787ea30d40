"""Files that are mapped into memory: what to do when their bytes are gone."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from losscli.data import scratch
from losscli.errors import Status

_LOST = b"""\
losscli: error: a file became shorter while it was read, or its disk failed
  -> write files under another name, and rename them
"""


def watch() -> None:
    """From now on the loss of a mapped file ends the process with the status of wrong data.

    The processor reports it in the middle of an instruction, which a handler of Python's signal module would
    return to for ever; this one runs where the fault is.
    """
    if hasattr(signal, "SIGBUS"):
        ctypes.CDLL(None).signal(signal.SIGBUS, _HANDLER)


def _lost(number: int) -> None:
    scratch.remove_all()
    os.write(sys.stderr.fileno(), _LOST)
    os._exit(Status.DATA)


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)(_lost)
"""What the system calls; it has to exist as long as the process."""
