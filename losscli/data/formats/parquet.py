"""Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from losscli.data.formats.base import Files, Format
from losscli.data.formats.columnar import all_batches, damaged, rows, scanned
from losscli.errors import Problem
from losscli.numeric.arrays import pl


class Parquet(Format, frozen=True):
    """Files that Polars scans, local or at a URL."""

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The scan of the files, whose columns are typed."""
        return scanned(pl.scan_parquet, files)

    def rows(self, files: Files) -> int:
        """The number of rows, from the footers of the files."""
        return rows(self.scan(files))

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The columns of one file, from its footer."""
        return dict(pl.read_parquet_schema(path))

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """The problems of incomplete or damaged files."""
        return damaged(files, self.bare_noun, partial(all_batches, pl.scan_parquet))


FORMATS = (
    Parquet("parquet", (".parquet", ".pq"), b"PAR1", "a Parquet file", "name it .parquet", knows_rows=True),
)
