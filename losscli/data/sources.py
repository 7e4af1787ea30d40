"""Find the files behind a path, pattern, folder, URL or pipe, and their format."""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlsplit

import polars as pl
from msgspec.structs import replace

from losscli.data import formats, limits, sniff
from losscli.data.formats.base import COMPRESSED, Files, Format, empty_file, keys_of
from losscli.data.formats.text import start_of
from losscli.data.request import LAYOUT, NUMBERS, Reading
from losscli.data.spool import Spool, chunks_of
from losscli.data.stream import STANDARD_INPUT
from losscli.errors import EXAMPLES, DataError, Problem, UsageError, all_of
from losscli.report import saved
from losscli.report.findings import Code, problem
from losscli.text import printable, without_credentials

STDIN = "-"


def locate(source: str | Path, asked: Reading) -> Files:
    """The files that a user names.  Raises DataError if there are none, or their formats differ."""
    text = os.fspath(source)
    if not text:
        raise UsageError("the name of a file is empty", remedy="is a variable of the shell unset?")
    if text == STDIN:
        if sys.stdin is None:
            remedy = "name a file"
            raise DataError(problem(Code.UNREADABLE_FILE, STANDARD_INPUT, remedy=remedy, reason="closed"))
        return _piped(sys.stdin.buffer, STANDARD_INPUT, asked)
    if "://" in text:
        return _remote(text, asked)
    if text.startswith(saved.GIT):
        return _spooled([saved.blob(text)], text, asked)
    try:
        return _local(text, asked)
    except OSError as error:
        raise DataError(problem(Code.UNREADABLE_FILE, text, remedy="", reason=error.strerror)) from None


def _require_utf8(path: str) -> None:
    """Raise DataError if the name of a file is not UTF-8, as Polars requires."""
    if any("\ud800" <= sign <= "\udfff" for sign in path):
        reason, remedy = "its name is not UTF-8", "rename the file"
        raise DataError(problem(Code.UNREADABLE_FILE, path, remedy=remedy, reason=reason))


def _local(text: str, asked: Reading) -> Files:
    _require_utf8(text)
    path = Path(text)
    if path.is_dir():
        return _several(text, _inside(path), len(path.parts), asked)
    if path.is_file():
        return _checked(Files(printable(text), (text,), _format(text, text, asked)), asked)
    if path.exists():
        with path.open("rb") as pipe:
            return _piped(pipe, text, asked)
    if not glob.has_magic(text):
        raise DataError(problem(Code.NO_SUCH_FILE, text))
    paths = [match for match in limits.matching(text) if os.path.isfile(match)]
    if not paths:
        raise DataError(problem(Code.NO_MATCHING_FILE, text))
    parts = path.parts
    return _several(text, paths, next(i for i, part in enumerate(parts) if glob.has_magic(part)), asked)


def _inside(folder: Path) -> list[str]:
    """The files in a folder and its key=value folders, except names that begin with . or _."""
    paths = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        if not entry.is_dir():
            paths.append(str(entry))
        elif "=" in entry.name:
            paths += _inside(entry)
        else:
            remedy = f"name the files by a pattern: '{folder}/**/*.parquet'"
            raise DataError(problem(Code.NESTED_FOLDER, str(folder), remedy=remedy, name=entry.name))
    return paths


def _several(name: str, paths: Sequence[str], root: int, asked: Reading) -> Files:
    """Files of one format; parts of a path from the `root`-th on may be key=value folders."""
    if not paths:
        raise DataError(problem(Code.EMPTY_FOLDER, name))
    limits.require_few(paths, name)
    all_of(*(partial(_require_utf8, path) for path in paths))
    kinds = [_format(path, path, asked) for path in paths]
    if len(set(kinds)) > 1:
        shown = " and ".join(f"{count} of {each.name}" for each, count in Counter(kinds).items())
        remedy = f"name the files of one format: '{_pattern(name)}'"
        raise DataError(problem(Code.MIXED_FORMATS, name, remedy=remedy, formats=shown))
    name = name if len(paths) > 1 else paths[0]
    files = Files(printable(name), tuple(paths), kinds[0], partitions=_partitions(paths, root))
    return _checked(files, asked)


def _pattern(name: str) -> str:
    return os.path.join(name if os.path.isdir(name) else os.path.dirname(name), "*.parquet")


def _partitions(paths: Sequence[str], root: int) -> dict[str, pl.Series]:
    """The text column of each key of key=value folders."""
    rows = [keys_of(path, root) for path in paths]
    differing = next(
        (path for path, row in zip(paths, rows, strict=True) if list(row) != list(rows[0])), None
    )
    if differing is not None:
        shown = ", ".join(rows[0]) or "none"
        raise DataError(problem(Code.DIFFERENT_FOLDERS, differing, keys=shown))
    return {key: pl.Series([row[key] for row in rows], dtype=pl.String) for key in rows[0]}


