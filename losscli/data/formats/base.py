"""What a file format defines: how files are recognised, scanned and diagnosed."""

from __future__ import annotations

import csv
import hashlib
import math
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import Struct, StructMeta, field
from msgspec.structs import replace

from losscli.data.dialect import Dialect
from losscli.data.numbers import Spelling, shows
from losscli.data.spool import Spool
from losscli.errors import EXAMPLES, DataError, Problem
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem
from losscli.text import printable

if TYPE_CHECKING:
    from losscli.data.request import Reading

COMPRESSED = (".gz", ".zst")
"""Suffixes of compressed text, after the suffix of its format."""
_ENDS = 1 << 16
"""Bytes at each end of a file that identify it, with its size: to read all of it would cost as much again."""
FILE = "#file"
"""The column with the file of each row, while key=value folders become columns."""


class Scanned(Struct, frozen=True, eq=False):
    """Files as a lazy table with its schema: the types of columns, or those that the values of text show.

    `types` are those in which columns of text are read, and lists of numbers within them.  `quick` are the
    columns that Polars can parse as numbers while it reads, as far as the first values show.  `repeated`
    are names that several columns share, `spelling` says how text writes numbers.  `has_rows` is None if
    nothing had to be read.
    """

    scan: pl.LazyFrame
    schema: Mapping[str, Any]
    types: Mapping[str, Any] = {}
    quick: frozenset[str] = frozenset()
    repeated: tuple[str, ...] = ()
    spelling: Spelling = Spelling()
    has_rows: bool | None = None


class _AbstractStruct(StructMeta, ABCMeta):
    """The metaclass of structs with abstract methods."""


class Format(Struct, frozen=True, metaclass=_AbstractStruct):
    """A format of files; each is an instance of a subclass, in a file of its own.

    `suffixes` are those of its files, `magic` are their first bytes (none for text), and `noun` is what
    messages call such a file.  `remedy` says how to read a file with another name.  `is_option` says whether
    --input-format accepts it, `is_remote` whether it is read from URLs, `is_text` whether it writes numbers
    as text, `is_zip` whether its files are zip archives, as those of another format, and `knows_rows` whether
    they store their number of rows.  `separator` is that of fields in delimited text: empty if only the user
    can say, None for other formats.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: bytes = b""
    noun: str = ""
    remedy: str = ""
    is_option: bool = True
    is_remote: bool = True
    is_compressible: bool = False
    is_text: bool = False
    is_zip: bool = False
    knows_rows: bool = False
    separator: str | None = None

    def fits(self, path: str) -> bool:
        """Whether a path has one of the suffixes, compressed or not."""
        stem, suffix = os.path.splitext(path.lower())
        if suffix in COMPRESSED:
            return self.is_compressible and os.path.splitext(stem)[1] in self.suffixes
        return suffix in self.suffixes

    def by_content(self, start: bytes) -> Format:
        """The format of a file with a suffix of this one and these first bytes."""
        return self

    def claims(self, line: str) -> bool:
        """Whether text with this first non-blank line has this format."""
        return False

    def hold(self, files: Files, asked: Reading) -> Files:
        """The files with what is found out or mapped before the scan.  Raises DataError or UsageError."""
        return files

    def open(self, files: Files) -> Scanned:
        """The files as a lazy table.  Raises DataError or an error of Polars."""
        scan = self.scan(files)
        # From a copy: Polars adds row numbers within a scan only if its schema was never collected.
        folders = pl.DataFrame(dict(files.partitions))
        shown = {name: each.dtype or pl.String() for name, each in shows(folders, files.spelling).items()}
        schema = dict(scan.head().collect_schema()) | shown
        return Scanned(scan, schema, dict.fromkeys(files.partitions, pl.String()))

    @abstractmethod
    def scan(self, files: Files, types: Mapping[str, Any] | None = None) -> pl.LazyFrame:
        """The files as a lazy table, in order; formats without types of their own read these `types`."""

    def first_rows(self, files: Files, types: Mapping[str, Any], most: int) -> pl.DataFrame:
        """The first rows as `scan` has them.  Raises an error of Polars."""
        return self.scan(files, types).head(most).collect()

    def columns(self, path: str, files: Files) -> dict[str, Any] | None:
        """The columns of one file with their types; None if the files of a table may differ."""
        return None

    def parses(self, files: Files, spelling: Spelling) -> bool:
        """Whether Polars parses text of this spelling, as the files hold it, as roles do."""
        return spelling == Spelling()

    def expected_rows(self, files: Files) -> int | None:
        """About how many rows text has, if that is known without reading all of it."""
        return None

    @property
    def bare_noun(self) -> str:
        """The noun without its article."""
        return self.noun.partition(" ")[2] or "file"

    def rows(self, files: Files) -> int | None:
        """The number of rows that the files say they hold, if that costs no reading."""
        return None

    def diagnose(self, files: Files, types: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with local files that could not be read, from a second, slower pass over them."""
        return []

    def uneven(self, files: Files, blank: bool = False) -> list[Problem]:
        """Rows of text with more or fewer fields than the header.

        `blank` also counts the blank lines of a single column, which otherwise are missing values.
        """
        return []

    def short_rows(self, files: Files, last: str) -> list[Problem]:
        """What `uneven` finds if the last column has missing values: a short row has no last field."""
        return []


