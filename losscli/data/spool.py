"""Keep the bytes of a pipe, or of text that is rewritten, so that they can be read more than once."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from losscli.data import limits
from losscli.data.scratch import ScratchError
from losscli.report.findings import Code, problem

_DESCRIPTORS = Path("/proc/self/fd")


class Spool:
    """Bytes in a temporary file that is deleted with this object, however the program ends.

    `path` can be opened any number of times.  Raises ScratchError if the temporary folder is full.
    """

    kept: ClassVar[weakref.WeakSet[Spool]] = weakref.WeakSet()
    """The spools that exist; call `close` on each if the program ends without the finalizers of Python."""

    def __init__(self, chunks: Iterable[bytes], name: str) -> None:
        try:
            # A file that the system can open by its descriptor needs no name, so nothing is left behind.
            nameless = _DESCRIPTORS.is_dir()
            made = tempfile.TemporaryFile if nameless else tempfile.NamedTemporaryFile
            file: Any = made()
            self.close = weakref.finalize(self, file.close)
            self.kept.add(self)
            for number, chunk in enumerate(chunks):
                if number % 16 == 0:
                    limits.require_room()
                file.write(chunk)
            file.flush()
        except OSError as error:
            where = tempfile.gettempdir()
            reason = f"{error.strerror} in {where}"
            remedy = "set TMPDIR to another folder"
            raise ScratchError(problem(Code.UNREADABLE_FILE, name, remedy=remedy, reason=reason)) from None
        self.path = str(_DESCRIPTORS / str(file.fileno()) if nameless else file.name)


def chunks_of(pipe: BinaryIO) -> Iterator[bytes]:
    """The bytes of a pipe."""
    while chunk := pipe.read(1 << 20):
        yield chunk
