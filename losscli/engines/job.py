"""What an engine is, and what it folds over the blocks of a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

import polars as pl

from losscli.data.align import Aligned
from losscli.errors import DeviceError
from losscli.numeric.arrays import Namespace

Progress = Callable[[int], None]


class Folded(Protocol):
    """What rows leave behind, and how many they were."""

    @property
    def rows(self) -> int:
        """The rows that were read."""


S = TypeVar("S", bound=Folded)


class Job(Protocol[S]):
    """What is folded: a plan of one model, or of several.

    A job can be pickled and folded by other processes, for it names losses and holds no function.
    """

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

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> S:
        """What a block leaves behind."""

    def merge(self, a: S, b: S) -> S:
        """What the rows of both leave behind; `a` holds the earlier rows."""

    def instead(self, error: DeviceError) -> Self:
        """The same on the CPU, from the first row on.  Raises the error where a user chose the device."""


class Engine(Protocol):
    """Who folds a job: threads here, or a cluster elsewhere."""

    def run(self, job: Job[S], stream: Aligned, progress: Progress) -> S | None:
        """What all rows of a stream leave behind; None if it has no rows.

        `progress` is called with the number of rows that are done.  What the alignment came upon is in
        `stream.findings` afterwards.  Raises OutOfOrderError where another reading of the stream is to be
        tried, DeviceError where the device fails.
        """
