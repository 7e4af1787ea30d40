"""What an engine folds over the blocks of a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

import polars as pl

from losscli.errors import DeviceError
from losscli.numeric.arrays import Namespace

Progress = Callable[[int], None]


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