class Files(Struct, frozen=True, eq=False):
    """Files of one format that are read one after another, as one table.

    `name` is what messages call them, `paths` are local paths, or one URL.  `partitions` holds the values
    of the key=value folders, one per file.  `spool` keeps the temporary file of a pipe, `rewritten` those of
    files that are read from a copy, and `origins` the files behind the paths.
    `sizes` are those in bytes when the paths were found.
    `by_option` says that --input-format named the format, `dialect` how delimited text is written, `spelling`
    how text writes numbers, and `headers` are the first rows of delimited text, by path.  NumPy files have
    their mapped `arrays`, workbooks their `sheets`; `role` (predictions or targets) names those without a
    name, and `flat` makes a matrix one column per output.
    """

    name: str
    paths: tuple[str, ...]
    format: Format
    dialect: Dialect = Dialect()
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    partitions: Mapping[str, pl.Series] = field(default_factory=dict)
    spool: Spool | None = None
    rewritten: tuple[Spool, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    by_option: bool = False
    spelling: Spelling = Spelling()
    arrays: Sequence[Any] = ()
    sheets: Sequence[Any] = ()
    role: str = ""
    flat: bool = False

    def require_whole(self) -> None:
        """Raise DataError for files that are shorter than they were when they were found."""
        short = [path for path, size in self.sizes.items() if _size(path) < size]
        if short:
            raise DataError([problem(Code.SHORTENED_FILE, printable(path)) for path in short[:EXAMPLES]])

    @property
    def remote(self) -> bool:
        """Whether the files are at a URL."""
        return "://" in self.paths[0]

    def noted(self, note: str) -> Files:
        """The same files with another note on how they are read."""
        return replace(self, dialect=replace(self.dialect, notes=(*self.dialect.notes, note)))

    def digest(self) -> str:
        """What identifies the content of local files: their sizes, and what they begin and end with.

        Empty for a URL, and for a pipe, which is gone.
        """
        try:
            ends = [] if self.remote else [_ends_of(path) for path in self.sources]
        except OSError:
            return ""
        return hashlib.sha256(b"".join(ends)).hexdigest() if ends else ""

    def digests(self) -> tuple[str, ...]:
        """What identifies each of several local files, its place included: files without rows are alike."""
        try:
            ends = [] if self.remote else [(path, _ends_of(path)) for path in self.sources]
        except OSError:
            return ()
        return tuple(hashlib.sha256(os.path.realpath(path).encode() + own).hexdigest() for path, own in ends)

    @property
    def sources(self) -> tuple[str, ...]:
        """The files behind the paths."""
        return tuple(self.origins.get(path, path) for path in self.paths)

    @property
    def how(self) -> str:
        """How the files are read, for messages; empty for one file whose name says it."""
        how = list(self.dialect.notes)
        if len(self.paths) > 1:
            keys = f", partitioned by {', '.join(self.partitions)}" if self.partitions else ""
            files = f"{len(self.paths)} files of {self.format.name}"
            how.insert(0, f"{files}, in the order of their names{keys}")
        elif self.spool is not None or not self.format.fits(self.name):
            how.insert(0, f"read as {self.format.name}")
        return f"{self.name}: {'; '.join(how)}" if how else ""

    def shown(self, path: str) -> str:
        """What messages call one of the files."""
        return self.name if len(self.paths) == 1 else printable(self.origins.get(path, path))


def _ends_of(path: str) -> bytes:
    """The size of a file, and the bytes at its ends."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = file.read(_ENDS)
        file.seek(max(0, size - _ENDS))
        return size.to_bytes(8, "little") + first + file.read(_ENDS)


def _size(path: str) -> float:
    """The size of a file; no end if it is gone, whose bytes are there as long as it is open."""
    try:
        return os.path.getsize(path)
    except OSError:
        return math.inf


def keys_of(path: str, root: int = 0) -> dict[str, str | None]:
    """The values of the key=value folders of a path."""
    folders = [part.partition("=") for part in Path(path).parts[root:-1] if "=" in part]
    return {key: None if text == "__HIVE_DEFAULT_PARTITION__" else unquote(text) for key, _, text in folders}


def empty_file(name: str) -> DataError:
    """The error for an empty file."""
    return DataError(problem(Code.EMPTY_FILE, name))


def read_errors() -> tuple[type[BaseException], ...]:
    """The exceptions for files that cannot be read; damaged bytes can make Polars panic."""
    return (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, csv.Error)


def partitioned(scan: pl.LazyFrame, files: Files) -> pl.LazyFrame:
    """A scan of text with the columns of its key=value folders, which Polars adds for Parquet only."""
    if not files.partitions:
        return scan
    columns = [
        pl.col(FILE).replace_strict(list(files.paths), values, return_dtype=pl.String).alias(name)
        for name, values in files.partitions.items()
    ]
    return scan.with_columns(columns).drop(FILE)
