"""Wait for work on Spark: how far it is, and its end if the user interrupts it.

The work runs in a thread of its own: so an interrupt ends the wait at once, and the settings of the caller's
thread, such as its job group, stay as they are.
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
"""Seconds between two looks at the progress."""
PATIENCE = 5.0
"""Seconds that the work has to end once it is cancelled."""


def waited(spark: Any, work: Callable[[], T], tasks: int, progress: Callable[[float], None]) -> T:
    """The result of work on a session; if interrupted, its jobs are cancelled.

    `progress` is called with the share of tasks that are done; `tasks` is their number as far as it is known.
    """
    name = f"losscli-{os.urandom(8).hex()}"
    watched: _Watched = _Connect(spark, name) if is_connect(spark) else _Classic(spark, name)
    found: Future[T] = Future()

    def run() -> None:
        with suppress(Exception):  # of any kind: what a session refuses is done without
            watched.begin()
        try:
            found.set_result(work())
        except BaseException as error:  # raised again where it is waited for
            found.set_exception(error)

    Thread(target=inheriting(spark, run), daemon=True, name=name).start()
    share = 0.0
    try:
        while not _is_done(found, POLL):
            with suppress(Exception):
                share = max(share, _share(watched.counts(), tasks))
            progress(share)
    except BaseException:
        with suppress(Exception):
            watched.cancel()
        _is_done(found, PATIENCE)
        raise
    finally:
        with suppress(Exception):
            watched.end()
    return found.result()


def _is_done(work: Future[Any], seconds: float) -> bool:
    """Whether work is done after so many seconds at most."""
    with suppress(Exception):
        work.exception(timeout=seconds)
    return work.done()


def _share(counts: Iterable[tuple[int, int]], tasks: int) -> float:
    """The share of tasks that are done, from the numbers of those done and of all in each stage."""
    stages = list(counts)
    done, seen = sum(done for done, _ in stages), sum(total for _, total in stages)
    return min(1.0, done / max(tasks, seen, 1))


class _Watched(Protocol):
    """Jobs that have a name in common."""

    def begin(self) -> None:
        """Give the name to the jobs of this thread."""

    def counts(self) -> Iterable[tuple[int, int]]:
        """The numbers of tasks that are done, and of all, in each stage."""

    def cancel(self) -> None:
        """Stop the jobs."""

    def end(self) -> None:
        """Forget the name."""


class _Classic:
    """Jobs of a session in this process, as a job group."""

    def __init__(self, spark: Any, name: str) -> None:
        self._spark, self._name = spark, name

    def begin(self) -> None:
        """Give the group to the jobs of this thread."""
        self._spark.sparkContext.setJobGroup(self._name, "losscli", interruptOnCancel=True)

    def counts(self) -> Iterable[tuple[int, int]]:
        """The numbers of the status tracker; a stage that several jobs share counts once."""
        tracker = self._spark.sparkContext.statusTracker()
        jobs = filter(None, map(tracker.getJobInfo, tracker.getJobIdsForGroup(self._name)))
        stages = {number: tracker.getStageInfo(number) for job in jobs for number in job.stageIds}
        return [(each.numCompletedTasks, each.numTasks) for each in stages.values() if each is not None]

    def cancel(self) -> None:
        """Stop the jobs of the group."""
        self._spark.sparkContext.cancelJobGroup(self._name)

    def end(self) -> None:
        """Nothing: the thread has ended."""


class _Connect:
    """Operations on a server of Spark Connect, by a tag."""

    def __init__(self, spark: Any, name: str) -> None:
        self._spark, self._name = spark, name
        self._stages: dict[Any, list[tuple[int, int]]] = {}

    def begin(self) -> None:
        """Tag the operations of this thread, and listen to what the server says of them."""
        self._spark.addTag(self._name)
        self._spark.registerProgressHandler(self._heard)  # came with 4.0

    def _heard(self, stages: Any, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
        if stages:
            self._stages[operation_id] = [(each.num_completed_tasks, each.num_tasks) for each in stages]

    def counts(self) -> Iterable[tuple[int, int]]:
        """The numbers of all operations."""
        return [stage for stages in list(self._stages.values()) for stage in stages]

    def cancel(self) -> None:
        """Stop the operations with the tag."""
        self._spark.interruptTag(self._name)

    def end(self) -> None:
        """Listen no more."""
        self._spark.removeProgressHandler(self._heard)
