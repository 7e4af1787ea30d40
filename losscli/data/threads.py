"""Calls in threads, whose results arrive in the order of the calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from threading import Lock
from typing import Any, TypeVar

from losscli.numeric.arrays import pl

T = TypeVar("T")
_MOST_WORKERS = 8
"""Threads that work on what is read, at most: each holds a batch."""


def workers() -> int:
    """The number of threads that work on what is read: as many as Polars reads with, to be as fast."""
    return min(_MOST_WORKERS, pl.thread_pool_size())


class Once:
    """Values that several threads need and one of them makes."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, which is made if this is the first call with it."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            found: T = self._made[key]
            return found


def in_order(calls: Iterable[Callable[[], T]], workers: int) -> Iterator[T]:
    """The results of calls, computed by so many threads, of which each is one call ahead of their use.

    A single call needs no thread.  Raises what a call raises.
    """
    own = iter(calls)
    first = next(own, None)
    second = next(own, None)
    if first is None:
        return
    if second is None:
        yield first()
        return
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="losscli")
    try:
        for call in chain((first, second), own):
            waiting.append(pool.submit(call))
            while waiting and (waiting[0].done() or len(waiting) > workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
