"""Losses of single rows: all written to a file, and the worst ones of a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from msgspec.structs import asdict

from losscli.catalog.loss import Choice
from losscli.data.writer import SINKS, Writer, require_distinct
from losscli.errors import DataError, DeviceError, Problem, UsageError
from losscli.evaluation import block as block_reading
from losscli.evaluation import partial as partials
from losscli.evaluation.block import Taken
from losscli.evaluation.partial import Partial
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.plan.plan import Plan
from losscli.states.cells import Cells
from losscli.states.top import Top

TOP = "top"
"""The name of the state that --worst asks for."""
WIDE = 8
"""Maximum number of prediction columns shown with a row; if there are more, none is shown."""


def checked(rows: str | os.PathLike[str] | None, inputs: Sequence[str]) -> Path | None:
    """The file for row losses.  Raises UsageError for an unknown suffix, a missing folder or an input."""
    if rows is None:
        return None
    if "://" in str(rows):
        raise UsageError(f"--rows {rows}: an output is a local file", remedy="write it here, then upload it")
    path = Path(rows)
    if path.suffix not in SINKS:
        raise UsageError(f"--rows {path}: no format has this suffix", remedy=f"one of {', '.join(SINKS)}")
    if not path.parent.is_dir():
        raise UsageError(f"--rows {path}: there is no folder {path.parent}", remedy="make it")
    require_distinct([path], inputs)
    return path


def require_row_values(choices: Sequence[Choice]) -> None:
    """Raise UsageError for losses that have no value for a single row."""
    without = [str(choice) for choice in choices if not choice.loss.additive]
    if without:
        raise UsageError(
            f"{', '.join(without)} {'has' if len(without) == 1 else 'have'} no value of a single row",
            remedy="choose losses that add up over rows, such as mae or log_loss",
        )


def values(taken: Taken, choice: Choice) -> Array:
    """The loss of each row (n,): for a root the value under it, for several outputs their mean."""
    found = [to_numpy(column) for (column,) in taken.output_columns(choice)]
    scale = [getattr(pilot, "error_unit", 1.0) for pilot in taken.rows.pilots] or [1.0] * len(found)
    if any(unit != 1.0 for unit in scale):
        raise DataError(Problem("errors are too extreme for the losses of single rows", taken.plan.files[0]))
    return found[0] if len(found) == 1 else sum(found) / len(found)


def described(taken: Taken, columns: Sequence[str]) -> pl.DataFrame:
    """The number and key of each row, and these columns of the stream, under their names in the files."""
    block = taken.block
    rows, frame = block.rows, block.frame
    if taken.rows.starts is not None:
        rows, frame = rows[taken.rows.starts], frame[taken.rows.starts]
    found = {"row": pl.Series("row", rows + 1)}
    for name in (*block.roles.ids, *columns):
        short = name[2:]
        found.setdefault(short, frame[name].alias(short))
    return pl.DataFrame(list(found.values()))


def shown_columns(plan: Plan) -> tuple[str, ...]:
    """The targets and predictions shown with a row."""
    roles = plan.roles
    parts = (roles.targets, roles.predictions)
    return tuple(name for part in parts if len(part) <= WIDE for name in part)


class Detailed(Partial, frozen=True):
    """A partial result with the losses of its rows, until those are written."""

    rows_of: pl.DataFrame | None = None


class RowsJob(partials.EvaluationJob, frozen=True, kw_only=True):
    """An evaluation that also takes the loss of each row: for a `writer`, and for the `worst` rows."""

    writer: Writer | None = None
    worst: int = 0

    @property
    def codec(self) -> str:
        """None: the rows are written here.  Raises UsageError."""
        raise UsageError("--rows and --worst need the rows in this process", remedy="--engine local")

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
        """Read and check one block, take the state of every chosen loss, and keep the requested rows."""
        taken = block_reading.take(self.plan, xp, frame, first_row, fixed)
        part = self.complete(taken, frame.height)
        details: dict[str, Any] = {}
        if self.writer is not None:
            weight = (self.plan.roles.weight,) if self.plan.roles.weight else ()
            table = described(taken, weight)
            for choice in self.plan.choices:
                table = table.with_columns(pl.Series(self._name(choice), values(taken, choice)))
            details["rows_of"] = table
        if self.worst:
            choice = self.plan.choices[0]
            own = values(taken, choice)
            table = described(taken, shown_columns(self.plan))
            table = table.with_columns(pl.Series(self._name(choice), own))
            keep = None if taken.weight is None else to_numpy(taken.weight > 0)
            if keep is not None:
                table, own = table.filter(pl.Series(keep)), own[keep]
            score = -own if choice.loss.score else own
            top = Top.of(Cells(np, len(own), None, 0), (score,), frame=table, most=self.worst)
            details["extras"] = {**part.extras, TOP: top}
        return Detailed(**{**asdict(part), **details})

    def _name(self, choice: Choice) -> str:
        """The loss, with its parameters if it is chosen more than once."""
        names = [each.loss.name for each in self.plan.choices]
        return choice.loss.name if names.count(choice.loss.name) == 1 else str(choice)

    def merge(self, a: Partial, b: Partial) -> Partial:
        """The partial result for the rows of both; writes the rows of `a`, then of `b`, unless written."""
        self.write(a)
        self.write(b)
        return partials.merge(a, b)

    def instead(self, error: DeviceError) -> Self:
        """The same job on the CPU, with the file emptied."""
        found = super().instead(error)
        if self.writer is not None:
            self.writer.restart()
        return found

    def write(self, part: Partial) -> None:
        """Hand the rows of a part to the writer, unless they are already written."""
        if self.writer is not None and isinstance(part, Detailed) and part.rows_of is not None:
            self.writer.put(part.rows_of)


def plain(frame: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    """The rows as plain JSON types."""
    return tuple({name: _plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str | list) else str(value)
