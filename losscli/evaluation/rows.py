"""Losses of single rows: all written to a file, and the worst ones of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from losscli.catalog.loss import Choice
from losscli.data.folder import Folder
from losscli.data.stream import NO_ROW
from losscli.data.writer import SINKS, Draft, Writer, require_distinct
from losscli.engines import is_spark
from losscli.engines.job import Sink
from losscli.errors import DataError, Problem, UsageError
from losscli.evaluation import block as block_reading
from losscli.evaluation.block import Cached, Taken
from losscli.evaluation.partial import EvaluationJob, Partial
from losscli.numeric.arrays import Array, Namespace, to_numpy
from losscli.plan.plan import Plan
from losscli.states.cells import Cells
from losscli.states.top import Top

TOP = "top"
"""The name of the state behind --worst."""
WIDE = 8
"""Maximum number of targets, and of predictions, shown with a row; if there are more, none are."""


def checked(rows: str | os.PathLike[str] | None, inputs: Sequence[str], engine: str) -> Path | None:
    """The path of the file for row losses; on Spark, of the folder.

    Raises UsageError for an unknown suffix, a missing folder, a folder that exists, and an input.
    """
    if rows is None:
        return None
    if "://" in str(rows):
        what = (
            "a folder that the driver and its workers reach by a path" if is_spark(engine) else "a local file"
        )
        raise UsageError(f"--rows {rows}: an output is {what}", remedy="write it there, then upload it")
    path = Path(rows)
    if is_spark(engine):
        _require_new_folder(path)
    elif path.suffix not in SINKS:
        raise UsageError(f"--rows {path}: no format has this suffix", remedy=f"one of {', '.join(SINKS)}")
    if not path.parent.is_dir():
        raise UsageError(f"--rows {path}: there is no folder {path.parent}", remedy="make it")
    require_distinct([path], inputs)
    return path


def _require_new_folder(path: Path) -> None:
    if path.suffix in SINKS:
        raise UsageError(
            f"--rows {path}: on Spark it is a folder, with a Parquet file for each part of the rows",
            remedy=f"--rows {path.with_suffix('')}",
        )
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise UsageError(f"--rows {path}: exists already", remedy="name a new folder, or delete it")


def sink(
    path: Path | None, engine: str, done: Callable[[Draft], None]
) -> AbstractContextManager[Sink | None]:
    """A writer of row losses to a file, or on Spark to a folder; `done` receives the draft."""
    if path is None:
        return nullcontext()
    return Folder(path, done) if is_spark(engine) else Writer(path, done)


def require_row_values(choices: Sequence[Choice]) -> None:
    """Raise UsageError for losses that have no value for a single row."""
    without = [str(choice) for choice in choices if not choice.loss.additive]
    if without:
        raise UsageError(
            f"{', '.join(without)} {'has' if len(without) == 1 else 'have'} no value of a single row",
            remedy="choose losses that add up over rows, such as mae or log_loss",
        )


def values(taken: Taken, choice: Choice) -> Array:
    """The loss of each row (n,): under the root of a root, and averaged over outputs."""
    outputs = [to_numpy(column) for (column,) in taken.output_columns(choice)]
    units = [getattr(pilot, "error_unit", 1.0) for pilot in taken.rows.pilots] or [1.0] * len(outputs)
    if any(unit != 1.0 for unit in units):
        raise DataError(Problem("errors are too extreme for the losses of single rows", taken.plan.files[0]))
    return outputs[0] if len(outputs) == 1 else sum(outputs) / len(outputs)


def described(taken: Taken, columns: Sequence[str]) -> pl.DataFrame:
    """The number and key of each row and the given columns of the stream, named as in the files.

    Rows distributed by Spark have no numbers.
    """
    block = taken.block
    rows, frame = block.rows, block.frame
    if taken.rows.starts is not None:
        rows, frame = rows[taken.rows.starts], frame[taken.rows.starts]
    named = {} if NO_ROW in rows[:1] else {"row": pl.Series("row", rows + 1)}
    for name in (*block.roles.ids, *columns):
        short = name[2:]
        named.setdefault(short, frame[name].alias(short))
    return pl.DataFrame(list(named.values()))


def shown_columns(plan: Plan) -> tuple[str, ...]:
    """The columns of targets and predictions shown with a row."""
    roles = plan.roles
    parts = (roles.targets, roles.predictions)
    return tuple(name for part in parts if len(part) <= WIDE for name in part)


class RowsJob(EvaluationJob, frozen=True, kw_only=True):
    """An evaluation that also takes losses of rows: of all to be `written`, and the `worst` to be listed."""

    written: bool = False
    worst: int = 0

    def fold(self, xp: Namespace, frame: pl.DataFrame, first_row: int, fixed: Any) -> Partial:
        """Read and check one block, take the state of every chosen loss, and keep the requested rows."""
        taken = Cached.of(block_reading.take(self.plan, xp, frame, first_row, fixed))
        part = self.complete(taken, frame.height)
        if self.written:
            part = replace(part, rows_of=self._losses(taken))
        if self.worst:
            part = replace(part, extras={**part.extras, TOP: self._top(taken)})
        return part

    def _losses(self, taken: Taken) -> pl.DataFrame:
        """Each row with all of its losses."""
        weight = (self.plan.roles.weight,) if self.plan.roles.weight else ()
        losses = [pl.Series(self._name(choice), values(taken, choice)) for choice in self.plan.choices]
        return described(taken, weight).with_columns(losses)

    def _top(self, taken: Taken) -> Top:
        """The rows with the largest first loss, or the smallest first score."""
        choice = self.plan.choices[0]
        row_losses = values(taken, choice)
        table = described(taken, shown_columns(self.plan)).with_columns(
            pl.Series(self._name(choice), row_losses)
        )
        if taken.weight is not None:
            keep = to_numpy(taken.weight > 0)
            table, row_losses = table.filter(pl.Series(keep)), row_losses[keep]
        score = -row_losses if choice.loss.score else row_losses
        return Top.of(Cells(np, len(row_losses), None, 0), (score,), frame=table, most=self.worst)

    def _name(self, choice: Choice) -> str:
        """The column name of a loss, with parameters if the loss is chosen more than once."""
        names = [each.loss.name for each in self.plan.choices]
        return choice.loss.name if names.count(choice.loss.name) == 1 else str(choice)


def plain(frame: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    """The rows as plain JSON types."""
    return tuple({name: _plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str | list) else str(value)
