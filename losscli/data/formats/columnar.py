"""Shared code of Parquet and Arrow files, whose typed columns can be read separately."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from losscli.data.batches import batches
from losscli.data.formats.base import Files, keys_of, read_errors
from losscli.data.redaction import reason
from losscli.errors import Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem


def scanned(read: Callable[..., pl.LazyFrame], files: Files) -> pl.LazyFrame:
    """The files scanned by `read`, a function of Polars, with the columns of their key=value folders."""
    paths = list(files.paths)
    if not files.partitions:
        # Polars resolves patterns in URLs; a local name is taken literally.
        return read(paths, glob=files.remote, hive_partitioning=None if files.remote else False)
    hive = dict.fromkeys(keys_of(paths[0]), pl.String()) | {
        name: values.dtype for name, values in files.partitions.items()
    }
    others = [name for name in hive if name not in files.partitions]
    scan = read(paths, glob=False, hive_partitioning=True, hive_schema=hive)
    return scan.drop(others) if others else scan


def rows(scan: pl.LazyFrame) -> int:
    """The number of rows of a scan, which Polars takes from the footers of files."""
    return int(scan.select(pl.len()).collect().item())


def all_batches(read: Callable[..., pl.LazyFrame], path: str) -> Iterable[pl.DataFrame]:
    """Every batch of one local file."""
    return batches(read(path, glob=False), ordered=False)


def damaged(files: Files, noun: str, decoded: Callable[[str], Iterable[Any]]) -> list[Problem]:
    """The problems of files that cannot be decoded completely; decodes all of them and keeps nothing."""
    problems = []
    for path in files.paths:
        try:
            for _ in decoded(path):
                pass
        except read_errors() as error:
            problems.append(problem(Code.DAMAGED_FILE, files.shown(path), kind=noun, reason=reason(error)))
    return problems
