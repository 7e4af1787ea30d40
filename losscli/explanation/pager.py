"""A pager for text that is longer than the terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

LESS = "-R"
"""Options of less if LESS has none: show colours."""


def command() -> list[str]:
    """The command of the pager: that in PAGER, else less; empty for a dumb terminal."""
    if os.environ.get("TERM") == "dumb":
        return []
    return shlex.split(os.environ.get("PAGER") or "less")


def show(text: str, height: int) -> None:
    """Write text to the terminal, through the pager if it has more lines than the terminal."""
    pager = command()
    if text.count("\n") < height or not pager:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    try:
        with subprocess.Popen(pager, stdin=subprocess.PIPE, env={"LESS": LESS} | os.environ) as running:
            assert running.stdin is not None
            try:
                running.stdin.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
                running.stdin.close()
            except BrokenPipeError:
                pass  # the user quit the pager before its end
    except OSError:
        sys.stdout.write(text)
        return
    sys.stderr.write(f"losscli: {text.count(chr(10))} lines, shown in {pager[0]}; PAGER=cat prints them\n")
