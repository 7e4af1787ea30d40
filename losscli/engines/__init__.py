"""Engines, which fold a job over the aligned rows of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.engines.job import Engine

LOCAL = "local"
"""The name of the engine that uses the threads of this process."""


def of(name: str, threads: int | None = None) -> Engine:
    """The engine of this name; it chooses the number of workers if `threads` is None.

    Raises KeyError for an unknown name.
    """
    from losscli.engines.local import Local  # planning a run needs no engine

    return {LOCAL: Local}[name](threads)
