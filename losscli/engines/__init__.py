"""Engines, which fold a job over the aligned rows of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.errors import UsageError
from losscli.text import not_one_of

if TYPE_CHECKING:
    from losscli.data.table import Source
    from losscli.engines.job import Engine

LOCAL, SPARK = "local", "spark"
"""The engine in threads of this process, and the one on a Spark cluster."""
TABLE = "table:"
"""The prefix of the name of a table in the catalog of a Spark session."""


def of(name: str, threads: int | None = None) -> Engine:
    """The engine with this `checked` name; it chooses the number of workers if `threads` is None.

    Raises UsageError if the extra that it needs is not installed.
    """
    kind, _, master = name.partition(":")
    if kind == SPARK:
        try:
            from losscli.engines.spark.engine import Spark  # needs pyarrow, which is in an extra
        except ModuleNotFoundError as error:
            what = f"--engine spark needs {error.name}, which is not installed"
            raise UsageError(what, remedy="pip install 'losscli[spark]'") from None
        return Spark(master)
    from losscli.engines.local import Local  # planning a run needs no engine

    return Local(threads)


def is_spark(name: str) -> bool:
    """Whether the engine with this name runs on a Spark cluster."""
    return name.partition(":")[0] == SPARK


def source_of(source: Source, name: str | None) -> Source:
    """The source, or for 'table:NAME' the table of the Spark session of the engine with this name.

    Raises UsageError for another engine, and DataError if there is no such table.
    """
    if not isinstance(source, str) or not source.startswith(TABLE):
        return source
    kind, _, master = checked(name or LOCAL).partition(":")
    if kind != SPARK:
        raise UsageError(f"{source} is a table of a Spark session", remedy="--engine spark")
    from losscli.engines.spark.session import table_of

    return table_of(master, source.removeprefix(TABLE), source)


def checked(name: str) -> str:
    """The name of an engine: local, spark, or spark:MASTER.  Raises UsageError for any other text."""
    kind, colon, master = name.partition(":")
    if name == LOCAL or (kind == SPARK and bool(colon) == bool(master)):
        return name
    raise UsageError(not_one_of("--engine", name, (LOCAL, SPARK, "spark:MASTER", "spark:sc://HOST:PORT")))
