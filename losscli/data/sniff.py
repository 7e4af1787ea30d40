"""What a file holds, told by its first bytes; text by its first line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import polars as pl
from msgspec import Struct

from losscli.data.batches import batches
from losscli.errors import DataError, Problem

START = 8
"""Bytes that tell one binary format from another."""
HEAD = 100
"""Lines among which the first one with content, or the end of a header, is looked for."""
JSON_REMEDY = "write NDJSON, an object a line: jq -c '.[]' x.json > x.ndjson"


class Kind(Struct, frozen=True):
    """What first bytes mean: a format that is read, or one that is not (`format` is empty), and a remedy."""

    magic: bytes
    what: str
    format: str
    remedy: str


_UTF16 = "convert it: iconv -f utf-16 -t utf-8"
KINDS = (
    Kind(b"PAR1", "a Parquet file", "parquet", "name it .parquet"),
    Kind(b"ARROW1", "an Arrow file", "ipc", "name it .arrow"),
    Kind(b"\x93NUMPY", "a NumPy array", "npy", "name it .npy"),
    Kind(b"PK\x03\x04", "a zip, .npz or Excel file", "npz", "name it .npz, or save it as .csv"),
    Kind(b"FEA1", "a Feather file of version 1", "", "write version 2: polars.DataFrame.write_ipc does"),
    Kind(b"\xff\xff\xff\xff", "an Arrow stream", "ipc_stream", "name it .arrows"),
    Kind(b"\x89HDF", "an HDF5 file", "", "write Parquet"),
    Kind(b"\x80", "a pickle", "", "write Parquet, or numpy.save"),
    Kind(b"\xff\xfe", "UTF-16, not UTF-8", "", _UTF16),
    Kind(b"\xfe\xff", "UTF-16, not UTF-8", "", _UTF16),
)
COMPRESSION = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""The first bytes of gzip and zstd; Polars unpacks both, whatever a file is called."""


def kind(start: bytes) -> Kind | None:
    """What a file with these first bytes is; None for text, compressed or not."""
    return next((each for each in KINDS if start.startswith(each.magic)), None)


def lines(path: str, most: int | None = None) -> Iterator[str]:
    """The lines of a text file, compressed or not, at most so many; bytes that are not UTF-8 show as U+FFFD.

    Raises what Polars raises, where compressed data end early.
    """
    # One column without quotes: a line is a row. The file's own columns could not be read so.
    text = pl.scan_csv(
        path,
        has_header=False,
        separator="\x01",
        quote_char=None,
        encoding="utf8-lossy",
        infer_schema=False,
        truncate_ragged_lines=True,
        empty_string_is_null=False,
        glob="://" in path,
        n_rows=most,
    )
    for batch in batches(text):
        yield from batch.to_series()


def text_format(path: str, name: str) -> str:
    """The format of text by its first line: an object is NDJSON, tabs without commas are TSV, else CSV.

    Raises DataError for what is no text.
    """
    try:
        first = next((line for line in lines(path, HEAD) if line.strip()), "")
    except pl.exceptions.NoDataError:
        first = ""
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(Problem(f"cannot be read: {error}", name, "is it whole?")) from None
    if not first:
        raise DataError(Problem("an empty file", name, "it needs a header and rows"))
    if "\x00" in first or first.count("\ufffd") > len(first) // 8:
        raise DataError(Problem("not a format that is known by its first bytes", name, "--input-format"))
    if first.lstrip("\ufeff ").startswith("{"):
        return "ndjson"
    if first.startswith("["):
        raise DataError(Problem("JSON, and not an object a line", name, JSON_REMEDY))
    return "tsv" if "\t" in first and "," not in first else "csv"


def header(path: str, separator: str) -> Sequence[str]:
    """The names in the first line of a text file, those that repeat too."""
    return next(csv.reader(lines(path, HEAD), delimiter=separator), [])
