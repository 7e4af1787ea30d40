"""Write rows to a new folder from several processes, a file for each part: completely or not at all."""

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
"""The folders of a draft: where processes write, and what is published."""
_PATIENCE = 60.0
"""Seconds until a shared file system shows here what another machine wrote: NFS caches folders so long."""


class Parts(Struct, frozen=True):
    """The files of a folder that is to be written, `place` until it is complete and then `path`.

    It can be sent to other processes, each of which writes some parts.
    """

    place: str
    path: str

    def writer(self, number: int) -> Writer:
        """The writer of a part, which replaces what another try of the part has written.

        Raises UsageError where this folder is not there, as it is of this machine alone.
        """
        if not os.path.isdir(self.place):
            raise UsageError(
                f"--rows {self.path}: the workers do not find this folder of the driver",
                remedy="name a folder on storage that all machines share under the same path",
            )
        path = Path(self.place) / f"part-{number:05}.parquet"
        return Writer(path, lambda draft: publish([draft]))

    def found(self) -> list[str]:
        """The names of the files that are complete."""
        return sorted(name for name in os.listdir(self.place) if name.startswith("part-"))


class Folder:
    """Writes a new folder; a context manager that leaves none after an exception.

    Other processes write its `parts`.  At the end `done` gets the draft, and publishes it or keeps it for
    later.
    """

    def __init__(self, path: Path, done: Callable[[Draft], None]) -> None:
        self._draft, self._done = FolderDraft(path), done
        self.parts = self._draft.parts

    def restart(self) -> None:
        """Discard what was written so far: all rows are written again."""
        for name in self.parts.found():
            os.unlink(os.path.join(self.parts.place, name))

    def finish(self, files: int) -> None:
        """Take the files that all parts have written.  Raises DataError unless there are as many as that."""
        latest = time.monotonic() + _PATIENCE
        while len(self.parts.found()) < files and time.monotonic() < latest:
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
    """A temporary folder that takes the place of `path`, where nothing may be but an empty folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._final = path.resolve()
            self.name = scratch.name(self._final.parent)
            for name in (_PARTS, _WHOLE):
                os.makedirs(os.path.join(self.name, name))
        self.parts = Parts(os.path.join(self.name, _PARTS), str(path))

    def take(self, files: int) -> None:
        """Choose what is published.  Raises DataError unless there are as many files.

        What a task that was given up still writes stays behind.
        """
        found = self.parts.found()
        if len(found) != files:
            reason = f"workers wrote {files} files, and {len(found)} are here"
            raise unwritable(self._path, reason)
        with writing(self._path):
            for name in found:
                os.replace(os.path.join(self.parts.place, name), os.path.join(self.name, _WHOLE, name))

    def complete(self) -> None:
        """Nothing: its files were brought to the disk one by one."""

    def keep(self) -> None:
        """Nothing, as it replaces nothing."""

    def replace(self) -> None:
        """Put the folder in its place."""
        with writing(self._path):
            os.replace(os.path.join(self.name, _WHOLE), self._final)

    def restore(self) -> None:
        """Delete the folder, if it was put in its place; never one that was there before."""
        if not os.path.isdir(os.path.join(self.name, _WHOLE)):
            shutil.rmtree(self._final, ignore_errors=True)

    def discard(self) -> None:
        """Delete what is left of the temporary folder."""
        scratch.remove(self.name)
