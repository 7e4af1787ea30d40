"""The local engine: blocks on a fixed grid of rows, folded by threads, merged in the order of the rows."""

from __future__ import annotations

import contextlib
import ctypes
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, Self, TypeVar

import polars as pl

from losscli import devices
from losscli.errors import DeviceError
from losscli.tasks.grouped import starts_of
from losscli.xp import Namespace


class Folded(Protocol):
    """What rows leave behind, and how many they were."""

    @property
    def rows(self) -> int:
        """The rows that were read."""


P = TypeVar("P", bound=Folded)


class Work(Protocol[P]):
    """What is folded: a plan of one model, or of several."""

    @property
    def block_rows(self) -> int:
        """Rows of a block."""

    @property
    def group(self) -> str | None:
        """The column of groups, which no block may cut."""

    @property
    def device(self) -> str:
        """Where to compute."""

    def begin(self, frame: pl.DataFrame) -> Any:
        """What the first block fixes for the whole run."""

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> P:
        """What a block leaves behind."""

    def merge(self, a: P, b: P) -> P:
        """What the rows of both leave behind; `a` holds the earlier rows."""

    def instead(self, error: DeviceError) -> Self:
        """The same on the CPU, from the first row on.  Raises the error where a user chose the device."""


def blocks(
    frames: Iterator[pl.DataFrame], size: int, group: str | None = None
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cut a stream of frames into blocks of `size` rows with their first row number.

    With a column `group`, whose groups stand together, a block ends with the group in which the next
    multiple of `size` lies: where is the same however frames are cut.
    """
    first, pending, height, before = 0, list[pl.DataFrame](), 0, None
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


def _joined(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    return pieces[0] if len(pieces) == 1 else pl.concat(pieces, rechunk=False)


def run(
    work: Work[P],
    frames: Iterator[pl.DataFrame],
    threads: int | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> P | None:
    """Fold a stream of aligned frames; None if it has no rows.

    The result does not depend on threads or on how frames are cut.  `progress` is told the rows done.
    Raises DeviceError where the device fails.
    """
    _keep_freed_memory()
    device = devices.found(work.device)
    workers = device.workers(threads)
    whole: P | None = None
    waiting: deque[Future[P]] = deque()

    def add(part: P) -> None:
        nonlocal whole
        whole = part if whole is None else work.merge(whole, part)
        progress(whole.rows)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="losscli")
    try:
        fixed = None
        for first, block in blocks(frames, work.block_rows, work.group):
            if first == 0:
                fixed = work.begin(block)
            waiting.append(pool.submit(device.call, work.fold, block, first, fixed))
            while waiting and (waiting[0].done() or len(waiting) > workers):
                add(waiting.popleft().result())
        while waiting:
            add(waiting.popleft().result())
    except device.errors as error:
        raise device.failure(error) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        device.close()
    return whole


def _keep_freed_memory() -> None:
    """Let malloc keep the arrays of a block for the next one, where the C library is glibc.

    By default it hands each freed array of this size back to the kernel, and faulting the pages in again
    costs as much as the arithmetic (measured: 0.98 against 0.53 ms a block of Huber).
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        trim_threshold, mmap_threshold, enough = -1, -3, 1 << 28
        mallopt(mmap_threshold, enough)
        mallopt(trim_threshold, enough)
