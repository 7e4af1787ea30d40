"""Blocks on a fixed grid of row numbers, cut from a stream of batches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import chain, islice

import polars as pl

from losscli.data.slicing import starts_of


def blocks(
    frames: Iterator[pl.DataFrame], size: int, group: str | None = None, first: int = 0
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cut a stream of frames, which starts at row `first`, into blocks of `size` rows with their first row.

    With a column `group`, whose groups are contiguous, a block ends with the group that contains the next
    multiple of `size`, so that blocks do not depend on how frames are cut.
    """
    pending, height, before = list[pl.DataFrame](), 0, None
    for frame in filter(len, frames):
        borders = None if group is None else starts_of(frame[group], before).tolist()
        at = 0
        while at < frame.height:
            end = max(at, at - height + size - first % size)
            if borders is not None:
                next_border = bisect_left(borders, end)
                end = borders[next_border] if next_border < len(borders) else frame.height + 1
            piece = frame.slice(at, end - at)
            pending.append(piece)
            at, height = at + piece.height, height + piece.height
            if at == end:
                yield first, _joined(pending)
                first, pending, height = first + height, [], 0
        before = None if group is None else frame[group][-1]
    if height:
        yield first, _joined(pending)


def runs_of(
    grid: Iterator[tuple[int, pl.DataFrame]], length: Callable[[pl.DataFrame], int]
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Runs of blocks as one block each, so many as `length` says of the first block if others follow."""
    head = [*islice(grid, 2)]
    size = length(head[0][1]) if len(head) > 1 else 1
    grid = chain(head, grid)
    while run := [*islice(grid, size)]:
        yield run[0][0], _joined([frame for _, frame in run])


def _joined(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    return pieces[0] if len(pieces) == 1 else pl.concat(pieces, rechunk=False)
