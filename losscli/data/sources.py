"""From what a user names to files: a path, a pattern, a folder, a URL, a pipe; and their one format."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from losscli.data import sniff
from losscli.data.request import Reading
from losscli.data.spool import Spool
from losscli.data.stream import STANDARD_INPUT
from losscli.errors import EXAMPLES, DataError, Problem, UsageError

STDIN = "-"
SEPARATORS = {"csv": ",", "tsv": "\t", "txt": ""}
"""Formats of text, each with its separator; --separator names another."""
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "txt",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "ipc",
    ".arrows": "ipc_stream",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".npy": "npy",
    ".npz": "npz",
}
COMPRESSIBLE = ("csv", "tsv", "txt", "ndjson")
ARRAYS = ("npy", "npz")
LOCAL = (*ARRAYS, "ipc_stream")
"""Formats that Polars does not scan itself."""
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL")


class Files(Struct, frozen=True, eq=False):
    """Files of one format that are read one after another, as one table.

    `name` is what messages call them, `paths` are local paths, or one URL.  `partitions` holds the values
    that the folders key=value give, a value a file.  `spool` keeps the temporary file of a pipe.
    """

    name: str
    paths: tuple[str, ...]
    format: str
    separator: str | None = None
    partitions: Mapping[str, pl.Series] = field(default_factory=dict)
    spool: Spool | None = None
    told: bool = False
    """Whether --input-format was what told the format."""

    @property
    def remote(self) -> bool:
        """Whether the files are behind a URL."""
        return "://" in self.paths[0]

    @property
    def how(self) -> str:
        """What a plain file's name does not say, in words; else nothing."""
        if self.spool is not None:
            return f"{self.name}: read as {self.format}"
        if len(self.paths) > 1:
            keys = f", partitioned by {', '.join(self.partitions)}" if self.partitions else ""
            return f"{self.name}: {len(self.paths)} files of {self.format}, in the order of their names{keys}"
        return "" if format_of(self.paths[0]) else f"{self.name}: read as {self.format}"

    def shown(self, path: str) -> str:
        """What messages call one of the files."""
        return self.name if len(self.paths) == 1 else path


def format_of(path: str) -> str | None:
    """The format that a name tells by its suffix, or None."""
    stem, suffix = os.path.splitext(path.lower())
    if suffix in (".gz", ".zst"):
        inner = SUFFIXES.get(os.path.splitext(stem)[1])
        return inner if inner in COMPRESSIBLE else None
    return SUFFIXES.get(suffix)


def locate(source: str | Path, asked: Reading) -> Files:
    """The files that a user names.  Raises DataError where there are none, or they are of several formats."""
    text = os.fspath(source)
    if text == STDIN:
        if sys.stdin is None:
            raise DataError(Problem("it is closed", STANDARD_INPUT, "name a file"))
        return _piped(Spool(sys.stdin.buffer, STANDARD_INPUT), STANDARD_INPUT, asked)
    if "://" in text:
        return _remote(text, asked)
    try:
        return _local(text, asked)
    except OSError as error:
        raise DataError(Problem(f"cannot be read: {error.strerror}", text)) from None


def _local(text: str, asked: Reading) -> Files:
    path = Path(text)
    if path.is_dir():
        return _several(text, _inside(path), len(path.parts), asked)
    if path.is_file():
        return _checked(Files(text, (text,), _format(text, text, asked)), asked)
    if path.exists():
        with path.open("rb") as pipe:
            return _piped(Spool(pipe, text), text, asked)
    if not glob.has_magic(text):
        raise DataError(Problem("no such file", text, "check the path"))
    found = sorted(each for each in glob.glob(text, recursive=True) if os.path.isfile(each))
    if not found:
        raise DataError(Problem("no file has a name like this", text, "check the pattern"))
    parts = path.parts
    return _several(text, found, next(i for i, part in enumerate(parts) if glob.has_magic(part)), asked)


def _inside(folder: Path) -> list[str]:
    """The files in a folder and in its folders key=value, but none whose name begins with . or _."""
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        if not entry.is_dir():
            found.append(str(entry))
        elif "=" in entry.name:
            found += _inside(entry)
        else:
            raise DataError(
                Problem(f"a folder within the folder: {entry.name}", str(folder), f"'{folder}/**/*.parquet'")
            )
    return found


def _several(name: str, paths: Sequence[str], root: int, asked: Reading) -> Files:
    """Files of one format; folders key=value count from the `root`-th part of a path on."""
    if not paths:
        raise DataError(Problem("a folder without files", name, "check the path"))
    formats = [_format(path, path, asked) for path in paths]
    if len(set(formats)) > 1:
        shown = " and ".join(f"{count} of {each}" for each, count in Counter(formats).items())
        raise DataError(
            Problem(f"files of several formats: {shown}", name, f"name those of one: '{_pattern(name)}'")
        )
    name = name if len(paths) > 1 else paths[0]
    files = Files(name, tuple(paths), formats[0], partitions=_partitions(paths, root))
    return _checked(files, asked)


def _pattern(name: str) -> str:
    return os.path.join(name if os.path.isdir(name) else os.path.dirname(name), "*.parquet")


