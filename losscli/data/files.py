"""Files of one format that are read as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import Struct, field

from losscli.data.spool import Spool
from losscli.numeric.arrays import pl

if TYPE_CHECKING:
    from losscli.data.formats.base import Format

COMPRESSED = (".gz", ".zst")
"""Suffixes of compressed text, behind the suffix of its format."""


class Files(Struct, frozen=True, eq=False):
    """Files of one format that are read one after another, as one table.

    `name` is what messages call them, `paths` are local paths, or one URL.  `partitions` holds the values
    that the folders key=value give, one for each file.  `spool` keeps the temporary file of a pipe.
    `by_option` says that --input-format named the format; `arrays` holds the mapped arrays of NumPy files.
    """

    name: str
    paths: tuple[str, ...]
    format: Format
    separator: str | None = None
    partitions: Mapping[str, pl.Series] = field(default_factory=dict)
    spool: Spool | None = None
    by_option: bool = False
    arrays: Sequence[Any] = ()

    @property
    def remote(self) -> bool:
        """Whether the files are behind a URL."""
        return "://" in self.paths[0]

    @property
    def how(self) -> str:
        """What a plain file's name does not say, in words; else nothing."""
        if self.spool is not None:
            return f"{self.name}: read as {self.format.name}"
        if len(self.paths) > 1:
            keys = f", partitioned by {', '.join(self.partitions)}" if self.partitions else ""
            files = f"{len(self.paths)} files of {self.format.name}"
            return f"{self.name}: {files}, in the order of their names{keys}"
        return "" if self.format.fits(self.paths[0]) else f"{self.name}: read as {self.format.name}"

    def shown(self, path: str) -> str:
        """What messages call one of the files."""
        return self.name if len(self.paths) == 1 else path


def keys_of(path: str, root: int = 0) -> dict[str, str | None]:
    """What the folders key=value of a path say."""
    folders = [part.partition("=") for part in Path(path).parts[root:-1] if "=" in part]
    return {key: None if text == "__HIVE_DEFAULT_PARTITION__" else unquote(text) for key, _, text in folders}
