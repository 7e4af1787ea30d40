"""The merge of partial results in the order of their rows, as a binary counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

S = TypeVar("S")


class Counter(Generic[S]):
    """Merges parts that are added one by one: equal numbers of them with each other, the rest at the end.

    The tree depends on the number of parts alone.  So if rows are cut into runs of a power of two of blocks,
    and the results of the runs are merged in the same way, all bits are those of a single run.
    """

    def __init__(self, merge: Callable[[S, S], S]) -> None:
        self._merge = merge
        self._count = 0
        self._waiting: list[S] = []

    def add(self, part: S) -> None:
        """Add the part that follows those before."""
        self._count += 1
        self._waiting.append(part)
        # As in binary addition, each trailing zero of the count is one carry.
        carries = (self._count & -self._count).bit_length() - 1
        for _ in range(carries):
            later = self._waiting.pop()
            self._waiting[-1] = self._merge(self._waiting[-1], later)

    def whole(self) -> S | None:
        """All parts in one; None without any."""
        while len(self._waiting) > 1:
            later = self._waiting.pop()
            self._waiting[-1] = self._merge(self._waiting[-1], later)
        return self._waiting[0] if self._waiting else None
