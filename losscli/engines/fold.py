"""The merge of partial results in the order of their rows, as a binary counter."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

S = TypeVar("S")


class Counter(Generic[S]):
    """Merges numbered parts in a tree: results of equally many parts with each other, the rest at the end.

    The tree depends only on the number of parts.  So if rows are cut into runs of a power of two of blocks,
    and the results of the runs are merged in the same way, all bits are those of a single run.  Threads may
    put parts in any order: the one that puts the second part of a pair merges it.
    """

    def __init__(self, merge: Callable[[S, S], S]) -> None:
        self._merge = merge
        self._count = 0
        self._waiting = dict[tuple[int, int], S]()
        self._lock = Lock()

    def add(self, part: S) -> None:
        """Add the next part."""
        self.put(self._count, part)
        self._count += 1

    def put(self, number: int, part: S) -> None:
        """Put the part with this number, from 0."""
        level = 0
        while (other := self._partner(level, number, part)) is not None:
            part = self._merge(other, part) if number % 2 else self._merge(part, other)
            level, number = level + 1, number // 2

    def _partner(self, level: int, number: int, part: S) -> S | None:
        """The part to merge with this one on a level; None if it is missing, and this one waits for it."""
        with self._lock:
            partner = self._waiting.pop((level, number ^ 1), None)
            if partner is None:
                self._waiting[level, number] = part
            return partner

    def merged(self) -> S | None:
        """All parts merged; None without parts."""
        # The higher the level of a part without a partner, the earlier its rows.
        waiting = [self._waiting[place] for place in sorted(self._waiting, reverse=True)]
        while len(waiting) > 1:
            later = waiting.pop()
            waiting[-1] = self._merge(waiting[-1], later)
        return waiting[0] if waiting else None
