"""Rows of a group together: as they stand, or where a group comes again later in the file, sorted."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from losscli.data.align import Alignment
from losscli.data.join import OutOfOrderError
from losscli.data.slicing import starts_of
from losscli.data.stream import PREDICTION_ROW


class ScatteredError(OutOfOrderError):
    """The rows of a group do not stand together."""


def together(alignment: Alignment, group: str) -> Alignment:
    """The same rows, those of each group one after the other.

    Frames are handed on as they come while the keys of their groups are noted.  ScatteredError is raised
    where a key comes again, at the latest after the last frame; instead the rows are sorted in memory.
    """
    how = f"{alignment.how}; the rows of a group do not stand together: sorted by {group[2:]}, in memory"

    def instead(error: OutOfOrderError) -> Alignment | None:
        if isinstance(error, ScatteredError):
            return Alignment(lambda: _sorted(alignment, group), how, alignment.tallies, instead)
        found = alignment.instead(error)
        return found and together(found, group)

    return Alignment(lambda: _verified(alignment, group), alignment.how, alignment.tallies, instead)


def _verified(alignment: Alignment, group: str) -> Iterator[pl.DataFrame]:
    before, seen = None, list[pl.Series]()
    for frame in alignment.frames():
        keys = frame[group]
        own = keys.gather(starts_of(keys, before))
        if own.is_duplicated().any():
            raise ScatteredError
        seen.append(own)
        before = keys[-1] if len(keys) else before
        yield frame
    if seen and pl.concat(seen).is_duplicated().any():
        raise ScatteredError


def _sorted(alignment: Alignment, group: str) -> Iterator[pl.DataFrame]:
    frames = [frame for frame in alignment.frames() if frame.height]
    if frames:
        whole = pl.concat(frames)
        if PREDICTION_ROW not in whole.columns:
            whole = whole.with_row_index(PREDICTION_ROW)
        yield whole.sort(group, maintain_order=True)
