"""The command line, the time and the commit of this run, for HTML pages."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from losscli.text import without_credentials

if TYPE_CHECKING:
    from losscli.render.formats import Origin

_argv: list[str] = []
"""The arguments of the program; a process runs one command at a time."""


def remember(argv: Sequence[str]) -> None:
    """Store the arguments of the command line."""
    _argv[:] = argv


def origin() -> Origin:
    """The command in shell syntax, the time in UTC, and the commit of the working folder.

    SOURCE_DATE_EPOCH sets the time, so that builds are reproducible.
    """
    from losscli.render.formats import Origin  # most commands write no page
    from losscli.report import saved

    command = shlex.join(["losscli", *map(without_credentials, _argv)])
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(given), UTC) if given.isdecimal() else datetime.now(UTC)
    return Origin(command, f"{now:%Y-%m-%d %H:%M} UTC", saved.commit())
