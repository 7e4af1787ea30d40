"""Recognise the format of a file by its first bytes, and of text by its first line."""

from __future__ import annotations

import json
from contextlib import suppress
from shlex import quote

import polars as pl
from msgspec import Struct

from losscli.data import formats
from losscli.data.formats.base import Format, empty_file, read_errors
from losscli.data.formats.text import lines
from losscli.errors import DataError, Problem
from losscli.report.findings import Code, problem
from losscli.report.saved import MAGIC_OF_STATES, OF_STATES

START = 32
"""The number of first bytes that distinguish binary formats."""
HEAD = 100
"""The number of lines searched for the first non-blank one."""


def not_ndjson(name: str, columns: bool = False) -> Problem:
    """The problem of a file that is a single JSON document: an array, or columns as pandas writes them."""
    stem = name.removesuffix(".json")
    convert = (
        f"pandas.read_json({name!r}).to_json({stem + '.ndjson'!r}, orient='records', lines=True)"
        if columns
        else f"jq -c '.[]' {quote(name)} > {quote(stem + '.ndjson')}"
    )
    remedy = f"write NDJSON, one object per line: {convert}"
    return problem(Code.UNSUPPORTED_FORMAT, name, remedy=remedy, what="JSON, but not one object per line")


def json_format(path: str, name: str) -> Format:
    """The format of a .json file with one object per line.  Raises DataError for any other JSON."""
    first_lines = list[str]()
    with suppress(*read_errors()):
        first_lines = [line.lstrip("\ufeff ") for line in lines(path, HEAD) if line.strip()][:2]
    if not first_lines:
        raise empty_file(name)
    value = None
    with suppress(ValueError, RecursionError):
        value = json.loads(first_lines[0])
    is_object = isinstance(value, dict) and (
        len(first_lines) > 1 or not all(isinstance(each, dict | list) for each in value.values())
    )
    if not is_object:
        raise DataError(not_ndjson(name, first_lines[0].startswith("{") and value != {}))
    return formats.named("ndjson")


class Kind(Struct, frozen=True):
    """What a file with these first bytes is: a format, or None if it is not supported, and a remedy.

    If it `is_text`, text formats given by the name of a file can read it.
    """

    magic: bytes
    what: str
    format: Format | None
    remedy: str
    is_text: bool = False

    def fits(self, form: Format) -> bool:
        """Whether a file of this format can have these first bytes."""
        return self.format == form or (self.is_text and form.is_text) or (self.magic == ZIP and form.is_zip)

    def refused(self, name: str) -> Problem:
        """The problem of a file of this kind."""
        remedy = self.remedy.replace("FILE", quote(name))
        return problem(Code.UNSUPPORTED_FORMAT, name, remedy=remedy, what=self.what)


_UTF16 = "convert it: iconv -f utf-16 -t utf-8 FILE"
ZIP = b"PK\x03\x04"
_ZIP = Kind(ZIP, "a zip archive", None, "unpack it: unzip FILE")
_HTML = Kind(b"", "an HTML page, not data", None, "fetch the file itself: is a login or a raw link needed?")
KINDS = (
    *(Kind(each.magic, each.noun, each, each.remedy) for each in formats.all_formats() if each.magic),
    Kind(b"FEA1", "a Feather file of version 1", None, "write version 2: polars.DataFrame.write_ipc does"),
    Kind(MAGIC_OF_STATES, "a state of losscli, not rows", None, OF_STATES),
    Kind(b"\x89HDF", "an HDF5 file", None, "write Parquet"),
    Kind(b"\x80", "a pickle", None, "write Parquet, or numpy.save"),
    Kind(b"version https://git-lfs", "a pointer of git LFS, not the file", None, "fetch it: git lfs pull"),
    Kind(b"BZh", "compressed by bzip2", None, "decompress it: bunzip2 -k FILE"),
    Kind(b"\xfd7zXZ\x00", "compressed by xz", None, "decompress it: unxz -k FILE"),
    *(
        Kind(magic, "compressed by zlib", None, "compress it by gzip instead")
        for magic in (b"x\x01", b"x\x9c", b"x\xda")
    ),
    # Polars takes this text for compressed data too, and cannot read it.
    Kind(
        b"x^",
        "begins with x^, as what zlib compresses does",
        None,
        'if it is text, quote its first name, "x^..."; else compress it by gzip instead',
    ),
    Kind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", None, "unpack it: 7z x FILE"),
    Kind(b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)", None, "save it as .xlsx or .csv"),
    Kind(b"SQLite format 3", "an SQLite database", None, "write Parquet or CSV"),
    Kind(b"\xff\xfe", "UTF-16, not UTF-8", None, _UTF16, is_text=True),
    Kind(b"\xfe\xff", "UTF-16, not UTF-8", None, _UTF16, is_text=True),
)


def kind(start: bytes, suffix: str = "") -> Kind | None:
    """The kind of a file with these first bytes; None for text, compressed or not."""
    if suffix == ".zip":
        return _ZIP
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return _HTML
    return next((each for each in KINDS if start.startswith(each.magic)), None)


def text_format(path: str, name: str) -> Format:
    """The format of text by its first line: NDJSON for an object, TSV for tabs without commas, else CSV.

    Raises DataError if it is not text.
    """
    try:
        first = next((line for line in lines(path, HEAD) if line.strip()), "")
    except pl.exceptions.NoDataError:
        first = ""
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(problem(Code.UNREADABLE_FILE, name, reason=error)) from None
    if not first:
        raise empty_file(name)
    if "\x00" in first or first.count("\ufffd") > len(first) // 8:
        what = "the first bytes match no known format"
        raise DataError(problem(Code.UNSUPPORTED_FORMAT, name, what=what))
    if first.startswith("["):
        raise DataError(not_ndjson(name))
    return formats.by_first_line(first)
