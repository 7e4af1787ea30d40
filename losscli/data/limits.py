"""Limits of inputs: files, links, columns, line lengths and compressed bytes."""

from __future__ import annotations

import glob
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from losscli.errors import DataError
from losscli.report.findings import Code, problem

MOST_FILES = 10_000
"""The maximum number of files of one table."""
MOST_FOLDERS = 100_000
"""The maximum number of folders below a pattern with **."""
MOST_COLUMNS = 100_000
"""The maximum number of columns of delimited text, whose values are all inspected."""
LONGEST_LINE = 1 << 24
"""The maximum length of the first line of text in characters, as it is copied several times."""
RATIO = 100
"""The maximum compression ratio of files that hold more than --max-memory."""
MAX_MEMORY = 4 << 30
"""The default of --max-memory in bytes."""
_RESERVE = 256 << 20
"""Bytes that stay free in the temporary folder when a pipe is spooled."""
_START = 64 << 10
"""Compressed bytes from which the uncompressed size of the file is estimated."""


def _unreadable(name: str, reason: str, remedy: str) -> DataError:
    return DataError(problem(Code.UNREADABLE_FILE, name, remedy=remedy, reason=reason))


def matching(pattern: str) -> list[str]:
    """The sorted paths that match a pattern.  Raises DataError for circular links."""
    parts = Path(pattern).parts
    if "**" in parts:
        fixed = parts[: next(i for i, part in enumerate(parts) if glob.has_magic(part))]
        _require_no_circle(Path(*fixed), pattern)
    return sorted(glob.glob(pattern, recursive=True))


def _require_no_circle(root: Path, pattern: str) -> None:
    ancestors_of: dict[str, tuple[str, ...]] = {str(root): (os.path.realpath(root),)}
    for count, (folder, folders, _) in enumerate(os.walk(root, followlinks=True)):
        if count > MOST_FOLDERS:
            raise _unreadable(
                pattern, f"more than {MOST_FOLDERS:,} folders", "begin the pattern further down"
            )
        ancestors = ancestors_of.pop(folder)
        for name in folders:
            path = os.path.join(folder, name)
            real = os.path.realpath(path)
            if real in ancestors:
                raise _unreadable(pattern, f"links lead in a circle: {path}", "name the folders without **")
            ancestors_of[path] = (*ancestors, real)


def require_few(paths: Sequence[str], name: str) -> None:
    """Raise DataError for too many files of one table."""
    if len(paths) > MOST_FILES:
        raise _unreadable(
            name, f"{len(paths):,} files, where one table has {MOST_FILES:,} at most", "join them"
        )


def require_narrow(columns: int, name: str) -> None:
    """Raise DataError for too many columns of delimited text."""
    if columns > MOST_COLUMNS:
        reason = f"{columns:,} columns, where text has {MOST_COLUMNS:,} at most"
        raise _unreadable(name, reason, "write lists, or a Parquet file")


def require_short(line: str, name: str) -> None:
    """Raise DataError for a first line that is too long, such as that of a file without line ends."""
    if len(line) > LONGEST_LINE:
        raise _unreadable(name, f"the first line has more than {LONGEST_LINE:,} characters", "is it a table?")


def require_an_end(file: BinaryIO, name: str) -> None:
    """Raise DataError for a device, which may have no end."""
    mode = os.fstat(file.fileno()).st_mode
    if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not file.isatty():
        raise _unreadable(name, "it is a device", "name a file or a pipe")


def require_room() -> None:
    """Raise OSError if the temporary folder is nearly full, as an endless pipe must not fill it."""
    if shutil.disk_usage(tempfile.gettempdir()).free < _RESERVE:
        raise OSError(0, f"less than {_RESERVE >> 20} MiB are left")


def free_memory() -> int | None:
    """The bytes of memory available to this process; None if unknown."""
    limits = list[int]()
    with suppress(OSError, ValueError, KeyError):
        limits.append(_fields("/proc/meminfo")["MemAvailable:"] << 10)
    with suppress(OSError, ValueError, KeyError):
        group = "/sys/fs/cgroup/memory."  # of a container
        maximum, used = (int(Path(f"{group}{name}").read_text()) for name in ("max", "current"))
        limits.append(maximum - used + _fields(f"{group}stat")["inactive_file"])
    return min(limits, default=None)


def _fields(path: str) -> dict[str, int]:
    """The numbers in a system file with a name and a number on each line."""
    lines = (line.split() for line in Path(path).read_text().splitlines())
    return {words[0]: int(words[1]) for words in lines}


def require_memory(uncompressed: int, size: int, max_memory: int, name: str) -> None:
    """Raise DataError if compressed bytes of this size hold far more bytes, and more than `max_memory`."""
    if uncompressed > max_memory and uncompressed > RATIO * max(size, 1):
        reason = f"{_amount(size)} hold {_amount(uncompressed)}, more than {RATIO} times as much"
        raise _unreadable(name, reason, f"--max-memory {-(-uncompressed >> 30)}GiB, if it should hold that")


def require_inflation(path: str, max_memory: int, name: str) -> None:
    """Raise DataError if compressed text holds far more than its size, and more than `max_memory`."""
    with suppress(OSError, zlib.error), open(path, "rb") as file:  # errors are reported when it is read
        start, size = file.read(_START), os.path.getsize(path)
        if start.startswith(b"\x1f\x8b"):
            require_memory(_inflated(start) * size // len(start), size, max_memory, name)
        elif start.startswith(b"\x28\xb5\x2f\xfd"):
            file.seek(0)
            require_memory(_zstd(file, size), size, max_memory, name)


def _inflated(start: bytes) -> int:
    """The uncompressed size of the first bytes of a gzip file."""
    stream, uncompressed = zlib.decompressobj(31), 0
    while start and not stream.eof:
        uncompressed += len(stream.decompress(start, 1 << 20))
        start = stream.unconsumed_tail
    return uncompressed


def _zstd(file: BinaryIO, size: int) -> int:
    """The approximate uncompressed size of a zstd file, from the headers of its blocks (RFC 8878, 3.1.1)."""
    uncompressed = 0
    while len(magic := file.read(4)) == 4 and file.tell() < size:
        if magic[1:] == b"\x2a\x4d\x18":  # a skippable frame
            file.seek(int.from_bytes(file.read(4), "little"), os.SEEK_CUR)
            continue
        flags = file.read(1)[0]
        is_single, dictionary = flags >> 5 & 1, (0, 1, 2, 4)[flags & 3]
        file.seek(1 - is_single + dictionary + (is_single, 2, 4, 8)[flags >> 6], os.SEEK_CUR)
        last = 0
        while not last and len(header := file.read(3)) == 3:
            number = int.from_bytes(header, "little")
            last, kind, length = number & 1, number >> 1 & 3, number >> 3
            uncompressed += length if kind < 2 else 128 << 10  # at most
            file.seek(1 if kind == 1 else length, os.SEEK_CUR)
        file.seek(4 * (flags >> 2 & 1), os.SEEK_CUR)
    return uncompressed


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
