"""The protocols of an engine and of the jobs that it folds over the blocks of a stream."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, Self, TypeVar, cast

import polars as pl

from losscli.data.align import Aligned
from losscli.data.folder import Folder
from losscli.data.writer import Writer
from losscli.errors import DeviceError
from losscli.numeric.arrays import Namespace

Progress = Callable[[int], None]
Sink = Writer | Folder
"""The destination of the results of single rows: a file of this process, or a folder of all workers."""


class Folded(Protocol):
    """The result of folding some rows."""

    @property
    def rows(self) -> int:
        """The number of rows that were read."""

    @property
    def rows_of(self) -> pl.DataFrame | None:
        """The result of each row of a block, None if the job has none; merging drops them."""


S = TypeVar("S", bound=Folded)


class Job(Protocol[S]):
    """A computation over blocks with mergeable results, such as the evaluation of one or several models.

    A job can be pickled and run in other processes, because it names losses and holds no functions.
    """

    @property
    def block_rows(self) -> int:
        """The number of rows of a block."""

    @property
    def group(self) -> str | None:
        """The column of groups, which blocks must not split; None without groups."""

    @property
    def device(self) -> str:
        """The name of the device."""

    @property
    def codec(self) -> str:
        """The name of the module that writes the job for other processes: a `Codec`."""

    def run_length(self, frame: pl.DataFrame) -> int:
        """The number of blocks to fold as one, a power of two, judging by the first block."""

    def begin(self, frame: pl.DataFrame) -> Any:
        """What the first block fixes for the whole run, passed to every `fold`."""

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> S:
        """The result for one block, whose first row has the number `first_row`."""

    def merge(self, a: S, b: S) -> S:
        """The result for the rows of both; `a` holds the earlier rows."""

    def instead(self, error: DeviceError) -> Self:
        """The same job on the CPU, from the first row.  Raises the error if the user chose the device."""


class Codec(Protocol):
    """A module that writes jobs and their results for other processes, and reads them there.

    Engines know only its name, as jobs are made in layers above theirs.
    """

    def to_text(self, job: Any, fixed: Any) -> str:
        """A job, and what the first block fixes.  Raises UsageError for a loss that workers cannot find."""

    def of_text(self, text: str) -> tuple[Any, Any]:
        """The job and what the first block fixes, in another process."""

    def to_bytes(self, folded: Any) -> bytes:
        """The result for some rows."""

    def of_bytes(self, job: Any, data: bytes) -> Any:
        """The result for some rows of a job.  Raises DataError for other bytes."""


def codec_of(name: str) -> Codec:
    """The codec in the module with this name."""
    return cast(Codec, import_module(name))


class Engine(Protocol):
    """Folds jobs: in threads here, or on a cluster."""

    def run(self, job: Job[S], stream: Aligned, progress: Progress, sink: Sink | None = None) -> S | None:
        """The result of a job over all rows of a stream; None if it has no rows.

        `progress` is called with the number of rows done so far, and the results of single rows go to `sink`.
        Afterwards `stream.findings` holds the findings of the alignment.  Raises RereadError if the stream
        has to be read in another way, and DeviceError if the device fails.
        """
