"""Arrow files, which include Feather version 2."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from losscli.data.formats.arrow_stream import ARROW_STREAM
from losscli.data.formats.base import Files, Format
from losscli.data.formats.columnar import all_batches, damaged, rows, scanned
from losscli.errors import Problem
from losscli.numeric.arrays import pl


class Ipc(Format, frozen=True):
    """Files that Polars scans, local or at a URL."""

    def by_content(self, start: bytes) -> Format:
        """The format by the first bytes, since Arrow streams often have the suffix of Arrow files."""
        return ARROW_STREAM if start.startswith(ARROW_STREAM.magic) else self

    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The scan of the files, whose columns are typed."""
        return scanned(pl.scan_ipc, files)

    def rows(self, files: Files) -> int:
        """The number of rows, from the footers of the files."""
        return rows(self.scan(files))

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """The columns of one file, from its footer."""
        return dict(pl.read_ipc_schema(path))

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """The problems of incomplete or damaged files."""
        return damaged(files, self.bare_noun, partial(all_batches, pl.scan_ipc))


FORMATS = (
    Ipc("ipc", (".arrow", ".ipc", ".feather"), b"ARROW1", "an Arrow file", "name it .arrow", knows_rows=True),
)
