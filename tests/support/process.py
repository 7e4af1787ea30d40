"""The program as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from support.program import CHECKOUT

LOSSCLI = [sys.executable, "-m", "losscli"]
PLAIN = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "XDG_CONFIG_HOME": os.devnull, **CHECKOUT}
"""The environment, without the settings of who runs the tests."""


def process(
    folder, *argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, program=LOSSCLI, **env
) -> tuple[int, str, str]:
    """The exit status and the output of a run."""
    done = subprocess.run(
        [*program, *argv], cwd=folder, env=PLAIN | env, stdout=stdout, stderr=stderr, timeout=60
    )
    return done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode()
