"""Cut the files of a table into pieces, each of which another process can read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from losscli.data.table import Table, reading
from losscli.errors import UsageError


class Piece(Struct, frozen=True, eq=False):
    """Consecutive rows of a table: their scan, and the number of the first row.

    `rows` is the number of rows, None if unknown before reading.
    """

    scan: pl.LazyFrame
    first_row: int
    rows: int | None


def pieces(table: Table, size: int) -> list[Piece]:
    """The pieces of a table: `size` rows each, or whole files if a format cannot be read from the middle.

    Raises UsageError for a table that is not in files readable by any process.
    """
    files = table.files
    if files is None or files.spool is not None or files.rewritten or not files.format.is_remote:
        what = "is read from a temporary copy" if files and files.rewritten else "is in this process alone"
        raise UsageError(
            f"{table.name} {what}, and other processes cannot read it",
            remedy="write it as a Parquet file on storage that all of them reach",
        )
    scans = _by_file(table)
    if len(scans) == 1 and not files.format.knows_rows:
        return [Piece(scans[0], 0, None)]
    with reading(table):
        counts = [each.item() for each in pl.collect_all([scan.select(pl.len()) for scan in scans])]
    starts = np.cumsum([0, *counts]).tolist()
    if files.format.knows_rows:
        return [_piece(scans, starts, first, size) for first in range(0, starts[-1], size)]
    return [
        Piece(scan, first, end - first)
        for scan, (first, end) in zip(scans, pairwise(starts), strict=True)
        if end > first
    ]


def _piece(scans: list[pl.LazyFrame], starts: list[int], first: int, size: int) -> Piece:
    """The rows from `first` on, of one file or several."""
    end = min(first + size, starts[-1])
    parts = [
        scan.slice(max(first - start, 0), min(end, stop) - max(first, start))
        for scan, (start, stop) in zip(scans, pairwise(starts), strict=True)
        if start < end and first < stop
    ]
    return Piece(parts[0] if len(parts) == 1 else pl.concat(parts), first, end - first)


def _by_file(table: Table) -> list[pl.LazyFrame]:
    """The scan of each file, with the columns of the table."""
    files = table.files
    assert files is not None
    if len(files.paths) == 1:
        return [table.scan]
    scans = []
    for place, path in enumerate(files.paths):
        folders = {name: values[place : place + 1] for name, values in files.partitions.items()}
        scans.append(table.of_files(replace(files, paths=(path,), partitions=folders)).scan)
    return scans
