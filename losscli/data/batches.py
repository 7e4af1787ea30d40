"""Read a query batch by batch: the only module that calls an unstable API of Polars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from queue import Queue
from threading import Event, Thread

from losscli.numeric.arrays import pl

WAITING = 2
"""Batches that are read ahead of their use."""
_AHEAD = 12 << 10
"""KiB of row groups that Polars reads ahead for each core."""
_CHUNK = 4 << 20
"""Bytes of a CSV file that Polars reads at once; it reads two chunks ahead for each core."""


def read_less_ahead() -> None:
    """Let Polars read less far ahead, unless the environment says how far.

    Parquet 12 MiB for each core instead of 32, which is two row groups of 10 MiB on two cores, and CSV 8 MiB
    instead of 64.  A disk needs no more, and memory that is used again costs less than new memory: a tenth of
    a run over row groups of 10 MiB or over CSV files, which takes 0.2 GB less.  Files at URLs are better read
    further ahead.
    """
    os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_KBYTES_BUDGET", str(_AHEAD * pl.thread_pool_size()))
    os.environ.setdefault("POLARS_CSV_CHUNK_SIZE", str(_CHUNK))


def batches(query: pl.LazyFrame, ordered: bool = True) -> Iterator[pl.DataFrame]:
    """The rows of a query batch by batch, with back-pressure, in order unless `ordered` is false.

    Raises the errors of Polars, and its panics: `collect_batches` ends at a panic as if it had read all rows.
    """
    found: Queue[pl.DataFrame | BaseException | None] = Queue(WAITING)
    left = Event()

    def add(batch: pl.DataFrame) -> bool:
        found.put(batch)
        return left.is_set()

    def read() -> None:
        try:
            query.sink_batches(add, maintain_order=ordered, engine="streaming")
            found.put(None)
        except BaseException as error:  # also panics: it is raised in the thread that takes the batches
            found.put(error)

    Thread(target=read, daemon=True, name="losscli-batches").start()
    try:
        while (batch := found.get()) is not None:
            if isinstance(batch, BaseException):
                raise batch
            yield batch
    finally:
        left.set()
        while not found.empty():  # so that `add` can return, and tell Polars to stop
            found.get_nowait()