def keys_of(path: str, root: int = 0) -> dict[str, str | None]:
    """What the folders key=value of a path say."""
    folders = [part.partition("=") for part in Path(path).parts[root:-1] if "=" in part]
    return {key: None if text == "__HIVE_DEFAULT_PARTITION__" else unquote(text) for key, _, text in folders}


def _partitions(paths: Sequence[str], root: int) -> dict[str, pl.Series]:
    """A column a key: whole numbers where all values are, else text."""
    rows = [keys_of(path, root) for path in paths]
    odd = next((path for path, row in zip(paths, rows, strict=True) if list(row) != list(rows[0])), None)
    if odd is not None:
        shown = ", ".join(rows[0]) or "none"
        raise DataError(Problem(f"its folders key=value are not those of the others ({shown})", odd))
    return {key: _column([row[key] for row in rows]) for key in rows[0]}


def _column(values: list[str | None]) -> pl.Series:
    text = pl.Series(values, dtype=pl.String)
    numbers = text.cast(pl.Int64, strict=False)
    return numbers if numbers.count() == text.count() else text


def _remote(url: str, asked: Reading) -> Files:
    name = redacted(url)
    told = format_of(urlsplit(url).path) or asked.input_format
    if told is None:
        raise DataError(Problem("its name does not tell the format", name, "--input-format parquet"))
    if told in LOCAL:
        raise DataError(Problem(f"{told} is read of local files alone", name, "copy it first"))
    files = Files(name, (url,), told, told=format_of(urlsplit(url).path) is None)
    return replace(files, separator=_separator(files, asked))


def _piped(spool: Spool, name: str, asked: Reading) -> Files:
    files = Files(name, (spool.path,), _format(spool.path, name, asked), spool=spool)
    return _checked(files, asked)


def _format(path: str, name: str, asked: Reading) -> str:
    """The format by the suffix of a name, else by --input-format; without a suffix also by content."""
    if found := format_of(name) or asked.input_format:
        kind = sniff.kind(_start(path, name)) if found == "ipc" else None
        # Streams are often named as files are, and their beginning tells them apart.
        return "ipc_stream" if kind and kind.format == "ipc_stream" else found
    suffix = "".join(PurePosixPath(name).suffixes[-2:]) if name.endswith((".gz", ".zst")) else ""
    suffix = (suffix or PurePosixPath(name).suffix).lower()
    if suffix.startswith(".json"):
        raise DataError(Problem("JSON, one document", name, sniff.JSON_REMEDY))
    if suffix:
        remedy = f"known: {', '.join(SUFFIXES)}; --input-format says what it is"
        raise DataError(Problem(f"unknown format {suffix}", name, remedy))
    kind = sniff.kind(_start(path, name))
    if kind is None:
        return "csv" if asked.separator else sniff.text_format(path, name)
    if not kind.format:
        raise DataError(Problem(kind.what, name, kind.remedy))
    return kind.format


def _start(path: str, name: str) -> bytes:
    with open(path, "rb") as file:
        start = file.read(sniff.START)
    if not start:
        raise DataError(Problem("an empty file", name, "it needs a header and rows"))
    return start


def _checked(files: Files, asked: Reading) -> Files:
    """The files with their separator, where each begins as one of its format does.  Raises DataError."""
    problems = []
    for path in files.paths:
        found = sniff.kind(_start(path, files.shown(path)))
        if found and found.format != files.format:
            unnamed = format_of(files.shown(path)) is None and found.format
            remedy = f"--input-format {found.format}" if unnamed else found.remedy
            problems.append(Problem(found.what, files.shown(path), remedy))
    if problems:
        raise DataError(problems[:EXAMPLES])
    told = asked.input_format is not None and format_of(files.shown(files.paths[0])) is None
    return replace(files, separator=_separator(files, asked), told=told)


def _separator(files: Files, asked: Reading) -> str | None:
    if files.format not in SEPARATORS:
        return None
    separator = asked.separator or SEPARATORS[files.format]
    if not separator:
        raise UsageError(f"{files.name}: .txt does not tell what separates fields", remedy="--separator tab")
    return separator


def used(asked: Reading, files: Sequence[Files]) -> None:
    """Raise UsageError for an option that no input needs, rather than ignore it."""
    if asked.separator is not None and not any(each.separator for each in files):
        raise UsageError("--separator is for text, and no input is CSV, TSV or .txt")
    if asked.input_format is not None and not any(each.told for each in files):
        raise UsageError(
            "--input-format is for inputs whose names do not tell their format, and these tell it",
            remedy="leave it out, or rename the file",
        )


def redacted(text: str) -> str:
    """A message without what URLs and the environment hold of credentials."""
    text = re.sub(r"(?<=://)[^/@\s'\"]+@", "***@", text)
    text = re.sub(r"(://[^\s?'\"]*)\?[^\s'\"]*=[^\s'\"]*", r"\1?***", text)
    for name, value in os.environ.items():
        if _SECRET.search(name.upper()) and len(value) >= 8:
            text = text.replace(value, "***")
    return text


def said(error: Exception) -> str:
    """The first line of an error of Polars, without credentials."""
    return redacted((str(error).strip().splitlines() or [type(error).__name__])[0])
