"""Arrow files, which are also Feather files of version 2."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from losscli.data.formats.arrow_stream import ARROW_STREAM
from losscli.data.formats.base import Files, Format
from losscli.data.formats.columnar import all_batches, not_whole, scanned
from losscli.errors import Problem
from losscli.numeric.arrays import pl


class Ipc(Format, frozen=True):
    """Files that Polars scans, local or behind a URL."""

    def by_content(self, start: bytes) -> Format:
        """Streams are often named as files are, and their first bytes tell them apart."""
        return ARROW_STREAM if start.startswith(ARROW_STREAM.magic) else self

    def scan(self, files: Files, schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The files, whose columns have types of their own."""
        return scanned(pl.scan_ipc, files)

    def columns(self, path: str, files: Files) -> dict[str, Any]:
        """As the end of the file gives them."""
        return dict(pl.read_ipc_schema(path))

    def diagnose(self, files: Files, schema: Mapping[str, Any]) -> list[Problem]:
        """Files that are not whole."""
        return not_whole(files, self.whole, partial(all_batches, pl.scan_ipc))


FORMATS = (
    Ipc("ipc", (".arrow", ".ipc", ".feather"), b"ARROW1", "an Arrow file", "name it .arrow", knows_rows=True),
)
