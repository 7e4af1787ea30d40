"""Write rows to a new folder from several processes, one file per part: completely or not at all."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from losscli.data import scratch
from losscli.data.writer import Draft, Writer, publish, unwritable, writing
from losscli.errors import UsageError

_PARTS, _WHOLE = "parts", "whole"
"""The folders of a draft: one for processes to write to, and one to publish."""
_PATIENCE = 60.0
"""Seconds until a shared file system shows files written by other machines: NFS caches folders."""


class Parts(Struct, frozen=True):
    """The files of a new folder, which is at `place` until it is complete, then at `path`.

    It can be sent to other processes, each of which writes some parts.
    """

    place: str
    path: str

    def writer(self, number: int) -> Writer:
        """The writer of a part, which replaces the file of any earlier attempt.

        Raises UsageError on a machine that does not share the folder.
        """
        if not os.path.isdir(self.place):
            raise UsageError(
                f"--rows {self.path}: the workers do not find this folder of the driver",
                remedy="name a folder on storage that all machines share under the same path",
            )
        path = Path(self.place) / f"part-{number:05}.parquet"
        return Writer(path, lambda draft: publish([draft]))

    def names(self) -> list[str]:
        """The names of the files that are complete."""
        return sorted(name for name in os.listdir(self.place) if name.startswith("part-"))


class Folder:
    """Writes a new folder; a context manager that leaves none behind after an exception.

    Other processes write its `parts`.  At the end `done` receives the draft, to publish it now or later.
    """

    def __init__(self, path: Path, done: Callable[[Draft], None]) -> None:
        self._draft, self._done = FolderDraft(path), done
        self.parts = self._draft.parts

    def restart(self) -> None:
        """Discard what was written so far: all rows are written again."""
        for name in self.parts.names():
            os.unlink(os.path.join(self.parts.place, name))

    def finish(self, files: int) -> None:
        """Collect the files of all parts.  Raises DataError unless there are `files` of them."""
        deadline = time.monotonic() + _PATIENCE
        while len(self.parts.names()) < files and time.monotonic() < deadline:
            time.sleep(0.5)
        self._draft.take(files)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._done(self._draft)
        else:
            self._draft.discard()


class FolderDraft(Draft):
    """A temporary folder that replaces `path`, which must be missing or an empty folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._final = path.resolve()
            self.name = scratch.name(self._final.parent)
            for name in (_PARTS, _WHOLE):
                os.makedirs(os.path.join(self.name, name))
        self.parts = Parts(os.path.join(self.name, _PARTS), str(path))

    def take(self, files: int) -> None:
        """Move the files to publish.  Raises DataError unless there are `files` of them.

        Files that abandoned tasks write later are left out.
        """
        names = self.parts.names()
        if len(names) != files:
            reason = f"workers wrote {files} files, and {len(names)} are here"
            raise unwritable(self._path, reason)
        with writing(self._path):
            for name in names:
                os.replace(os.path.join(self.parts.place, name), os.path.join(self.name, _WHOLE, name))

    def complete(self) -> None:
        """Do nothing: each file was flushed to disk when it was complete."""

    def keep(self) -> None:
        """Do nothing: no folder is replaced."""

    def replace(self) -> None:
        """Move the folder to its final path."""
        with writing(self._path):
            os.replace(os.path.join(self.name, _WHOLE), self._final)

    def restore(self) -> None:
        """Delete the folder if it was moved to its final path, never one that existed before."""
        if not os.path.isdir(os.path.join(self.name, _WHOLE)):
            shutil.rmtree(self._final, ignore_errors=True)

    def discard(self) -> None:
        """Delete what is left of the temporary folder."""
        scratch.remove(self.name)
