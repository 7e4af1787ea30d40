"""Temporary copies of the bytes of pipes and of rewritten text, which can be read more than once."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from losscli.data import limits
from losscli.data.scratch import ScratchError, require_free, writing
from losscli.numeric.arrays import Array, np
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
            # A file that can be opened by its descriptor needs no name, so nothing is left behind.
            nameless = _DESCRIPTORS.is_dir()
            create = tempfile.TemporaryFile if nameless else tempfile.NamedTemporaryFile
            file: Any = create()
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


def stored(values: Array) -> Array:
    """The array mapped from a temporary file, so that the system can drop its pages from memory.

    Where possible the file has no name, so nothing is left behind; it is deleted with the array.  Raises
    ScratchError if the temporary folder is full.
    """
    if not values.size:
        return values
    folder = tempfile.gettempdir()
    require_free(Path(folder), values.nbytes)
    with writing(Path(folder)), tempfile.TemporaryFile() as file:
        file.write(np.ascontiguousarray(values).data)
        file.flush()
        return np.memmap(file, values.dtype, "r", shape=values.shape)


def chunks_of(pipe: BinaryIO) -> Iterator[bytes]:
    """The bytes of a pipe."""
    while chunk := pipe.read(1 << 20):
        yield chunk
