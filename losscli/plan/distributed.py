"""Refuse what cannot run on a cluster, with the reason, before any row is read."""

from __future__ import annotations

from collections.abc import Iterable

from losscli import engines
from losscli.data import cluster
from losscli.data.align import Aligned
from losscli.data.stream import ALL_ROWS
from losscli.data.table import Source, Table
from losscli.engines.devices import CPU
from losscli.errors import UsageError
from losscli.plan.plan import Plan

ON_CPUS = "Spark computes on CPUs"


def require_possible(engine: str, plan: Plan, stream: Aligned) -> None:
    """Raise UsageError, with the reason, if the engine does not support the run."""
    if not engines.is_spark(engine):
        return
    if plan.device != CPU:
        raise UsageError(f"--device {plan.device}: {ON_CPUS}", remedy="--device cpu")
    if stream.roles.group == ALL_ROWS:
        raise UsageError(
            "--engine spark: all rows are one group, which no two tasks can share",
            remedy="--group names a column of groups, or use --engine local",
        )
    in_one = stream.is_one_table and all(_same_files(stream, other.table) for other in stream.others)
    if not stream.key and not in_one:
        raise UsageError(
            "--engine spark: rows of two files have no order on a cluster, so position cannot align them",
            remedy="--on names a key that both files have",
        )
    if plan.resampling is not None and not plan.unit_columns and not stream.predictions.is_numbered:
        raise UsageError(
            "--ci-method bootstrap draws rows without a key by number, and those of a cluster have none",
            remedy="--cluster COLUMN names what is drawn, such as a key; or read the files themselves",
        )


def refuse(sources: Iterable[Source | None], what: str, remedy: str) -> None:
    """Raise UsageError if a source is a table of a cluster; `what` says why it is not accepted."""
    for source in sources:
        if cluster.is_frame(source) or (isinstance(source, str) and source.startswith(engines.TABLE)):
            shown = source if isinstance(source, str) else "a DataFrame of Spark"
            raise UsageError(f"{shown}: {what}", remedy=remedy)


def _same_files(stream: Aligned, table: Table) -> bool:
    files = stream.predictions.files
    return files is not None and table.files is not None and files.paths == table.files.paths
