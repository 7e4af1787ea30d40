"""Input formats: each is one file of this folder and an entry of ALL; `memory` reads data without files."""

from __future__ import annotations

from losscli.data.formats.arrow_stream import ARROW_STREAM
from losscli.data.formats.base import Format
from losscli.data.formats.csv import CSV, TSV, TXT
from losscli.data.formats.ipc import IPC
from losscli.data.formats.ndjson import NDJSON
from losscli.data.formats.numpy import NPY, NPZ
from losscli.data.formats.parquet import PARQUET

ALL: tuple[Format, ...] = (CSV, TSV, TXT, PARQUET, IPC, ARROW_STREAM, NDJSON, NPY, NPZ)
FORMATS = tuple(each.name for each in ALL if each.is_option)
"""The names that --input-format takes."""
PLAIN = CSV
"""The format of text that no other format claims."""


def named(name: str) -> Format:
    """The format of that name."""
    return next(each for each in ALL if each.name == name)


def by_suffix(path: str) -> Format | None:
    """The format that the suffix of a path tells, or None."""
    return next((each for each in ALL if each.fits(path)), None)


def by_first_line(line: str) -> Format:
    """The format of text, by its first line with content."""
    return next((each for each in ALL if each.claims(line)), PLAIN)
