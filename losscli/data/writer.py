"""Write files completely or not at all: texts, and rows as they arrive."""

from __future__ import annotations

import contextlib
import os
import queue
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from losscli.errors import DataError, Problem, UsageError
from losscli.numeric.arrays import pl
from losscli.report.findings import Code, problem

SINKS: Mapping[str, Callable[[pl.LazyFrame, str], Any]] = {
    ".parquet": lambda rows, path: rows.sink_parquet(path),
    ".csv": lambda rows, path: rows.sink_csv(path),
    ".ndjson": lambda rows, path: rows.sink_ndjson(path),
    ".jsonl": lambda rows, path: rows.sink_ndjson(path),
    ".arrow": lambda rows, path: rows.sink_ipc(path),
    ".feather": lambda rows, path: rows.sink_ipc(path),
    ".ipc": lambda rows, path: rows.sink_ipc(path),
}
"""The writers of rows, by the suffix of the file."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: BaseException) -> DataError:
    """The error for a file that cannot be written."""
    reason = error.strerror if isinstance(error, OSError) else error
    return DataError(problem(Code.UNWRITABLE_FILE, str(path), reason=reason))


def require_distinct(outputs: Sequence[Path], inputs: Iterable[str]) -> None:
    """Raise UsageError for outputs that would replace a file that is read, or each other."""
    read = {_identity(path) for path in inputs}
    counts = Counter(map(_identity, outputs))
    wrong = [f"{path} is read too, and would be replaced" for path in outputs if _identity(path) in read]
    wrong += [f"{path} is written twice" for path in dict.fromkeys(outputs) if counts[_identity(path)] > 1]
    if wrong:
        raise UsageError([Problem(each, remedy="name another file") for each in wrong])


def _identity(path: str | Path) -> object:
    """What is the same for all names of a file, links included."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


class Draft:
    """A temporary file that takes the place of `path` when it is complete.  Its methods raise DataError.

    It is in the folder of the file itself, also if `path` is a link: then a rename is all or nothing.  A
    missing folder is created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._final = path.resolve()
            self._final.parent.mkdir(parents=True, exist_ok=True)
            handle, self.name = tempfile.mkstemp(
                dir=self._final.parent, prefix=".losscli.", suffix=self._final.suffix
            )
            os.close(handle)

    def write(self, text: str) -> None:
        """Write the whole content."""
        with writing(self._path):
            Path(self.name).write_text(text, encoding="utf-8")

    def publish(self) -> None:
        """Replace the file with it, with the permissions of a new file."""
        with writing(self._path):
            with open(self.name, "rb+") as file:
                os.fsync(file)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(self.name, 0o666 & ~umask)
            os.replace(self.name, self._final)

    def discard(self) -> None:
        """Delete it, unless it was published."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.name)


def write(texts: Sequence[tuple[Path, str]]) -> None:
    """Write each text to its path: all of them, or none.  Raises DataError."""
    with contextlib.ExitStack() as stack:
        drafts = []
        for path, text in texts:
            draft = Draft(path)
            stack.callback(draft.discard)
            draft.write(text)
            drafts.append(draft)
        for draft in drafts:
            draft.publish()


class Writer:
    """Writes frames to a file as they arrive; a context manager that leaves no file after an exception."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sink: _Sink | None = None

    def put(self, frame: pl.DataFrame) -> None:
        """Write the next rows.  Raises DataError if nothing can be written."""
        if self._sink is None:
            self._sink = _Sink(self.path, frame.schema)
        self._sink.put(frame)

    def restart(self) -> None:
        """Discard what was written so far: all rows are written again."""
        if self._sink is not None:
            self._sink.discard()
            self._sink = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._sink is not None:
            self._sink.finish()
        else:
            self.restart()


class _Sink:
    """A draft that Polars writes in a thread of its own, from a short queue of frames."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._path, self._draft = path, Draft(path)
        self._frames: queue.Queue[pl.DataFrame | None] = queue.Queue(4)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write, args=(schema,), daemon=True)
        self._thread.start()

    def _write(self, schema: pl.Schema) -> None:
        from polars.io.plugins import register_io_source  # loads Polars

        def frames(*_: Any) -> Iterator[pl.DataFrame]:
            while (frame := self._frames.get()) is not None:
                yield frame

        try:
            SINKS[self._path.suffix](register_io_source(frames, schema=schema), self._draft.name)
        except BaseException as error:  # raised again by the next `put` or by `finish`
            self._error = error

    def put(self, frame: pl.DataFrame) -> None:
        """Write the next rows.  Raises DataError if writing failed."""
        while self._error is None:
            with contextlib.suppress(queue.Full):
                self._frames.put(frame, timeout=0.2)
                return
        raise unwritable(self._path, self._error) from self._error

    def finish(self) -> None:
        """Wait until all is written, and publish the file.  Raises DataError."""
        try:
            self._end()
            if self._error is not None:
                raise unwritable(self._path, self._error) from self._error
            self._draft.publish()
        finally:
            self._draft.discard()

    def discard(self) -> None:
        """Stop writing, and leave no file."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._frames.get_nowait()
        # The thread ends before the draft is deleted, or Polars could create it again.
        self._end()
        self._draft.discard()

    def _end(self) -> None:
        while self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._frames.put(None, timeout=0.2)
                break
        self._thread.join()
