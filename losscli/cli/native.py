"""The stderr of native code, apart from ours: Rust reports a panic there before Polars raises it.

losscli reports what damaged files do to Polars as an error; the panics themselves only help to debug Polars.
"""

from __future__ import annotations

import faulthandler
import os
import re
import sys
from contextlib import suppress

_PANIC = re.compile(r"^thread '.*panicked at ", re.MULTILINE)
_MOST = 1 << 20
"""The bytes of it that are shown at most."""


def keep_apart(backtraces: bool) -> bool:
    """Give native code a stderr in memory, and Python the one that was there; whether that is possible.

    A crash would lose what native code said of it, so Python says which one it was.
    """
    if not hasattr(os, "memfd_create"):
        return False
    if not backtraces:
        os.environ["RUST_BACKTRACE"] = "0"  # nobody would see one, and to make it takes a second
    try:
        ours = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="replace")
        apart = os.memfd_create("stderr of native code")
    except OSError:  # stderr is closed, or there is no descriptor left
        return False
    os.dup2(apart, 2)
    os.close(apart)
    sys.stderr = ours
    faulthandler.enable(ours, all_threads=False)
    return True


def said(panics: bool) -> str:
    """What native code has written: all of it, or what is before its first panic."""
    with suppress(OSError):
        text = os.pread(2, min(_MOST, os.fstat(2).st_size), 0).decode(errors="replace")
        return text if panics else _PANIC.split(text, 1)[0].rstrip("\n")
    return ""
