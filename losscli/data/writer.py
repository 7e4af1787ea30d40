"""A file of rows that is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from losscli.errors import DataError, Problem

SINKS: Mapping[str, Callable[[pl.LazyFrame, str], Any]] = {
    ".parquet": pl.LazyFrame.sink_parquet,
    ".csv": pl.LazyFrame.sink_csv,
    ".ndjson": pl.LazyFrame.sink_ndjson,
    ".jsonl": pl.LazyFrame.sink_ndjson,
    ".arrow": pl.LazyFrame.sink_ipc,
    ".feather": pl.LazyFrame.sink_ipc,
    ".ipc": pl.LazyFrame.sink_ipc,
}
"""How a file is written, by its suffix."""


class Writer:
    """Writes frames to a file as they come, in their order: all of it, or no file.

    Polars writes in a thread of its own, from a queue that is never long.  As the batches that are read, its
    source of frames is marked unstable, and so is called here alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._frames: queue.Queue[pl.DataFrame | None] = queue.Queue(4)
        self._thread: threading.Thread | None = None
        self._temporary = ""
        self._error: BaseException | None = None

    def put(self, frame: pl.DataFrame) -> None:
        """Write the next rows.  Raises DataError where nothing can be written."""
        if self._thread is None:
            real = self.path.resolve()
            try:
                handle, self._temporary = tempfile.mkstemp(
                    dir=real.parent, prefix=".losscli.", suffix=real.suffix
                )
            except OSError as error:
                raise DataError(Problem(f"cannot be written: {error.strerror}", str(self.path))) from error
            os.close(handle)
            self._thread = threading.Thread(target=self._run, args=(frame.schema,), daemon=True)
            self._thread.start()
        while self._error is None:
            try:
                self._frames.put(frame, timeout=0.2)
            except queue.Full:
                continue
            return
        self._fail()

    def _run(self, schema: pl.Schema) -> None:
        def frames(*_: Any) -> Iterator[pl.DataFrame]:
            while (frame := self._frames.get()) is not None:
                yield frame

        try:
            SINKS[self.path.suffix](register_io_source(frames, schema=schema), self._temporary)
        except BaseException as error:  # raised again by the caller's next write
            self._error = error

    def _fail(self) -> None:
        raise DataError(Problem(f"cannot be written: {self._error}", str(self.path))) from self._error

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make the file what it is called; where something was raised, leave none."""
        try:
            if self._thread is None:
                return
            self._end(self._thread, wanted=kind is None)
            if kind is None:
                if self._error is not None:
                    self._fail()
                umask = os.umask(0)
                os.umask(umask)
                os.chmod(self._temporary, 0o666 & ~umask)
                os.replace(self._temporary, self.path.resolve())
        finally:
            if self._temporary and os.path.exists(self._temporary):
                os.unlink(self._temporary)

    def restart(self) -> None:
        """Forget what was written so far: its rows are to come again."""
        if self._thread is not None:
            self._end(self._thread, wanted=False)
            os.unlink(self._temporary)
        self.__init__(self.path)  # type: ignore[misc]  # a writer like a new one

    def _end(self, thread: threading.Thread, wanted: bool) -> None:
        """Wait until all is written, or if it is not wanted until nothing is any more.

        Also then the file is ended first: Polars might make it again.
        """
        if not wanted:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._frames.get_nowait()
        while thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._frames.put(None, timeout=0.2)
                break
        thread.join()