def _remote(url: str, asked: Reading) -> Files:
    name = without_credentials(url)
    by_name = formats.by_suffix(urlsplit(url).path)
    form = by_name or _asked_format(asked)
    if form is None:
        what, remedy = "the name does not tell the format", "--input-format parquet"
        raise DataError(problem(Code.UNSUPPORTED_FORMAT, name, remedy=remedy, what=what))
    if not form.is_remote:
        what, remedy = f"{form.name} is only read from local files", "copy it first"
        raise DataError(problem(Code.UNSUPPORTED_FORMAT, name, remedy=remedy, what=what))
    return Files(name, (url,), form, by_option=by_name is None, spelling=asked.spelling)


def _piped(pipe: BinaryIO, name: str, asked: Reading) -> Files:
    with suppress(OSError):  # a stream in memory has no descriptor
        limits.require_an_end(pipe, name)
    return _spooled(chunks_of(pipe), name, asked)


def _spooled(chunks: Iterable[bytes], name: str, asked: Reading) -> Files:
    spool = Spool(chunks, name)
    files = Files(name, (spool.path,), _format(spool.path, name, asked), spool=spool)
    return _checked(files, asked)


def _asked_format(asked: Reading) -> Format | None:
    return formats.named(asked.input_format) if asked.input_format else None


def _format(path: str, name: str, asked: Reading) -> Format:
    """The format by the suffix of a name, or else by --input-format; by content if there is neither."""
    if form := formats.by_suffix(name) or _asked_format(asked):
        return form.by_content(_start(path, name))
    suffix = "".join(PurePosixPath(name).suffixes[-2:]) if name.endswith(COMPRESSED) else ""
    suffix = (suffix or PurePosixPath(name).suffix).lower()
    kind = sniff.kind(start_of(path), suffix)
    if kind and kind.format is None:
        raise DataError(kind.refused(name))
    if suffix.startswith(".json"):
        return sniff.json_format(path, name)
    if suffix:
        known = ", ".join(each for form in formats.all_formats() for each in form.suffixes)
        remedy = f"known: {known}; --input-format says what it is"
        what = f"unknown format {suffix}"
        raise DataError(problem(Code.UNSUPPORTED_FORMAT, name, remedy=remedy, what=what))
    if kind is None:
        _start(path, name)
        return formats.named(formats.PLAIN) if asked.separator else sniff.text_format(path, name)
    assert kind.format is not None
    return kind.format


def _start(path: str, name: str) -> bytes:
    """The first bytes of a file.  Raises DataError if it is empty."""
    if not (start := start_of(path)):
        raise empty_file(name)
    return start


def _checked(files: Files, asked: Reading) -> Files:
    """The files with their spelling and sizes.  Raises DataError if one has the content of another format."""
    problems = []
    for path in files.paths:
        kind = sniff.kind(_start(path, files.shown(path)))
        if kind and not kind.fits(files.format):
            unnamed = formats.by_suffix(files.shown(path)) is None and kind.format
            wrong = kind.refused(files.shown(path))
            problems.append(replace(wrong, remedy=f"--input-format {unnamed.name}") if unnamed else wrong)
    if problems:
        raise DataError(problems[:EXAMPLES])
    by_option = asked.input_format is not None and formats.by_suffix(files.shown(files.paths[0])) is None
    sizes = {} if files.spool else {path: os.path.getsize(path) for path in files.paths}
    return replace(files, by_option=by_option, spelling=asked.spelling, sizes=sizes)


def require_used(asked: Reading, files: Sequence[Files]) -> None:
    """Raise UsageError for an option that no input needs."""
    defaults = Reading()
    if asked == defaults:
        return
    stated = [name for name in asked.__struct_fields__ if getattr(asked, name) != getattr(defaults, name)]
    kinds = (
        (LAYOUT, "no input is CSV, TSV or .txt", any(each.format.separator is not None for each in files)),
        (NUMBERS, "no input is text", any(each.format.is_text for each in files)),
    )
    if wrong := [
        Problem(f"--{name.replace('_', '-')} is for text, and {why}")
        for names, why, needed in kinds
        for name in names
        if name in stated and not needed
    ]:
        raise UsageError(wrong)
    delimited = [each for each in files if each.format.separator is not None]
    if asked.separator and delimited and all(each.dialect.separator != asked.separator for each in delimited):
        raise UsageError(
            f"--separator {asked.separator!r}: no header has it",
            remedy="; ".join(f"{each.name}: {each.dialect.separator!r}" for each in delimited),
        )
    if asked.input_format is not None and not any(each.by_option for each in files):
        raise UsageError(
            "--input-format is for inputs whose names do not tell their format, and these tell it",
            remedy="leave it out, or rename the file",
        )
