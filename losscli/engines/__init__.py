"""Engines: what folds a job over the aligned rows of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.engines.job import Engine

LOCAL = "local"
"""The engine of this process and its threads."""


def of(name: str, threads: int | None = None) -> Engine:
    """The engine of a name, with a number of workers or as many as serve.  Raises KeyError for no engine."""
    from losscli.engines.local import Local  # what plans a run needs no engine yet

    return {LOCAL: Local}[name](threads)
