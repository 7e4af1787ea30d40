"""Engines, which fold a job over the aligned rows of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.errors import UsageError
from losscli.text import not_one_of

if TYPE_CHECKING:
    from losscli.engines.job import Engine

LOCAL, SPARK = "local", "spark"
"""The engine that uses the threads of this process, and the one that runs on a Spark cluster."""


def of(name: str, threads: int | None = None) -> Engine:
    """The engine of a name that is `checked`; it chooses the number of workers if `threads` is None."""
    kind, _, place = name.partition(":")
    if kind == SPARK:
        from losscli.engines.spark.engine import Spark  # needs PySpark, which is an extra

        return Spark(place)
    from losscli.engines.local import Local  # planning a run needs no engine

    return Local(threads)


def checked(name: str) -> str:
    """The name of an engine: local, spark, or spark:MASTER.  Raises UsageError for any other text."""
    kind, colon, place = name.partition(":")
    if name == LOCAL or (kind == SPARK and bool(colon) == bool(place)):
        return name
    raise UsageError(not_one_of("--engine", name, (LOCAL, SPARK, "spark:MASTER", "spark:sc://HOST:PORT")))
