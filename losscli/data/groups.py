"""Keep the rows of each group together: in file order if groups are contiguous, else sorted."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from losscli.data.join import OutOfOrderError
from losscli.data.slicing import starts_of
from losscli.data.stream import PREDICTION_ROW


class ScatteredError(OutOfOrderError):
    """The rows of a group are not contiguous."""


def verified(frames: Iterator[pl.DataFrame], group: str) -> Iterator[pl.DataFrame]:
    """The same frames, with the check that groups are contiguous.

    Raises ScatteredError if a group occurs again, after the last frame at the latest.
    """
    before, seen = None, list[pl.Series]()
    for frame in frames:
        keys = frame[group]
        own = keys.gather(starts_of(keys, before))
        if own.is_duplicated().any():
            raise ScatteredError
        seen.append(own)
        before = keys[-1] if len(keys) else before
        yield frame
    if seen and pl.concat(seen).is_duplicated().any():
        raise ScatteredError


def gathered(frames: Iterator[pl.DataFrame], group: str) -> Iterator[pl.DataFrame]:
    """The rows sorted by group in memory; each group keeps the order of its rows."""
    held = [frame for frame in frames if frame.height]
    if held:
        whole = pl.concat(held)
        if PREDICTION_ROW not in whole.columns:
            whole = whole.with_row_index(PREDICTION_ROW)
        yield whole.sort(group, maintain_order=True)
