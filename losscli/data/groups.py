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
    """The same frames, after checking that groups are contiguous.

    Raises ScatteredError if a group recurs, after the last frame at the latest.
    """
    last_key, seen = None, list[pl.Series]()
    for frame in frames:
        keys = frame[group]
        first_keys = keys.gather(starts_of(keys, last_key))
        if first_keys.is_duplicated().any():
            raise ScatteredError
        seen.append(first_keys)
        last_key = keys[-1] if len(keys) else last_key
        yield frame
    if seen and pl.concat(seen).is_duplicated().any():
        raise ScatteredError


def gathered(frames: Iterator[pl.DataFrame], group: str) -> Iterator[pl.DataFrame]:
    """The rows sorted by group in memory; each group keeps the order of its rows."""
    nonempty = [frame for frame in frames if frame.height]
    if nonempty:
        rows = pl.concat(nonempty)
        if PREDICTION_ROW not in rows.columns:
            rows = rows.with_row_index(PREDICTION_ROW)
        yield rows.sort(group, maintain_order=True)
