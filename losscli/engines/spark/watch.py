"""Wait for work on Spark: report its progress, and cancel it if the user interrupts.

The work runs in its own thread, so that an interrupt ends the wait at once, and the settings of the caller's
thread, such as its job group, stay unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any, Protocol, TypeVar

from losscli.engines.spark.session import inheriting, is_connect

T = TypeVar("T")
POLL = 0.5
"""Seconds between progress polls."""
PATIENCE = 5.0
"""Seconds to wait for the end of cancelled work."""


def waited(spark: Any, work: Callable[[], T], tasks: int, progress: Callable[[float], None]) -> T:
    """The result of work on a session; if interrupted, its jobs are cancelled.

    `progress` is called with the share of tasks that are done; `tasks` is their known number.
    """
    name = f"losscli-{os.urandom(8).hex()}"
    watched: _Watched = _Connect(spark, name) if is_connect(spark) else _Classic(spark, name)
    result: Future[T] = Future()

    def run() -> None:
        with suppress(Exception):  # any exception: a session without this feature works without it
            watched.begin()
        try:
            result.set_result(work())
        except BaseException as error:  # raised again by the waiting thread
            result.set_exception(error)

    Thread(target=inheriting(spark, run), daemon=True, name=name).start()
    share = 0.0
    try:
        while not _is_done(result, POLL):
            with suppress(Exception):
                share = max(share, _share(watched.counts(), tasks))
            progress(share)
    except BaseException:
        with suppress(Exception):
            watched.cancel()
        _is_done(result, PATIENCE)
        raise
    finally:
        with suppress(Exception):
            watched.end()
    return result.result()


def _is_done(work: Future[Any], seconds: float) -> bool:
    """Whether work is done, after waiting at most this long."""
    with suppress(Exception):
        work.exception(timeout=seconds)
    return work.done()


def _share(counts: Iterable[tuple[int, int]], tasks: int) -> float:
    """The share of tasks done, from the numbers of done and of all tasks in each stage."""
    stages = list(counts)
    done, started = sum(done for done, _ in stages), sum(total for _, total in stages)
    return min(1.0, done / max(tasks, started, 1))


class _Watched(Protocol):
    """Jobs with a common name."""

    def begin(self) -> None:
        """Name the jobs of this thread."""

    def counts(self) -> Iterable[tuple[int, int]]:
        """The numbers of done and of all tasks in each stage."""

    def cancel(self) -> None:
        """Stop the jobs."""

    def end(self) -> None:
        """Forget the name."""


class _Classic:
    """Jobs of a session in this process, as a job group."""

    def __init__(self, spark: Any, name: str) -> None:
        self._spark, self._name = spark, name

    def begin(self) -> None:
        """Set the job group of this thread."""
        self._spark.sparkContext.setJobGroup(self._name, "losscli", interruptOnCancel=True)

    def counts(self) -> Iterable[tuple[int, int]]:
        """The numbers from the status tracker; a stage shared by several jobs counts once."""
        tracker = self._spark.sparkContext.statusTracker()
        jobs = filter(None, map(tracker.getJobInfo, tracker.getJobIdsForGroup(self._name)))
        stages = {number: tracker.getStageInfo(number) for job in jobs for number in job.stageIds}
        return [(each.numCompletedTasks, each.numTasks) for each in stages.values() if each is not None]

    def cancel(self) -> None:
        """Stop the jobs of the group."""
        self._spark.sparkContext.cancelJobGroup(self._name)

    def end(self) -> None:
        """Do nothing: the thread has ended."""


class _Connect:
    """Operations on a server of Spark Connect, by a tag."""

    def __init__(self, spark: Any, name: str) -> None:
        self._spark, self._name = spark, name
        self._stages: dict[Any, list[tuple[int, int]]] = {}

    def begin(self) -> None:
        """Tag the operations of this thread, and listen to their progress."""
        self._spark.addTag(self._name)
        self._spark.registerProgressHandler(self._on_progress)  # since 4.0

    def _on_progress(self, stages: Any, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
        if stages:
            self._stages[operation_id] = [(each.num_completed_tasks, each.num_tasks) for each in stages]

    def counts(self) -> Iterable[tuple[int, int]]:
        """The numbers of all operations."""
        return [stage for stages in list(self._stages.values()) for stage in stages]

    def cancel(self) -> None:
        """Stop the operations with the tag."""
        self._spark.interruptTag(self._name)

    def end(self) -> None:
        """Stop listening."""
        self._spark.removeProgressHandler(self._on_progress)
