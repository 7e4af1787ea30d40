"""Temporary files and folders: deleted however the program ends, or by the next run in the same place."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from losscli.errors import DataError, Problem

OLD = 24 * 3600
"""Seconds after which leftovers of a killed run cannot belong to a running one."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = re.compile(r"\.losscli\.[0-9a-f]{16}(\.\w+)?")
_TRIES = 20
"""Attempts, 10 ms apart, to delete files that threads still write to."""
_made: set[str] = set()
"""The paths that exist or are about to be created."""


class ScratchError(DataError):
    """Temporary files cannot be written, which is not a fault of the inputs."""


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an OSError of a full disk into a ScratchError that names the folder."""
    try:
        yield
    except OSError as error:
        match = re.search(r"os error (\d+)", str(error))  # Polars gives the number only in the text
        number = int(match[1]) if match else error.errno
        if number not in _FULL:
            raise
        what = f"temporary files cannot be written: {os.strerror(number)}"
        raise ScratchError(Problem(what, str(folder), "set TMPDIR to another folder")) from None


def require_free(folder: Path, needed: int) -> None:
    """Raise ScratchError if this many bytes do not fit on the disk of a folder, before any is written."""
    import shutil  # few runs make temporary files

    free = shutil.disk_usage(folder).free
    if needed > free:
        what = f"{needed / 1e9:.1f} GB of temporary files are needed, and {free / 1e9:.1f} GB are free"
        raise ScratchError(Problem(what, str(folder), "set TMPDIR to a folder with more room"))


def name(folder: Path, suffix: str = "") -> str:
    """A path for a temporary file or folder, which the caller creates and `remove` deletes.

    Leftovers of killed runs in the same folder are deleted.
    """
    _clean(folder)
    path = os.fspath(folder / f".losscli.{os.urandom(8).hex()}{suffix}")
    _made.add(path)
    return path


@contextlib.contextmanager
def folder(within: Path) -> Iterator[Path]:
    """A temporary folder, deleted at the end."""
    path = name(within)
    os.mkdir(path, 0o700)
    try:
        yield Path(path)
    finally:
        remove(path)


def remove(path: str) -> None:
    """Delete a temporary file or folder, if it still exists.

    After an interrupt, threads may still write to a folder; then `remove_all` deletes it.
    """
    _delete(path)
    if not os.path.lexists(path):
        _made.discard(path)


def remove_all() -> None:
    """Delete all temporary files of this process; call it right before the process ends."""
    for _ in range(_TRIES):
        for path in tuple(_made):
            _delete(path)
        if not any(map(os.path.lexists, tuple(_made))):
            break
        time.sleep(0.01)


def _clean(folder: Path) -> None:
    """Delete leftovers of runs of this user that were not written to in the last day."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) and entry.path not in _made and _is_leftover(entry.path):
                _delete(entry.path)


def _is_leftover(path: str) -> bool:
    try:
        status = os.lstat(path)
        is_own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
        times = [status.st_mtime]
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                times += [entry.stat(follow_symlinks=False).st_mtime for entry in entries]
    except OSError:
        return False
    return is_own and time.time() - max(times) > OLD


def _delete(path: str) -> None:
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            import shutil  # few runs make folders

            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
