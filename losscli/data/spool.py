"""What comes out of a pipe, kept for the passes that look at it again."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from losscli.errors import DataError, Problem

_DESCRIPTORS = Path("/proc/self/fd")


class Spool:
    """The bytes of a pipe in a temporary file that is gone with this object, however the program ends.

    `path` opens it as often as needed.  Raises DataError where the temporary folder is full.
    """

    kept: ClassVar[weakref.WeakSet[Spool]] = weakref.WeakSet()
    """Those that are there; `close` must be called on each where Python is not taken down in order."""

    def __init__(self, pipe: BinaryIO, name: str) -> None:
        try:
            # Where the system can open a file by its descriptor, the file has no name to be left behind.
            nameless = _DESCRIPTORS.is_dir()
            made = tempfile.TemporaryFile if nameless else tempfile.NamedTemporaryFile
            file: Any = made()
            self.close = weakref.finalize(self, file.close)
            self.kept.add(self)
            shutil.copyfileobj(pipe, file, 1 << 20)
            file.flush()
        except OSError as error:
            where = tempfile.gettempdir()
            raise DataError(
                Problem(f"cannot be kept in {where}: {error.strerror}", name, "TMPDIR names another folder")
            ) from None
        self.path = str(_DESCRIPTORS / str(file.fileno()) if nameless else file.name)
