"""A separate stderr for native code: Rust writes a panic message there before Polars raises an exception.

losscli reports a panic of Polars on a damaged file as an error; the panic message only helps to debug Polars.
"""

from __future__ import annotations

import faulthandler
import os
import re
import sys
from contextlib import suppress

_PANIC = re.compile(r"^thread '.*panicked at ", re.MULTILINE)
_MAX_BYTES = 1 << 20
"""The maximum number of its bytes that are shown."""


def redirect_stderr(backtraces: bool) -> bool:
    """Redirect the stderr of native code to memory, and keep the original one for Python.

    Returns whether that is possible.  A crash would lose the output of native code, so faulthandler reports
    it to the original stderr.
    """
    if not hasattr(os, "memfd_create"):
        return False
    if not backtraces:
        os.environ["RUST_BACKTRACE"] = "0"  # a backtrace takes a second, and would not be shown
    try:
        original = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="replace")
        memory = os.memfd_create("stderr of native code")
    except OSError:  # stderr is closed, or there is no descriptor left
        return False
    os.dup2(memory, 2)
    os.close(memory)
    sys.stderr = original
    faulthandler.enable(original, all_threads=False)
    return True


def captured(panics: bool) -> str:
    """The output of native code: all of it, or without `panics`, the part before the first panic."""
    with suppress(OSError):
        text = os.pread(2, min(_MAX_BYTES, os.fstat(2).st_size), 0).decode(errors="replace")
        return text if panics else _PANIC.split(text, 1)[0].rstrip("\n")
    return ""
